//! A live query's window and its mirror in the browser.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Reach, Time,
    presence::{
        Counts, PersonRow, Query, Roster, Sort, State,
        live::{self, Mirror, Patch, View, Window},
        ordered::Ordered,
        recent::Recent,
        roster::Change,
    },
    settings::PresenceLimits,
};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::world::{PAGES, ROLES, World, organisation, steps};

const PEOPLE: usize = 8;
const EPOCH: Uuid = Uuid::from_u128(77);

fn wire<T: Serialize + DeserializeOwned>(message: &T) -> T {
    let text = serde_json::to_string(message).expect("plain values");
    serde_json::from_str(&text).expect("what goes out can be read")
}

fn windows() -> impl Strategy<Value = Window> {
    let text =
        |of: &'static [&'static str]| prop::option::weighted(0.3, prop::sample::select(of).prop_map(String::from));
    let org = prop_oneof![
        Just("North".to_owned()),
        Just("South".to_owned()),
        Just("Nowhere".to_owned()),
        Just(organisation(1).to_string())
    ];
    (
        prop::option::weighted(0.2, prop::sample::select(&State::ALL[..])),
        text(&ROLES),
        prop::option::weighted(0.2, org),
        text(&["Red", "Blue"]),
        (text(&["", " ADA ", "u1", "example.org", "files/", "É"]), text(&["", "/files", " FILES/1", "nowhere"])),
        (prop::sample::select(&Sort::ALL[..]), prop::option::of(prop::sample::select(&Sort::ALL[..]))),
        (
            prop_oneof![0..4_u32, Just(50), Just(u32::MAX)],
            prop_oneof![3 => Just(0), 2 => 0..5_u32, 1 => Just(u32::MAX)],
        ),
    )
        .prop_map(|(state, role, org, team, (q, page), (own, sort), (limit, offset))| Window {
            filter: Query { state, role, org, team, q, page, sort: own },
            sort,
            limit,
            offset,
            ..Window::default()
        })
}

fn reaches() -> impl Strategy<Value = Reach> {
    prop_oneof![2 => Just(Reach::Everything), 1 => Just(Reach::Organisation(organisation(1)))]
}

/// The changes as somebody with `reach` sees them: who leaves it goes offline for them.
fn within(changes: &[Change], reach: Reach) -> Vec<Change> {
    let seen = |row: &Option<Arc<PersonRow>>| row.clone().filter(|r| reach.sees(r));
    changes.iter().map(|c| Change { id: c.id, before: seen(&c.before), after: seen(&c.after) }).collect()
}

fn count(rows: &[Arc<PersonRow>]) -> Counts {
    let mut counts = Counts::zero(ROLES);
    for row in rows {
        counts.add(row);
    }
    counts
}

/// The counts once more, without `Counts`' own arithmetic.
fn check_counts(counts: &Counts, rows: &[Arc<PersonRow>]) -> TestCaseResult {
    let online = |r: &&Arc<PersonRow>| r.state.is_online();
    let n = |f: &dyn Fn(&&Arc<PersonRow>) -> bool| rows.iter().filter(f).count() as u32;
    prop_assert_eq!(counts.online, n(&online));
    prop_assert_eq!(counts.active, n(&|r| r.active));
    prop_assert_eq!(counts.by_role.values().sum::<u32>(), counts.online);
    prop_assert_eq!(counts.active_by_role.values().sum::<u32>(), counts.active);
    prop_assert_eq!(counts.by_state.values().sum::<u32>(), rows.len() as u32);
    prop_assert_eq!(counts.by_role.keys().map(String::as_str).collect::<Vec<_>>(), ROLES, "every role, zeros too");
    prop_assert_eq!(counts.by_state.len(), 5);
    for role in ROLES {
        prop_assert_eq!(counts.by_role[role], n(&|r| online(r) && r.role == role));
    }
    let by = |of: &dyn Fn(&PersonRow) -> Vec<String>| {
        let mut map = BTreeMap::<String, u32>::new();
        rows.iter().filter(online).flat_map(|r| of(r)).for_each(|k| *map.entry(k).or_default() += 1);
        map
    };
    prop_assert_eq!(&counts.by_org, &by(&|r| r.organisation.iter().cloned().collect()));
    prop_assert_eq!(&counts.by_team, &by(&|r| r.teams.clone()));
    Ok(())
}

