//! Writing events, and with them what is counted of them, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    OrganisationId, SessionId, Time, UserId,
    activity::{ACTIVE, PAGE_VIEW, Zone},
    time::MINUTE,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{
    card::marks,
    sql::{Sql, run_all, values},
    visits,
};

/// What series are made of: slots of this length fit the midnights of all zones in use.
pub(crate) const SLOT: i64 = 15 * MINUTE;
/// Rows of one statement: powers of four, so that there are only five texts of each kind to prepare and keep.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];
/// Pages told apart. Whoever makes up more has them counted under one name.
const ROUTES_MAX: i64 = 10_000;
const OTHER: &str = "(other)";

/// One thing that happened to or through a person.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    /// 0 until it is written.
    pub(crate) seq: i64,
    pub(crate) id: Uuid,
    pub(crate) at: Time,
    pub(crate) kind: String,
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) organisation: Option<OrganisationId>,
    /// The template of the page it is about.
    pub(crate) route: Option<String>,
    pub(crate) ip: Option<String>,
    /// How long it took, where that is known.
    pub(crate) dur_ms: Option<i64>,
    pub(crate) details: Option<String>,
}

/// Ids of pages by their templates, as far as this process has met them.
pub(crate) type Routes = HashMap<String, i64>;

/// Writes events of people who are still there, gives them their numbers, and counts them by the days of `zone`. What
/// was written before, as known by number and id, is left alone: after a commit of which nobody knows whether it was
/// one, the same may be written again. `txn` is one of `Store::begin`, so numbers grow in the order of commits. Pages
/// that are met for the first time are put into `fresh`, for after the commit. How many were written.
pub(crate) async fn write(
    txn: &impl ConnectionTrait,
    zone: Zone,
    events: &mut [NewEvent],
    routes: &Routes,
    fresh: &mut Routes,
) -> Result<usize, DbErr> {
    let mut done = written(txn, events).await?;
    let people = people(txn, events).await?;
    let mut good: Vec<&mut NewEvent> = events
        .iter_mut()
        .filter(|e| done.insert((e.seq, e.id)) && e.user.is_none_or(|user| people.contains(&user)))
        .collect();
    put(txn, zone, &mut good, routes, fresh).await?;
    Ok(good.len())
}

/// The same for an event of somebody who is there, within the act that it tells of.
pub(crate) async fn append(txn: &impl ConnectionTrait, zone: Zone, mut event: NewEvent) -> Result<(), DbErr> {
    put(txn, zone, &mut [&mut event], &Routes::new(), &mut Routes::new()).await
}

async fn put(
    txn: &impl ConnectionTrait,
    zone: Zone,
    good: &mut [&mut NewEvent],
    routes: &Routes,
    fresh: &mut Routes,
) -> Result<(), DbErr> {
    let first = numbers(txn, good.len()).await?;
    for (seq, e) in (first..).zip(good.iter_mut()) {
        e.seq = seq;
    }
    for e in good.iter() {
        if let Some(path) = e.route.as_ref().filter(|r| !routes.contains_key(*r) && !fresh.contains_key(*r)) {
            let id = route(txn, path).await?;
            fresh.insert(path.clone(), id);
        }
    }
    let id_of = |e: &NewEvent| e.route.as_ref().and_then(|r| routes.get(r).or_else(|| fresh.get(r)).copied());
    let rows: Vec<_> = good.iter().map(|e| row(e, id_of(e))).collect();
    let into =
        "INSERT INTO events (seq, id, at, kind, user_id, session_id, route_id, org_id, ip, dur_ms, details) VALUES ";
    let mut all = insert(into, &rows, "");
    all.extend(count(zone, good.iter().map(|e| (&**e, id_of(e)))));
    all.extend(visits::take_in(txn, zone, good).await?);
    // Of one event there are few texts, which stay prepared.
    if good.len() == 1 { run_all(txn, all).await.map(drop) } else { run_each(txn, all).await }
}

/// The first of `n` numbers that nobody else has, greater than all before.
async fn numbers(txn: &impl ConnectionTrait, n: usize) -> Result<i64, DbErr> {
    let text = "UPDATE counters SET value = value + ? WHERE name = 'events' RETURNING value";
    Ok(Sql::new(text, values![n as i64]).number(txn).await? - n as i64 + 1)
}

