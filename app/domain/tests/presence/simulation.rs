//! The engine against the oracle over random histories.

use domain::{
    Time,
    presence::{Roster, State, Transition},
    time::{DAY, HOUR},
};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestCaseResult},
};

use crate::{
    oracle,
    world::{Step, World, limits, steps, user},
};

const PEOPLE: usize = 3;

/// The same histories each time; `PROPTEST_RNG_SEED` gives others.
fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x7072_6573_656e_6365),
        RngSeed::Fixed(given) => RngSeed::Fixed(given),
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..default }
}

fn transitions(roster: &Roster, person: usize) -> Vec<Transition> {
    roster.known(user(person)).map(|k| k.transitions).unwrap_or_default()
}

/// Everything that must hold at `world.now` once the roster is up to it.
fn check(roster: &Roster, world: &World) -> TestCaseResult {
    let (mut here, mut devices, mut shown, mut sockets, mut sessions) = (0, 0, 0, 0, 0);
    for person in 0..world.people {
        let seen = oracle::look(&world.log, user(person), world.now, roster.limits());
        prop_assert_eq!(roster.state(user(person)), seen.state, "person {} at {}", person, world.now.0);
        let row = roster.row(user(person));
        prop_assert_eq!(row.is_some(), seen.state != State::Offline);
        if let Some(row) = row {
            here += 1;
            devices += seen.devices;
            shown += row.devices.len();
            prop_assert_eq!(row.state, seen.state);
            prop_assert_eq!(row.active, seen.active, "active: person {} at {}", person, world.now.0);
            prop_assert_eq!(
                row.devices.iter().filter(|d| d.connected && d.connection.is_some()).count(),
                seen.open,
                "live connections are those shown"
            );
        }
        sockets += seen.sockets;
        sessions += seen.sessions;

        let Some(known) = roster.known(user(person)) else { continue };
        if let Some(last) = known.transitions.first() {
            prop_assert_eq!((last.state, last.at, last.cause), (known.state, known.since, known.cause));
            prop_assert!(!last.evidence.is_empty());
        } else {
            prop_assert_eq!(known.state, State::Offline, "no state without a cause");
        }
        for pair in known.transitions.windows(2) {
            prop_assert!(pair[0].at >= pair[1].at);
            prop_assert!((pair[0].state, pair[0].invisible) != (pair[1].state, pair[1].invisible));
        }
    }
    prop_assert_eq!(devices, shown);
    prop_assert_eq!(roster.rows().count(), here);
    prop_assert!(roster.next_deadline().is_none_or(|d| d > world.now));
    let sizes = roster.sizes();
    prop_assert_eq!((sizes.here, sizes.sessions, sizes.connections), (here, sessions, sockets));
    prop_assert!(sizes.deadlines <= world.people && sizes.people <= world.people);
    Ok(())
}

