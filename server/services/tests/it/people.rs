//! People, organisations, teams and roles: lists, changes, and what follows from them.

use domain::{
    Actor, ErrorCode, Level,
    people::{Moment, MomentKind, MoveTo, UserEdit, UserFilter, UserSort},
    settings::Settings,
    time::{DAY, MINUTE},
};
use services::{AuditFilter, Invitation, NewUser, Token, WhichPeople};

use crate::world::{PASSWORD, World, each, from, unlimited};

const OP: &Actor = &Actor::Operator;

/// The link of an invitation that is not mailed.
fn link(invitation: Invitation) -> Token {
    match invitation {
        Invitation::Link(token) => token,
        Invitation::Mailed(to) => panic!("mailed to {to}"),
    }
}

async fn names(w: &World, actor: &Actor, filter: &UserFilter, sort: UserSort, limit: u32) -> Vec<String> {
    let (mut all, mut cursor) = (vec![], None::<String>);
    loop {
        let page = w.services.accounts.list(actor, filter, sort, limit, cursor.as_deref()).await.unwrap();
        assert_eq!(page.total.is_some(), cursor.is_none());
        assert!(page.items.len() <= limit as usize);
        if let Some(total) = page.total {
            assert_eq!(total, w.services.accounts.count(actor, filter).await.unwrap());
        }
        all.extend(page.items.into_iter().map(|r| r.user.username));
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn pages_hold_everybody_once_in_every_order() {
    each(unlimited(), async |w| {
        for n in 0..17 {
            let card = w.person(&format!("p{n:02}"), "member", Some(["North", "South"][n % 2])).await;
            if n % 3 == 0 {
                w.session(&card).await;
            }
            // Ties on purpose.
            w.clock.advance(i64::from(n % 4 == 0));
        }
        for sort in UserSort::ALL {
            let whole = names(w, OP, &UserFilter::default(), sort, 200).await;
            let mut sorted = whole.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), 17, "{sort:?}");
            for limit in [1, 5, 16, 17] {
                assert_eq!(names(w, OP, &UserFilter::default(), sort, limit).await, whole, "{sort:?} {limit}");
            }
        }
        let first = async |sort| names(w, OP, &UserFilter::default(), sort, 50).await.remove(0);
        assert_eq!(first(UserSort::Name).await, "p00");
        assert_eq!(first(UserSort::Created).await[..2], *"p1");
        let bad = async |cursor: &str, sort| {
            let page = w.services.accounts.list(OP, &UserFilter::default(), sort, 5, Some(cursor)).await;
            page.unwrap_err().code
        };
        let cursor =
            w.services.accounts.list(OP, &UserFilter::default(), UserSort::Name, 5, None).await.unwrap().next.unwrap();
        assert_eq!(bad(&cursor, UserSort::Created).await, ErrorCode::BadRequest, "of another order");
        assert_eq!(bad("nonsense", UserSort::Name).await, ErrorCode::BadRequest);
    })
    .await;
}

#[tokio::test]
async fn filters_take_text_literally() {
    each(unlimited(), async |w| {
        let ada = w
            .add(NewUser {
                username: "ada".into(),
                name: Some("Ada 100%".into()),
                email: Some("Ada@Example.org".into()),
                role: Some("teacher".into()),
                organisation: Some("Engines".into()),
                teams: vec!["Red".into()],
                ..NewUser::default()
            })
            .await;
        w.person("o_d", "member", Some("Ünion")).await;
        w.person("zoe", "member", None).await;
        w.services.accounts.disable(OP, "zoe").await.unwrap();
        w.clock.advance(DAY);
        w.session(&ada).await;
        let now = w.clock.now();
        let f = UserFilter::default;
        let found = async |f: UserFilter| names(w, OP, &f, UserSort::Username, 50).await;
        let q = |q: &str| UserFilter { q: Some(q.into()), ..f() };
        assert_eq!(found(q("_")).await, ["o_d"], "a wildcard is a letter");
        assert_eq!(found(q("%")).await, ["ada"]);
        assert_eq!(found(q("' OR 1=1 --")).await, [""; 0]);
        assert_eq!(found(q("ADA@example")).await, ["ada"]);
        assert_eq!(found(UserFilter { role: Some("teacher".into()), ..f() }).await, ["ada"]);
        assert_eq!(found(UserFilter { org: Some("ünion".into()), ..f() }).await, ["o_d"]);
        let id = ada.organisation.as_ref().unwrap().id.to_string();
        assert_eq!(found(UserFilter { org: Some(id), ..f() }).await, ["ada"]);
        assert_eq!(found(UserFilter { team: Some("RED".into()), ..f() }).await, ["ada"]);
        assert_eq!(found(UserFilter { team: Some(ada.teams[0].id.to_string()), ..f() }).await, ["ada"]);
        assert_eq!(found(UserFilter { disabled: Some(true), ..f() }).await, ["zoe"]);
        assert_eq!(found(UserFilter { disabled: Some(false), ..f() }).await, ["ada", "o_d"]);
        assert_eq!(found(UserFilter { signed_in_after: Some(now), ..f() }).await, ["ada"]);
        assert_eq!(found(UserFilter { signed_in_before: Some(now), ..f() }).await, ["o_d", "zoe"], "or never");
        let state = |state| UserFilter { state: Some(state), ..f() };
        assert_eq!(found(state(domain::presence::State::Active)).await, [""; 0]);
        assert_eq!(found(state(domain::presence::State::Offline)).await.len(), 3);
        let beside = w.another(false).await;
        let asked = beside.services.accounts.count(OP, &state(domain::presence::State::Active)).await;
        assert_eq!(asked.unwrap_err().code, ErrorCode::Invalid, "only the server knows");
    })
    .await;
}

