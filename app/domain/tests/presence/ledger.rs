//! What is written down against what was true: the traces of random histories, a database that fails now and then, and
//! the oracle asked about every instant.

use std::collections::HashMap;

use domain::{
    Time, UserId,
    presence::{
        Cause, Roster, State,
        ledger::{Book, Move, PAGES, Stretch, Trace, WAITING},
    },
};
use proptest::{prelude::*, test_runner::TestCaseResult};
use uuid::Uuid;

use crate::{
    oracle,
    world::{START, World, limits, steps, user},
};

/// The table: rows by id, the last to be written wins.
#[derive(Default)]
struct Table {
    rows: HashMap<Uuid, Stretch>,
    ids: u128,
}

impl Table {
    fn note(&mut self, book: &mut Book, trace: Trace) {
        let ids = &mut self.ids;
        book.note(trace, || {
            *ids += 1;
            Uuid::from_u128(*ids)
        });
    }

    fn write(&mut self, taken: Vec<Stretch>) {
        self.rows.extend(taken.into_iter().map(|s| (s.id, s)));
    }

    fn write_all(&mut self, book: &mut Book) {
        self.write(book.take());
        for s in book.take_pages() {
            let row = self.rows.get_mut(&s.id).expect("pages alone are of a row that is there");
            assert_eq!(*row, Stretch { pages: row.pages.clone(), ..s.clone() }, "and nothing else of it is news");
            row.pages = s.pages;
        }
    }

    /// One person's, oldest first.
    fn of(&self, id: UserId) -> Vec<&Stretch> {
        let mut rows: Vec<_> = self.rows.values().filter(|s| s.user == id).collect();
        rows.sort_by_key(|s| (s.from, s.id));
        rows
    }
}

fn at<'a>(rows: &[&'a Stretch], t: Time) -> Option<&'a Stretch> {
    rows.iter().rfind(|s| s.from <= t).filter(|s| s.to.is_none_or(|to| to > t)).copied()
}

fn state_at(rows: &[&Stretch], t: Time) -> State {
    at(rows, t).map_or(State::Offline, |s| s.state)
}

fn check(table: &Table, world: &World, roster: &Roster, instants: &[Time]) -> TestCaseResult {
    for person in 0..world.people {
        let rows = table.of(user(person));
        for pair in rows.windows(2) {
            prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from), "one ends before the next begins: {pair:?}");
        }
        for s in &rows {
            prop_assert!(s.state != State::Offline && s.to.is_some() == s.end_cause.is_some());
            prop_assert!(s.session.is_some() && s.pages.len() <= PAGES);
        }
        let edges = rows.iter().flat_map(|s| [Some(s.from), s.to]).flatten().filter(|t| *t <= world.now);
        for t in edges.flat_map(|t| [t.plus(-1), t]).chain(instants.iter().copied()) {
            let seen = oracle::look(&world.log, user(person), t, roster.limits());
            prop_assert_eq!(state_at(&rows, t), seen.state, "person {} at {}", person, t.0);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_was_true(
        limits in limits(),
        steps in steps(3, 60),
        fails in prop::collection::vec(0..4, 60),
        late in any::<bool>(),
    ) {
        let (mut world, mut roster) = (World::new(3), Roster::new(limits));
        let (mut book, mut table) = (Book::default(), Table::default());
        let mut instants = vec![START];
        let mut invisible: HashMap<(Time, usize), bool> = HashMap::new();
        for (step, fails) in steps.iter().zip(fails) {
            if late {
                // Nobody wakes: time passes only for whom something happens to.
                if let Some(event) = world.step(step) {
                    roster.apply(event, world.now);
                }
            } else {
                world.drive(&mut roster, step);
            }
            // Also between the steps, where what came and went would be missed.
            let l = roster.limits();
            let later = [l.idle_after + 1, l.away_after + 1, l.lost_after + 1, l.lost_after + l.grace];
            instants.extend([world.now, world.now.plus(-step.dt / 2)]);
            instants.extend(later.map(|ms| world.now.plus(ms)));
            for person in (0..3).filter(|_| !late) {
                invisible.insert((world.now, person), roster.row(user(person)).is_some_and(|r| r.invisible));
            }
            for trace in roster.take_traces() {
                table.note(&mut book, trace);
            }
            match fails {
                0 => table.write(book.take()),
                1 => table.write_all(&mut book),
                2 => {
                    let taken = book.take();
                    book.put_back(taken);
                }
                _ => {
                    table.write(book.take());
                    let taken = book.take_pages();
                    book.put_back(taken);
                }
            }
        }
        roster.advance(world.now);
        for trace in roster.take_traces() {
            table.note(&mut book, trace);
        }
        table.write_all(&mut book);
        prop_assert!(!book.is_waiting());
        instants.retain(|t| *t <= world.now);
        check(&table, &world, &roster, &instants)?;
        for ((t, person), invisible) in invisible {
            prop_assert_eq!(at(&table.of(user(person)), t).is_some_and(|s| s.invisible), invisible);
        }

        let before: Vec<State> = (0..3).map(|p| state_at(&table.of(user(p)), world.now)).collect();
        book.end(world.now.plus(1), Cause::ServerRestart);
        table.write_all(&mut book);
        for (person, before) in before.into_iter().enumerate() {
            let rows = table.of(user(person));
            prop_assert!(rows.iter().all(|s| s.to.is_some()), "nothing is left open");
            prop_assert_eq!(state_at(&rows, world.now), before);
            prop_assert_eq!(state_at(&rows, world.now.plus(1)), State::Offline);
        }
    }
}

