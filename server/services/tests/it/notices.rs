//! Being told of uploads, on each database there is.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    Actor, ErrorCode,
    account::UserCard,
    files::File,
    mail::MailState,
    notices::{MailWhen, NewSubscription, Subscription},
    people::UserEdit,
    settings::Settings,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use services::{LiveSession, NewUser, files::Kind};
use uuid::Uuid;

use crate::{
    smtp::MailServer,
    world::{World, each, unlimited},
};

const OP: &Actor = &Actor::Operator;

async fn person(w: &World, username: &str, role: &str, organisation: Option<&str>) -> Arc<LiveSession> {
    let card = w
        .add(NewUser {
            username: username.into(),
            role: Some(role.into()),
            organisation: organisation.map(str::to_owned),
            email: Some(format!("{username}@example.org")),
            ..NewUser::default()
        })
        .await;
    session(w, &card).await
}

async fn session(w: &World, card: &UserCard) -> Arc<LiveSession> {
    let signed_in = w.session(card).await;
    w.check(signed_in.token.expose()).await.unwrap()
}

/// The same person with the role and organisation they have now.
async fn again(w: &World, old: &LiveSession) -> Arc<LiveSession> {
    session(w, &w.services.accounts.card(OP, old.card().id).await.unwrap()).await
}

async fn send(w: &World, by: &Arc<LiveSession>, name: &str, workflow: &str) -> File {
    let mut arrival = w.services.files.begin(by, Kind::Upload, name, workflow, None).await.unwrap();
    arrival.write(Bytes::from_static(b"content")).await.unwrap();
    arrival.finish(None, "192.0.2.7").await.unwrap()
}

async fn ask(w: &World, who: &LiveSession, organisation: Option<Uuid>, workflow: &str, mail: MailWhen) -> Subscription {
    let new = NewSubscription { organisation, workflow: Some(workflow.into()), mail, at: Some("08:30".into()) };
    w.services.notices.subscribe(&who.actor(), new).await.unwrap()
}

/// Names of the uploads somebody was told of, oldest first; list, count and bell agree.
async fn told(w: &World, who: &LiveSession) -> Vec<String> {
    let (notices, actor) = (&w.services.notices, who.actor());
    let page = notices.list(&actor, false, 200, None).await.unwrap();
    assert_eq!(page.total, Some(page.items.len() as u64));
    let unread = notices.list(&actor, true, 200, None).await.unwrap();
    assert_eq!(notices.unread(&actor).await.unwrap().unwrap_or_default(), unread.items.len() as u64);
    let mut names: Vec<String> = page.items.into_iter().map(|n| n.upload.name).collect();
    names.reverse();
    names
}

fn organisation(who: &LiveSession) -> Option<Uuid> {
    who.card().organisation.as_ref().map(|o| o.id)
}