struct Watcher {
    window: Window,
    reach: Reach,
    view: View,
    mirror: Mirror,
    counts: Counts,
}

impl Watcher {
    fn new(window: Window, reach: Reach, roster: &Roster, seq: u64, now: Time) -> Self {
        let rows: Vec<_> = roster.rows().filter(|r| reach.sees(r)).cloned().collect();
        let mut view = View::new(window.clone(), rows.iter());
        let counts = count(&rows);
        let mirror = Mirror::new(wire(&view.snapshot(EPOCH, seq, counts.clone(), now)));
        Self { window, reach, view, mirror, counts }
    }

    fn follow(&mut self, changes: &[Change], seq: u64, now: Time) -> TestCaseResult {
        let changes = within(changes, self.reach);
        let before = self.counts.clone();
        for c in &changes {
            c.before.iter().for_each(|r| self.counts.remove(r));
            c.after.iter().for_each(|r| self.counts.add(r));
        }
        let news = (self.counts != before).then(|| self.counts.clone());
        if let Some(patch) = self.view.apply(&changes, EPOCH, seq, news, now) {
            let patch: Patch = wire(&patch);
            let mut elsewhere = patch.clone();
            elsewhere.epoch = Uuid::nil();
            prop_assert!(self.mirror.clone().apply(elsewhere).is_err(), "of another start");
            let mut missed = patch.clone();
            missed.prev = u64::MAX;
            prop_assert!(self.mirror.clone().apply(missed).is_err(), "one was missed");
            prop_assert_eq!(self.mirror.apply(patch), Ok(()));
        }
        Ok(())
    }

    /// Comes back after a break, as the hub takes it back.
    fn resume(&mut self, recent: &Recent, roster: &Roster, seq: u64, now: Time) -> TestCaseResult {
        let rows: Vec<_> = roster.rows().filter(|r| self.reach.sees(r)).cloned().collect();
        self.counts = count(&rows);
        let since = self.mirror.resume();
        let Some(missed) = recent.since(since.seq) else {
            *self = Self::new(self.window.clone(), self.reach, roster, seq, now);
            return Ok(());
        };
        let missed: Vec<Change> =
            within(&missed, self.reach).into_iter().filter(|c| c.before.is_some() || c.after.is_some()).collect();
        self.view = View::resume(self.window.clone(), rows.iter(), &missed, since.seq);
        let opened = wire(&self.view.opened(true, EPOCH));
        prop_assert_eq!((opened.seq, &opened.hash), (since.seq, &live::hash(&self.mirror.rows)), "as it was");
        prop_assert_eq!(&self.counts.before(&missed), &self.mirror.counts);
        let counts = Some(self.counts.clone()).filter(|c| *c != self.mirror.counts);
        if let Some(patch) = self.view.apply(&missed, EPOCH, seq, counts, now) {
            prop_assert_eq!(patch.prev, since.seq);
            for row in &patch.upsert {
                let known = self.mirror.rows.iter().find(|r| r.id == row.id);
                prop_assert!(known.is_none_or(|k| missed.iter().any(|c| c.id == k.id)), "only what was missed");
            }
            prop_assert_eq!(self.mirror.apply(wire(&patch)), Ok(()));
        }
        Ok(())
    }

