//! The outbox, against a real mail server on this machine.

use domain::{
    Actor, ErrorCode,
    mail::MailState,
    people::UserEdit,
    settings::Settings,
    time::{DAY, HOUR, MINUTE},
};
use services::{EmailChange, Invitation, NewUser, Origin};

use crate::{
    smtp::MailServer,
    world::{PASSWORD, World, each, from, unlimited},
};

async fn with_address(world: &World, username: &str, email: &str) {
    let new = NewUser {
        username: username.into(),
        email: Some(email.into()),
        password: Some(PASSWORD.into()),
        ..NewUser::default()
    };
    world.services.accounts.add(&Actor::Operator, new).await.unwrap();
}

/// Everything the background has to do is done.
async fn settled(world: &World, mails: u64) {
    for _ in 0..2_000 {
        if world.services.mail.list(&Actor::Operator, None, 1, None).await.unwrap().total == Some(mails) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{mails} mails in time");
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_by_a_mailed_link() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "Mia@example.org").await;
        with_address(world, "ben", "ben@example.org").await;
        world.services.accounts.disable(&Actor::Operator, "ben").await.unwrap();
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), true).await;
        let accounts = &world.services.accounts;
        for who in ["nobody", "ben", "ben@example.org", "%", "mia@example", " MIA@example.org "] {
            accounts.forgot(who, &from()).await.unwrap();
        }
        let mail = server.mail(1).await;
        assert_eq!(mail.to, ["Mia@example.org"]);
        assert!(mail.headers.contains("Subject: Choose a new password"), "{}", mail.headers);
        assert!(mail.headers.contains("From: Rollcall <rollcall@example.org>"), "{}", mail.headers);
        let (_, token) = mail.body.split_once("https://rollcall.example/reset?token=").unwrap();
        let token = token.split_whitespace().next().unwrap();
        let new = "purple-otter-sings-92";
        accounts.reset(token, new, &from()).await.unwrap();
        assert!(world.sign_in("mia", new).await.is_ok());
        let notice = server.mail(2).await;
        assert!(notice.headers.contains("Subject: Your password was changed"), "{}", notice.headers);
        assert_eq!(server.mails().len(), 2, "nobody else was written to");
        // What was said is gone, and was never readable.
        assert_eq!(world.text("SELECT id FROM mails WHERE body IS NOT NULL").await, None);
        let sent = world.services.mail.list(&Actor::Operator, Some(MailState::Sent), 50, None).await.unwrap();
        assert_eq!(sent.total, Some(2));
        let kinds: Vec<&str> = sent.items.iter().map(|m| &*m.kind).collect();
        assert_eq!(kinds, ["password_changed", "password_reset"]);
        assert_eq!(
            world.text("SELECT action FROM audit WHERE action = 'reset_link_mailed'").await.as_deref(),
            Some("reset_link_mailed")
        );
        world.services.mail.drop(&Actor::Operator, sent.items[0].id).await.unwrap_err();
    })
    .await;
}

/// Without a server mails wait, with a dead one they are tried again and again and then given up; each is shown.
#[tokio::test]
async fn a_dead_server_leaves_the_mail_in_the_outbox() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        let mail = |world: &World| world.services.mail.clone();
        world.services.accounts.forgot("mia", &from()).await.unwrap();
        settled(world, 1).await;
        assert_eq!(mail(world).deliver().await, Ok(0));
        let one =
            async |world: &World| mail(world).list(&Actor::Operator, None, 50, None).await.unwrap().items.remove(0);
        assert_eq!((one(world).await.state, one(world).await.tries), (MailState::Waiting, 0));

        let server = MailServer::start().await;
        let (smtp, address) = (server.smtp(), server.address);
        server.die().await;
        let world = &world.mailing(smtp, false).await;
        mail(world).deliver().await.unwrap();
        let stuck = one(world).await;
        assert_eq!((stuck.state, stuck.tries), (MailState::Waiting, 1));
        assert!(stuck.last_error.as_ref().is_some_and(|e| e.contains("onnection")), "{stuck:?}");
        assert_eq!(stuck.next_try_at, Some(world.clock.now().plus(MINUTE)));
        world.clock.advance(MINUTE - 1);
        mail(world).deliver().await.unwrap();
        assert_eq!(one(world).await.tries, 1, "not before its time");

        let server = MailServer::at(address).await;
        assert_eq!(mail(world).retry(&Actor::Operator, Some(stuck.id)).await, Ok(1));
        assert_eq!(mail(world).deliver().await, Ok(1));
        assert!(server.mail(1).await.body.contains("/reset?token="));
    })
    .await;
}

