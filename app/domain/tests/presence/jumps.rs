//! Clocks that jump, a server that restarts, a tab that sleeps: none of it is taken for somebody's absence.

use std::sync::Arc;

use domain::{
    Time, UserId,
    presence::{Cause, Chosen, Closing, Event, PersonRow, Report, Roster, State, clocks::Jump},
    settings::PresenceLimits,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use proptest::{prelude::*, test_runner::TestCaseResult};

use crate::{
    story::{Story, hidden, joined, me},
    world::{START, World, limits, steps, user},
};

const PEOPLE: usize = 3;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() }
}

/// What clocks cannot change: the state, and each connection with whether it is open.
type Seen = (State, bool, Vec<(Option<u64>, bool)>);

fn seen(row: Option<&Arc<PersonRow>>) -> Option<Seen> {
    // A heartbeat or a restored session has no number; the order among them is that of times, which may be equal.
    let mut devices: Vec<_> = row?.devices.iter().map(|d| (d.connection, d.connected)).collect();
    devices.sort_unstable();
    row.map(|r| (r.state, r.active, devices))
}

/// The event as somebody tells it whose clock is ahead by `ms`.
fn told(event: Event, ms: i64) -> Event {
    let moved = |report: Report| Report { input_at: report.input_at.map(|t| t.plus(ms)), ..report };
    match event {
        Event::Opened { joined, connection, report } => Event::Opened { joined, connection, report: moved(report) },
        Event::Reported { connection, report } => Event::Reported { connection, report: moved(report) },
        Event::Beat { joined, report, requested_at } => {
            Event::Beat { joined, report: moved(report), requested_at: requested_at.plus(ms) }
        }
        Event::Restored { joined, seen_at, until } => Event::Restored { joined, seen_at, until: until.plus(ms) },
        other => other,
    }
}

/// People choose an end by the clock on their wall, which is not what these are about.
fn endless(event: Event) -> Event {
    match event {
        Event::Chose { card, chosen } => Event::Chose { card, chosen: Chosen { until: None, ..chosen } },
        other => other,
    }
}