#[tokio::test]
async fn a_manager_sees_the_own_organisation_and_changes_nothing() {
    each(unlimited(), async |w| {
        let boss = w.session(&w.person("boss", "manager", Some("One")).await).await.session.actor();
        let mine = w.person("mine", "member", Some("One")).await;
        let other = w.person("other", "member", Some("Two")).await;
        let (accounts, directory) = (&w.services.accounts, &w.services.directory);
        assert_eq!(names(w, &boss, &UserFilter::default(), UserSort::Name, 50).await, ["boss", "mine"]);
        let two = UserFilter { org: Some("Two".into()), ..UserFilter::default() };
        assert_eq!(accounts.count(&boss, &two).await.unwrap(), 0);
        assert!(accounts.one(&boss, mine.id).await.is_ok());
        for id in [other.id, uuid::Uuid::nil()] {
            assert_eq!(accounts.one(&boss, id).await.unwrap_err(), domain::ApiError::not_found());
        }
        let organisations = directory.organisations(&boss, None, 50, None).await.unwrap();
        assert_eq!(organisations.items.iter().map(|o| (&*o.name, o.people)).collect::<Vec<_>>(), [("One", 2)]);
        let id = other.organisation.as_ref().unwrap().id;
        assert_eq!(directory.organisation(&boss, id).await.unwrap_err(), domain::ApiError::not_found());
        let member = |r: &domain::people::RoleView| r.name == "member";
        let seen = directory.roles(&boss).await.unwrap();
        assert_eq!(seen.iter().find(|r| member(r)).unwrap().people, 1);
        for refused in [
            accounts.edit(&boss, mine.id, UserEdit::default()).await.map(drop),
            accounts.disable(&boss, mine.id).await,
            accounts.delete(&boss, mine.id).await.map(drop),
            accounts.invite(&boss, mine.id).await.map(drop),
            accounts.move_people(&boss, WhichPeople::Ids(vec![mine.id]), None, true).await.map(drop),
            directory.add_organisation(&boss, "Three").await.map(drop),
            directory.delete_organisation(&boss, id, None, true).await.map(drop),
            directory.add_role(&boss, "king", Level::Admin).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
        }
    })
    .await;
}