#[tokio::test]
async fn a_mail_is_given_up_in_the_end_and_sent_on_by_hand() {
    each(unlimited(), async |world| {
        let server = MailServer::start().await;
        with_address(world, "mia", "refused@example.org").await;
        let world = &world.mailing(server.smtp(), false).await;
        let mail = &world.services.mail;
        let mia = world.sign_in("mia", PASSWORD).await.unwrap();
        let (actor, token) = (mia.session.actor(), mia.token.expose());
        let accounts = &world.services.accounts;
        accounts.change_password(&actor, token, PASSWORD, "purple-otter-sings-92", false).await.unwrap();
        let one = async || mail.list(&Actor::Operator, None, 50, None).await.unwrap().items.remove(0);
        for _ in 0..13 {
            mail.deliver().await.unwrap();
            world.clock.advance(12 * HOUR);
        }
        let given_up = one().await;
        assert_eq!((given_up.state, given_up.tries, given_up.next_try_at), (MailState::GivenUp, 8, None));
        assert!(given_up.last_error.as_ref().is_some_and(|e| e.contains("nobody of that name")), "{given_up:?}");
        assert_eq!(mail.retry(&Actor::Operator, None).await, Ok(1));
        assert_eq!(mail.drop(&Actor::Operator, given_up.id).await.as_deref(), Ok("refused@example.org"));
        assert_eq!(mail.list(&Actor::Operator, None, 50, None).await.unwrap().total, Some(0));
        assert_eq!(mail.retry(&Actor::Operator, Some(given_up.id)).await.unwrap_err().code, ErrorCode::NotFound);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_sent_is_dropped_at_once() {
    each(unlimited(), async |world| {
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), false).await;
        for who in ["mia", "ben", "eve"] {
            with_address(world, who, &format!("{who}@example.org")).await;
        }
        let (mail, forgot) = (&world.services.mail, async |who| world.services.accounts.forgot(who, &from()).await);
        forgot("mia").await.unwrap();
        settled(world, 1).await;
        assert_eq!(mail.deliver().await, Ok(1));
        for (who, n) in [("ben", 2), ("eve", 3)] {
            forgot(who).await.unwrap();
            settled(world, n).await;
        }
        let mia = world.sign_in("mia", PASSWORD).await.unwrap().session.actor();
        assert_eq!(mail.drop_all(&mia).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(mail.drop_all(&Actor::Operator).await, Ok(2));
        let left = mail.list(&Actor::Operator, None, 50, None).await.unwrap().items;
        assert_eq!(left.iter().map(|m| (&*m.to, m.state)).collect::<Vec<_>>(), [("mia@example.org", MailState::Sent)]);
        let said = world.text("SELECT details FROM audit WHERE action = 'mail_dropped'").await;
        assert_eq!(said.as_deref(), Some("{\"mails\":2}"));
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_too_old_is_not_sent() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        world.services.accounts.forgot("mia", &from()).await.unwrap();
        settled(world, 1).await;
        world.clock.advance(HOUR);
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), false).await;
        world.services.mail.deliver().await.unwrap();
        let mail = world.services.mail.list(&Actor::Operator, None, 50, None).await.unwrap().items.remove(0);
        assert_eq!(mail.state, MailState::GivenUp);
        assert!(mail.last_error.is_some_and(|e| e.contains("too late")));
        assert_eq!(world.services.mail.retry(&Actor::Operator, None).await, Ok(0), "there is nothing left of it");
        assert!(server.mails().is_empty());
    })
    .await;
}

/// Without a server nothing waits for ever: a link until it opens nothing, a notice for a week; each says why it went.
#[tokio::test]
async fn what_nobody_sends_is_given_up_in_time() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        let (mail, accounts) = (&world.services.mail, &world.services.accounts);
        let mia = world.sign_in("mia", PASSWORD).await.unwrap();
        let (actor, token) = (mia.session.actor(), mia.token.expose());
        accounts.change_password(&actor, token, PASSWORD, "purple-otter-sings-92", false).await.unwrap();
        accounts.forgot("mia", &from()).await.unwrap();
        settled(world, 2).await;
        let waiting = async || {
            mail.deliver().await.unwrap();
            let page = mail.list(&Actor::Operator, Some(MailState::Waiting), 50, None).await.unwrap();
            page.items.iter().map(|m| m.kind.clone()).collect::<Vec<_>>()
        };
        world.clock.advance(HOUR - 1);
        assert_eq!(waiting().await, ["password_reset", "password_changed"]);
        world.clock.advance(1);
        assert_eq!(waiting().await, ["password_changed"]);
        world.clock.advance(7 * DAY);
        assert_eq!(waiting().await, Vec::<String>::new());
        let gone = mail.list(&Actor::Operator, Some(MailState::GivenUp), 50, None).await.unwrap();
        assert_eq!(gone.total, Some(2));
        assert!(gone.items.iter().all(|m| m.last_error.as_ref().is_some_and(|e| e.contains("too late"))));
        assert_eq!(world.text("SELECT id FROM mails WHERE body IS NOT NULL").await, None, "what it said is forgotten");
    })
    .await;
}

