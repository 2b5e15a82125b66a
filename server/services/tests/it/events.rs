//! What people do: written behind, counted once, shown to those who may see it.

use std::time::Duration;

use domain::{
    Actor, ApiError, ErrorCode, Time,
    activity::{EventFilter, EventRow, Exported, Exporting, PopularPage, Visit, lengths},
    settings::Settings,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use migrations::Migrator;
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use serde_json::json;
use services::SignedIn;

use crate::world::{World, each, unlimited};

const IP: &str = "192.0.2.9";

fn view(w: &World, s: &SignedIn, page: &str) {
    w.services.activity.page_seen(&s.session, IP, page, None).unwrap();
}

fn act(w: &World, s: &SignedIn, action: &str) {
    w.services.activity.done(&s.session, IP, action, None).unwrap();
}

async fn number(w: &World, text: &str) -> i64 {
    w.text(&format!("SELECT CAST(({text}) AS text)")).await.unwrap().parse().unwrap()
}

async fn list(w: &World, actor: &Actor, filter: EventFilter) -> Vec<EventRow> {
    w.services.activity.list(actor, &filter, 200, None).await.unwrap().items
}

fn at(w: &World, text: &str) {
    let to = Time::parse(text).unwrap();
    w.clock.advance(to.since(w.clock.now()));
}

/// V1, and its events told in another order than they happened.
#[tokio::test]
async fn v1_visits() {
    each(unlimited(), async |w| {
        for (name, order) in [("ada", [0, 1, 2, 3, 4]), ("bob", [3, 0, 4, 2, 1])] {
            let s = w.session(&w.person(name, "member", None).await).await;
            // The sign-in is an event as well: a visit of its own, long before.
            w.clock.advance(DAY);
            let begin = w.clock.now();
            for i in order {
                let (minute, is_view) = [(0, true), (5, true), (20, false), (50, true), (81, true)][i];
                w.clock.advance(begin.plus(minute * MINUTE).since(w.clock.now()));
                if is_view { view(w, &s, "/") } else { act(w, &s, "saved") }
            }
            let found = w.services.activity.own_visits(&s.session.actor(), begin).await.unwrap();
            let of: Vec<_> = found.iter().map(|v| (v.length() / SECOND, v.views, v.actions)).collect();
            assert_eq!(of, [(3_000, 3, 1), (0, 1, 0)], "{name}");
            assert_eq!(lengths(&found).mean, 1_500 * SECOND);
            assert_eq!(found.iter().filter(|v| Visit::is_bounce(v)).count(), 1);
            assert!(found.iter().all(|v| v.session == s.session.id));
        }
    })
    .await;
}

/// V2: the same sign-ins by the days of three zones, and by those of another one after a change.
#[tokio::test]
async fn v2_days_are_of_the_zone() {
    for (zone, expected) in [("UTC", [1, 2, 0]), ("Europe/Berlin", [1, 2, 1]), ("America/New_York", [1, 2, 0])] {
        let settings = Settings { zone: zone.to_owned(), ..unlimited() };
        each(settings, async |w| {
            at(w, "2027-03-01T22:30:00Z");
            let ada = w.person("a", "member", None).await;
            w.session(&ada).await;
            at(w, "2027-03-01T23:30:00Z");
            w.session(&ada).await;
            at(w, "2027-03-02T10:00:00Z");
            w.session(&w.person("b", "member", None).await).await;
            at(w, "2027-03-02T23:30:00Z");
            w.session(&w.person("c", "member", None).await).await;
            assert_eq!(days(w).await, expected, "{zone}");
            let known = if zone == "Europe/Berlin" {
                [None, Some(1), Some(2), Some(1)]
            } else {
                [None, None, Some(1), Some(2)]
            };
            assert_eq!(by_day(w, &Actor::Operator).await, known, "{zone}");
            if zone == "UTC" {
                let berlin = Settings { zone: "Europe/Berlin".to_owned(), ..unlimited() };
                let next = w.another_with(berlin, true).await;
                let state = "SELECT count(*) FROM activity_days WHERE zone = 'Europe/Berlin' AND from_day IS NULL";
                while number(w, state).await == 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                assert_eq!(days(w).await, [1, 2, 1], "counted anew");
                next.services.store.close().await;
            }
            // Whoever sees one organisation sees its people only: here the one who looks.
            let manager = w.session(&w.person("max", "manager", Some("North")).await).await.session.actor();
            let own = known.map(|n| n.map(|_| 0));
            assert_eq!(by_day(w, &manager).await, [own[0], own[1], own[2], Some(1)], "{zone}");
        })
        .await;
    }
}

/// People of the last four days.
async fn by_day(w: &World, actor: &Actor) -> [Option<u64>; 4] {
    let days = w.services.active_by_day(actor, 4).await.unwrap();
    assert!(days.windows(2).all(|d| (23 * HOUR..=25 * HOUR).contains(&d[1].0.since(d[0].0))));
    assert!((0..DAY).contains(&w.clock.now().since(days[3].0)));
    [0, 1, 2, 3].map(|i| days[i].1)
}

/// People of 1, 2 and 3 March 2027.
async fn days(w: &World) -> [i64; 3] {
    let first = Time::parse("2027-03-01T00:00:00Z").unwrap().0 / DAY;
    let of = async |day: i64| number(w, &format!("SELECT count(*) FROM user_day WHERE day = {day}")).await;
    [of(first).await, of(first + 1).await, of(first + 2).await]
}

/// V13: by template, people and views.
#[tokio::test]
async fn v13_pages() {
    each(unlimited(), async |w| {
        let mut all = vec![];
        for name in ["a", "b", "c"] {
            all.push(w.session(&w.person(name, "member", None).await).await);
        }
        for (who, page) in
            [(0, "/files/17"), (0, "/files/18"), (0, "/files/17?x=1"), (1, "/files/17"), (1, "/"), (2, "/")]
        {
            view(w, &all[who], page);
        }
        w.services.activity.flush().await.unwrap();
        for path in ["/files/:id", "/"] {
            let of = format!("(SELECT id FROM routes WHERE path = '{path}')");
            let people = number(w, &format!("SELECT count(*) FROM user_route_day WHERE route_id = {of}")).await;
            let views = number(w, &format!("SELECT sum(views) FROM route_day WHERE route_id = {of}")).await;
            assert_eq!((people, views), (2, if path == "/" { 2 } else { 4 }), "{path}");
        }
        let today = w.services.activity.today(&Actor::Operator, 9).await.unwrap();
        let page = |path: &str, views| PopularPage { path: path.to_owned(), people: 2, views: Some(views) };
        assert_eq!(today.pages, [page("/", 2), page("/files/:id", 4)]);
        assert_eq!((today.readers, today.active, today.active_before), (3, 3, 0));
        assert_eq!(w.services.activity.today(&Actor::Operator, 1).await.unwrap().pages.len(), 1);
        let rows = list(w, &Actor::Operator, EventFilter { page: Some("/files/99".into()), ..EventFilter::default() });
        let rows = rows.await;
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[1].page.as_deref(), rows[1].route.as_deref()), (Some("/files/17?x=1"), Some("/files/:id")));
    })
    .await;
}

