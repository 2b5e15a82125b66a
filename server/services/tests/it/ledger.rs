//! The ledger of presence: edges written behind, what a crash leaves, who may read what.

use std::{sync::Arc, time::Duration};

use domain::{
    Actor, ErrorCode, Time,
    presence::{Cause, Choice, Chosen, Report, State},
    settings::Settings,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use sea_orm::{ConnectionTrait, TransactionTrait};
use services::{SignedIn, presence::Socket};
use tokio::runtime::Runtime;

use crate::world::{BEGIN, World, each};

/// Somebody who is here with one tab.
async fn joined(w: &World, s: &SignedIn, page: &str) -> Socket {
    let socket = w.services.presence.register(std::sync::Arc::clone(&s.session)).await.unwrap();
    w.services.join(&socket, report(page)).await.unwrap();
    socket
}

fn report(page: &str) -> Report {
    Report { page: Some(page.to_owned()), idle_ms: Some(0), ..Report::default() }
}

/// Time passes, and the sockets stay alive.
async fn pass(w: &World, sockets: &[&Socket], ms: i64) {
    let end = w.clock.now().plus(ms);
    while w.clock.now() < end {
        w.clock.advance((30 * SECOND).min(end.since(w.clock.now())));
        for s in sockets {
            w.services.alive(s);
        }
        w.services.presence.tick().await;
    }
}

/// Who was here, as somebody is told: username, state, since, until.
async fn at(w: &World, actor: &Actor, time: Time) -> Vec<(String, State, Time, Option<Time>)> {
    let at = w.services.presence.at(actor, time, 1_000, 0).await.unwrap();
    assert_eq!((at.total as usize, at.time), (at.users.len(), time));
    assert_eq!(at.by_state.values().sum::<u32>(), at.total);
    at.users.into_iter().map(|u| (u.username, u.state, u.since, u.until)).collect()
}

fn was(name: &str, state: State, since: Time, until: Option<Time>) -> Vec<(String, State, Time, Option<Time>)> {
    vec![(name.to_owned(), state, since, until)]
}

async fn count(w: &World, condition: &str) -> String {
    w.text(&format!("SELECT CAST(count(*) AS text) FROM presence_intervals WHERE {condition}")).await.unwrap()
}

async fn until(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} in time");
}

#[tokio::test]
async fn every_state_has_its_interval() {
    each(Settings::default(), async |w| {
        let mia = w.session(&w.person("mia", "member", None).await).await;
        let socket = joined(w, &mia, "/files").await;
        let operator = Actor::Operator;
        let idle = BEGIN.plus(5 * MINUTE + 1);
        pass(w, &[&socket], 6 * MINUTE).await;
        assert_eq!(at(w, &operator, BEGIN).await, was("mia", State::Active, BEGIN, Some(idle)));
        assert_eq!(at(w, &operator, idle.plus(-1)).await, was("mia", State::Active, BEGIN, Some(idle)));
        assert_eq!(at(w, &operator, idle).await, was("mia", State::Idle, idle, None));
        assert_eq!(at(w, &operator, w.clock.now()).await, was("mia", State::Idle, idle, None));
        assert_eq!(at(w, &operator, BEGIN.plus(-1)).await, []);
        let future = w.services.presence.at(&operator, w.clock.now().plus(1), 10, 0).await;
        assert_eq!(future.unwrap_err().code, ErrorCode::Invalid);

        // Nobody's window was open when this came and went.
        w.clock.advance(1);
        w.services.report(&socket, report("/files/17")).await.unwrap();
        let back = w.clock.now();
        w.clock.advance(1);
        w.services.sessions.sign_out(&mia.session.actor(), &mia.session).await.unwrap();
        let gone = w.clock.now();
        assert_eq!(at(w, &operator, back).await, was("mia", State::Active, back, Some(gone)));
        assert_eq!(at(w, &operator, gone).await, [], "an end is not part of it");
        assert_eq!(count(w, "to_at IS NULL OR end_cause IS NULL OR session_id IS NULL").await, "0");

        let day = w.services.day(&operator, mia.session.card().id, "2027-01-15").await.unwrap();
        let told: Vec<_> = day.intervals.iter().map(|i| (i.state, i.from, i.to, i.cause, i.pages.join(" "))).collect();
        assert_eq!(
            told,
            [
                (State::Active, BEGIN, Some(idle), Cause::SignedIn, "/files".to_owned()),
                (State::Idle, idle, Some(back), Cause::NoInput, "/files".to_owned()),
                (State::Active, back, Some(gone), Cause::Input, "/files/17".to_owned()),
            ]
        );
        assert_eq!((day.seconds_by_state["active"], day.seconds_by_state["idle"]), (300, 60));
        assert_eq!((day.from, day.to, day.as_of), (BEGIN.plus(-8 * HOUR), BEGIN.plus(16 * HOUR), gone));
    })
    .await;
}