    /// The mirror is what a fresh snapshot, a page, and the words of a query would give.
    fn check(&self, roster: &Roster, now: Time) -> TestCaseResult {
        let rows: Vec<_> = roster.rows().filter(|r| self.reach.sees(r)).cloned().collect();
        let counts = count(&rows);
        check_counts(&counts, &rows)?;
        prop_assert_eq!(&self.counts, &counts, "kept and recomputed");
        prop_assert_eq!(&self.mirror.counts, &counts);

        let fresh = View::new(self.window.clone(), rows.iter()).snapshot(EPOCH, 0, counts, now);
        let plain = |rows: &[PersonRow]| -> Vec<PersonRow> {
            rows.iter().map(|r| PersonRow { session_seconds: 0, team_ids: vec![], ..r.clone() }).collect()
        };
        prop_assert_eq!(plain(&self.mirror.rows), plain(&fresh.rows));
        prop_assert_eq!(self.mirror.total, fresh.total);
        prop_assert_eq!(&live::hash(&self.mirror.rows), &fresh.hash);

        let query = Query { sort: self.window.sort.unwrap_or(self.window.filter.sort), ..self.window.filter.clone() };
        let limit = self.window.limit.clamp(1, 200);
        prop_assert_eq!(
            live::page(&query, limit, self.window.offset, rows.iter(), now),
            (fresh.total, fresh.rows.clone())
        );

        let mut sorted: Vec<_> = rows.iter().filter(|r| query.matches(r)).collect();
        sorted.sort_by(|a, b| query.sort.compare(a, b));
        let ids: Vec<Uuid> =
            sorted.iter().skip(self.window.offset as usize).take(limit as usize).map(|r| r.id).collect();
        prop_assert_eq!(fresh.rows.iter().map(|r| r.id).collect::<Vec<_>>(), ids);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_mirror_is_the_window(
        history in steps(PEOPLE, 60),
        wanted in prop::collection::vec((windows(), reaches(), 0..30_usize), 1..6),
        every in prop::collection::vec(1..6_usize, 60),
    ) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        let mut watchers: Vec<Watcher> = vec![];
        let (mut seq, mut wait) = (0, 1);
        for (i, step) in history.iter().enumerate() {
            world.drive(&mut roster, step);
            wait -= 1;
            // Watchers come and changes go out at the same moments, as in the hub.
            if wait > 0 {
                continue;
            }
            wait = every[i];
            let changes = roster.take_changes();
            seq += 1;
            for w in &mut watchers {
                w.follow(&changes, seq, world.now)?;
            }
            while let Some((window, reach, _)) = wanted.get(watchers.len()).filter(|w| w.2 <= i) {
                watchers.push(Watcher::new(window.clone(), *reach, &roster, seq, world.now));
            }
            for w in &watchers {
                w.check(&roster, world.now)?;
            }
        }
    }

    /// A mirror that was cut off at any step and is resumed equals a fresh snapshot, and hears only what it missed.
    #[test]
    fn a_mirror_goes_on_where_it_was(
        history in steps(PEOPLE, 60),
        window in windows(),
        reach in reaches(),
        every in prop::collection::vec(1..6_usize, 60),
        breaks in prop::collection::vec(prop::option::weighted(0.3, 1..12_usize), 60),
    ) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        let mut watcher = Watcher::new(window, reach, &roster, 0, world.now);
        let mut recent = Recent::default();
        let (mut seq, mut wait, mut away) = (0, 1, 0);
        for (i, step) in history.iter().enumerate() {
            world.drive(&mut roster, step);
            wait -= 1;
            if wait > 0 {
                continue;
            }
            wait = every[i];
            let changes = roster.take_changes();
            if !changes.is_empty() {
                seq += 1;
                recent.push(seq, changes.clone(), world.now);
            }
            if away == 0 {
                watcher.follow(&changes, seq, world.now)?;
                away = breaks[i].unwrap_or_default();
            } else {
                away -= 1;
                if away == 0 {
                    watcher.resume(&recent, &roster, seq, world.now)?;
                }
            }
            if away == 0 {
                watcher.check(&roster, world.now)?;
            }
        }
    }

    /// A crowd that moves: every window over many rows, where offsets and limits matter.
    #[test]
    fn windows_over_a_crowd(
        moves in prop::collection::vec(prop::collection::vec((0..40_usize, any::<u16>()), 1..12), 1..12),
        window in windows(),
    ) {
        let mut crowd: BTreeMap<usize, Arc<PersonRow>> = BTreeMap::new();
        let mut view = View::new(window.clone(), crowd.values());
        let mut mirror = Mirror::new(view.snapshot(EPOCH, 0, Counts::zero(ROLES), Time(0)));
        for (seq, batch) in moves.into_iter().enumerate() {
            let mut changes: BTreeMap<usize, Change> = BTreeMap::new();
            for (person, dice) in batch {
                let before = crowd.get(&person).cloned();
                let after = (dice % 5 != 0).then(|| Arc::new(row(person, dice)));
                match &after {
                    Some(row) => crowd.insert(person, Arc::clone(row)),
                    None => crowd.remove(&person),
                };
                let id = crate::world::user(person);
                let change = changes.entry(person).or_insert(Change { id, before, after: None });
                change.after = after;
            }
            let changes: Vec<Change> = changes.into_values().collect();
            if let Some(patch) = view.apply(&changes, EPOCH, seq as u64 + 1, None, Time(0)) {
                prop_assert_eq!(mirror.apply(patch), Ok(()));
            }
            let fresh = View::new(window.clone(), crowd.values()).snapshot(EPOCH, 0, Counts::zero(ROLES), Time(0));
            prop_assert_eq!(&mirror.rows, &fresh.rows);
            prop_assert_eq!(mirror.total, fresh.total);
        }
    }
}