#[tokio::test]
async fn every_event_says_who_where_and_what() {
    each(unlimited(), async |w| {
        let s = w.session(&w.person("ada", "teacher", Some("North")).await).await;
        w.clock.advance(MINUTE);
        let activity = &w.services.activity;
        let seen = activity.page_seen(&s.session, IP, "/files/17", Some("A file")).unwrap();
        w.clock.advance(1);
        activity.done(&s.session, IP, "renamed", Some(json!({"to": "x\u{0}y"}))).unwrap();
        let rows = list(w, &Actor::Operator, EventFilter::default()).await;
        let kinds: Vec<&str> = rows.iter().map(|r| &*r.kind).collect();
        assert_eq!(kinds, ["action", "page_view", "login"]);
        let r = &rows[1];
        assert_eq!((r.id, r.at, r.session_id), (seen, w.clock.now().plus(-1), Some(s.session.id)));
        assert_eq!((r.username.as_deref(), r.role.as_deref()), (Some("ada"), Some("teacher")));
        assert_eq!((r.organisation.as_deref(), r.ip.as_deref()), (Some("North"), Some(IP)));
        assert_eq!(r.device.as_deref(), Some("Firefox on Linux"));
        assert_eq!((r.page.as_deref(), r.details.clone()), (Some("/files/17"), Some(json!({"title": "A file"}))));
        assert_eq!(rows[0].action.as_deref(), Some("renamed"));
        assert!(rows[0].details.clone().unwrap()["details"]["to"].as_str().unwrap().starts_with('x'));
        assert!(rows[0].seq > rows[1].seq && rows[1].seq > rows[2].seq);
        let summary = activity.own_summary(&s.session.actor()).await.unwrap();
        assert_eq!((summary.total_activities, summary.total_sessions), (3, 1));
        assert_eq!(summary.last_activity, Some(w.clock.now()));
        assert_eq!(summary.event_breakdown["page_view"], 1);
        let journey = activity.own_journey(&s.session.actor(), Some(s.session.id)).await.unwrap();
        let steps: Vec<_> = journey.steps.iter().map(|s| (&*s.kind, s.page.as_deref(), s.action.as_deref())).collect();
        assert_eq!(
            steps,
            [("login", None, None), ("page_view", Some("/files/17"), None), ("action", None, Some("renamed"))]
        );
        let bob = w.session(&w.person("bob", "teacher", Some("North")).await).await;
        let others = activity.own_journey(&bob.session.actor(), Some(s.session.id)).await.unwrap();
        assert!(others.steps.is_empty(), "another's session is as if it were not there");
    })
    .await;
}

