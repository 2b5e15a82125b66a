//! Traffic: what a restart keeps, what is written, and who may see it.

use domain::{
    Actor, Time,
    time::{DAY, HOUR, MINUTE, SECOND},
    traffic::{Asker, SLOT, Seen, slot_of},
};
use services::{Services, traffic::Range};

use crate::world::{BEGIN, World, each, unlimited};

const ROUTE: &str = "GET /api/v1/sessions";

fn ask(services: &Services, route: &str, status: u16, ms: u64) {
    services.traffic.record(&Seen { route, status, took_us: ms * 1_000, asker: None, bot: false });
}

async fn figures(services: &Services) -> domain::traffic::Figures {
    services.traffic.current(&Actor::Operator).await.unwrap().figures
}

/// A restart within a slot goes on with it: nothing is lost that was written, and nothing counted twice.
#[tokio::test]
async fn a_restart_goes_on_within_its_slot() {
    each(unlimited(), async |world| {
        for _ in 0..100 {
            ask(&world.services, ROUTE, 200, 10);
        }
        ask(&world.services, ROUTE, 503, 1_000);
        ask(&world.services, "GET /pkg/{*path}", 200, 1);
        world.services.traffic.flush().await.unwrap();
        // Not written any more: what dies with the process.
        ask(&world.services, ROUTE, 200, 10);

        let next = world.another(true).await;
        let now = figures(&next.services).await;
        assert_eq!((now.requests_today, now.errors_today, now.refused_today), (101, 1, 0));
        ask(&next.services, ROUTE, 404, 10);
        next.services.traffic.flush().await.unwrap();
        let shown = next.services.traffic.shown(&Actor::Operator, Range::Day).await.unwrap();
        let row = &shown.report.routes[0];
        assert_eq!((row.route.as_str(), row.by_class), (ROUTE, [0, 100, 0, 1, 1]));
        assert_eq!((shown.report.routes.len(), shown.report.apart.len()), (1, 1));
        // V9, through the database: the mean of all, not of means.
        let mean = row.durations.mean_ms().unwrap();
        assert!((mean - 2_010.0 / 102.0).abs() < 0.001, "{mean}");
        assert!((row.durations.quantile_ms(0.5).unwrap() - 10.0).abs() <= 0.2);
        assert_eq!(shown.points.len(), 96);
        assert_eq!(shown.points.iter().map(|p| p.requests).sum::<u64>(), 102);
        // Written once for each route and class, however often.
        let rows = next.text("SELECT CAST(count(*) AS text) FROM traffic_15m").await;
        assert_eq!(rows.as_deref(), Some("4"));
        next.close().await;
    })
    .await;
}

/// Today begins at midnight of the server's zone; another zone counts it anew, also after a restart.
#[tokio::test]
async fn today_is_of_the_zone() {
    each(unlimited(), async |world| {
        let at = |text: &str| world.clock.advance(Time::parse(text).unwrap().since(world.clock.now()));
        let zone = async |name: &str| {
            let changes = [("zone".to_owned(), Some(name.to_owned()))].into();
            world.services.settings.change(&Actor::Operator, changes, false).await.unwrap();
            world.services.traffic.flush().await.unwrap();
        };
        let today = async |services: &Services| figures(services).await.requests_today;
        // 00:30 in Berlin of the second.
        at("2027-03-01T22:30:00Z");
        ask(&world.services, ROUTE, 200, 10);
        at("2027-03-01T23:30:00Z");
        ask(&world.services, ROUTE, 200, 10);
        ask(&world.services, ROUTE, 500, 10);
        assert_eq!(today(&world.services).await, 3);
        zone("Europe/Berlin").await;
        let now = figures(&world.services).await;
        assert_eq!((now.requests_today, now.errors_today), (2, 1));
        let next = world.another(true).await;
        assert_eq!(today(&next.services).await, 2);
        next.services.store.close().await;
        zone("America/New_York").await;
        assert_eq!(today(&world.services).await, 3);
        at("2027-03-02T04:59:59Z");
        assert_eq!(today(&world.services).await, 3);
        at("2027-03-02T05:00:00Z");
        assert_eq!(today(&world.services).await, 0);
    })
    .await;
}

/// A database that is away keeps nobody from counting, and what waited is written once it is back.
#[tokio::test]
async fn what_could_not_be_written_waits() {
    each(unlimited(), async |world| {
        ask(&world.services, ROUTE, 200, 10);
        world.sql("ALTER TABLE traffic_15m RENAME TO away").await;
        assert!(world.services.traffic.flush().await.is_err());
        world.clock.advance(HOUR);
        ask(&world.services, ROUTE, 200, 10);
        world.sql("ALTER TABLE away RENAME TO traffic_15m").await;
        world.services.traffic.flush().await.unwrap();
        let rows = world.text("SELECT CAST(count(*) AS text) || ' ' || CAST(sum(n) AS text) FROM traffic_15m").await;
        assert_eq!(rows.as_deref(), Some("2 2"));
        let shown = world.services.traffic.shown(&Actor::Operator, Range::Week).await.unwrap();
        assert_eq!(shown.report.total.durations.n(), 2);
        assert!(shown.points.len() == 84 && shown.points.iter().all(|p| p.at.0 % (2 * HOUR) == 0));
    })
    .await;
}