fn row(e: &NewEvent, route: Option<i64>) -> Vec<Value> {
    values![
        e.seq,
        e.id,
        e.at.0,
        e.kind.as_str(),
        e.user,
        e.session,
        route,
        e.organisation,
        e.ip.as_deref(),
        e.dur_ms,
        e.details.as_deref(),
    ]
}

/// Which of `events` are written already.
async fn written(txn: &impl ConnectionTrait, events: &[NewEvent]) -> Result<HashSet<(i64, Uuid)>, DbErr> {
    let numbered = || events.iter().map(|e| e.seq).filter(|seq| *seq > 0);
    let (Some(least), Some(most)) = (numbered().min(), numbered().max()) else { return Ok(HashSet::new()) };
    let text = "SELECT seq, id FROM events WHERE seq >= ? AND seq <= ?";
    let rows = Sql::new(text, values![least, most]).rows(txn).await?;
    rows.iter().map(|r| Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?))).collect()
}

async fn people(txn: &impl ConnectionTrait, events: &[NewEvent]) -> Result<HashSet<UserId>, DbErr> {
    let asked: BTreeSet<UserId> = events.iter().filter_map(|e| e.user).collect();
    let asked: Vec<UserId> = asked.into_iter().collect();
    let mut there = HashSet::with_capacity(asked.len());
    for ids in lists(&asked) {
        let text = format!("SELECT id FROM users WHERE id IN ({})", marks(ids.len()));
        for r in Sql::new(text, ids).rows(txn).await? {
            there.insert(r.try_get_by_index(0)?);
        }
    }
    Ok(there)
}

/// The page's id, made when it is not there.
async fn route(txn: &impl ConnectionTrait, path: &str) -> Result<i64, DbErr> {
    let find = |path: &str| Sql::new("SELECT id FROM routes WHERE path = ?", values![path]);
    let known = find(path).number(txn).await?;
    if known > 0 {
        return Ok(known);
    }
    let next = Sql::new("SELECT coalesce(max(id), 0) + 1 FROM routes", vec![]).number(txn).await?;
    let path = if next < ROUTES_MAX { path } else { OTHER };
    let other = if path == OTHER { find(OTHER).number(txn).await? } else { 0 };
    if other > 0 {
        return Ok(other);
    }
    Sql::new("INSERT INTO routes (id, path) VALUES (?, ?)", values![next, path]).run(txn).await?;
    Ok(next)
}

/// Adds to the tables by which series, people and pages of a day are counted.
fn count<'a>(zone: Zone, events: impl Iterator<Item = (&'a NewEvent, Option<i64>)>) -> Vec<Sql> {
    let mut slots: BTreeMap<(i64, Uuid, &str), i64> = BTreeMap::new();
    let mut days = Days::default();
    for (e, route) in events {
        *slots.entry((e.at.0.div_euclid(SLOT), e.organisation.unwrap_or_default(), &e.kind)).or_default() += 1;
        days.add(zone.day(e.at).0, e.seq, e.at, &e.kind, e.user, route);
    }
    let rows: Vec<_> = slots.into_iter().map(|((slot, org, kind), n)| values![slot, org, kind, n]).collect();
    let into = "INSERT INTO event_15m (slot, org_id, kind, n) VALUES ";
    let mut all = insert(into, &rows, " ON CONFLICT (slot, org_id, kind) DO UPDATE SET n = event_15m.n + excluded.n");
    all.extend(days.statements());
    all
}

/// What is counted by day.
#[derive(Default)]
pub(crate) struct Days {
    routes: BTreeMap<(i64, i64, String), i64>,
    users: BTreeMap<(i64, UserId), (i64, i64)>,
    seen: BTreeSet<(i64, i64, UserId)>,
    first: BTreeMap<UserId, i64>,
}

impl Days {
    pub(crate) fn add(&mut self, day: i64, seq: i64, at: Time, kind: &str, user: Option<UserId>, route: Option<i64>) {
        if let Some(route) = route {
            *self.routes.entry((day, route, kind.to_owned())).or_default() += 1;
        }
        let Some(user) = user.filter(|_| ACTIVE.contains(&kind)) else { return };
        let (first, n) = self.users.entry((day, user)).or_insert((seq, 0));
        *first = seq.min(*first);
        *n += 1;
        let at = at.0;
        self.first.entry(user).and_modify(|first| *first = at.min(*first)).or_insert(at);
        if let Some(route) = route.filter(|_| kind == PAGE_VIEW) {
            self.seen.insert((day, route, user));
        }
    }

    pub(crate) async fn write(self, txn: &impl ConnectionTrait) -> Result<(), DbErr> {
        run_each(txn, self.statements()).await
    }