fn moved(person: usize, state: State, at: i64) -> Trace {
    let page = Some(format!("/{at}"));
    let (user, at, cause) = (user(person), Time(at), Cause::Input);
    Trace::Moved(Move { user, state, invisible: false, at, cause, session: None, page })
}

#[test]
fn pages_are_few_and_the_last() {
    let (mut book, mut table) = (Book::default(), Table::default());
    table.note(&mut book, moved(0, State::Active, 0));
    table.write(book.take());
    for n in [1, 1, 2, 1].into_iter().chain(3..30) {
        table.note(&mut book, Trace::Visited { user: user(0), page: format!("/{n}") });
    }
    assert!(!book.is_waiting() && book.take().is_empty(), "a page is no edge");
    table.write_all(&mut book);
    let pages = &table.of(user(0))[0].pages;
    assert_eq!((pages.len(), pages[0].as_str(), pages[PAGES - 1].as_str()), (PAGES, "/10", "/29"));
    assert!(book.take().is_empty() && book.take_pages().is_empty());
}

#[test]
fn a_database_that_stays_away_costs_bounded_memory() {
    let (mut book, mut table) = (Book::default(), Table::default());
    let people = 7;
    for at in 0..300_000 {
        let state = if (at / people) % 2 == 0 { State::Active } else { State::Idle };
        table.note(&mut book, moved((at % people) as usize, state, at));
        if at % 10_000 == 0 {
            let mut taken = book.take();
            taken.extend(book.take_pages());
            book.put_back(taken);
        }
        assert!(book.sizes().1 < WAITING + 10_000);
    }
    let merged = book.take_merged();
    table.write_all(&mut book);
    assert_eq!(merged + table.rows.len() as u64, 300_000, "what is gone was counted");
    for person in 0..people as usize {
        let rows = table.of(user(person));
        assert!(rows.windows(2).all(|p| p[0].to == Some(p[1].from)), "no gap");
        assert_eq!((rows[0].from, rows[0].state), (Time(person as i64), State::Unknown));
        let newest = rows.last().unwrap();
        assert!(newest.to.is_none() && newest.state != State::Unknown, "the newest is kept as it is");
    }
}

#[test]
fn a_clock_that_is_set_back_puts_nobody_in_the_future() {
    let (mut book, mut table) = (Book::default(), Table::default());
    table.note(&mut book, moved(0, State::Active, 9_000));
    table.write_all(&mut book);
    table.note(&mut book, moved(0, State::Idle, 5_000));
    table.write_all(&mut book);
    let rows = table.of(user(0));
    assert_eq!(rows.iter().map(|s| (s.from.0, s.to)).collect::<Vec<_>>(), [(5_000, Some(Time(5_000))), (5_000, None)]);
    assert_eq!(state_at(&rows, Time(5_000)), State::Idle);
}

#[test]
fn after_the_end_nothing_is_taken_in() {
    let (mut book, mut table) = (Book::default(), Table::default());
    table.note(&mut book, moved(0, State::Active, 5));
    book.end(Time(3), Cause::ServerRestart);
    table.note(&mut book, moved(0, State::Offline, 9));
    table.note(&mut book, moved(1, State::Active, 9));
    table.write_all(&mut book);
    let all: Vec<_> = table.rows.values().map(|s| (s.user, s.from, s.to, s.end_cause)).collect();
    assert_eq!(all, [(user(0), Time(3), Some(Time(3)), Some(Cause::ServerRestart))], "no end before its beginning");
}