#[tokio::test]
async fn everybody_is_told_of_what_they_asked_for_and_may_see() {
    each(unlimited(), async |w| {
        let ada = person(w, "ada", "admin", None).await;
        let max = person(w, "max", "manager", Some("North")).await;
        let sue = person(w, "sue", "manager", Some("South")).await;
        let mia = person(w, "mia", "student", Some("North")).await;
        let ben = person(w, "ben", "student", Some("South")).await;
        let notices = &w.services.notices;
        let refused = notices.subscribe(&mia.actor(), NewSubscription::default()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
        for (who, organisation) in [(&max, organisation(&sue)), (&max, Some(Uuid::nil())), (&ada, Some(Uuid::nil()))] {
            let new = NewSubscription { organisation, ..NewSubscription::default() };
            let strange = notices.subscribe(&who.actor(), new).await.unwrap_err();
            assert!(strange.fields.contains_key("organisation"), "{strange:?}");
        }
        ask(w, &ada, organisation(&max), "", MailWhen::Never).await;
        ask(w, &ada, None, "Scans", MailWhen::Never).await;
        ask(w, &max, None, "", MailWhen::Never).await;
        ask(w, &sue, organisation(&sue), "Grades", MailWhen::Never).await;
        send(w, &mia, "1 of north", "Scans").await;
        send(w, &ben, "2 of south", "Grades").await;
        send(w, &ben, "3 of south", "Scans").await;
        send(w, &max, "4 of max", "").await;
        assert_eq!(told(w, &ada).await, ["1 of north", "3 of south", "4 of max"], "once, though asked for twice");
        assert_eq!(told(w, &max).await, ["1 of north"], "not of one's own, nor of another organisation's");
        assert_eq!(told(w, &sue).await, ["2 of south"]);
        assert_eq!(told(w, &mia).await, <[&str; 0]>::default());
        assert_eq!(notices.unread(&mia.actor()).await, Ok(None));

        // Read by its reader alone.
        let one = notices.list(&ada.actor(), false, 1, None).await.unwrap();
        let id = one.items[0].id;
        assert_eq!(notices.read(&max.actor(), Some(id)).await.unwrap_err().code, ErrorCode::NotFound);
        for _ in 0..2 {
            notices.read(&ada.actor(), Some(id)).await.unwrap();
        }
        assert_eq!(notices.unread(&ada.actor()).await, Ok(Some(2)));
        let next = notices.list(&ada.actor(), false, 200, one.next.as_deref()).await.unwrap();
        assert_eq!((next.items.len(), next.next, next.total), (2, None, None));
        notices.read(&ada.actor(), None).await.unwrap();
        assert_eq!(
            (notices.unread(&ada.actor()).await, notices.unread(&max.actor()).await),
            (Ok(Some(0)), Ok(Some(1)))
        );

        // Who may not see them any more is not told, of what came before neither; who may again, is.
        let accounts = &w.services.accounts;
        let to = |role: &str, organisation: &str| UserEdit {
            role: Some(role.into()),
            organisation: Some(Some(organisation.into())),
            ..UserEdit::default()
        };
        accounts.edit(OP, "max", to("manager", "South")).await.unwrap();
        let max = again(w, &max).await;
        assert_eq!(told(w, &max).await, <[&str; 0]>::default());
        send(w, &mia, "5 of north", "").await;
        send(w, &ben, "6 of south", "").await;
        assert_eq!(told(w, &max).await, ["6 of south"]);
        accounts.edit(OP, "max", to("student", "South")).await.unwrap();
        let max = again(w, &max).await;
        send(w, &ben, "7 of south", "").await;
        assert_eq!(told(w, &max).await, <[&str; 0]>::default());
        assert_eq!(notices.subscriptions(&max.actor()).await.unwrap().len(), 1, "to be ended by themselves");
        accounts.edit(OP, "max", to("manager", "South")).await.unwrap();
        let max = again(w, &max).await;
        assert_eq!(told(w, &max).await, ["6 of south"]);
        accounts.disable(OP, "max").await.unwrap();
        send(w, &ben, "8 of south", "").await;
        accounts.enable(OP, "max").await.unwrap();
        let max = again(w, &max).await;
        assert_eq!(told(w, &max).await, ["6 of south"]);

        // What goes takes its notices along.
        accounts.erase(OP, "ben").await.unwrap();
        assert_eq!(told(w, &max).await, <[&str; 0]>::default());
        assert_eq!(told(w, &ada).await, ["1 of north", "4 of max", "5 of north"]);
        person(w, "eve", "admin", None).await;
        accounts.delete(OP, "ada").await.unwrap();
        let left =
            "SELECT CAST(count(*) AS text) FROM notices n JOIN users u ON u.id = n.user_id WHERE u.username = 'ada'";
        assert_eq!(w.text(left).await.as_deref(), Some("0"));
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_for_is_asked_once_and_ended() {
    each(Settings::default(), async |w| {
        let (ada, max) = (person(w, "ada", "admin", None).await, person(w, "max", "manager", Some("North")).await);
        let notices = &w.services.notices;
        let first = ask(w, &ada, organisation(&max), " Month  end ", MailWhen::AtOnce).await;
        assert_eq!((first.workflow.as_deref(), first.at.as_deref()), (Some("Month end"), None));
        let same = ask(w, &ada, organisation(&max), "Month end", MailWhen::Daily).await;
        assert_eq!((same.id, same.mail, same.at.as_deref()), (first.id, MailWhen::Daily, Some("08:30")));
        let all = notices.subscriptions(&ada.actor()).await.unwrap();
        assert_eq!(all, [same]);
        for (at, workflow) in [("25:00", ""), ("8", ""), ("", "a\u{7}b")] {
            let new = NewSubscription { at: Some(at.into()), workflow: Some(workflow.into()), ..Default::default() };
            assert_eq!(notices.subscribe(&ada.actor(), new).await.unwrap_err().code, ErrorCode::Invalid, "{at}");
        }
        assert_eq!(notices.unsubscribe(&max.actor(), first.id).await.unwrap_err().code, ErrorCode::NotFound);
        notices.unsubscribe(&ada.actor(), first.id).await.unwrap();
        assert_eq!(notices.unsubscribe(&ada.actor(), first.id).await.unwrap_err().code, ErrorCode::NotFound);
        for n in 0..50 {
            ask(w, &ada, None, &n.to_string(), MailWhen::Never).await;
        }
        let more = notices.subscribe(&ada.actor(), NewSubscription::default()).await.unwrap_err();
        assert_eq!(more.code, ErrorCode::Conflict);
        // An organisation that goes takes along what was asked of it.
        ask(w, &max, organisation(&max), "", MailWhen::Never).await;
        let to = UserEdit { organisation: Some(None), ..UserEdit::default() };
        w.services.accounts.edit(OP, "max", to).await.unwrap();
        w.sql("DELETE FROM organisations WHERE name = 'North'").await;
        assert!(notices.subscriptions(&again(w, &max).await.actor()).await.unwrap().is_empty());
        let acts =
            "SELECT CAST(count(*) AS text) FROM audit WHERE action IN ('upload_notices_asked', 'upload_notices_ended')";
        assert_eq!(w.text(acts).await.as_deref(), Some("54"));
    })
    .await;
}

/// Of a refused upload nothing is told.
#[tokio::test]
async fn there_is_a_notice_only_where_there_is_an_upload() {
    each(Settings { upload_quota: 10, ..Settings::default() }, async |w| {
        let (ada, mia) = (person(w, "ada", "admin", None).await, person(w, "mia", "student", None).await);
        ask(w, &ada, None, "", MailWhen::AtOnce).await;
        let files = &w.services.files;
        let mut both = vec![];
        for name in ["first", "second"] {
            let mut arrival = files.begin(&mia, Kind::Upload, name, "", None).await.unwrap();
            arrival.write(Bytes::from_static(b"content")).await.unwrap();
            both.push(arrival);
        }
        let mut arrivals = both.into_iter();
        let first = arrivals.next().unwrap().finish(None, "").await.unwrap();
        assert_eq!(arrivals.next().unwrap().finish(None, "").await.unwrap_err().code, ErrorCode::TooLarge);
        let mut output = files.begin(&mia, Kind::Output, "made", "", None).await.unwrap();
        output.write(Bytes::from_static(b"content")).await.unwrap();
        output.finish(None, "").await.unwrap();
        assert_eq!(told(w, &ada).await, ["first"]);
        assert_eq!(w.services.mail.list(OP, None, 50, None).await.unwrap().total, Some(1));
        files.delete(&mia.actor(), Kind::Upload, first.id, "").await.unwrap();
        assert_eq!(told(w, &ada).await, <[&str; 0]>::default());
    })
    .await;
}

#[tokio::test]
async fn mails_go_out_at_once_and_never_say_too_much() {
    each(unlimited(), async |w| {
        let server = MailServer::start().await;
        let max = person(w, "max", "manager", Some("North")).await;
        let mia = person(w, "mia", "student", Some("North")).await;
        ask(w, &max, None, "", MailWhen::AtOnce).await;
        let world = &w.mailing(server.smtp(), false).await;
        let mail = &world.services.mail;
        send(w, &mia, "first.txt", "Scans").await;
        send(w, &mia, "second.txt", "").await;
        assert_eq!(mail.deliver().await, Ok(1));
        let first = server.mail(1).await;
        assert_eq!(first.to, ["max@example.org"]);
        assert!(first.headers.contains("Subject: New uploads"), "{}", first.headers);
        for said in [
            "first.txt",
            "7 B, by mia (mia), workflow Scans, 2027-01-15",
            "second.txt",
            "https://rollcall.example/notifications",
        ] {
            assert!(first.body.contains(said), "{said}: {}", first.body);
        }
        // What comes within the minute is in the next one.
        for name in ["third", "fourth"] {
            send(w, &mia, name, "").await;
            w.clock.advance(SECOND);
        }
        assert_eq!(mail.deliver().await, Ok(0));
        w.clock.advance(MINUTE);
        assert_eq!(mail.deliver().await, Ok(1));
        let second = server.mail(2).await.body;
        assert!(second.contains("third") && second.contains("fourth") && !second.contains("first.txt"), "{second}");
        // What its reader may not see any more when it goes out is not in it, and without anything it does not go out.
        w.clock.advance(HOUR);
        let gone = send(w, &mia, "fifth", "").await;
        send(w, &mia, "sixth", "").await;
        w.services.files.delete(&mia.actor(), Kind::Upload, gone.id, "").await.unwrap();
        assert_eq!(mail.deliver().await, Ok(1));
        let third = server.mail(3).await.body;
        assert!(third.contains("sixth") && !third.contains("fifth"), "{third}");
        w.clock.advance(HOUR);
        for way in 0..4 {
            send(w, &again(w, &mia).await, "seventh", "").await;
            let accounts = &w.services.accounts;
            match way {
                0 => drop(
                    accounts
                        .edit(OP, "max", UserEdit { role: Some("member".into()), ..UserEdit::default() })
                        .await
                        .unwrap(),
                ),
                1 => accounts.disable(OP, "max").await.unwrap(),
                2 => drop(
                    accounts
                        .edit(OP, "mia", UserEdit { organisation: Some(None), ..UserEdit::default() })
                        .await
                        .unwrap(),
                ),
                _ => {
                    let max = again(w, &max).await;
                    for s in w.services.notices.subscriptions(&max.actor()).await.unwrap() {
                        w.services.notices.unsubscribe(&max.actor(), s.id).await.unwrap();
                    }
                }
            }
            assert_eq!(mail.deliver().await, Ok(0), "{way}");
            let given_up = mail.list(OP, Some(MailState::GivenUp), 50, None).await.unwrap();
            assert_eq!(given_up.total, Some(way + 1));
            assert!(given_up.items[0].last_error.as_ref().unwrap().starts_with("Nothing was left"), "{given_up:?}");
            let to = |role: &str| UserEdit {
                role: Some(role.into()),
                organisation: Some(Some("North".into())),
                ..UserEdit::default()
            };
            accounts.edit(OP, "max", to("manager")).await.unwrap();
            accounts.edit(OP, "mia", to("student")).await.unwrap();
            if way == 1 {
                accounts.enable(OP, "max").await.unwrap();
            }
            w.clock.advance(HOUR);
        }
        assert_eq!(server.mails().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn daily_mails_are_written_once_whoever_is_first() {
    each(unlimited(), async |w| {
        let server = MailServer::start().await;
        let (ada, mia) = (person(w, "ada", "admin", None).await, person(w, "mia", "student", None).await);
        // The world begins at 08:00.
        ask(w, &ada, None, "", MailWhen::Daily).await;
        let world = &w.mailing(server.smtp(), false).await;
        let (one, two) = (&w.services.notices, &world.services.notices);
        for name in ["first", "second"] {
            send(w, &mia, name, "").await;
        }
        assert_eq!(one.write_digests().await, Ok(0));
        w.clock.advance(30 * MINUTE);
        let (a, b) = tokio::join!(one.write_digests(), two.write_digests());
        // The server of the test looks every five seconds as well, so neither of the two may be the one.
        assert!(a.unwrap() + b.unwrap() <= 1);
        assert_eq!(world.services.mail.deliver().await, Ok(1));
        let body = server.mail(1).await.body;
        assert!(body.contains("first") && body.contains("second"), "{body}");
        // A day of which nothing ran.
        send(w, &mia, "third", "").await;
        w.clock.advance(3 * DAY);
        one.write_digests().await.unwrap();
        assert_eq!((world.services.mail.deliver().await, server.mails().len()), (Ok(1), 2));
        assert!(server.mail(2).await.body.contains("third"));
        // Who asks no more gets none.
        send(w, &again(w, &mia).await, "fourth", "").await;
        let ada = again(w, &ada).await;
        let id = one.subscriptions(&ada.actor()).await.unwrap()[0].id;
        one.unsubscribe(&ada.actor(), id).await.unwrap();
        w.clock.advance(DAY);
        assert_eq!((one.write_digests().await, world.services.mail.deliver().await), (Ok(0), Ok(0)));
        let ada = again(w, &ada).await;
        assert_eq!(told(w, &ada).await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn read_notices_go_after_a_while_and_all_in_the_end() {
    each(unlimited(), async |w| {
        let (ada, mia) = (person(w, "ada", "admin", None).await, person(w, "mia", "student", None).await);
        ask(w, &ada, None, "", MailWhen::Never).await;
        for name in ["first", "second"] {
            send(w, &mia, name, "").await;
        }
        let notices = &w.services.notices;
        let newest = notices.list(&ada.actor(), false, 1, None).await.unwrap().items[0].id;
        notices.read(&ada.actor(), Some(newest)).await.unwrap();
        for (days, left) in [(29, 2), (1, 1), (59, 1), (1, 0)] {
            w.clock.advance(days * DAY);
            w.services.sessions.clean_up(OP, None).await.unwrap();
            let ada = again(w, &ada).await;
            assert_eq!(told(w, &ada).await.len(), left, "{days}");
        }
    })
    .await;
}
