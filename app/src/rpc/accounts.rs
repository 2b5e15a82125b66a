//! What an administrator does with people, from their pages.

use std::collections::BTreeMap;

use domain::{ApiError, OrganisationId, SessionId, Time, UserId, access::Action, people::UserEdit};
use leptos::prelude::*;
use services::{Invitation, NewUser, Which, WhichPeople};

use super::{RpcError, Text, ssr};
use crate::{
    request::Links,
    text,
    written::{self, Outcome, people},
};

/// People whose states are asked for at once: those of a page.
const STATES_MAX: usize = 200;

/// The states of people, given by their ids with commas between, as a page shows them, and as of when.
#[server(prefix = "/rpc", endpoint = "states", output = Text)]
pub async fn states(#[server(default)] ids: String) -> Result<(Time, BTreeMap<UserId, String>), RpcError> {
    let services = ssr::services();
    let ids: Vec<UserId> = ids.split(',').filter_map(|id| id.parse().ok()).take(STATES_MAX).collect();
    let states = services.accounts.states(&ssr::actor()?, ids).await?;
    let html = states.into_iter().map(|(id, state)| (id, written::html(|| people::state(Some(state)))));
    Ok((services.clock.now(), html.collect()))
}

/// Teams as a field has them.
fn teams(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

/// Shows a link once, in place of the form that made it.
fn shown(say: String, until: &'static str, token: &services::Token, dialog: Option<&'static str>) -> Outcome {
    let link = use_context::<Links>().map(|l| l.reset(token)).unwrap_or_default();
    Outcome { show: Some(written::html(|| people::link(link, until, dialog))), ..Outcome::say(say) }
}

/// Says where an invitation went, or shows its link once.
fn invited(say: &str, id: UserId, invitation: &Invitation, dialog: Option<&'static str>) -> Outcome {
    match invitation {
        Invitation::Link(token) => shown(say.to_owned(), "a week", token, dialog),
        Invitation::Mailed(to) => {
            ssr::go(&format!("/admin/people/{id}"));
            Outcome::say(format!("{say} The invitation goes to {to}."))
        }
    }
}

/// Makes an account, and invites the person to choose a password.
#[server(prefix = "/rpc", endpoint = "add_person", output = Text)]
pub async fn add_person(
    username: String,
    #[server(default)] name: String,
    #[server(default)] email: String,
    #[server(default)] role: String,
    #[server(default)] organisation: String,
    #[server(default)] teams: String,
) -> Result<Outcome, RpcError> {
    let (accounts, actor) = (ssr::services().accounts, ssr::actor()?);
    let new = NewUser {
        username,
        name: Some(name),
        email: Some(email),
        role: Some(role),
        organisation: Some(organisation),
        teams: self::teams(&teams),
        password: None,
    };
    let user = accounts.add(&actor, new).await?;
    let invitation = accounts.invite(&actor, user.id).await?;
    Ok(invited(&format!("{} is added.", user.name), user.id, &invitation, Some("new-person")))
}

/// Changes an account; what a field says is what is then so.
#[server(prefix = "/rpc", endpoint = "edit_person", output = Text)]
pub async fn edit_person(
    id: UserId,
    username: String,
    name: String,
    #[server(default)] email: String,
    role: String,
    #[server(default)] organisation: String,
    #[server(default)] teams: String,
) -> Result<Outcome, RpcError> {
    let edit = UserEdit {
        username: Some(username),
        name: Some(name),
        email: Some(Some(email)),
        role: Some(role),
        organisation: Some(Some(organisation)),
        teams: Some(self::teams(&teams)),
    };
    let edited = ssr::services().accounts.edit(&ssr::actor()?, id, edit).await?;
    ssr::go(&format!("/admin/people/{id}"));
    Ok(Outcome::say(match edited.sessions_ended {
        0 => "Saved.".to_owned(),
        n => format!("Saved, and {} ended.", text::count(n, "session")),
    }))
}

/// Invites somebody who has no password yet.
#[server(prefix = "/rpc", endpoint = "invite_person", output = Text)]
pub async fn invite_person(id: UserId) -> Result<Outcome, RpcError> {
    let invitation = ssr::services().accounts.invite(&ssr::actor()?, id).await?;
    Ok(invited("The invitation is made.", id, &invitation, None))
}

/// Makes a link for somebody who forgot theirs, and mails it where it can be.
#[server(prefix = "/rpc", endpoint = "reset_link", output = Text)]
pub async fn reset_link(id: UserId) -> Result<Outcome, RpcError> {
    match ssr::services().accounts.send_reset(&ssr::actor()?, id).await? {
        Invitation::Link(token) => Ok(shown("The link is made.".to_owned(), "an hour", &token, None)),
        Invitation::Mailed(to) => Ok(Outcome::say(format!("The link goes to {to}, and works for an hour."))),
    }
}

/// Signs somebody out everywhere, and lets them in no more.
#[server(prefix = "/rpc", endpoint = "disable_person", output = Text)]
pub async fn disable_person(id: UserId) -> Result<Outcome, RpcError> {
    ssr::services().accounts.disable(&ssr::actor()?, id).await?;
    ssr::go(&format!("/admin/people/{id}"));
    Ok(Outcome::say("Disabled, and signed out everywhere."))
}

/// Lets a disabled person in again.
#[server(prefix = "/rpc", endpoint = "enable_person", output = Text)]
pub async fn enable_person(id: UserId) -> Result<Outcome, RpcError> {
    ssr::services().accounts.enable(&ssr::actor()?, id).await?;
    ssr::go(&format!("/admin/people/{id}"));
    Ok(Outcome::say("They may sign in again."))
}

/// Turns off the second factor of somebody who lost it.
#[server(prefix = "/rpc", endpoint = "reset_second_factor", output = Text)]
pub async fn reset_second_factor(id: UserId) -> Result<Outcome, RpcError> {
    ssr::services().second_factor.reset(&ssr::actor()?, id).await?;
    ssr::go(&format!("/admin/people/{id}"));
    Ok(Outcome::say("Off: their password alone is enough."))
}

/// Deletes a person, whose username is typed once more.
#[server(prefix = "/rpc", endpoint = "delete_person", output = Text)]
pub async fn delete_person(id: UserId, confirm: String) -> Result<Outcome, RpcError> {
    let (accounts, actor) = (ssr::services().accounts, ssr::actor()?);
    actor.require(Action::Accounts)?;
    let person = accounts.one(&actor, id).await?.user;
    if confirm.trim().to_lowercase() != person.username {
        return Err(ApiError::invalid("confirm", format!("Type {} to delete them.", person.username)).into());
    }
    let gone = accounts.delete(&actor, id).await?;
    let rows: u64 = gone.rows.values().sum();
    let go = "/admin/people";
    ssr::go(go);
    let say = format!("{} is deleted, with {}.", person.name, text::count(rows, "record"));
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say(say) })
}

