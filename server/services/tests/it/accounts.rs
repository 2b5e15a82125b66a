//! Accounts: set-up, management, passwords.

use domain::{
    Actor, ErrorCode, Level,
    account::BUILT_IN_ROLES,
    people::{UserEdit, UserFilter},
    session::{SessionFilter, SessionState},
    settings::Settings,
    time::{HOUR, MINUTE},
};
use services::{AuditFilter, NewUser, secret};

use crate::{
    app_code::code,
    world::{PASSWORD, each, from, unlimited},
};

const OTHER: &str = "quite another long phrase";

fn admin(password: &str) -> NewUser {
    NewUser { username: "root".into(), password: Some(password.into()), ..NewUser::default() }
}

#[tokio::test]
async fn roles_are_those_of_the_domain() {
    each(Settings::default(), async |w| {
        let roles = w.services.accounts.roles().await.unwrap();
        assert_eq!(roles.len(), BUILT_IN_ROLES.len());
        for (name, level) in BUILT_IN_ROLES {
            assert!(roles.iter().any(|r| r.name == name && r.level == level), "{name}");
        }
        assert_eq!(roles[0].level, Level::Admin);
    })
    .await;
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    each(Settings::default(), async |w| {
        let accounts = &w.services.accounts;
        assert!(accounts.needs_setup().await.unwrap());
        let old = accounts.setup_token().await.unwrap().unwrap();
        let token = accounts.setup_token().await.unwrap().unwrap();
        assert!(!accounts.setup_token_is_good(old.expose()).await.unwrap(), "a new link voids the old");
        assert!(accounts.setup_token_is_good(token.expose()).await.unwrap());

        let short = accounts.set_up(token.expose(), admin("fourteen chars"), &from()).await.unwrap_err();
        assert_eq!((short.code, short.fields.contains_key("password")), (ErrorCode::Invalid, true));
        let wrong = accounts.set_up(secret::token().0.expose(), admin(PASSWORD), &from()).await.unwrap_err();
        assert_eq!(wrong.code, ErrorCode::NotFound);

        let s = accounts.set_up(token.expose(), admin(PASSWORD), &from()).await.unwrap();
        assert_eq!(s.session.card().level, Level::Admin);
        assert!(w.opens(&s).await && !accounts.needs_setup().await.unwrap());
        let again = accounts.set_up(token.expose(), admin(PASSWORD), &from()).await.unwrap_err();
        assert_eq!(again.code, ErrorCode::NotFound);
        assert!(accounts.setup_token().await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn accounts_are_checked_and_names_are_taken_once() {
    each(Settings::default(), async |w| {
        let ada = w
            .add(NewUser {
                username: "Ada".into(),
                email: Some("ada@example.org".into()),
                organisation: Some("Engines".into()),
                teams: vec!["Red".into(), "red".into(), "Blue".into()],
                ..NewUser::default()
            })
            .await;
        assert_eq!((ada.username.as_str(), ada.role.as_str()), ("ada", "member"));
        assert_eq!(ada.teams.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["Blue", "Red"]);
        let bob = w.person("bob", "teacher", Some("ENGINES")).await;
        assert_eq!(bob.organisation, ada.organisation, "organisations are found whatever the case");

        let add = async |new| w.services.accounts.add(&Actor::Operator, new).await.unwrap_err();
        let named = |username: &str| NewUser { username: username.into(), ..NewUser::default() };
        assert_eq!(add(named("ADA")).await.code, ErrorCode::Conflict);
        assert_eq!(add(named("=cmd")).await.code, ErrorCode::Invalid);
        assert_eq!(add(NewUser { role: Some("king".into()), ..named("x") }).await.code, ErrorCode::Invalid);
        assert_eq!(add(NewUser { teams: vec!["t".into()], ..named("x") }).await.code, ErrorCode::Invalid);
        for bad in ["elevenchars", "rollcallrollcall", "password1234"] {
            assert_eq!(add(NewUser { password: Some(bad.into()), ..named("x") }).await.code, ErrorCode::Invalid);
        }
        assert_eq!(w.services.accounts.count(&Actor::Operator, &UserFilter::default()).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn members_may_do_none_of_it_and_admins_confirm_their_password() {
    each(Settings::default(), async |w| {
        let member = w.session(&w.person("m", "member", None).await).await.session.actor();
        let admin = w.session(&w.person("a", "admin", None).await).await.session.actor();
        let (accounts, all) = (&w.services.accounts, UserFilter::default());
        assert_eq!(accounts.disable(&member, "a").await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(accounts.count(&member, &all).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(accounts.count(&Actor::Anonymous, &all).await.unwrap_err().code, ErrorCode::Unauthenticated);
        w.clock.advance(10 * MINUTE);
        assert_eq!(accounts.disable(&admin, "m").await.unwrap_err().code, ErrorCode::ReauthRequired);
        assert!(accounts.count(&admin, &all).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn disabling_ends_sessions_at_once_and_the_last_admin_stays() {
    each(Settings::default(), async |w| {
        let accounts = &w.services.accounts;
        let s = w.session(&w.person("ada", "member", None).await).await;
        let root = w.person("root", "admin", None).await;
        assert!(w.opens(&s).await);
        accounts.disable(&Actor::Operator, "ada").await.unwrap();
        assert!(!w.opens(&s).await && !s.session.is_live(w.clock.now()));
        accounts.enable(&Actor::Operator, "ada").await.unwrap();
        assert!(!w.opens(&s).await, "what ended stays ended");

        for act in [
            accounts.disable(&Actor::Operator, "root").await,
            accounts.delete(&Actor::Operator, "root").await.map(drop),
        ] {
            assert_eq!(act.unwrap_err().code, ErrorCode::Conflict);
        }
        w.person("second", "admin", None).await;
        let s = w.session(&root).await;
        accounts.delete(&Actor::Operator, "root").await.unwrap();
        assert!(!w.opens(&s).await);
        let left = "SELECT CAST(count(*) AS text) FROM sessions WHERE ended_at IS NULL";
        assert_eq!(w.text(left).await.as_deref(), Some("0"), "sessions go with their user");
        assert_eq!(accounts.disable(&Actor::Operator, "second").await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(accounts.disable(&Actor::Operator, "nobody").await.unwrap_err().code, ErrorCode::NotFound);

        let audit = w.services.audit.list(&Actor::Operator, &AuditFilter::default(), 50, None).await.unwrap().items;
        let actions: Vec<&str> = audit.iter().map(|a| a.action.as_str()).collect();
        for action in ["user_added", "user_disabled", "user_enabled", "user_deleted", "sign_in"] {
            assert!(actions.contains(&action), "{action}: {actions:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_password_rotates_this_session_and_ends_the_others() {
    each(Settings::default(), async |w| {
        w.user("ada").await;
        let here = w.sign_in("ada", PASSWORD).await.unwrap();
        let there = w.sign_in("ada", PASSWORD).await.unwrap();
        let change = async |token: &str, current: &str, new: &str, others| {
            w.services.accounts.change_password(&here.session.actor(), token, current, new, others).await
        };
        let wrong = change(here.token.expose(), "not the current one", OTHER, true).await.unwrap_err();
        assert_eq!((wrong.code, wrong.fields.contains_key("current")), (ErrorCode::Forbidden, true));
        let weak = change(here.token.expose(), PASSWORD, "passwordpassword", true).await.unwrap_err();
        assert_eq!((weak.code, weak.fields.contains_key("new")), (ErrorCode::Invalid, true));
        assert!(w.opens(&there).await);

        let new = change(here.token.expose(), PASSWORD, OTHER, true).await.unwrap();
        assert_eq!(new.session.id, here.session.id);
        assert!(w.opens(&new).await && !w.opens(&here).await && !w.opens(&there).await);
        assert_eq!(w.sign_in("ada", PASSWORD).await.unwrap_err().code, ErrorCode::InvalidCredentials);
        assert!(w.sign_in("ada", OTHER).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_reset_link_works_once_for_an_hour_and_ends_sessions() {
    each(Settings::default(), async |w| {
        let accounts = &w.services.accounts;
        w.user("ada").await;
        let s = w.sign_in("ada", PASSWORD).await.unwrap();
        let old = accounts.reset_link(&Actor::Operator, "ada").await.unwrap();
        let link = accounts.reset_link(&Actor::Operator, "ADA").await.unwrap();
        let reset = async |t: &str| accounts.reset(t, OTHER, &from()).await;
        assert_eq!(reset(old.expose()).await.unwrap_err().code, ErrorCode::NotFound);
        assert!(accounts.reset_token_is_good(link.expose()).await.unwrap());
        reset(link.expose()).await.unwrap();
        assert_eq!(reset(link.expose()).await.unwrap_err().code, ErrorCode::NotFound);
        assert!(!w.opens(&s).await && w.sign_in("ada", OTHER).await.is_ok());

        let late = accounts.reset_link(&Actor::Operator, "ada").await.unwrap();
        w.clock.advance(HOUR);
        assert!(!accounts.reset_token_is_good(late.expose()).await.unwrap());
        assert_eq!(reset(late.expose()).await.unwrap_err().code, ErrorCode::NotFound);
    })
    .await;
}

/// A hash does not tell how long its password is: who became an administrator chooses a longer one when the short one is
/// next typed, and no session begins before.
#[tokio::test]
async fn whoever_is_promoted_needs_an_administrator_s_password() {
    const SHORT: &str = "kelp-otter-92";
    each(unlimited(), async |w| {
        w.person("root", "admin", None).await;
        for (username, password) in [("mia", SHORT), ("tom", PASSWORD)] {
            w.add(NewUser { username: username.into(), password: Some(password.into()), ..NewUser::default() }).await;
            w.sign_in(username, password).await.unwrap();
            let edit = UserEdit { role: Some("admin".into()), ..UserEdit::default() };
            w.services.accounts.edit(&Actor::Operator, username, edit).await.unwrap();
        }
        assert!(w.sign_in("tom", PASSWORD).await.is_ok(), "long enough already");
        assert_eq!(w.sign_in("mia", "wrong").await.unwrap_err().code, ErrorCode::InvalidCredentials);
        let wanted = w.sign_in("mia", SHORT).await.unwrap_err();
        assert_eq!(wanted.code, ErrorCode::NewPasswordRequired, "{wanted}");
        let live = SessionFilter { user: Some("mia".into()), state: Some(SessionState::Live), ..Default::default() };
        assert_eq!(w.services.sessions.count(&Actor::Operator, &live).await.unwrap(), 0);
        let reset = async |new: &str| w.services.accounts.reset(&wanted.fields["token"], new, &from()).await;
        assert_eq!(reset(SHORT).await.unwrap_err().code, ErrorCode::Invalid);
        reset("purple-otter-sings-92").await.unwrap();
        assert!(w.sign_in("mia", "purple-otter-sings-92").await.is_ok());
    })
    .await;
}

/// Another level of the role does the same; and where there is a second factor the password alone changes nothing.
#[tokio::test]
async fn a_promoted_role_and_a_second_factor() {
    const SHORT: &str = "kelp-otter-92";
    each(unlimited(), async |w| {
        w.person("root", "admin", None).await;
        let role = w.services.directory.add_role(&Actor::Operator, "editor", Level::Member).await.unwrap();
        let (password, role_name) = (Some(SHORT.to_owned()), Some("editor".to_owned()));
        w.add(NewUser { username: "mia".into(), password, role: role_name, ..NewUser::default() }).await;
        let mia = w.sign_in("mia", SHORT).await.unwrap();
        let (actor, factor) = (mia.session.actor(), &w.services.second_factor);
        factor.begin(&actor).await.unwrap();
        let key = factor.enrolment(&actor).await.unwrap().unwrap().secret;
        factor.confirm(&actor, &code(&key, w.clock.now())).await.unwrap();
        w.services.directory.edit_role(&Actor::Operator, role.id, None, Some(Level::Admin)).await.unwrap();
        let wanted = w.sign_in("mia", SHORT).await.unwrap_err();
        assert_eq!((wanted.code, wanted.fields.len()), (ErrorCode::NewPasswordRequired, 0), "{wanted}");
    })
    .await;
}
