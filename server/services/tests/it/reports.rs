//! Reports, on each database there is.

use std::{io::Cursor, sync::Arc, time::Duration};

use bytes::Bytes;
use calamine::{Data, Reader, Xlsx};
use domain::{
    Actor, ErrorCode,
    activity::EventFilter,
    mail::MailState,
    people::UserEdit,
    presence::{Report as Tab, State},
    reports::{Every, Form, NewReport, NewSchedule, Progress, Report, Subject},
    session::{SessionFilter, SessionSort},
    settings::Settings,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use futures_util::TryStreamExt;
use services::{
    LiveSession, NewUser,
    files::{Kind, Of},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{World, each, unlimited};

const OP: &Actor = &Actor::Operator;
/// The world's clock begins on this day.
const TODAY: &str = "2027-01-15";

async fn person(w: &World, username: &str, role: &str, organisation: Option<&str>) -> Arc<LiveSession> {
    let card = w
        .add(NewUser {
            username: username.into(),
            name: Some(format!("={username}")),
            role: Some(role.into()),
            organisation: organisation.map(str::to_owned),
            email: Some(format!("{username}@example.org")),
            ..NewUser::default()
        })
        .await;
    let signed_in = w.session(&card).await;
    w.check(signed_in.token.expose()).await.unwrap()
}

async fn upload(w: &World, by: &Arc<LiveSession>, name: &str) {
    let mut arrival = w.services.files.begin(by, Kind::Upload, name, "Scans", None).await.unwrap();
    arrival.write(Bytes::from_static(b"content")).await.unwrap();
    arrival.finish(None, "192.0.2.7").await.unwrap();
}

fn new(subject: Subject, format: Form) -> NewReport {
    NewReport { subject, format, from: TODAY.into(), to: TODAY.into(), organisation: None, mail: false }
}

fn daily(subject: Subject) -> NewSchedule {
    NewSchedule { subject, format: Form::Csv, every: Every::Day, at: None, organisation: None, mail: false }
}

/// The newest of somebody's reports, once it is neither waiting nor being made.
async fn settled(w: &World, actor: &Actor) -> Report {
    for _ in 0..2_000 {
        w.services.reports.make_all(&CancellationToken::new()).await.unwrap();
        let newest = w.services.reports.list(actor, 1, None).await.unwrap().items.remove(0);
        if !newest.state.is_open() {
            return newest;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is never made");
}

async fn make(w: &World, actor: &Actor, asked: NewReport) -> Report {
    w.services.reports.ask(actor, asked).await.unwrap();
    let made = settled(w, actor).await;
    assert_eq!((made.state, &made.problem), (Progress::Done, &None));
    made
}

async fn content(w: &World, actor: &Actor, report: &Report) -> Vec<u8> {
    let files = &w.services.files;
    let file = files.one(actor, Kind::Output, report.output.unwrap()).await.unwrap();
    let pieces: Vec<Bytes> =
        files.download(actor, Kind::Output, &file, None, "").await.unwrap().try_collect().await.unwrap();
    let all = pieces.concat();
    assert_eq!((file.size, file.label.as_deref()), (all.len() as u64, Some("Report")));
    all
}

/// The lines of comma-separated values, without the first, by the name of a column.
fn column(csv: &[u8], name: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(csv);
    let at = reader.headers().unwrap().iter().position(|h| h == name).unwrap();
    reader.records().map(|r| r.unwrap()[at].to_owned()).collect()
}

#[tokio::test]
async fn every_subject_in_every_form_is_what_its_list_shows() {
    each(unlimited(), async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let mia = person(w, "mia", "student", Some("North")).await;
        let actor = ada.actor();
        upload(w, &mia, "=first.txt").await;
        upload(w, &ada, "second.txt").await;
        let socket = w.services.presence.register(Arc::clone(&mia)).await.unwrap();
        w.services.join(&socket, Tab { page: Some("/".into()), idle_ms: Some(0), ..Tab::default() }).await.unwrap();
        w.clock.advance(10 * SECOND);
        drop(socket);
        for subject in Subject::ALL {
            let made = make(w, &actor, new(subject, Form::Csv)).await;
            let csv = content(w, &actor, &made).await;
            let names = column(&csv, "username");
            assert_eq!(made.rows as usize, names.len(), "{subject:?}");
            match subject {
                Subject::Activity => {
                    let filter = EventFilter { to: Some(made.created_at), ..EventFilter::default() };
                    let list = w.services.activity.list(&actor, &filter, 200, None).await.unwrap();
                    let told: Vec<String> = list.items.iter().filter_map(|e| e.username.clone()).collect();
                    assert_eq!(names, told);
                }
                Subject::Sessions => {
                    let (filter, sort) = (SessionFilter::default(), SessionSort::Started);
                    let list = w.services.sessions.list(&actor, &filter, sort, 200, None).await.unwrap();
                    let told: Vec<String> = list.items.iter().map(|s| s.username.clone()).collect();
                    assert_eq!(names, told);
                }
                Subject::Uploads => {
                    let filter = domain::files::FileFilter::default();
                    let list = w.services.files.list(&actor, Of::Others, Kind::Upload, &filter, 200, None);
                    let told: Vec<String> = list.await.unwrap().items.into_iter().map(|f| f.username).collect();
                    assert_eq!(names, told);
                    assert_eq!(column(&csv, "name"), ["second.txt", "'=first.txt"], "no formula");
                }
                Subject::Presence => {
                    assert_eq!((names[0].as_str(), column(&csv, "state")[0].as_str()), ("mia", State::Active.as_str()));
                    assert_eq!(column(&csv, "seconds")[0], "10");
                }
            }
            let book = make(w, &actor, new(subject, Form::Xlsx)).await;
            let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content(w, &actor, &book).await)).unwrap();
            assert_eq!(book.sheet_names(), ["Summary", "Rows"], "{subject:?}");
            let rows = book.worksheet_range("Rows").unwrap();
            let at = rows.rows().next().unwrap().iter().position(|c| *c == Data::String("username".into())).unwrap();
            let read: Vec<String> = rows.rows().skip(1).map(|r| r[at].to_string()).collect();
            if subject == Subject::Uploads {
                assert_eq!(read, names);
                let name = rows.rows().next().unwrap().iter().position(|c| *c == Data::String("name".into())).unwrap();
                assert_eq!(rows.rows().nth(2).unwrap()[name], Data::String("=first.txt".into()), "a text");
            }
            let summary = book.worksheet_range("Summary").unwrap();
            assert!(summary.rows().any(|r| r[0] == Data::String("=mia (mia)".into())), "{subject:?}: {summary:?}");
            let page = make(w, &actor, new(subject, Form::Html)).await;
            let page = String::from_utf8(content(w, &actor, &page).await).unwrap();
            assert!(page.starts_with("<!DOCTYPE html>") && page.contains("2027-01-15 (UTC)"), "{page}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_report_is_within_the_reach_of_whoever_asks() {
    each(unlimited(), async |w| {
        let (ada, max) =
            (person(w, "ada", "admin", Some("North")).await, person(w, "max", "manager", Some("North")).await);
        let (mia, ben) =
            (person(w, "mia", "student", Some("North")).await, person(w, "ben", "student", Some("South")).await);
        let north = mia.card().organisation.as_ref().map(|o| o.id);
        let south = ben.card().organisation.as_ref().map(|o| o.id);
        let reports = &w.services.reports;
        upload(w, &mia, "north.txt").await;
        upload(w, &ben, "south.txt").await;
        let asked = new(Subject::Uploads, Form::Csv);
        assert_eq!(reports.ask(&mia.actor(), asked.clone()).await.unwrap_err().code, ErrorCode::Forbidden);
        let beyond = NewReport { organisation: south, ..asked.clone() };
        assert!(reports.ask(&max.actor(), beyond.clone()).await.unwrap_err().fields.contains_key("organisation"));
        let of_max = make(w, &max.actor(), asked.clone()).await;
        assert_eq!(column(&content(w, &max.actor(), &of_max).await, "name"), ["north.txt"]);
        let of_south = make(w, &ada.actor(), beyond).await;
        assert_eq!(column(&content(w, &ada.actor(), &of_south).await, "name"), ["south.txt"]);
        for subject in [Subject::Activity, Subject::Sessions, Subject::Presence] {
            let made = make(w, &ada.actor(), NewReport { organisation: north, ..new(subject, Form::Csv) }).await;
            let names = column(&content(w, &ada.actor(), &made).await, "username");
            assert!(!names.iter().any(|name| name == "ben"), "{subject:?}: {names:?}");
        }
        // Of the reports of their people a manager sees those of their own organisation, and no other.
        let files = &w.services.files;
        let fetched = files.one(&max.actor(), Kind::Output, of_south.output.unwrap()).await;
        assert_eq!(fetched.unwrap_err().code, ErrorCode::NotFound);
        let all = domain::files::FileFilter::default();
        let seen = files.list(&max.actor(), Of::Others, Kind::Output, &all, 200, None).await.unwrap();
        assert_eq!(seen.items.iter().map(|f| f.id).collect::<Vec<_>>(), [of_max.output.unwrap()]);
        assert_eq!(seen.total, Some(1));
        // Nor does who is no manager any more fetch what they asked for as one.
        let role = UserEdit { role: Some("member".into()), ..UserEdit::default() };
        w.services.accounts.edit(OP, "max", role).await.unwrap();
        let signed_in = w.session(&w.services.accounts.card(OP, max.card().id).await.unwrap()).await;
        let member = w.check(signed_in.token.expose()).await.unwrap().actor();
        let fetched = files.one(&member, Kind::Output, of_max.output.unwrap()).await;
        assert_eq!(fetched.unwrap_err().code, ErrorCode::NotFound);
        // Reports are one's own.
        assert_eq!(reports.cancel(&max.actor(), of_south.id).await.unwrap_err().code, ErrorCode::NotFound);
        assert_eq!(reports.cancel(&ada.actor(), of_south.id).await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(reports.list(&max.actor(), 50, None).await.unwrap().total, Some(1));
        // Taken out by nobody whose password was given too long ago.
        w.clock.advance(HOUR);
        for refused in [
            reports.ask(&ada.actor(), asked).await.unwrap_err(),
            reports.schedule(&ada.actor(), daily(Subject::Uploads)).await.unwrap_err(),
        ] {
            assert_eq!(refused.code, ErrorCode::ReauthRequired);
        }
        // What is of an organisation goes with it: who came to where its people went must not be shown it.
        w.services
            .directory
            .delete_organisation(OP, south.unwrap(), Some(domain::people::MoveTo::Nowhere), false)
            .await
            .unwrap();
        let gone = files.one(&ada.actor(), Kind::Output, of_south.output.unwrap()).await;
        assert_eq!(gone.unwrap_err().code, ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_said() {
    each(unlimited(), async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let day =
            |from: &str, to: &str| NewReport { from: from.into(), to: to.into(), ..new(Subject::Activity, Form::Csv) };
        for (from, to, field) in [
            ("", TODAY, "from"),
            ("2026-02-30", TODAY, "from"),
            ("2027-01-16", "2027-01-16", "from"),
            ("2027-01-14", "2027-01-13", "to"),
            ("2026-01-14", TODAY, "from"),
        ] {
            let wrong = w.services.reports.ask(&ada.actor(), day(from, to)).await.unwrap_err();
            assert!(wrong.fields.contains_key(field), "{from} {to}: {wrong:?}");
        }
        let padded = format!("{}2026-01-15", " ".repeat(10_000));
        assert_eq!(make(w, &ada.actor(), day(&padded, TODAY)).await.first_day, "2026-01-15");
        let at = NewSchedule { at: Some("25:00".into()), ..daily(Subject::Activity) };
        assert!(w.services.reports.schedule(&ada.actor(), at).await.unwrap_err().fields.contains_key("at"));
        for _ in 0..20 {
            w.services.reports.schedule(&ada.actor(), daily(Subject::Activity)).await.unwrap();
        }
        let more = w.services.reports.schedule(&ada.actor(), daily(Subject::Activity)).await.unwrap_err();
        assert_eq!(more.code, ErrorCode::Conflict);
    })
    .await;
}

#[tokio::test]
async fn schedules_make_one_each_time_whoever_is_first() {
    each(unlimited(), async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let (actor, reports) = (ada.actor(), &w.services.reports);
        let asked = NewSchedule { mail: true, ..daily(Subject::Sessions) };
        let made = reports.schedule(&actor, asked).await.unwrap();
        // The world begins at 08:00 on a Friday.
        assert_eq!((made.at.as_str(), made.next_at), ("06:00", w.clock.now().plus(22 * HOUR)));
        assert_eq!(reports.ask_for_due().await, Ok(0));
        let beside = w.another(false).await;
        w.clock.advance(22 * HOUR);
        let (a, b) = tokio::join!(reports.ask_for_due(), beside.services.reports.ask_for_due());
        // The server of the test looks by itself as well, so neither of the two may be the one.
        assert!(a.unwrap() + b.unwrap() <= 1);
        let first = settled(w, &actor).await;
        assert_eq!((first.state, first.first_day.as_str(), first.last_day.as_str()), (Progress::Done, TODAY, TODAY));
        assert_eq!(first.schedule, Some(made.id));
        let mails = w.services.mail.list(OP, Some(MailState::Waiting), 50, None).await.unwrap().items;
        let told: Vec<&str> = mails.iter().filter(|m| m.kind == "report").map(|m| &*m.to).collect();
        assert_eq!(told, ["ada@example.org"]);
        // Three days of which nobody was there: the last one is made, once.
        w.clock.advance(3 * DAY);
        reports.ask_for_due().await.unwrap();
        assert_eq!(settled(w, &actor).await.first_day, "2027-01-18");
        let all = reports.list(&actor, 50, None).await.unwrap();
        assert_eq!(all.total, Some(2), "{all:?}");
        assert_eq!(reports.schedules(&actor).await.unwrap()[0].next_at, made.next_at.plus(4 * DAY));
        // Who may see it no more gets no more of it, and of what waits already is told why; who was disabled asks for nothing.
        let second = person(w, "eve", "admin", None).await;
        let role = UserEdit { role: Some("member".into()), ..UserEdit::default() };
        w.services.accounts.edit(OP, "ada", role).await.unwrap();
        w.clock.advance(DAY);
        assert_eq!(reports.ask_for_due().await, Ok(0));
        assert_eq!(reports.list(&actor, 50, None).await.unwrap().total, Some(2));
        // Asked by a request that began before.
        let now = w.clock.now();
        let person = domain::access::Person { fresh_until: now.plus(HOUR), ..(**actor.person().unwrap()).clone() };
        let stale = Actor::Person(Arc::new(person));
        reports.ask(&stale, new(Subject::Sessions, Form::Csv)).await.unwrap();
        let refused = settled(w, &actor).await;
        assert_eq!((refused.state, refused.output), (Progress::Failed, None));
        assert_eq!(refused.problem.as_deref(), Some("Your role may not see this any more."));
        w.services.accounts.disable(OP, "ada").await.unwrap();
        w.clock.advance(DAY);
        assert_eq!(reports.ask_for_due().await, Ok(0));
        assert_eq!(reports.end_schedule(&second.actor(), made.id).await.unwrap_err().code, ErrorCode::NotFound);
        reports.end_schedule(&actor, made.id).await.unwrap();
        assert!(reports.schedules(&actor).await.unwrap().is_empty(), "by a request that began before");
        beside.close().await;
    })
    .await;
}

/// What a server that died left is begun anew once its claim is over; one output comes of it.
#[tokio::test]
async fn what_a_dead_server_left_is_made_once() {
    each(unlimited(), async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let actor = ada.actor();
        // Written down by a command, which makes none, while no server looks.
        let beside = w.another(false).await;
        let asked = beside.services.reports.ask(&actor, new(Subject::Sessions, Form::Xlsx)).await.unwrap();
        let claimed = w.clock.now().plus(30 * SECOND).0;
        let of = if w.dir.is_some() {
            "x'00000000000000000000000000000001'"
        } else {
            "'00000000-0000-0000-0000-000000000001'"
        };
        w.sql(&format!(
            "UPDATE reports SET state = 'running', taken_by = {of}, taken_until = {claimed}, tries = 1 \
             WHERE state = 'waiting'"
        ))
        .await;
        let claimed = w.text("SELECT state FROM reports WHERE tries = 1").await;
        if claimed.as_deref() == Some("running") {
            assert_eq!(w.services.reports.make_all(&CancellationToken::new()).await, Ok(0), "as long as it may live");
            w.clock.advance(31 * SECOND);
        }
        let made = settled(w, &actor).await;
        assert_eq!((made.id, made.state), (asked.id, Progress::Done));
        assert_eq!(w.text("SELECT CAST(count(*) AS text) FROM outputs").await.as_deref(), Some("1"));
        assert_eq!(w.text("SELECT CAST(count(*) AS text) FROM unkept_files").await.as_deref(), Some("0"));
        beside.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_cancelled_or_too_large_leaves_nothing() {
    each(Settings { upload_quota: 100, ..unlimited() }, async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let (actor, reports) = (ada.actor(), &w.services.reports);
        let asked = reports.ask(&actor, NewReport { mail: true, ..new(Subject::Sessions, Form::Html) }).await.unwrap();
        let failed = settled(w, &actor).await;
        assert_eq!((failed.id, failed.state), (asked.id, Progress::Failed));
        assert!(failed.problem.unwrap().starts_with("All your files may have 100 B together"));
        // Cancelled before anybody could begin: nobody does.
        w.sql("UPDATE reports SET state = 'waiting', taken_until = 9000000000000, ended_at = NULL").await;
        reports.cancel(&actor, asked.id).await.unwrap();
        assert_eq!(reports.cancel(&actor, asked.id).await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(settled(w, &actor).await.state, Progress::Cancelled);
        assert_eq!(reports.cancel(&actor, Uuid::nil()).await.unwrap_err().code, ErrorCode::NotFound);
        for nothing in ["outputs", "unkept_files", "mails"] {
            let n = w.text(&format!("SELECT CAST(count(*) AS text) FROM {nothing}")).await;
            assert_eq!(n.as_deref(), Some("0"), "{nothing}");
        }
        // Ten may wait.
        w.clock.advance(MINUTE);
        w.sql("UPDATE reports SET state = 'waiting', taken_until = 9000000000000, ended_at = NULL").await;
        let beside = w.another(false).await;
        let mut n = 1;
        let refused = loop {
            match beside.services.reports.ask(&actor, new(Subject::Sessions, Form::Csv)).await {
                Ok(_) => n += 1,
                Err(e) => break e,
            }
            w.sql("UPDATE reports SET state = 'waiting', taken_until = 9000000000000, ended_at = NULL").await;
        };
        assert_eq!((n, refused.code), (10, ErrorCode::Conflict));
        beside.close().await;
    })
    .await;
}
