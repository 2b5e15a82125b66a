//! Limits that change while people are here.

use std::sync::Arc;

use domain::{
    Time,
    presence::{Cause, Event, PersonRow, Report, Roster, State},
    session::EndReason,
    settings::{AwayAs, PresenceLimits},
    time::{HOUR, MINUTE, SECOND},
};
use proptest::{prelude::*, test_runner::TestCaseResult};

use crate::{
    story::Story,
    world::{World, limits, steps, user},
};

const PEOPLE: usize = 3;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() }
}

/// All that is said of a person but since when and why.
fn said(row: Option<&Arc<PersonRow>>) -> Option<PersonRow> {
    row.map(|r| PersonRow { since: Time(0), cause: Cause::Input, ..(**r).clone() })
}

fn same(a: &Roster, b: &Roster) -> TestCaseResult {
    for person in 0..PEOPLE {
        prop_assert_eq!(said(a.row(user(person))), said(b.row(user(person))));
        prop_assert_eq!(a.state(user(person)), b.state(user(person)));
    }
    prop_assert_eq!(a.sizes(), b.sizes());
    prop_assert_eq!(a.next_deadline(), b.next_deadline());
    Ok(())
}

fn take(roster: &mut Roster, event: Option<&Event>, now: Time) {
    roster.advance(now);
    if let Some(event) = event {
        roster.apply(event.clone(), now);
    }
}

proptest! {
    #![proptest_config(config())]

    /// By the limits of input a roster is, after any number of changes, as if it had had the last ones from the start.
    #[test]
    fn what_input_makes_of_people_follows_at_once(
        history in steps(PEOPLE, 40),
        changes in prop::collection::vec((0..40_usize, SECOND..20 * MINUTE, 0..20 * MINUTE, any::<bool>()), 1..4),
        first in limits(),
    ) {
        let mut world = World::new(PEOPLE);
        let mut changed = Roster::new(first.clone());
        let mut log: Vec<(Time, Option<Event>)> = vec![];
        for (i, step) in history.iter().enumerate() {
            for (_, idle_after, more, offline) in changes.iter().filter(|c| c.0 == i) {
                let away_as = if *offline { AwayAs::Offline } else { AwayAs::Away };
                let now = PresenceLimits { idle_after: *idle_after, away_after: idle_after + more, away_as, ..first.clone() };
                changed.set_limits(now.clone(), world.now);
                let mut ever = Roster::new(now.clone());
                for (at, event) in &log {
                    take(&mut ever, event.as_ref(), *at);
                }
                // Brought up to now likewise: after a sign of life the old deadline stands.
                ever.set_limits(now, world.now);
                same(&changed, &ever)?;
            }
            let event = world.step(step);
            take(&mut changed, event.as_ref(), world.now);
            log.push((world.now, event));
        }
    }

    /// What was opened after a change knows nothing of the limits before it.
    #[test]
    fn what_begins_after_a_change_follows_the_new_limits(
        before in steps(PEOPLE, 30),
        after in steps(PEOPLE, 30),
        old in limits(),
        new in limits(),
    ) {
        let mut world = World::new(PEOPLE);
        let (mut changed, mut ever) = (Roster::new(old), Roster::new(new.clone()));
        for step in &before {
            let event = world.step(step);
            take(&mut changed, event.as_ref(), world.now);
            take(&mut ever, event.as_ref(), world.now);
        }
        changed.set_limits(new, world.now);
        for roster in [&mut changed, &mut ever] {
            for person in 0..PEOPLE {
                let sessions: Vec<_> =
                    roster.row(user(person)).iter().flat_map(|r| r.devices.iter().map(|d| d.session_id)).collect();
                for session in sessions {
                    roster.apply(Event::Ended { session, reason: EndReason::Revoked }, world.now);
                }
                roster.apply(Event::Deleted { user: user(person) }, world.now);
            }
        }
        for step in &after {
            let event = world.step(step);
            take(&mut changed, event.as_ref(), world.now);
            take(&mut ever, event.as_ref(), world.now);
            same(&changed, &ever)?;
        }
    }

    /// A change by itself loses no connection that is open, and wakes nobody who is gone.
    #[test]
    fn nobody_is_lost_for_a_limit_they_could_not_know(history in steps(PEOPLE, 40), old in limits(), new in limits()) {
        let (mut roster, mut world) = (Roster::new(old), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut roster, step);
        }
        let open = |roster: &Roster| roster.rows().flat_map(|r| &r.devices).filter(|d| d.connected && d.connection.is_some()).count();
        let (before, sizes) = (open(&roster), roster.sizes());
        let offline = new.away_as == AwayAs::Offline;
        roster.set_limits(new, world.now);
        prop_assert!(roster.advance(world.now).is_empty());
        // People who are away and shown as offline show no devices.
        prop_assert!(offline || open(&roster) >= before);
        prop_assert!(roster.sizes().connections <= sizes.connections);
    }
}

#[test]
fn the_cause_is_the_input_or_the_want_of_it() {
    let patient = || PresenceLimits { lost_after: HOUR, ..PresenceLimits::default() };
    let mut story = Story::new(patient());
    story.open(1, 1, Report::default()).at(6 * MINUTE);
    assert_eq!(story.state(), State::Idle);
    let now = Time(6 * MINUTE);
    story.roster.set_limits(PresenceLimits { idle_after: 10 * MINUTE, ..patient() }, now);
    assert_eq!(story.last(), (State::Active, Cause::Input, now));
    story.roster.set_limits(PresenceLimits { idle_after: MINUTE, away_after: 2 * MINUTE, ..patient() }, now);
    assert_eq!(story.last(), (State::Away, Cause::NoInput, now));
    assert!(story.transitions()[0].evidence.starts_with("no input for 6 min"));
}