/// Row 13: one mail and one mark for a browser, system and network never seen; nothing for what is known.
#[tokio::test]
async fn a_new_device_is_told() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        let sign_in = async |ip: &str, agent: &str| {
            let from = Origin { ip: ip.into(), user_agent: agent.into() };
            world.services.sessions.sign_in("mia", PASSWORD, false, &from, None).await.unwrap()
        };
        let firefox = from().user_agent;
        let mails = async || world.services.mail.list(&Actor::Operator, None, 50, None).await.unwrap().items;
        sign_in("192.0.2.7", &firefox).await;
        sign_in("192.0.2.99", &firefox).await;
        assert_eq!(mails().await, [], "the first is news to nobody, and the network is the same");
        let new = sign_in("192.0.2.7", chrome).await;
        assert_eq!(mails().await.len(), 1);
        sign_in("192.0.2.8", chrome).await;
        let elsewhere = sign_in("198.51.100.7", &firefox).await;
        let sent = mails().await;
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|m| m.kind == "new_device" && m.to == "mia@example.org"));
        let mut pointed_out = world.services.sessions.new_devices(&new.session.actor()).await.unwrap();
        pointed_out.sort();
        assert_eq!(pointed_out, [new.session.id, elsewhere.session.id]);
        world.clock.advance(15 * DAY);
        assert!(world.services.sessions.new_devices(&new.session.actor()).await.unwrap().is_empty());
    })
    .await;
}

/// Only administrators look into the outbox.
#[tokio::test]
async fn the_outbox_is_for_administrators() {
    each(unlimited(), async |world| {
        for (role, allowed) in [("member", false), ("manager", false), ("admin", true)] {
            let card = world.person(role, role, Some("North")).await;
            let actor = world.session(&card).await.session.actor();
            assert_eq!(world.services.mail.list(&actor, None, 50, None).await.is_ok(), allowed, "{role}");
            assert_eq!(world.services.mail.retry(&actor, None).await.is_ok(), allowed, "{role}");
        }
        assert!(world.services.mail.list(&Actor::Anonymous, None, 50, None).await.is_err());
    })
    .await;
}

/// Where there is a server to send by, an invitation is seen by nobody but whom it is for.
#[tokio::test]
async fn invitations_are_mailed_where_that_can_be() {
    each(unlimited(), async |world| {
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), true).await;
        let accounts = &world.services.accounts;
        let file = "username,email\nann,ann@example.org\nben,\n";
        let import = accounts.import(&Actor::Operator, file, false).await.unwrap();
        let invited = accounts.invite_all(&Actor::Operator, import.ids).await.unwrap();
        assert_eq!((invited.mailed, invited.links.len()), (1, 1));
        assert_eq!(invited.links[0].0, "ben");
        let mail = server.mail(1).await;
        assert_eq!(mail.to, ["ann@example.org"]);
        assert!(mail.headers.contains("Subject: Your account is ready"), "{}", mail.headers);
        let (_, token) = mail.body.split_once("https://rollcall.example/reset?token=").unwrap();
        let first = token.split_whitespace().next().unwrap();
        let again = accounts.invite(&Actor::Operator, "ann").await.unwrap();
        assert!(matches!(again, Invitation::Mailed(to) if to == "ann@example.org"));
        assert!(!accounts.reset_token_is_good(first).await.unwrap(), "a new one voids the old");
        let mail = server.mail(2).await;
        let (_, token) = mail.body.split_once("/reset?token=").unwrap();
        accounts.reset(token.split_whitespace().next().unwrap(), PASSWORD, &from()).await.unwrap();
        assert!(world.sign_in("ann", PASSWORD).await.is_ok());
        // A link for somebody who forgot theirs goes the same way.
        let reset = accounts.send_reset(&Actor::Operator, "ann").await.unwrap();
        assert!(matches!(reset, Invitation::Mailed(to) if to == "ann@example.org"));
        assert!(matches!(accounts.send_reset(&Actor::Operator, "ben").await.unwrap(), Invitation::Link(_)));
    })
    .await;
}