/// Deletes a person, whose username is typed once more, with all that the audit log says of them.
#[server(prefix = "/rpc", endpoint = "erase_person", output = Text)]
pub async fn erase_person(id: UserId, confirm: String) -> Result<Outcome, RpcError> {
    let (accounts, actor) = (ssr::services().accounts, ssr::actor()?);
    actor.require(Action::Accounts)?;
    let person = accounts.one(&actor, id).await?.user;
    if confirm.trim().to_lowercase() != person.username {
        return Err(ApiError::invalid("confirm", format!("Type {} to erase them.", person.username)).into());
    }
    let gone = accounts.erase(&actor, id).await?;
    let go = "/admin/people";
    ssr::go(go);
    let entries = text::count(gone.audit_entries.unwrap_or_default(), "entry of the audit log");
    let say =
        format!("Erased, with what {} said.", entries.replace("entry of the audit logs", "entries of the audit log"));
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say(say) })
}

/// Moves people, given by their ids with commas between, to the organisation of this name, or to none. Shows how many
/// that would be, and how many sessions would end, until it is `confirmed`.
#[server(prefix = "/rpc", endpoint = "move_people", output = Text)]
pub async fn move_people(
    #[server(default)] ids: String,
    #[server(default)] to: String,
    #[server(default)] confirmed: bool,
) -> Result<Outcome, RpcError> {
    let (services, actor) = (ssr::services(), ssr::actor()?);
    let ids: Result<Vec<UserId>, _> = ids.split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| ApiError::invalid("ids", "Use ids of people, separated by commas."))?;
    let place: Option<OrganisationId> = match to.trim() {
        "" => None,
        name => {
            let page = services.directory.organisations(&actor, Some(name), 200, None).await?;
            let found = page.items.iter().find(|o| o.name == name);
            let none = || ApiError::invalid("to", "There is no organisation of this name any more.");
            Some(found.ok_or_else(none)?.id)
        }
    };
    let moved = services.accounts.move_people(&actor, WhichPeople::Ids(ids), place, !confirmed).await?;
    if !confirmed {
        let show = written::html(|| people::would_move(moved, to.trim().to_owned()));
        return Ok(Outcome { show: Some(show), ..Outcome::default() });
    }
    ssr::go("/admin/people");
    let (people, ended) = (text::count(moved.people, "account"), text::count(moved.sessions_ended, "session"));
    Ok(Outcome::say(format!("{people} moved, {ended} ended.")))
}