    fn statements(self) -> Vec<Sql> {
        let rows: Vec<_> =
            self.routes.into_iter().map(|((day, route, kind), n)| values![day, route, kind, n]).collect();
        let upsert = " ON CONFLICT (day, route_id, kind) DO UPDATE SET views = route_day.views + excluded.views";
        let mut all = insert("INSERT INTO route_day (day, route_id, kind, views) VALUES ", &rows, upsert);
        let rows: Vec<_> = self.users.into_iter().map(|((day, user), (seq, n))| values![day, user, seq, n]).collect();
        let upsert = " ON CONFLICT (day, user_id) DO UPDATE SET n = user_day.n + excluded.n, first_seq = \
                      CASE WHEN excluded.first_seq < user_day.first_seq THEN excluded.first_seq ELSE user_day.first_seq END";
        all.extend(insert("INSERT INTO user_day (day, user_id, first_seq, n) VALUES ", &rows, upsert));
        let rows: Vec<_> = self.seen.into_iter().map(|(day, route, user)| values![day, route, user]).collect();
        let into = "INSERT INTO user_route_day (day, route_id, user_id) VALUES ";
        all.extend(insert(into, &rows, " ON CONFLICT (day, route_id, user_id) DO NOTHING"));
        let rows: Vec<_> = self.first.into_iter().map(|(user, at)| values![user, at]).collect();
        let upsert = " ON CONFLICT (user_id) DO UPDATE SET first_at = excluded.first_at \
                      WHERE excluded.first_at < user_first.first_at";
        all.extend(insert("INSERT INTO user_first (user_id, first_at) VALUES ", &rows, upsert));
        all
    }
}

pub(super) fn insert(into: &str, rows: &[Vec<Value>], conflict: &str) -> Vec<Sql> {
    let statement = |chunk: &[Vec<Value>]| {
        let row = format!("({})", marks(chunk[0].len()));
        Sql::new(format!("{into}{}{conflict}", vec![row; chunk.len()].join(", ")), chunk.concat())
    };
    chunks(rows).map(statement).collect()
}

async fn run_each(txn: &impl ConnectionTrait, all: Vec<Sql>) -> Result<(), DbErr> {
    for statement in all {
        statement.run(txn).await?;
    }
    Ok(())
}

/// Values for `IN (…)`, of the same few lengths: the last is repeated to fill one up, which costs less than a statement.
pub(super) fn lists(ids: &[UserId]) -> impl Iterator<Item = Vec<Value>> {
    ids.chunks(CHUNKS[0]).map(|some| {
        let size = CHUNKS.into_iter().rev().find(|n| *n >= some.len()).unwrap_or(CHUNKS[0]);
        some.iter().chain(std::iter::repeat(&some[some.len() - 1])).take(size).map(|id| Value::from(*id)).collect()
    })
}

fn chunks<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|n| *n <= rest.len())?;
        let (chunk, tail) = rest.split_at(size);
        rest = tail;
        Some(chunk)
    })
}

/// Sessions of a user with an event of this kind since then.
pub(crate) async fn sessions_of(
    db: &impl ConnectionTrait,
    user: UserId,
    kind: &str,
    since: Time,
) -> Result<Vec<SessionId>, DbErr> {
    let text = "SELECT session_id FROM events WHERE user_id = ? AND at > ? AND kind = ? AND session_id IS NOT NULL";
    let rows = Sql::new(text, values![user, since.0, kind]).rows(db).await?;
    rows.iter().map(|r| r.try_get_by_index(0)).collect()
}

#[cfg(test)]
mod tests {
    use domain::activity::{ACTION, LOGIN, LOGOUT, NEW_DEVICE};

    use super::*;
    use crate::store::Store;