#[tokio::test]
async fn a_day_begins_with_nothing_and_series_have_their_steps() {
    each(unlimited(), async |world| {
        let t = &world.services.traffic;
        ask(&world.services, ROUTE, 200, 10);
        let now = figures(&world.services).await;
        assert_eq!((now.requests_today, now.avg_response_ms), (1, Some(10.0)));
        // The clock stands at the beginning of a second: ten are over.
        assert!((now.current_rps - 0.1).abs() < 1e-9, "{}", now.current_rps);
        for (minutes, step, n) in [(1, 1, 60), (10, 1, 600), (11, 60, 11), (60, 60, 60), (120, 900, 8)] {
            let line = t.line(&Actor::Operator, minutes).await.unwrap();
            assert_eq!((line.step, line.items.len()), (step, n), "{minutes}");
        }
        for minutes in [0, -1, 10_081, i64::MAX, i64::MIN] {
            assert_eq!(t.line(&Actor::Operator, minutes).await.unwrap_err().code.status(), 422, "{minutes}");
        }
        world.clock.advance(SECOND);
        assert_eq!(t.line(&Actor::Operator, 1).await.unwrap().items[59].requests, 1);
        world.clock.advance(DAY);
        let now = figures(&world.services).await;
        assert_eq!((now.requests_today, now.avg_response_ms, now.p95_response_ms), (0, None, None));
    })
    .await;
}

/// 25 months, by the clean-up that runs anyway.
#[tokio::test]
async fn old_slots_are_deleted() {
    each(unlimited(), async |world| {
        for days in [800, 761, 759, 1] {
            let slot = slot_of(BEGIN.plus(-days * DAY));
            let blob = if world.url.starts_with("sqlite") { "x'00'" } else { "'\\x00'" };
            world.sql(&format!("INSERT INTO traffic_15m VALUES ({}, '{ROUTE}', 2, 1, 5, 5, {blob})", slot.0)).await;
        }
        world.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        let oldest =
            world.text("SELECT CAST(count(*) AS text) || ' ' || CAST(min(slot) AS text) FROM traffic_15m").await;
        assert_eq!(oldest, Some(format!("2 {}", slot_of(BEGIN.plus(-759 * DAY)).0)));
    })
    .await;
}

/// The numbers are of the whole server and name nobody; people are those within reach.
#[tokio::test]
async fn who_asks_is_told_as_far_as_one_reaches() {
    each(unlimited(), async |world| {
        let who = async |world: &World, name: &str, role: &str, organisation: Option<&str>| {
            let card = world.person(name, role, organisation).await;
            let s = world.session(&card).await;
            world.check(s.token.expose()).await.unwrap().actor()
        };
        let t = &world.services.traffic;
        let admin = who(world, "ada", "admin", None).await;
        let north = who(world, "max", "manager", Some("North")).await;
        let south = who(world, "sia", "manager", Some("South")).await;
        for actor in [&admin, &north, &north] {
            let card = &actor.person().unwrap().card;
            let asker = Asker { user: card.id, organisation: card.organisation.as_ref().map(|o| o.id) };
            t.record(&Seen { route: ROUTE, status: 200, took_us: 5, asker: Some(asker), bot: false });
        }
        for (actor, expected) in [(&admin, vec![("max", 2), ("ada", 1)]), (&north, vec![("max", 2)]), (&south, vec![])]
        {
            let shown = t.shown(actor, Range::Hour).await.unwrap();
            let top: Vec<_> = shown.top.iter().map(|(c, n)| (c.username.as_str(), *n)).collect();
            assert_eq!((top, shown.current.figures.requests_today), (expected, 3));
            assert_eq!((shown.points.len(), shown.step), (60, MINUTE));
        }
        for (actor, status) in [
            (who(world, "ned", "manager", None).await, 403),
            (who(world, "mia", "member", Some("North")).await, 403),
            (Actor::Anonymous, 401),
        ] {
            assert_eq!(t.current(&actor).await.unwrap_err().code.status(), status);
            assert_eq!(t.line(&actor, 5).await.unwrap_err().code.status(), status);
            assert_eq!(t.shown(&actor, Range::Hour).await.unwrap_err().code.status(), status);
        }
    })
    .await;
}

/// A week of a busy server, summed up from its rows. Run by hand for the time it takes.
#[tokio::test]
#[ignore = "slow"]
async fn a_week_is_summed_up_quickly() {
    each(unlimited(), async |world| {
        for slot in 0..671_i64 {
            for route in 0..60_u64 {
                for status in [200, 404] {
                    for n in 0..20 {
                        ask(&world.services, &format!("GET /route/{route}"), status, 1 + n * (route + 1));
                    }
                }
            }
            world.services.traffic.flush().await.unwrap();
            world.clock.advance(SLOT);
            let _ = slot;
        }
        for range in Range::ALL {
            let started = std::time::Instant::now();
            let shown = world.services.traffic.shown(&Actor::Operator, range).await.unwrap();
            eprintln!("{range:?}: {:?} for {} requests", started.elapsed(), shown.report.total.durations.n());
        }
        assert!(world.clock.now() > Time(0));
    })
    .await;
}