/// Rows 13 and 29: of another address the old one is told, and changing it asks for sudo mode.
#[tokio::test]
async fn the_old_address_is_told_of_a_new_one() {
    each(unlimited(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), true).await;
        let accounts = &world.services.accounts;
        let mia = world.sign_in("mia", PASSWORD).await.unwrap();
        let actor = mia.session.actor();
        accounts.forgot("mia", &from()).await.unwrap();
        let link = server.mail(1).await.body;
        let (_, token) = link.split_once("/reset?token=").unwrap();
        let wrong = accounts.change_email(&actor, "nowhere").await.unwrap_err();
        assert!(wrong.fields.contains_key("email"));
        let asked = accounts.change_email(&actor, "new@example.org").await.unwrap();
        assert_eq!(asked, EmailChange::Mailed("new@example.org".into()));
        assert_eq!(mia.session.card().email.as_deref(), Some("mia@example.org"), "until the link is opened");
        let sent = server.mail(2).await;
        assert_eq!(sent.to, ["new@example.org"]);
        let (_, confirm) = sent.body.split_once("https://rollcall.example/account/email?token=").unwrap();
        let confirm = confirm.split_whitespace().next().unwrap();
        let ben = world.session(&world.person("ben", "member", None).await).await.session.actor();
        let elsewhere = format!("{}x", &confirm[..confirm.len() - 1]);
        for (who, link) in [(&ben, confirm), (&actor, &*elsewhere), (&actor, "nonsense")] {
            assert_eq!(accounts.confirming_email(who, link).await.unwrap(), None);
            assert_eq!(accounts.confirm_email(who, link).await.unwrap_err().code, ErrorCode::NotFound);
        }
        assert_eq!(accounts.confirming_email(&actor, confirm).await.unwrap().as_deref(), Some("new@example.org"));
        accounts.confirm_email(&actor, confirm).await.unwrap();
        assert_eq!(accounts.confirm_email(&actor, confirm).await.unwrap_err().code, ErrorCode::NotFound, "once");
        assert_eq!(mia.session.card().email.as_deref(), Some("new@example.org"));
        assert!(world.opens(&mia).await, "the session stays");
        let told = server.mail(3).await;
        assert_eq!(told.to, ["mia@example.org"]);
        assert!(told.body.contains("from your account") && !told.body.contains("new@"), "{}", told.body);
        let token = token.split_whitespace().next().unwrap();
        assert!(!accounts.reset_token_is_good(token).await.unwrap(), "what went to the old address is void");
        let edit = |email: &str| UserEdit { email: Some(Some(email.to_owned())), ..UserEdit::default() };
        accounts.edit(&Actor::Operator, "mia", edit("")).await.unwrap();
        let told = server.mail(4).await;
        assert_eq!(told.to, ["new@example.org"]);
        assert!(told.body.contains("by an administrator"), "{}", told.body);
        let row = "SELECT details FROM audit WHERE action = 'user_edited' AND actor = 'mia'";
        assert!(world.text(row).await.is_some());
        world.clock.advance(10 * MINUTE);
        let stale = accounts.change_email(&actor, "x@example.org").await.unwrap_err();
        assert_eq!(stale.code, ErrorCode::ReauthRequired);
        assert!(accounts.change_email(&Actor::Anonymous, "x@example.org").await.is_err());
    })
    .await;
}

/// The link of a new address has an hour, falls with the password, and is mailed a few times only.
#[tokio::test]
async fn a_new_address_is_confirmed_in_time() {
    each(Settings::default(), async |world| {
        with_address(world, "mia", "mia@example.org").await;
        let server = MailServer::start().await;
        let world = &world.mailing(server.smtp(), true).await;
        let accounts = &world.services.accounts;
        let mut mia = world.sign_in("mia", PASSWORD).await.unwrap();
        let actor = mia.session.actor();
        let link = async |n: usize| {
            accounts.change_email(&actor, "new@example.org").await.unwrap();
            let body = server.mail(n).await.body;
            body.split_once("/account/email?token=").unwrap().1.split_whitespace().next().unwrap().to_owned()
        };
        let is_good = async |link: &str| accounts.confirming_email(&actor, link).await.unwrap().is_some();
        let first = link(1).await;
        let second = link(2).await;
        assert!(!is_good(&first).await && is_good(&second).await, "the newest counts");
        let new = "purple-otter-sings-92";
        mia = accounts.change_password(&actor, mia.token.expose(), PASSWORD, new, false).await.unwrap();
        assert!(!is_good(&second).await, "whoever asked may have been somebody else");
        let third = link(4).await;
        let again = accounts.change_email(&actor, "other@example.org").await.unwrap_err();
        assert_eq!(again.code, ErrorCode::TooManyRequests);
        world.clock.advance(HOUR);
        assert!(!is_good(&third).await && world.opens(&mia).await);
        let kept = world.text("SELECT email FROM users WHERE username = 'mia'").await;
        assert_eq!(kept.as_deref(), Some("mia@example.org"));
    })
    .await;
}