#[tokio::test]
async fn edges_are_written_without_being_asked_for() {
    each(Settings::default(), async |w| {
        let mia = w.session(&w.person("mia", "member", None).await).await;
        let socket = joined(w, &mia, "/").await;
        until("the beginning", async || count(w, "to_at IS NULL AND state = 'active'").await == "1").await;
        w.services.report(&socket, report("/files")).await.unwrap();
        w.clock.advance(SECOND);
        w.services.sessions.sign_out(&mia.session.actor(), &mia.session).await.unwrap();
        let end = format!("to_at = {} AND end_cause = 'signed_out'", w.clock.now().0);
        until("the end", async || count(w, &end).await == "1").await;
        assert_eq!(w.text("SELECT pages FROM presence_intervals").await.as_deref(), Some(r#"["/","/files"]"#));
    })
    .await;
}

#[tokio::test]
async fn a_day_has_its_own_hours() {
    each(Settings::default(), async |w| {
        let mia = w.session(&w.person("mia", "member", None).await).await;
        let id = mia.session.card().id;
        let socket = joined(w, &mia, "/").await;
        let busy = Chosen { choice: Choice::Busy, ..Chosen::default() };
        w.services.presence.choose(&mia.session.actor(), busy).await.unwrap();
        pass(w, &[&socket], 17 * HOUR).await;
        let day = async |day: &str| w.services.day(&Actor::Operator, id, day).await;
        let (first, second) = (day("2027-01-15").await.unwrap(), day("2027-01-16").await.unwrap());
        assert_eq!(first.intervals.last(), second.intervals.first(), "it is one interval on both days");
        assert_eq!(first.seconds_by_state["busy"], 16 * 3_600);
        assert_eq!((second.seconds_by_state["busy"], second.seconds_by_state["active"]), (3_600, 0));
        assert_eq!((second.intervals.len(), second.intervals[0].to), (1, None));
        assert_eq!(day("2027-01-14").await.unwrap().intervals, []);
        for bad in ["2027-01-17", "2027-1-15", "2027-02-30", "today", "", "2027-01-15T00:00:00Z"] {
            assert_eq!(day(bad).await.unwrap_err().code, ErrorCode::Invalid, "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn managers_see_their_own_and_nobody_who_hides() {
    each(Settings::default(), async |w| {
        let mut here = vec![];
        for (name, organisation) in [("ann", "North"), ("bob", "North"), ("cat", "South")] {
            let s = w.session(&w.person(name, "member", Some(organisation)).await).await;
            here.push((joined(w, &s, "/").await, s));
        }
        let manager = w.session(&w.person("max", "manager", Some("North")).await).await.session.actor();
        let lost = w.session(&w.person("ned", "manager", None).await).await.session.actor();
        let admin = w.session(&w.person("ada", "admin", None).await).await.session.actor();
        w.clock.advance(SECOND);
        let hidden = Chosen { choice: Choice::Invisible, ..Chosen::default() };
        w.services.presence.choose(&here[1].1.session.actor(), hidden).await.unwrap();
        let names = async |actor: &Actor, time: Time| -> Vec<String> {
            at(w, actor, time).await.into_iter().map(|u| u.0).collect()
        };
        let now = w.clock.now();
        assert_eq!(names(&admin, now).await, ["ann", "bob", "cat"]);
        assert_eq!(names(&manager, now).await, ["ann"], "invisible is offline to a manager");
        assert_eq!(names(&manager, BEGIN).await, ["ann", "bob"], "and only from then on");
        let marked = w.services.presence.at(&admin, now, 1_000, 0).await.unwrap();
        assert_eq!(marked.users.iter().map(|u| u.invisible).collect::<Vec<_>>(), [false, true, false]);
        let page = w.services.presence.at(&admin, now, 1, 1).await.unwrap();
        assert_eq!((page.total, page.users.len(), &*page.users[0].username), (3, 1, "bob"));
        assert_eq!(w.services.presence.at(&admin, now, 0, 0).await.unwrap().users.len(), 1);

        let day =
            async |actor: &Actor, n: usize| w.services.day(actor, here[n].1.session.card().id, "2027-01-15").await;
        assert_eq!(day(&admin, 1).await.unwrap().intervals.len(), 2);
        let told = day(&manager, 1).await.unwrap();
        assert_eq!(told.intervals.iter().map(|i| (i.from, i.to)).collect::<Vec<_>>(), [(BEGIN, Some(now))]);
        assert_eq!(day(&manager, 2).await.unwrap_err().code, ErrorCode::NotFound);
        for (actor, code) in [
            (here[0].1.session.actor(), ErrorCode::Forbidden),
            (lost, ErrorCode::Forbidden),
            (Actor::Anonymous, ErrorCode::Unauthenticated),
        ] {
            assert_eq!(day(&actor, 0).await.unwrap_err().code, code);
            assert_eq!(w.services.presence.at(&actor, now, 10, 0).await.unwrap_err().code, code);
        }

        // Visible again, with the same state all along: to a manager they come, and were not here meanwhile.
        w.clock.advance(SECOND);
        let back = w.clock.now();
        w.services.presence.choose(&here[1].1.session.actor(), Chosen::default()).await.unwrap();
        let told = day(&manager, 1).await.unwrap();
        let edges: Vec<_> = told.intervals.iter().map(|i| (i.from, i.to, i.cause)).collect();
        assert_eq!(edges, [(BEGIN, Some(now), Cause::SignedIn), (back, None, Cause::Chosen)]);
        assert_eq!(names(&manager, now).await, ["ann"]);
        assert_eq!(at(w, &manager, back).await[1], ("bob".to_owned(), State::Active, back, None));
        let id = here[1].1.session.card().id;
        let (told, known) = (w.services.why(&manager, id).await.unwrap(), w.services.why(&admin, id).await.unwrap());
        assert_eq!((told.since, told.transitions.len(), known.transitions.len()), (Some(back), 1, 3));
        assert!(known.transitions[1].invisible && told.person.is_some_and(|p| p.since == back));
    })
    .await;
}

#[tokio::test]
async fn a_crash_ends_what_lasts_at_the_last_proof_of_life() {
    each(Settings::default(), async |w| {
        let (mia, ben) = (w.person("mia", "member", None).await, w.person("ben", "member", None).await);
        let (url, clock, settings) = (w.url.clone(), w.clock.clone(), w.settings.clone());
        let home = Arc::clone(&w.home);
        // A process of its own, as far as tasks go: it ends between two instructions, and nothing is said.
        let process = Runtime::new().unwrap();
        let life = process.spawn(async move {
            let victim = World::open(url, clock, settings, None, true, home).await;
            let mut here = vec![];
            for card in [mia, ben] {
                let s = victim.session(&card).await;
                here.push(joined(&victim, &s, "/").await);
                victim.services.flush().await;
                victim.clock.advance(20 * SECOND);
            }
            (victim, here)
        });
        let (victim, here) = life.await.unwrap();
        assert_eq!(count(w, "to_at IS NULL").await, "2");
        process.shutdown_background();
        drop((victim, here));
        w.clock.advance(HOUR);

        let next = w.another(true).await;
        assert_eq!(count(w, "to_at IS NULL").await, "0", "nothing is left open");
        let (proved, now) = (BEGIN.plus(20 * SECOND), w.clock.now());
        assert_eq!(count(w, &format!("to_at = {} AND end_cause = 'server_restart'", proved.0)).await, "2");
        assert_eq!(at(&next, &Actor::Operator, now).await, []);
        // The session that is still alive may return, and until then we cannot tell.
        next.services.restore().await.unwrap();
        let told = at(&next, &Actor::Operator, now).await;
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|u| (u.1, u.2, u.3) == (State::Unknown, now, None)), "{told:?}");
        w.clock.advance(MINUTE);
        assert_eq!(at(&next, &Actor::Operator, w.clock.now()).await, []);
        let told = at(&next, &Actor::Operator, now).await;
        assert!(told.iter().all(|u| u.3 == Some(now.plus(45 * SECOND))), "{told:?}");
        next.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_what_lasts() {
    each(Settings::default(), async |w| {
        let first = w.another(true).await;
        let mia = first.session(&first.person("mia", "member", None).await).await;
        let socket = joined(&first, &mia, "/").await;
        w.clock.advance(SECOND);
        first.services.presence.stop().await;
        let stopped = w.clock.now();
        // What sockets do now is our doing.
        drop(socket);
        w.clock.advance(MINUTE);
        first.close().await;
        assert_eq!(at(w, &Actor::Operator, BEGIN).await, was("mia", State::Active, BEGIN, Some(stopped)));
        assert_eq!(count(w, "end_cause = 'server_restart'").await, "1");
        assert_eq!(count(w, "1 = 1").await, "1");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_stalls_holds_up_nobody_and_one_who_is_gone_harms_no_other() {
    each(Settings::default(), async |w| {
        let mia = w.session(&w.person("mia", "member", None).await).await;
        let ben = w.session(&w.person("ben", "member", None).await).await;
        let another = w.raw().await;
        let txn = another.begin().await.unwrap();
        let hold = if w.dir.is_some() { "UPDATE counters SET value = value" } else { "LOCK TABLE presence_intervals" };
        txn.execute_unprepared(hold).await.unwrap();
        let (socket, other) = (joined(w, &mia, "/").await, joined(w, &ben, "/").await);
        let presence = w.services.presence.clone();
        let reading = tokio::spawn(async move { presence.at(&Actor::Operator, BEGIN, 10, 0).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let started = tokio::time::Instant::now();
        for n in 0..50 {
            pass(w, &[&socket, &other], 6 * MINUTE).await;
            w.services.report(&socket, report(&format!("/{n}"))).await.unwrap();
        }
        // One wait for the database would have been five seconds.
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        assert!(!reading.is_finished(), "a reader waits, and only a reader");
        reading.abort();
        let id = mia.session.card().id.simple();
        let which = if w.dir.is_some() { format!("lower(hex(id)) = '{id}'") } else { format!("id = '{id}'") };
        txn.execute_unprepared(&format!("DELETE FROM users WHERE {which}")).await.unwrap();
        txn.commit().await.unwrap();
        let idle = BEGIN.plus(5 * MINUTE + 1);
        assert_eq!(at(w, &Actor::Operator, BEGIN).await, was("ben", State::Active, BEGIN, Some(idle)));
        assert_eq!(count(w, "1 = 1").await, "3", "active, idle, away: nothing was lost");
    })
    .await;
}

#[tokio::test]
async fn intervals_have_their_time_and_go_with_their_person() {
    let settings = Settings { retention_events: 3 * DAY, session_limit: 0, ..Settings::default() };
    each(settings, async |w| {
        let (mia, ben) = (w.person("mia", "member", None).await, w.person("ben", "member", None).await);
        let here = async |card: &domain::account::UserCard| {
            let s = w.session(card).await;
            let socket = joined(w, &s, "/").await;
            w.clock.advance(SECOND);
            w.services.sessions.sign_out(&s.session.actor(), &s.session).await.unwrap();
            drop(socket);
        };
        here(&mia).await;
        w.clock.advance(DAY);
        here(&ben).await;
        let clean = async || w.services.sessions.clean_up(&Actor::Operator, None).await.unwrap();
        assert_eq!(at(w, &Actor::Operator, BEGIN).await.len(), 1);
        w.clock.advance(2 * DAY);
        assert_eq!(at(w, &Actor::Operator, BEGIN).await, [], "too long ago, whether deleted or not");
        let day = w.services.day(&Actor::Operator, mia.id, "2027-01-15").await.unwrap();
        assert_eq!(day.intervals, []);
        clean().await;
        assert_eq!(count(w, "1 = 1").await, "1");
        w.services.accounts.delete(&Actor::Operator, "ben").await.unwrap();
        assert_eq!(count(w, "1 = 1").await, "0");
        // Many go in batches.
        let insert =
            "INSERT INTO presence_intervals (id, user_id, state, invisible, from_at, to_at, cause, pages) SELECT";
        let from = if w.dir.is_some() {
            "randomblob(16), u.id, 'active', 0, 1, 2, 'input', '[]' FROM users u, (WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203) SELECT i FROM n)"
        } else {
            "gen_random_uuid(), u.id, 'active', false, 1, 2, 'input', '[]' FROM users u, generate_series(1, 1203)"
        };
        assert_eq!(w.sql(&format!("{insert} {from}")).await, 1_203);
        clean().await;
        assert_eq!(count(w, "1 = 1").await, "0");
    })
    .await;
}