type Is = fn(&EventRow) -> bool;

#[tokio::test]
async fn lists_are_filtered_paged_and_within_reach() {
    each(unlimited(), async |w| {
        let mut people = vec![];
        for (name, role, org) in [("ada", "student", "North"), ("bob", "teacher", "South"), ("mel", "manager", "South")]
        {
            people.push(w.session(&w.person(name, role, Some(org)).await).await);
        }
        for n in 0..30 {
            w.clock.advance(if n % 3 == 0 { 0 } else { HOUR });
            view(w, &people[n % 2], &format!("/p/{n}"));
            act(w, &people[n % 2], "did");
        }
        let activity = &w.services.activity;
        let all = list(w, &Actor::Operator, EventFilter::default()).await;
        assert_eq!(all.len(), 63);
        assert!(all.is_sorted_by(|a, b| (a.at, a.seq) > (b.at, b.seq)));
        let mut paged = vec![];
        let mut cursor: Option<String> = None;
        loop {
            let filter = EventFilter::default();
            let page = activity.list(&Actor::Operator, &filter, 7, cursor.as_deref()).await.unwrap();
            assert_eq!(page.total, cursor.is_none().then_some(63));
            paged.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, all);
        let f = EventFilter::default;
        let (mid, some) = (all[30].at, |text: &str| Some(text.to_owned()));
        let cases: Vec<(EventFilter, Is)> = vec![
            (EventFilter { user: some("Ada"), ..f() }, |r| r.username.as_deref() == Some("ada")),
            (EventFilter { kind: some("page_view"), ..f() }, |r| r.kind == "page_view"),
            (EventFilter { role: some("teacher"), ..f() }, |r| r.role.as_deref() == Some("teacher")),
            (EventFilter { org: some("south"), ..f() }, |r| r.organisation.as_deref() == Some("South")),
            (EventFilter { page: some("/p/3"), user: some("bob"), ..f() }, |r| {
                r.route.is_some() && r.username.as_deref() == Some("bob")
            }),
            (EventFilter { org: some("South"), kind: some("action"), role: some("teacher"), ..f() }, |r| {
                r.organisation.as_deref() == Some("South") && r.kind == "action" && r.role.as_deref() == Some("teacher")
            }),
            (EventFilter { user: some("nobody"), ..f() }, |_| false),
            (EventFilter { page: some("/nowhere"), ..f() }, |_| false),
            (EventFilter { kind: some("' OR 1=1"), ..f() }, |_| false),
        ];
        for (filter, is) in cases {
            let expected: Vec<&EventRow> = all.iter().filter(|r| is(r)).collect();
            let found = list(w, &Actor::Operator, filter.clone()).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        }
        let later = list(w, &Actor::Operator, EventFilter { from: Some(mid), ..f() }).await;
        let earlier = list(w, &Actor::Operator, EventFilter { to: Some(mid), ..f() }).await;
        assert_eq!(later.len() + earlier.len(), all.len());
        assert!(later.iter().all(|r| r.at >= mid) && earlier.iter().all(|r| r.at < mid));
        let manager = people[2].session.actor();
        let theirs = list(w, &manager, f()).await;
        assert!(theirs.len() == 32 && theirs.iter().all(|r| r.organisation.as_deref() == Some("South")));
        assert!(list(w, &manager, EventFilter { org: some("North"), ..f() }).await.is_empty());
        let refused = activity.list(&people[0].session.actor(), &f(), 50, None).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
        let strange = activity.list(&Actor::Operator, &f(), 50, Some("x' OR 1=1")).await.unwrap_err();
        assert_eq!(strange.code, ErrorCode::BadRequest);
        let mut export = activity.begin_export(&Actor::Operator, &f(), "csv", None).await.unwrap();
        view(w, &people[0], "/later");
        activity.flush().await.unwrap();
        assert_eq!(activity.export_next(&mut export).await.unwrap(), all, "what came later is not of it");
        assert!(activity.export_next(&mut export).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_database_that_stalls_loses_nothing_and_refuses_honestly() {
    each(unlimited(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        let other = w.raw().await;
        let txn = other.begin().await.unwrap();
        txn.execute_unprepared("UPDATE counters SET value = value").await.unwrap();
        let tell = || -> Result<(), ApiError> {
            // No faster than anybody may.
            w.clock.advance(SECOND / 2);
            w.services.activity.page_seen(&s.session, IP, "/", None).map(drop)
        };
        let mut taken = 0;
        let refused = loop {
            match tell() {
                Ok(()) => taken += 1,
                Err(e) => break e,
            }
        };
        assert_eq!((refused.code.status(), taken >= 19_000), (503, true));
        txn.rollback().await.unwrap();
        w.services.activity.flush().await.unwrap();
        assert_eq!(number(w, "SELECT count(*) FROM events WHERE kind = 'page_view'").await, taken);
        assert_eq!(number(w, "SELECT sum(n) FROM event_15m WHERE kind = 'page_view'").await, taken);
        assert_eq!(number(w, "SELECT sum(views) FROM route_day").await, taken);
        assert_eq!(number(w, "SELECT n FROM user_day").await, taken + 1, "with the sign-in");
        assert_eq!(number(w, "SELECT count(DISTINCT seq) FROM events").await, taken + 1);
        assert!(tell().is_ok());
    })
    .await;
}

#[tokio::test]
async fn whoever_is_deleted_is_counted_no_more() {
    each(unlimited(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        let bob = w.session(&w.person("bob", "member", None).await).await;
        view(w, &s, "/");
        w.services.activity.flush().await.unwrap();
        let gone = w.services.accounts.delete(&Actor::Operator, "ada").await.unwrap();
        let rows = |table: &str| gone.rows[table];
        assert_eq!((rows("events"), rows("user_day"), rows("user_first"), rows("visits")), (2, 1, 1, 1));
        // One request was on its way.
        view(w, &s, "/");
        view(w, &bob, "/");
        w.services.activity.flush().await.unwrap();
        assert_eq!(number(w, "SELECT count(*) FROM events").await, 2);
        assert_eq!(number(w, "SELECT count(*) FROM user_day").await, 1);
        assert_eq!(number(w, "SELECT count(*) FROM visits").await, 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_kept_for_longer_than_it_is_kept() {
    let settings = Settings { retention_events: 3 * DAY, ..unlimited() };
    each(settings, async |w| {
        let ada = w.person("ada", "member", None).await;
        for days in [0, 2, 2] {
            w.clock.advance(days * DAY);
            let s = w.session(&ada).await;
            view(w, &s, "/");
        }
        w.services.activity.flush().await.unwrap();
        let count = async |table: &str| number(w, &format!("SELECT count(*) FROM {table}")).await;
        assert_eq!((count("events").await, count("user_day").await), (6, 3));
        w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        assert_eq!((count("events").await, count("user_day").await, count("event_15m").await), (4, 3, 6));
        w.clock.advance(397 * DAY);
        w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        assert_eq!((count("events").await, count("user_route_day").await, count("user_day").await), (0, 2, 3));
        assert_eq!(count("visits").await, 3, "as long as what is counted by day");
        w.clock.advance(400 * DAY);
        w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        for table in ["event_15m", "route_day", "user_day", "user_route_day", "visits"] {
            assert_eq!(count(table).await, 0, "{table}");
        }
        assert_eq!(count("user_first").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_told_is_bounded() {
    each(unlimited(), async |w| {
        let s = w.session(&w.person("ada", "member", None).await).await;
        let activity = &w.services.activity;
        let field = |e: ApiError| (e.code, e.fields.into_keys().next().unwrap_or_default());
        let page = |page: &str, title: Option<&str>| activity.page_seen(&s.session, IP, page, title);
        for (page, title, wrong) in [
            ("", None, "page"),
            (" ", None, "page"),
            (&*"x".repeat(513), None, "page"),
            ("/", Some(&*"x".repeat(201)), "title"),
        ]
        .map(|(p, t, w)| (page(p, t), t.is_some(), w))
        {
            assert_eq!(field(page.unwrap_err()), (ErrorCode::Invalid, wrong.to_owned()), "{title}");
        }
        let big = json!("x".repeat(9_000));
        assert_eq!(field(activity.done(&s.session, IP, "a", Some(big)).unwrap_err()).1, "details");
        assert_eq!(field(activity.done(&s.session, IP, "\t", None).unwrap_err()).1, "action");
    })
    .await;
}

/// What was there before this migration stays, and is counted.
#[tokio::test]
async fn older_events_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/old.db?mode=rwc", dir.path().display());
    let db = Database::connect(&url).await.unwrap();
    Migrator::up(&db, Some(13)).await.unwrap();
    db.execute_unprepared(
        "INSERT INTO users (id, username, name, search, role, created_at) VALUES (x'01', 'ada', 'Ada', 'ada', 'member', 0);
         INSERT INTO events (id, at, kind, user_id) VALUES (x'0b', 86400001, 'logout', x'01');
         INSERT INTO events (id, at, kind, user_id, ip) VALUES (x'0a', 5, 'login', x'01', '192.0.2.1');
         INSERT INTO events (id, at, kind) VALUES (x'0c', 7, 'new_device');",
    )
    .await
    .unwrap();
    Migrator::up(&db, None).await.unwrap();
    let text =
        "SELECT group_concat(t, ' ') FROM (SELECT seq || kind || coalesce(ip, '') AS t FROM events ORDER BY seq)";
    let ask = async |text: &str| {
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), text);
        db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index::<String>(0).unwrap()
    };
    assert_eq!(ask(text).await, "1login192.0.2.1 2new_device 3logout");
    assert_eq!(ask("SELECT CAST(value AS text) FROM counters WHERE name = 'events'").await, "3");
    assert_eq!(ask("SELECT group_concat(slot || ':' || n) FROM event_15m WHERE kind = 'login'").await, "0:1");
    assert_eq!(ask("SELECT day || ' ' || n || ' ' || (SELECT first_at FROM user_first) FROM user_day").await, "0 1 5");
}

/// What is told counts by its size, too; and whoever waits may go on.
#[tokio::test]
async fn a_session_tells_so_much_and_no_more() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "member", None).await;
        let (s, other) = (w.session(&ada).await, w.session(&ada).await);
        let details = json!("x".repeat(7_900));
        let tell = |s: &SignedIn| w.services.activity.done(&s.session, IP, "a", Some(details.clone())).err();
        let told = (0..20).take_while(|_| tell(&s).is_none()).count();
        assert_eq!(told, 15, "8 of 120 each");
        let refused = tell(&s).unwrap();
        assert_eq!((refused.code, refused.retry_after), (ErrorCode::TooManyRequests, Some(4)));
        let told = (0..30).take_while(|_| tell(&other).is_none()).count();
        assert_eq!(told, 15, "what was refused to one session takes nothing from another");
        assert_eq!(tell(&w.session(&ada).await).unwrap().code, ErrorCode::TooManyRequests);
        w.clock.advance(4 * SECOND);
        assert!(tell(&s).is_none() && tell(&s).is_some(), "8 of the session's, while 16 of the person's came back");
        assert!(tell(&other).is_none());
    })
    .await;
}

/// By its key somebody follows an export, and nobody else does.
#[tokio::test]
async fn an_export_tells_how_far_it_is() {
    each(unlimited(), async |w| {
        let (s, other) = (w.person("ada", "admin", None).await, w.person("bob", "admin", None).await);
        let (s, other) = (w.session(&s).await, w.session(&other).await);
        let (activity, actor) = (&w.services.activity, s.session.actor());
        for n in 0..1_500 {
            w.clock.advance(SECOND / 2);
            view(w, &s, &format!("/{n}"));
        }
        w.clock.advance(MINUTE);
        let filter = EventFilter { kind: Some("page_view".into()), ..EventFilter::default() };
        let begin = async |key: String| {
            let s = w.session(&w.services.accounts.card(&Actor::Operator, s.session.card().id).await.unwrap()).await;
            activity.begin_export(&s.session.actor(), &filter, "csv", Some(&key)).await.unwrap()
        };
        let mut export = begin("one".into()).await;
        let find = |key: &str| activity.exporting(&actor, key, false).unwrap();
        let at = |key: &str| find(key).unwrap();
        let expected = async |key: &str| {
            while find(key).unwrap().expected.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        expected("one").await;
        assert_eq!(at("one"), Exporting { done: 0, expected: Some(1_500), state: Exported::Running });
        assert_eq!(activity.export_next(&mut export).await.unwrap().len(), 1_000);
        assert_eq!(at("one").done, 1_000);
        assert_eq!(activity.exporting(&other.session.actor(), "one", true).unwrap(), None);
        assert_eq!(find("two"), None);
        assert_eq!(activity.export_next(&mut export).await.unwrap().len(), 500);
        assert!(activity.export_next(&mut export).await.unwrap().is_empty());
        export.complete();
        drop(export);
        assert_eq!(at("one"), Exporting { done: 1_500, expected: Some(1_500), state: Exported::Complete });
        // One that is cancelled gives nothing more; one whose reader went away says so.
        let mut export = begin("two".into()).await;
        activity.export_next(&mut export).await.unwrap();
        assert_eq!(activity.exporting(&actor, "two", true).unwrap().unwrap().state, Exported::Cancelled);
        assert!(activity.export_next(&mut export).await.is_err());
        drop(begin("three".into()).await);
        assert_eq!((at("two").state, at("three").state), (Exported::Cancelled, Exported::Broken));
        // Of those that are over only some are remembered.
        for n in 0..70 {
            drop(begin(format!("n{n}")).await);
        }
        assert_eq!(find("one"), None);
        let long = activity.begin_export(&actor, &filter, "csv", Some(&"x".repeat(41))).await;
        assert!(long.is_err());
    })
    .await;
}