#[tokio::test]
async fn another_role_or_organisation_ends_sessions_and_a_name_does_not() {
    each(unlimited(), async |w| {
        let accounts = &w.services.accounts;
        let ada = w
            .add(NewUser {
                username: "ada".into(),
                organisation: Some("One".into()),
                teams: vec!["Red".into()],
                password: Some(PASSWORD.into()),
                ..NewUser::default()
            })
            .await;
        w.person("bob", "member", None).await;
        let s = w.session(&ada).await;
        let name = UserEdit {
            name: Some("Ada L.".into()),
            username: Some("Countess".into()),
            email: Some(Some("ada@example.org".into())),
            ..UserEdit::default()
        };
        let edited = accounts.edit(OP, ada.id, name).await.unwrap();
        assert_eq!((edited.sessions_ended, &*edited.user.user.name), (0, "Ada L."));
        let live = w.check(s.token.expose()).await.unwrap();
        assert_eq!((&*live.card().username, &*live.card().name), ("countess", "Ada L."), "sessions have the new card");
        let token = s.token.expose();
        assert!(
            w.services.sessions.reauth(&live.actor(), token, PASSWORD, None).await.is_ok(),
            "under the new username"
        );
        assert!(w.sign_in("ada", PASSWORD).await.is_err());
        let s = w.session(&ada).await;

        let taken = UserEdit { username: Some("BOB".into()), ..UserEdit::default() };
        assert_eq!(accounts.edit(OP, ada.id, taken).await.unwrap_err().code, ErrorCode::Conflict);
        let role = UserEdit { role: Some("Teacher".into()), ..UserEdit::default() };
        let edited = accounts.edit(OP, ada.id, role.clone()).await.unwrap();
        assert_eq!((edited.sessions_ended, &*edited.user.user.role), (2, "teacher"));
        assert!(!w.opens(&s).await);
        assert_eq!(accounts.edit(OP, ada.id, role).await.unwrap().sessions_ended, 0, "nothing changed");
        let s = w.session(&accounts.card(OP, ada.id).await.unwrap()).await;
        let out = UserEdit { organisation: Some(None), ..UserEdit::default() };
        let edited = accounts.edit(OP, ada.id, out).await.unwrap();
        assert_eq!((edited.sessions_ended, edited.user.user.organisation, edited.user.user.teams), (1, None, vec![]));
        assert!(!w.opens(&s).await);
        let reasons = "SELECT CAST(count(*) AS text) FROM sessions WHERE ended_reason = 'role_change'";
        assert_eq!(w.text(reasons).await.as_deref(), Some("3"));
        let row = w.services.audit.list(OP, &AuditFilter::default(), 1, None).await.unwrap().items.remove(0);
        assert_eq!((row.action.as_str(), &row.details.unwrap()["organisation"][0]), ("user_edited", &"One".into()));
    })
    .await;
}

#[tokio::test]
async fn another_process_hands_out_new_cards() {
    each(unlimited(), async |w| {
        let ada = w.person("ada", "member", Some("One")).await;
        let s = w.session(&ada).await;
        let seq = w.services.sessions.follow(0).await.unwrap();
        let command = w.another(false).await;
        let name = UserEdit { name: Some("Ada L.".into()), ..UserEdit::default() };
        command.services.accounts.edit(OP, "ada", name).await.unwrap();
        command.services.directory.rename_organisation(OP, ada.organisation.unwrap().id, "Uno").await.unwrap();
        let last = w.services.sessions.follow(seq).await.unwrap();
        let card = w.check(s.token.expose()).await.unwrap().card();
        assert_eq!((&*card.name, &*card.organisation.as_ref().unwrap().name), ("Ada L.", "Uno"));
        assert!(last >= seq + 2);
        assert_eq!(w.services.sessions.follow(last).await.unwrap(), last);
    })
    .await;
}

async fn role(w: &World, name: &str) -> uuid::Uuid {
    w.services.directory.roles(OP).await.unwrap().into_iter().find(|r| r.name == name).unwrap().id
}

