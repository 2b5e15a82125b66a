//! Random histories: what happens, to whom, after how long; driving an engine and writing the oracle's log.

use std::{collections::HashMap, sync::Arc};

use domain::{
    Level, SessionId, Time, UserId,
    account::{Named, UserCard},
    presence::{Choice, Chosen, Closing, ConnectionId, Event, Joined, Report, Roster},
    session::EndReason,
    settings::{AwayAs, PresenceLimits},
    time::{DAY, HOUR, MINUTE, SECOND},
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::oracle::{Act, Entry};

pub(crate) const START: Time = Time(1_700_000_000_000);
pub(crate) const ROLES: [&str; 3] = ["admin", "student", "teacher"];
pub(crate) const PAGES: [&str; 4] = ["/", "/files", "/Files/17", "/activity"];

/// Something that happens; numbers pick among what exists.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Open { person: usize, slot: usize, input: Input, visible: Option<bool>, page: usize, card: usize },
    Rejoin { pick: usize, input: Input },
    Report { pick: usize, input: Input, visible: Option<bool>, page: Option<usize> },
    Alive { pick: usize },
    Close { pick: usize, left: bool },
    Beat { person: usize, slot: usize, input: Input, requested: i64 },
    End { person: usize, slot: usize, reason: usize },
    Choose { person: usize, choice: usize, until: Option<i64> },
    Restore { person: usize, slot: usize, grace: i64 },
    Card { person: usize, card: usize },
    Forget { person: usize },
    Pass,
}

/// What a client says of its input: nothing, an age, or an instant that may be in the future.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    Unsaid,
    Idle(i64),
    At(i64),
}

/// An operation after `dt` milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) dt: i64,
    pub(crate) op: Op,
}

fn span() -> impl Strategy<Value = i64> {
    let edges = [45 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE];
    prop_oneof![
        4 => Just(0),
        4 => 1..30 * SECOND,
        4 => Just(25 * SECOND),
        6 => (0..edges.len(), -1..=1_i64).prop_map(move |(i, d)| edges[i] + d),
        3 => 0..20 * MINUTE,
        1 => prop_oneof![Just(8 * HOUR), Just(400 * DAY)],
    ]
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => Just(Input::Unsaid),
        3 => span().prop_map(Input::Idle),
        1 => Just(Input::Idle(i64::MAX)),
        2 => (-20 * MINUTE..MINUTE).prop_map(Input::At),
    ]
}

fn op(people: usize) -> impl Strategy<Value = Op> {
    let (who, slot, pick) = (move || 0..people, || 0..2_usize, || 0..64_usize);
    let visible = || prop_oneof![2 => Just(None), 1 => Just(Some(true)), 2 => Just(Some(false))];
    let page = || 0..PAGES.len();
    prop_oneof![
        8 => (who(), slot(), input(), visible(), page(), 0..4_usize)
            .prop_map(|(person, slot, input, visible, page, card)| Op::Open { person, slot, input, visible, page, card }),
        1 => (pick(), input()).prop_map(|(pick, input)| Op::Rejoin { pick, input }),
        6 => (pick(), input(), visible(), prop::option::of(page()))
            .prop_map(|(pick, input, visible, page)| Op::Report { pick, input, visible, page }),
        8 => pick().prop_map(|pick| Op::Alive { pick }),
        6 => (pick(), any::<bool>()).prop_map(|(pick, left)| Op::Close { pick, left }),
        4 => (who(), slot(), input(), span())
            .prop_map(|(person, slot, input, requested)| Op::Beat { person, slot, input, requested }),
        2 => (who(), slot(), 0..EndReason::ALL.len()).prop_map(|(person, slot, reason)| Op::End { person, slot, reason }),
        2 => (who(), 0..4_usize, prop::option::of(span()))
            .prop_map(|(person, choice, until)| Op::Choose { person, choice, until }),
        2 => (who(), slot(), prop_oneof![Just(45 * SECOND), span()])
            .prop_map(|(person, slot, grace)| Op::Restore { person, slot, grace }),
        2 => (who(), 0..4_usize).prop_map(|(person, card)| Op::Card { person, card }),
        1 => who().prop_map(|person| Op::Forget { person }),
        4 => Just(Op::Pass),
    ]
}