fn same(a: &Roster, b: &Roster) -> TestCaseResult {
    for person in 0..PEOPLE {
        prop_assert_eq!(seen(a.row(user(person))), seen(b.row(user(person))));
        if let Some(row) = b.row(user(person)) {
            let known = b.known(user(person)).expect("here");
            prop_assert!(known.transitions.is_sorted_by(|newer, older| newer.at >= older.at));
            prop_assert_eq!(row.since, known.since);
        }
    }
    prop_assert_eq!(a.sizes(), b.sizes());
    // One may wake for a sign of life that came meanwhile, where the other has looked already.
    prop_assert_eq!(a.next_deadline().is_some(), b.next_deadline().is_some());
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    /// Whatever is done to the wall clock, the same people are here, and the same things happen after the same time.
    #[test]
    fn a_clock_that_is_set_changes_nothing(
        limits in limits(),
        history in steps(PEOPLE, 40),
        sets in prop::collection::vec((0..40_usize, -8 * HOUR..8 * HOUR), 1..4),
    ) {
        let mut world = World::new(PEOPLE);
        let (mut plain, mut set) = (Roster::new(limits.clone()), Roster::new(limits));
        let mut ahead = 0;
        for (i, step) in history.iter().enumerate() {
            for (_, ms) in sets.iter().filter(|s| s.0 == i) {
                set.jump(Jump { set: *ms, deaf: 0 }, world.now.plus(ahead));
                ahead += ms;
                same(&plain, &set)?;
            }
            let event = world.step(step).map(endless);
            plain.advance(world.now);
            set.advance(world.now.plus(ahead));
            if let Some(event) = event {
                plain.apply(event.clone(), world.now);
                set.apply(told(event, ahead), world.now.plus(ahead));
            }
            same(&plain, &set)?;
        }
    }

    /// However long the process slept: on waking nobody is gone, and nobody's grace has run.
    #[test]
    fn a_sleep_counts_against_nobody(limits in limits(), history in steps(PEOPLE, 40), slept in 1..3 * HOUR) {
        let (mut roster, mut world) = (Roster::new(limits), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut roster, step);
        }
        let connected = |roster: &Roster| -> Vec<_> {
            (0..PEOPLE).map(|p| seen(roster.row(user(p))).map(|s| s.2)).collect()
        };
        let (sizes, before) = (roster.sizes(), connected(&roster));
        roster.jump(Jump { set: 0, deaf: slept }, world.now);
        let woken = world.now.plus(slept);
        prop_assert!(roster.advance(woken).is_empty());
        let after = roster.sizes();
        prop_assert_eq!((after.sessions, after.connections), (sizes.sessions, sizes.connections));
        // Input grows old all the same; a person who is shown still shows every connection.
        for (before, after) in before.into_iter().zip(connected(&roster)) {
            prop_assert!(after.is_none() || before.is_none() || after == before);
        }
        // And nobody is a ghost: without a further sign of life everybody goes.
        roster.advance(woken.plus(500 * DAY));
        prop_assert_eq!(roster.sizes().connections, 0);
    }

    /// After a restart whoever was connected is unknown until they return or the grace ends; never offline before.
    #[test]
    fn a_restart_makes_nobody_offline(
        history in steps(PEOPLE, 40),
        returning in prop::collection::vec(any::<bool>(), PEOPLE),
        down in 0..HOUR,
    ) {
        let limits = PresenceLimits::default();
        let (mut before, mut world) = (Roster::new(limits.clone()), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut before, step);
        }
        let mut roster = Roster::new(limits.clone());
        let start = world.now.plus(down);
        let until = start.plus(limits.restart_grace);
        let mut here: Vec<UserId> = vec![];
        for (person, returns) in returning.iter().enumerate() {
            let open = before.row(user(person)).is_some_and(|r| r.devices.iter().any(|d| d.connected));
            if open {
                roster.apply(Event::Restored { joined: joined(person, 1, START), seen_at: world.now, until }, start);
                prop_assert_eq!(roster.state(user(person)), State::Unknown);
                prop_assert_eq!(roster.known(user(person)).map(|k| k.cause), Some(Cause::ServerRestart));
            }
            if open && *returns {
                here.push(user(person));
            }
        }
        roster.advance(until.plus(-1));
        prop_assert!(roster.rows().all(|r| r.state == State::Unknown), "until the very end of the grace");
        for person in (0..PEOPLE).filter(|p| here.contains(&user(*p))) {
            let (joined, connection) = (joined(person, 1, START), person as u64 + 1);
            roster.apply(Event::Opened { joined, connection, report: Report::default() }, until.plus(-1));
            prop_assert_eq!(roster.known(user(person)).map(|k| k.cause), Some(Cause::Returned));
        }
        roster.advance(until);
        let left: Vec<UserId> = (0..PEOPLE).map(user).filter(|id| roster.row(*id).is_some()).collect();
        prop_assert_eq!(left, here, "those who returned, and no ghost");
    }

    /// A day of a hidden tab, which the browser lets say something once a minute: its pongs alone keep it here, late as
    /// they may be, and neither a sleep of the server nor a clock that is set takes it for gone.
    #[test]
    fn a_hidden_tab_is_here_all_day(
        delays in prop::collection::vec(0..19 * SECOND, 60),
        jumps in prop::collection::vec((0..24 * 60_i64, -3 * HOUR..3 * HOUR, 0..HOUR), 0..4),
    ) {
        let mut roster = Roster::new(PresenceLimits::default());
        roster.apply(Event::Opened { joined: joined(0, 1, Time(0)), connection: 1, report: hidden() }, START);
        let (mut now, mut last_input) = (START, START);
        let mut ping = 0;
        for minute in 0..24 * 60 {
            for (_, set, deaf) in jumps.iter().filter(|j| j.0 == minute) {
                roster.jump(Jump { set: *set, deaf: *deaf }, now);
                last_input = last_input.plus(*set);
                now = now.plus(*set).plus(*deaf);
                roster.advance(now);
                prop_assert_ne!(roster.state(me()), State::Offline, "after a jump");
            }
            let (end, mut at) = (now.plus(MINUTE), now);
            while at < end {
                ping += 1;
                let pong = at.plus(delays[ping % delays.len()]).min(end);
                prop_assert!(roster.advance(pong).is_empty());
                prop_assert_ne!(roster.state(me()), State::Offline);
                roster.apply(Event::Alive { connection: 1 }, pong);
                at = at.plus(25 * SECOND);
            }
            now = end;
            roster.advance(now);
            let report = Report { idle_ms: Some(now.since(last_input)), ..hidden() };
            roster.apply(Event::Reported { connection: 1, report }, now);
            prop_assert_ne!(roster.state(me()), State::Offline);
        }
        prop_assert_eq!(roster.state(me()), State::Away);
        prop_assert!(roster.row(me()).is_some_and(|r| r.devices.len() == 1 && r.devices[0].connected));
    }
}

/// Nothing of a deleted person stays, and what their sockets still say brings nobody back.
#[test]
fn a_deleted_person_is_forgotten() {
    let mut s = Story::new(PresenceLimits::default());
    s.open(1, 1, Report::default()).at(SECOND).close(1, Closing::Lost);
    s.roster.take_changes();
    s.apply(Event::Deleted { user: me() });
    let changes = s.roster.take_changes();
    assert!(changes.len() == 1 && changes[0].before.is_some() && changes[0].after.is_none());
    s.alive(1).report(1, Report::default()).close(1, Closing::Left).at(HOUR);
    let sizes = s.roster.sizes();
    assert_eq!((sizes.people, sizes.here, sizes.sessions, sizes.connections, sizes.deadlines), (0, 0, 0, 0, 0));
    assert!(s.roster.known(me()).is_none() && s.roster.take_changes().is_empty());
}

/// A card that changes reaches the row at once, and is no transition.
#[test]
fn a_changed_card_reaches_the_row() {
    let mut s = Story::new(PresenceLimits::default());
    s.apply(Event::Changed { card: crate::world::card(0, 2) });
    assert!(s.roster.known(me()).is_none(), "nobody is met by a change of account");
    s.open(1, 1, Report::default());
    s.roster.take_changes();
    let card = crate::world::card(0, 1);
    s.apply(Event::Changed { card: Arc::clone(&card) });
    assert_eq!((&s.row().name, &s.row().role), (&card.name, &card.role));
    assert_eq!(s.transitions().len(), 1);
    let changes = s.roster.take_changes();
    assert!(changes.len() == 1 && changes[0].before.as_ref().is_some_and(|r| r.role != card.role));
}