#[tokio::test]
async fn the_last_administrator_stays_whatever_is_tried() {
    each(unlimited(), async |w| {
        let (accounts, directory) = (&w.services.accounts, &w.services.directory);
        let chief = directory.add_role(OP, "Chief", Level::Admin).await.unwrap();
        w.person("root", "chief", None).await;
        let demote = UserEdit { role: Some("member".into()), ..UserEdit::default() };
        let member = MoveTo::To(role(w, "member").await);
        for refused in [
            accounts.edit(OP, "root", demote.clone()).await.map(drop),
            accounts.disable(OP, "root").await,
            accounts.delete(OP, "root").await.map(drop),
            directory.edit_role(OP, chief.id, None, Some(Level::Member)).await.map(drop),
            directory.delete_role(OP, chief.id, Some(member), false).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict);
        }
        w.person("second", "admin", None).await;
        accounts.edit(OP, "root", demote).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn roles_end_sessions_with_their_level() {
    each(unlimited(), async |w| {
        let directory = &w.services.directory;
        let editor = directory.add_role(OP, "Editor", Level::Member).await.unwrap();
        assert_eq!(directory.add_role(OP, "EDITOR", Level::Member).await.unwrap_err().code, ErrorCode::Conflict);
        let s = w.session(&w.person("ed", "editor", Some("One")).await).await;
        let (renamed, moved) = directory.edit_role(OP, editor.id, Some("Author"), None).await.unwrap();
        assert_eq!((&*renamed.name, renamed.id, renamed.people, moved.sessions_ended), ("Author", editor.id, 1, 0));
        assert_eq!(w.check(s.token.expose()).await.unwrap().card().role, "Author");
        let (_, moved) = directory.edit_role(OP, editor.id, None, Some(Level::Manager)).await.unwrap();
        assert_eq!(moved.sessions_ended, 1);
        assert!(!w.opens(&s).await);
        assert_eq!(w.services.accounts.card(OP, s.session.card().id).await.unwrap().level, Level::Manager);

        let student = role(w, "student").await;
        for refused in [
            directory.edit_role(OP, student, Some("pupil"), None).await.map(drop),
            directory.edit_role(OP, student, None, Some(Level::Admin)).await.map(drop),
            directory.delete_role(OP, student, None, false).await.map(drop),
            directory.delete_role(OP, editor.id, None, false).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict);
        }
        let s = w.session(&w.services.accounts.card(OP, s.session.card().id).await.unwrap()).await;
        let to = Some(MoveTo::To(student));
        let dry = directory.delete_role(OP, editor.id, to, true).await.unwrap();
        let done = directory.delete_role(OP, editor.id, to, false).await.unwrap();
        assert_eq!((dry, done.people, done.sessions_ended), (done, 1, 1));
        assert!(!w.opens(&s).await);
        assert_eq!(w.services.accounts.one(OP, "ed").await.unwrap().user.role, "student");
    })
    .await;
}

#[tokio::test]
async fn organisations_and_teams_are_never_merged_or_emptied_silently() {
    each(unlimited(), async |w| {
        let (accounts, directory) = (&w.services.accounts, &w.services.directory);
        let ada = w
            .add(NewUser {
                username: "ada".into(),
                organisation: Some("One".into()),
                teams: vec!["Red".into(), "Blue".into()],
                ..NewUser::default()
            })
            .await;
        let one = ada.organisation.clone().unwrap().id;
        let two = directory.add_organisation(OP, "Two").await.unwrap();
        assert_eq!(directory.rename_organisation(OP, two.id, "ONE").await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(directory.add_organisation(OP, "two").await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(directory.rename_organisation(OP, one, "ONE").await.unwrap().name, "ONE", "its own in capitals");
        let (blue, red) = (ada.teams[0].id, ada.teams[1].id);
        assert_eq!(directory.rename_team(OP, red, "blue").await.unwrap_err().code, ErrorCode::Conflict);
        assert_eq!(directory.add_team(OP, one, "RED").await.unwrap_err().code, ErrorCode::Conflict);
        let red2 = directory.add_team(OP, two.id, "Red").await.unwrap();

        let s = w.session(&ada).await;
        assert_eq!(directory.delete_team(OP, red, None, false).await.unwrap_err().code, ErrorCode::Conflict);
        let elsewhere = directory.delete_team(OP, red, Some(MoveTo::To(red2.id)), false).await;
        assert_eq!(elsewhere.unwrap_err().code, ErrorCode::Invalid, "of another organisation");
        assert_eq!(directory.delete_team(OP, red, Some(MoveTo::To(blue)), false).await.unwrap().people, 1);
        assert_eq!(
            w.check(s.token.expose()).await.unwrap().card().teams.len(),
            1,
            "told to the session, which goes on"
        );

        let refused = directory.delete_organisation(OP, one, None, false).await.unwrap_err();
        assert!(refused.code == ErrorCode::Conflict && refused.message.contains("1 person"), "{refused}");
        let which = || WhichPeople::Filter(UserFilter { org: Some(one.to_string()), ..UserFilter::default() });
        let dry = accounts.move_people(OP, which(), Some(two.id), true).await.unwrap();
        let done = accounts.move_people(OP, which(), Some(two.id), false).await.unwrap();
        assert_eq!((dry, done.people, done.sessions_ended), (done, 1, 1));
        assert!(!w.opens(&s).await);
        let card = accounts.card(OP, ada.id).await.unwrap();
        assert_eq!((card.organisation.unwrap().id, card.teams), (two.id, vec![]));
        assert_eq!(directory.delete_organisation(OP, one, None, false).await.unwrap().teams, 1);
        let gone = directory.delete_organisation(OP, two.id, Some(MoveTo::Nowhere), false).await.unwrap();
        assert_eq!((gone.people, gone.teams), (1, 1));
        assert_eq!(accounts.one(OP, "ada").await.unwrap().user.organisation, None);
        assert_eq!(directory.organisations(OP, None, 50, None).await.unwrap().items, vec![]);
    })
    .await;
}

#[tokio::test]
async fn what_goes_with_a_person_is_counted_before() {
    each(Settings::default(), async |w| {
        let accounts = &w.services.accounts;
        let ada = w
            .add(NewUser {
                username: "ada".into(),
                organisation: Some("One".into()),
                teams: vec!["Red".into()],
                ..NewUser::default()
            })
            .await;
        let (s, t) = (w.session(&ada).await, w.session(&ada).await);
        w.services.sessions.sign_out(&t.session.actor(), &t.session).await.unwrap();
        w.services.sessions.data_put(&s.session, "colour", &serde_json::json!("blue")).await.unwrap();
        accounts.reset_link(OP, "ada").await.unwrap();
        let before = accounts.goes_with(OP, ada.id).await.unwrap();
        let rows = |kind: &str| before.rows[kind];
        assert_eq!((before.live_sessions, rows("sessions"), rows("session_data")), (1, 2, 1));
        assert_eq!((rows("events"), rows("team_members"), rows("one_time_tokens")), (3, 1, 1));
        assert_eq!(accounts.delete(OP, ada.id).await.unwrap(), before, "the very numbers that go");
        for kind in before.rows.keys() {
            let left = w.text(&format!("SELECT CAST(count(*) AS text) FROM {kind}")).await;
            assert_eq!(left.as_deref(), Some("0"), "{kind}");
        }
        assert!(!w.opens(&s).await);
        assert_eq!(accounts.one(OP, ada.id).await.unwrap_err().code, ErrorCode::NotFound);
        // A table that refers to people and is not counted would go unsaid.
        if w.dir.is_some() {
            let all = "SELECT group_concat(m.name) FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
                       WHERE m.type = 'table' AND f.\"table\" IN ('users', 'sessions') AND f.on_delete = 'CASCADE'";
            for table in w.text(all).await.unwrap().split(',') {
                assert!(before.rows.contains_key(table), "{table} goes with a person: count it in store::people::GOES");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_invitation_lets_somebody_choose_the_first_password() {
    each(Settings::default(), async |w| {
        let accounts = &w.services.accounts;
        w.person("ada", "member", None).await;
        assert!(!accounts.one(OP, "ada").await.unwrap().has_password);
        let old = link(accounts.invite(OP, "ada").await.unwrap());
        let new = link(accounts.invite(OP, "ada").await.unwrap());
        w.clock.advance(6 * DAY);
        assert!(!accounts.reset_token_is_good(old.expose()).await.unwrap(), "a new link voids the old");
        accounts.reset(new.expose(), PASSWORD, &from()).await.unwrap();
        assert!(w.sign_in("ada", PASSWORD).await.is_ok());
        assert_eq!(accounts.invite(OP, "ada").await.unwrap_err().code, ErrorCode::Conflict, "has chosen one");
        w.person("bob", "member", None).await;
        let late = link(accounts.invite(OP, "bob").await.unwrap());
        w.clock.advance(7 * DAY);
        assert!(!accounts.reset_token_is_good(late.expose()).await.unwrap());
        accounts.disable(OP, "bob").await.unwrap();
        assert_eq!(accounts.invite(OP, "bob").await.unwrap_err().code, ErrorCode::Conflict);
    })
    .await;
}

#[tokio::test]
async fn acting_asks_for_a_fresh_password_of_admins_too() {
    each(unlimited(), async |w| {
        let admin = w.session(&w.person("a", "admin", None).await).await.session.actor();
        let (accounts, directory) = (&w.services.accounts, &w.services.directory);
        let ada = w.person("ada", "member", Some("One")).await;
        let one = ada.organisation.unwrap().id;
        w.clock.advance(10 * MINUTE);
        let email = UserEdit { email: Some(None), ..UserEdit::default() };
        for refused in [
            accounts.edit(&admin, "ada", email).await.map(drop),
            accounts.delete(&admin, "ada").await.map(drop),
            accounts.enable(&admin, "ada").await,
            accounts.invite(&admin, "ada").await.map(drop),
            accounts.begin_export(&admin, &UserFilter::default()).await.map(drop),
            accounts.move_people(&admin, WhichPeople::Ids(vec![ada.id]), None, false).await.map(drop),
            directory.add_organisation(&admin, "Three").await.map(drop),
            directory.rename_organisation(&admin, one, "Three").await.map(drop),
            directory.delete_organisation(&admin, one, None, false).await.map(drop),
            directory.add_role(&admin, "king", Level::Admin).await.map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::ReauthRequired);
        }
        assert!(accounts.goes_with(&admin, "ada").await.is_ok(), "looking does not");
        assert!(directory.delete_organisation(&admin, one, None, true).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn an_import_adds_everybody_or_nobody() {
    each(unlimited(), async |w| {
        let accounts = &w.services.accounts;
        w.person("ada", "member", Some("North")).await;
        let good = "username,name,email,role,organisation,teams\n\
                    bob,Bob B,bob@example.org,teacher,north,Red; Blue\n\
                    cy,\"C, Y\",,,South,\n\
                    di,,,,,\n";
        let number = async || accounts.count(OP, &UserFilter::default()).await.unwrap();
        let dry = accounts.import(OP, good, true).await.unwrap();
        assert_eq!((dry.people, dry.wrong, &dry.organisations), (3, 0, &vec!["South".to_owned()]));
        assert_eq!(dry.teams, ["North: Blue", "North: Red"]);
        assert_eq!(number().await, 1, "only looked at");
        assert_eq!(w.services.directory.organisations(OP, None, 50, None).await.unwrap().total, Some(1));

        let bad = format!("{good}ADA,,,,,\nbob,,,,,\neve,,nowhere,,,\nfay,,,king,,\n=gus,,,,,\nhal,,,,,Red\nida\n");
        let dry = accounts.import(OP, &bad, true).await.unwrap();
        assert_eq!(dry.errors.iter().map(|e| e.line).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10, 11]);
        assert!(dry.errors[1].message.contains("line 2"), "{:?}", dry.errors);
        let refused = accounts.import(OP, &bad, false).await.unwrap_err();
        assert_eq!((refused.code, refused.fields.len()), (ErrorCode::Invalid, 7));
        assert_eq!(number().await, 1, "all or nothing");

        let done = accounts.import(OP, good, false).await.unwrap();
        assert_eq!((done.people, done.organisations.len(), number().await), (3, 1, 4));
        let bob = accounts.one(OP, "bob").await.unwrap();
        assert_eq!((&*bob.user.role, bob.user.teams.len(), bob.has_password), ("teacher", 2, false));
        assert_eq!(bob.user.organisation.as_deref(), Some("North"), "found whatever the case");
        let rows = "SELECT CAST(count(*) AS text) FROM audit WHERE details LIKE '%imported%'";
        assert_eq!(w.text(rows).await.as_deref(), Some("3"));
        assert_eq!(accounts.import(OP, good, false).await.unwrap_err().fields.len(), 3, "everybody is there");
        accounts.disable(OP, "cy").await.unwrap();
        let invited = accounts.invite_all(OP, done.ids).await.unwrap();
        assert_eq!((invited.mailed, invited.left_out), (0, 1), "no server to send by; disabled since");
        assert_eq!(invited.links.iter().map(|(u, _)| &**u).collect::<Vec<_>>(), ["bob", "di"]);
        for (username, token) in &invited.links {
            accounts.reset(token.expose(), PASSWORD, &from()).await.unwrap();
            assert!(w.sign_in(username, PASSWORD).await.is_ok());
        }
    })
    .await;
}

/// Newest first, page by page each moment once, also where several are of one instant.
#[tokio::test]
async fn a_timeline_tells_what_happened() {
    each(unlimited(), async |w| {
        let (services, admin) = (&w.services, w.session(&w.person("ada", "admin", None).await).await.session.actor());
        let mia = w.person("mia", "member", Some("North")).await;
        let first = w.session(&mia).await;
        w.session(&mia).await;
        w.clock.advance(MINUTE);
        services.sessions.sign_out(&first.session.actor(), &first.session).await.unwrap();
        w.clock.advance(MINUTE);
        let edit = UserEdit { role: Some("teacher".into()), ..UserEdit::default() };
        services.accounts.edit(&admin, "mia", edit).await.unwrap();
        let story = async |actor: &Actor, limit: u32| {
            let (mut all, mut cursor) = (vec![], None::<String>);
            loop {
                let page = services.timeline(actor, mia.id, limit, cursor.as_deref()).await.unwrap();
                assert!(page.items.len() <= limit as usize);
                all.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    return all;
                }
            }
        };
        let all = story(&admin, 50).await;
        let words = |all: &[Moment]| -> Vec<String> {
            let word = |m: &Moment| match m.kind {
                MomentKind::SignedIn => "in".to_owned(),
                MomentKind::Ended => m.reason.unwrap().as_str().to_owned(),
                MomentKind::Act => m.action.clone().unwrap(),
            };
            all.iter().map(word).collect()
        };
        assert_eq!(words(&all), ["user_edited", "role_change", "logout", "user_added", "in", "in"]);
        assert_eq!((all[0].by.as_deref(), all[1].by.as_deref()), (Some("ada"), Some("ada")));
        assert_eq!(all[4].device.as_deref(), Some("Firefox on Linux"));
        for limit in [1, 2, 3] {
            assert_eq!(story(&admin, limit).await, all, "{limit}");
        }
        // Who may not read the log gets the sessions of those within reach, and of nobody else.
        let north = w.session(&w.person("max", "manager", Some("North")).await).await.session.actor();
        let south = w.session(&w.person("sue", "manager", Some("South")).await).await.session.actor();
        assert_eq!(words(&story(&north, 50).await), ["role_change", "logout", "in", "in"]);
        let refused = services.timeline(&south, mia.id, 50, None).await.unwrap_err();
        assert_eq!(refused, services.timeline(&south, domain::UserId::nil(), 50, None).await.unwrap_err());
        assert_eq!(refused.code, ErrorCode::NotFound);
        assert!(services.timeline(&admin, mia.id, 50, Some("nonsense")).await.is_err());
        // Looking is on record, once.
        let viewed = "SELECT CAST(count(*) AS text) FROM audit WHERE action = 'person_viewed' AND actor = 'max'";
        assert_eq!(w.text(viewed).await.as_deref(), Some("1"));
    })
    .await;
}

/// The account, and every word the log has of the person; the chain stays good, and says that it was done.
#[tokio::test]
async fn who_is_erased_is_nowhere_and_the_chain_is_whole() {
    each(unlimited(), async |w| {
        let (accounts, audit) = (&w.services.accounts, &w.services.audit);
        let admin = w.session(&w.person("ada", "admin", None).await).await.session.actor();
        let new = NewUser {
            username: "mia".into(),
            name: Some("Mia Winter".into()),
            email: Some("mia@example.org".into()),
            password: Some(PASSWORD.into()),
            ..NewUser::default()
        };
        let mia = w.add(new).await;
        w.sign_in("mia", PASSWORD).await.unwrap();
        assert!(w.sign_in("mia", "wrong").await.is_err());
        let edit = UserEdit { name: Some("Mia Summer".into()), ..UserEdit::default() };
        accounts.edit(&admin, "mia", edit).await.unwrap();
        w.services.timeline(&admin, mia.id, 5, None).await.unwrap();
        let before = accounts.erases(&admin, "mia").await.unwrap();
        assert_eq!(before.live_sessions, 1);
        let entries = before.audit_entries.unwrap();
        assert!(entries >= 5, "{before:?}");
        assert_eq!(accounts.goes_with(&admin, "mia").await.unwrap().audit_entries, None);
        let done = accounts.erase(&admin, mia.id).await.unwrap();
        assert_eq!((done.audit_entries, done.rows), (Some(entries), before.rows));
        assert_eq!(accounts.erase(&admin, "mia").await.unwrap_err().code, ErrorCode::NotFound);
        let verified = audit.verify(OP, None).await.unwrap();
        assert!(verified.fault.is_none() && verified.erased > 0, "{verified:?}");
        for word in ["mia", "Mia Winter", "mia@example.org"] {
            let rows =
                audit.list(OP, &AuditFilter { q: Some(word.to_owned()), ..AuditFilter::default() }, 50, None).await;
            assert_eq!(rows.unwrap().items, [], "{word}");
        }
        let last = accounts.erase(&admin, "ada").await.unwrap_err();
        assert_eq!(last.code, ErrorCode::Conflict, "the last administrator");
        w.clock.advance(10 * MINUTE);
        assert_eq!(accounts.erase(&admin, "ada").await.unwrap_err().code, ErrorCode::ReauthRequired);
    })
    .await;
}