    /// A fresh database of each kind there is.
    async fn stores() -> Vec<(Store, Option<tempfile::TempDir>)> {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("twice.db").display());
        let mut all = vec![(Store::open(&url).await.unwrap(), Some(folder))];
        if let Ok(server) = std::env::var("ROLLCALL_TEST_POSTGRES") {
            let name = format!("rollcall_unit_{}", crate::Clock::System.new_id().simple());
            let admin = sea_orm::Database::connect(&server).await.unwrap();
            admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
            let (base, _) = server.rsplit_once('/').unwrap();
            all.push((Store::open(&format!("{base}/{name}")).await.unwrap(), None));
        }
        all
    }

    async fn texts(store: &Store, text: &str) -> Vec<String> {
        let rows = Sql::new(text, vec![]).rows(store.read()).await.unwrap();
        rows.iter().map(|r| r.try_get_by_index(0).unwrap()).collect()
    }

    /// V15, of V1 among others: in whatever order, in whatever portions, and twice, everything that is counted stays the
    /// same.
    #[tokio::test]
    async fn what_comes_twice_is_counted_once() {
        const MORNING: i64 = 9 * 60;
        // V1: of a, and of b; somebody's new device, which is nobody's doing; nobody's; and of somebody who is gone.
        let told = [
            (Some(1), 0, PAGE_VIEW),
            (Some(1), 5, PAGE_VIEW),
            (Some(1), 20, ACTION),
            (Some(1), 50, PAGE_VIEW),
            (Some(1), 81, PAGE_VIEW),
            (Some(2), 0, PAGE_VIEW),
            (Some(2), 20, NEW_DEVICE),
            (None, 7, ACTION),
            (Some(3), 7, PAGE_VIEW),
            // Over midnight, ended by what is not counted by day.
            (Some(2), 14 * 60 + 50, LOGIN),
            (Some(2), 15 * 60 + 15, LOGOUT),
        ];
        let orders = [
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            [10, 4, 8, 3, 0, 2, 5, 1, 9, 7, 6],
            [3, 1, 10, 6, 2, 9, 0, 5, 7, 8, 4],
        ];
        let mut counted = vec![];
        for order in orders {
            for (store, _folder) in stores().await {
                for (n, name) in [(1, "a"), (2, "b")] {
                    let add = "INSERT INTO users (id, username, name, search, role, created_at) VALUES (?, ?, 'A', 'a', 'member', 0)";
                    Sql::new(add, values![Uuid::from_u128(n), name]).run(store.write()).await.unwrap();
                }
                let event = |n: usize| NewEvent {
                    seq: 0,
                    id: Uuid::from_u128(100 + n as u128),
                    at: Time((MORNING + told[n].1) * MINUTE),
                    kind: told[n].2.to_owned(),
                    user: told[n].0.map(Uuid::from_u128),
                    session: Some(Uuid::from_u128(told[n].0.unwrap_or_default())),
                    organisation: None,
                    route: (told[n].2 == PAGE_VIEW).then(|| format!("/{}", n % 2)),
                    ip: None,
                    dur_ms: None,
                    details: None,
                };
                let mut events: Vec<NewEvent> = order.into_iter().map(event).collect();
                let (routes, mut written) = (Routes::new(), vec![]);
                for portion in [[0, 4], [4, 5], [5, 11], [0, 11], [2, 7]] {
                    let txn = store.begin().await.unwrap();
                    let batch = &mut events[portion[0]..portion[1]];
                    written.push(write(&txn, Zone::default(), batch, &routes, &mut Routes::new()).await.unwrap());
                    txn.commit().await.unwrap();
                }
                assert_eq!(written.iter().sum::<usize>(), 10, "{written:?}");
                let mut all = vec![];
                for text in [
                    "SELECT count(*) || ' ' || max(seq) FROM events",
                    "SELECT slot || kind || n FROM event_15m ORDER BY 1",
                    "SELECT day || r.path || views FROM route_day JOIN routes r ON r.id = route_id ORDER BY 1",
                    "SELECT u.username || d.day || ':' || d.n || ' ' || d.active_s FROM user_day d \
                     JOIN users u ON u.id = d.user_id ORDER BY 1",
                    "SELECT day || r.path FROM user_route_day JOIN routes r ON r.id = route_id ORDER BY 1",
                    "SELECT CAST(first_at AS text) FROM user_first ORDER BY 1",
                    "SELECT u.username || (v.from_at / 60000) || '-' || (v.to_at / 60000) || ' ' || v.events || v.views || v.actions \
                     FROM visits v JOIN users u ON u.id = v.user_id ORDER BY v.from_at, 1",
                ] {
                    all.push(texts(&store, text).await);
                }
                counted.push(all);
                store.close().await;
            }
        }
        assert!(counted.windows(2).all(|w| w[0] == w[1]), "{counted:#?}");
        assert_eq!(counted[0][0], ["10 10"]);
        assert_eq!(counted[0][6], ["a540-590 431", "b540-540 110", "a621-621 110", "b1430-1455 200"]);
        assert_eq!(counted[0][3], ["a0:5 3000", "b0:2 600"], "of the next day there is nothing that counts");
    }
}