/// Somebody out of a die: everything a query or an order looks at varies.
fn row(person: usize, dice: u16) -> PersonRow {
    let d = usize::from(dice);
    let at = Time(1_000_000 + (d as i64 % 7) * 1_000);
    PersonRow {
        id: crate::world::user(person),
        username: format!("u{person}"),
        name: ["Ada", "ada", "Émile", "Zoe", "zoe"][d % 5].to_owned(),
        email: None,
        role: ROLES[d % 3].to_owned(),
        organisation: (d % 4 != 0).then(|| ["North", "South"][d % 2].to_owned()),
        organisation_id: (d % 4 != 0).then(|| organisation(1 + d as u128 % 2)),
        teams: if d.is_multiple_of(3) { vec!["Red".to_owned()] } else { vec![] },
        team_ids: vec![],
        state: State::ALL[d % 5],
        cause: domain::presence::Cause::Input,
        since: at,
        active: d.is_multiple_of(2),
        invisible: false,
        private: false,
        message: None,
        session_started_at: Time(((d / 3) % 6) as i64 * 1_000),
        session_seconds: 0,
        last_activity_at: at,
        page: Some(PAGES[d % 4].to_owned()),
        devices: vec![],
        ip: "192.0.2.7".to_owned(),
        place: None,
        recent_uploads: vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    /// An order that is kept gives the page that looking through everybody gives.
    #[test]
    fn a_kept_order_is_the_scan(
        history in steps(PEOPLE, 60),
        begun in 0..30_usize,
        reach in reaches(),
        sort in prop::sample::select(&Sort::ALL[..]),
        (limit, offset) in (1..6_u32, 0..6_u32),
    ) {
        let (mut roster, mut world) = (Roster::new(PresenceLimits::default()), World::new(PEOPLE));
        let query = Query { sort, ..Query::default() };
        prop_assert!(query.is_everybody());
        let mut kept: Option<Ordered> = None;
        for (i, step) in history.iter().enumerate() {
            world.drive(&mut roster, step);
            let changes = within(&roster.take_changes(), reach);
            let rows: Vec<_> = roster.rows().filter(|r| reach.sees(r)).cloned().collect();
            if let Some(kept) = &mut kept {
                kept.apply(&changes);
            } else if i >= begun {
                kept = Some(Ordered::new(query.clone(), rows.iter()));
            }
            let Some(kept) = &kept else { continue };
            let (total, page) = live::page(&query, limit, offset, rows.iter(), world.now);
            prop_assert_eq!(kept.total(), total);
            prop_assert_eq!(
                kept.window(limit as usize, offset as usize).map(|r| live::at(r, world.now)).collect::<Vec<_>>(),
                page
            );
        }
    }
}

#[test]
fn a_snapshot_says_which_question_it_answers() {
    let mut view = View::new(Window { ask: 7, ..Window::default() }, [].iter());
    let snapshot = |view: &mut View| view.snapshot(EPOCH, 1, Counts::zero(ROLES), Time(0));
    assert_eq!((snapshot(&mut view).ask, snapshot(&mut view).ask), (7, 7));
    let unasked = View::new(Window::default(), [].iter()).snapshot(EPOCH, 1, Counts::zero(ROLES), Time(0));
    assert!(!serde_json::to_string(&unasked).unwrap().contains("ask"));
}

/// Names of limits, so that a window of nothing or of everything stays a window.
#[test]
fn windows_have_limits() {
    let crowd: Vec<Arc<PersonRow>> = (0..300).map(|p| Arc::new(row(p, p as u16 * 7))).collect();
    for (limit, shown) in [(0, 1), (1, 1), (50, 50), (200, 200), (u32::MAX, 200)] {
        let mut view = View::new(Window { limit, ..Window::default() }, crowd.iter());
        let s = view.snapshot(EPOCH, 1, Counts::zero(ROLES), Time(0));
        assert_eq!((s.rows.len(), s.total), (shown, 300));
    }
}