pub(crate) fn steps(people: usize, n: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((span(), op(people)).prop_map(|(dt, op)| Step { dt, op }), 1..n)
}

pub(crate) fn limits() -> impl Strategy<Value = PresenceLimits> {
    let with = |away_as| PresenceLimits { away_as, ..PresenceLimits::default() };
    let short = PresenceLimits {
        idle_after: SECOND,
        away_after: 2 * SECOND,
        away_as: AwayAs::Away,
        online_window: 30 * SECOND,
        lost_after: SECOND,
        grace: SECOND,
        hidden_grace: SECOND,
        restart_grace: SECOND,
    };
    prop_oneof![4 => Just(with(AwayAs::Away)), 2 => Just(with(AwayAs::Offline)), 1 => Just(short)]
}

pub(crate) fn user(person: usize) -> UserId {
    Uuid::from_u128(person as u128 + 1)
}

/// One of a person's cards: accounts move between organisations and teams while people are here.
pub(crate) fn card(person: usize, variant: usize) -> Arc<UserCard> {
    let named = |id: u128, name: &str| Named { id: Uuid::from_u128(id), name: name.into() };
    let names = ["Ada", "ada", "Émile", "Zoe"];
    Arc::new(UserCard {
        id: user(person),
        username: format!("u{person}"),
        name: names[(person + variant / 2) % names.len()].into(),
        email: person.is_multiple_of(2).then(|| format!("u{person}@example.org")),
        role: ROLES[(person + variant) % ROLES.len()].into(),
        level: Level::Member,
        organisation: [Some(named(101, "North")), Some(named(102, "South")), None][(person + variant) % 3].clone(),
        teams: vec![named(201, "Red"), named(202, "Blue")].split_off(variant % 3),
        second_factor: false,
    })
}

pub(crate) fn organisation(n: u128) -> Uuid {
    Uuid::from_u128(100 + n)
}

pub(crate) fn team(n: u128) -> Uuid {
    Uuid::from_u128(200 + n)
}

/// The people, what was opened so far, and the log.
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) log: Vec<Entry>,
    pub(crate) people: usize,
    opened: Vec<(ConnectionId, usize, Joined)>,
    ended: HashMap<(usize, usize), u128>,
}

impl World {
    pub(crate) fn new(people: usize) -> Self {
        Self { now: START, log: vec![], people, opened: vec![], ended: HashMap::new() }
    }

    fn session(&self, person: usize, slot: usize) -> SessionId {
        let generation = self.ended.get(&(person, slot)).copied().unwrap_or_default();
        Uuid::from_u128((1 << 100) | ((person as u128) << 64) | ((slot as u128) << 32) | generation)
    }

    fn joined(&self, person: usize, slot: usize, variant: usize) -> Joined {
        Joined {
            card: card(person, variant),
            session: self.session(person, slot),
            device: ["Firefox on Linux", "curl"][slot % 2].into(),
            ip: "192.0.2.7".into(),
            place: None,
            signed_in_at: START.plus((person as i64 % 3) * SECOND),
        }
    }

    fn report(&self, input: Input, visible: Option<bool>, page: Option<usize>) -> Report {
        let (input_at, idle_ms) = match input {
            Input::Unsaid => (None, None),
            Input::Idle(ms) => (Some(Time(7)), Some(ms)),
            Input::At(ms) => (Some(self.now.plus(ms)), None),
        };
        Report { page: page.map(|p| PAGES[p].to_owned()), visible, input_at, idle_ms, tabs: None }
    }

    /// The instant that an input report means: ages win, the future is now, nothing is before 1970.
    fn instant(&self, input: Input) -> Option<Time> {
        match input {
            Input::Unsaid => None,
            Input::Idle(ms) => Some(Time(self.now.0.saturating_sub(ms).max(0))),
            Input::At(ms) => Some(Time((self.now.0 + ms).min(self.now.0))),
        }
    }