/// Leads to the file of a list, which is given by the query of its page.
#[server(prefix = "/rpc", endpoint = "export_people", output = Text)]
pub async fn export_people(#[server(default)] query: String) -> Result<Outcome, RpcError> {
    let (services, actor) = (ssr::services(), ssr::actor()?);
    let now = services.clock.now();
    services.accounts.count(&actor, &people::filter_of(&query, now)).await?;
    actor.require_fresh(now)?;
    let go = people::export(&query, now);
    ssr::go(&go);
    Ok(Outcome { go: Some(go), ..Outcome::default() })
}

/// Looks at a file of people, or adds them all when `act` is `import`, and invites them if asked.
#[server(prefix = "/rpc", endpoint = "import_people", output = Text)]
pub async fn import_people(
    #[server(default)] text: String,
    #[server(default)] act: String,
    #[server(default)] invite: bool,
) -> Result<Outcome, RpcError> {
    let (accounts, actor) = (ssr::services().accounts, ssr::actor()?);
    if act != "import" {
        let import = accounts.import(&actor, &text, true).await?;
        let show = written::html(|| people::preview(&import, text));
        return Ok(Outcome { show: Some(show), ..Outcome::say(people::looked(&import)) });
    }
    let import = accounts.import(&actor, &text, false).await?;
    let mut say = format!("{} added.", text::count(import.people, "account"));
    if invite {
        let invited = accounts.invite_all(&actor, import.ids).await?;
        if invited.mailed > 0 {
            say = format!("{say} {} on the way.", text::count(invited.mailed, "invitation"));
        }
        if let (false, Some(links)) = (invited.links.is_empty(), use_context::<Links>()) {
            let links: Vec<_> =
                invited.links.iter().map(|(username, token)| (username.clone(), links.reset(token))).collect();
            return Ok(Outcome { show: Some(written::html(|| people::links(&links))), ..Outcome::say(say) });
        }
    }
    let go = people::NEWEST;
    ssr::go(go);
    Ok(Outcome { go: Some(go.to_owned()), ..Outcome::say(say) })
}

/// Ends one session of somebody within reach.
#[server(prefix = "/rpc", endpoint = "end_session", output = Text)]
pub async fn end_session(id: SessionId) -> Result<Outcome, RpcError> {
    let ended = ssr::services().sessions.revoke(&ssr::actor()?, Which::Ids(vec![id]), true, false).await?;
    if ended == 0 {
        return Err(ApiError::not_found().into());
    }
    Ok(Outcome::say("The session is ended."))
}