/// Every transition stands at the instant the oracle sees that state begin, and none is missing.
fn check_instants(roster: &Roster, world: &World) -> TestCaseResult {
    for person in 0..world.people {
        let history = transitions(roster, person);
        let state = |t: Time| oracle::look(&world.log, user(person), t, roster.limits()).state;
        for (i, transition) in history.iter().enumerate() {
            let same_instant = i > 0 && history[i - 1].at == transition.at;
            if !same_instant {
                prop_assert_eq!(state(transition.at), transition.state);
            }
            if let Some(older) = history.get(i + 1).filter(|o| o.at < transition.at) {
                prop_assert_eq!(state(transition.at.plus(-1)), older.state);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn the_engine_says_what_the_words_say(limits in limits(), history in steps(PEOPLE, 60)) {
        let (mut roster, mut world) = (Roster::new(limits), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut roster, step);
            check(&roster, &world)?;
        }
        check_instants(&roster, &world)?;
    }

    #[test]
    fn nothing_is_kept_of_those_who_left(limits in limits(), history in steps(PEOPLE, 60)) {
        let (mut roster, mut world) = (Roster::new(limits), World::new(PEOPLE));
        for step in &history {
            world.drive(&mut roster, step);
        }
        // Restart graces and choices of the histories may last this long.
        roster.advance(world.now.plus(500 * DAY));
        let sizes = roster.sizes();
        prop_assert_eq!((sizes.here, sizes.sessions, sizes.connections, sizes.deadlines), (0, 0, 0, 0));
        prop_assert_eq!(roster.next_deadline(), None);
    }

    /// However late the engine wakes, the same things happened at the same instants.
    #[test]
    fn waking_late_changes_nothing(
        limits in limits(),
        history in steps(PEOPLE, 60),
        lazy in prop::collection::vec(any::<bool>(), 60),
        after in 0..HOUR,
    ) {
        let mut world = World::new(PEOPLE);
        let (mut eager, mut late) = (Roster::new(limits.clone()), Roster::new(limits));
        let wake = |roster: &mut Roster, until: Time| {
            while let Some(due) = roster.next_deadline().filter(|d| *d <= until) {
                roster.advance(due);
            }
            roster.advance(until);
        };
        for (step, lazy) in history.iter().zip(lazy) {
            let event = world.step(step);
            wake(&mut eager, world.now);
            if !lazy {
                late.advance(world.now);
            }
            if let Some(event) = event {
                eager.apply(event.clone(), world.now);
                late.apply(event, world.now);
            }
        }
        let end = world.now.plus(after);
        wake(&mut eager, end);
        late.advance(end);
        for person in 0..PEOPLE {
            prop_assert_eq!(transitions(&eager, person), transitions(&late, person));
            prop_assert_eq!(eager.row(user(person)), late.row(user(person)));
        }
        prop_assert_eq!(eager.next_deadline().is_some(), late.next_deadline().is_some());
        prop_assert_eq!(eager.sizes(), late.sizes());
    }

    /// What changed since the last call is told once, with the row it began from, however many steps lie between.
    #[test]
    fn changes_chain(limits in limits(), history in steps(PEOPLE, 60), every in 1..7_usize) {
        let (mut roster, mut world) = (Roster::new(limits), World::new(PEOPLE));
        let mut rows = vec![None; PEOPLE];
        for (i, step) in history.iter().enumerate() {
            world.drive(&mut roster, step);
            if i % every != 0 {
                continue;
            }
            for change in roster.take_changes() {
                let person = (0..PEOPLE).find(|p| user(*p) == change.id).unwrap();
                prop_assert_eq!(&rows[person], &change.before);
                prop_assert_ne!(&change.before, &change.after);
                rows[person] = change.after;
            }
            prop_assert!(!roster.has_changes());
            for (person, row) in rows.iter().enumerate() {
                prop_assert_eq!(row.as_ref(), roster.row(user(person)));
            }
        }
    }
}

/// A connection lost for want of a sign of life is told once, so that its socket is closed; wherever time passed.
#[test]
fn silent_connections_are_told_once() {
    use crate::world::{Input, Op};
    let open = Op::Open { person: 0, slot: 0, input: Input::Unsaid, visible: None, page: 0, card: 0 };
    let (mut roster, mut world) = (Roster::new(domain::settings::PresenceLimits::default()), World::new(1));
    world.drive(&mut roster, &Step { dt: 0, op: open });
    // Found lost while taking in something else of the same person.
    let beat = Op::Beat { person: 0, slot: 1, input: Input::Unsaid, requested: 0 };
    let event = world.step(&Step { dt: 50_000, op: beat }).unwrap();
    roster.apply(event, world.now);
    assert_eq!(roster.advance(world.now), vec![1]);
    assert_eq!(roster.advance(world.now), Vec::<u64>::new());
    // One that has returned meanwhile is not told.
    let alive = world.step(&Step { dt: 1_000, op: Op::Alive { pick: 0 } }).unwrap();
    roster.apply(alive, world.now);
    let again = world.step(&Step { dt: 46_000, op: Op::Alive { pick: 0 } }).unwrap();
    roster.apply(again, world.now);
    assert_eq!(roster.advance(world.now), Vec::<u64>::new());
}