    /// Moves time, writes the log, and gives the event for an engine; nothing when only time passes.
    pub(crate) fn step(&mut self, step: &Step) -> Option<Event> {
        self.now = self.now.plus(step.dt);
        let now = self.now;
        let pick = |n: usize| (!self.opened.is_empty()).then(|| self.opened[n % self.opened.len()].clone());
        let (person, act, event) = match step.op {
            Op::Open { person, slot, input, visible, page, card } => {
                let (joined, connection) = (self.joined(person, slot, card), self.opened.len() as u64 + 1);
                self.opened.push((connection, person, joined.clone()));
                let act = Act::Open {
                    session: joined.session,
                    connection,
                    input: self.instant(input).unwrap_or(now),
                    visible: visible.unwrap_or(true),
                };
                (person, act, Event::Opened { joined, connection, report: self.report(input, visible, Some(page)) })
            }
            Op::Rejoin { pick: n, input } => {
                let (connection, person, joined) = pick(n)?;
                // A socket of a session that is over is closed before anybody can join on it.
                let live = (0..2).any(|slot| self.session(person, slot) == joined.session);
                let session = Some(joined.session).filter(|_| live)?;
                let act = Act::Open { session, connection, input: self.instant(input).unwrap_or(now), visible: true };
                (person, act, Event::Opened { joined, connection, report: self.report(input, None, None) })
            }
            Op::Report { pick: n, input, visible, page } => {
                let (connection, person, _) = pick(n)?;
                let act = Act::Frame { connection, input: self.instant(input), visible };
                (person, act, Event::Reported { connection, report: self.report(input, visible, page) })
            }
            Op::Alive { pick: n } => {
                let (connection, person, _) = pick(n)?;
                (person, Act::Frame { connection, input: None, visible: None }, Event::Alive { connection })
            }
            Op::Close { pick: n, left } => {
                let (connection, person, _) = pick(n)?;
                let closing = if left { Closing::Left } else { Closing::Lost };
                (person, Act::Close { connection, left }, Event::Closed { connection, closing })
            }
            Op::Beat { person, slot, input, requested } => {
                let joined = self.joined(person, slot, 0);
                let requested_at = now.plus(-requested);
                let input_at = self.instant(input).unwrap_or(requested_at).max(requested_at);
                let act = Act::Beat { session: joined.session, input: input_at };
                (person, act, Event::Beat { joined, report: self.report(input, None, None), requested_at })
            }
            Op::End { person, slot, reason } => {
                let session = self.session(person, slot);
                *self.ended.entry((person, slot)).or_default() += 1;
                (person, Act::End { session }, Event::Ended { session, reason: EndReason::ALL[reason] })
            }
            Op::Choose { person, choice, until } => {
                let (choice, until) = (Choice::ALL[choice], until.map(|ms| now.plus(ms)));
                let chosen = Chosen { choice, message: Some("back soon".into()), until };
                (person, Act::Choose { choice, until }, Event::Chose { card: card(person, 0), chosen })
            }
            Op::Restore { person, slot, grace } => {
                let joined = self.joined(person, slot, 0);
                let (session, until) = (joined.session, now.plus(grace));
                (person, Act::Restore { session, until }, Event::Restored { joined, seen_at: now.plus(-MINUTE), until })
            }
            // Says nothing of where anybody is.
            Op::Card { person, card: variant } => return Some(Event::Changed { card: card(person, variant) }),
            Op::Forget { person } => (person, Act::Forget, Event::Deleted { user: user(person) }),
            Op::Pass => return None,
        };
        self.log.push(Entry { at: now, person: user(person), act });
        Some(event)
    }

    /// A step taken by an engine that wakes in time.
    pub(crate) fn drive(&mut self, roster: &mut Roster, step: &Step) {
        let event = self.step(step);
        roster.advance(self.now);
        if let Some(event) = event {
            roster.apply(event, self.now);
        }
    }
}
