//! One person's page: who they are, where they are, what they may, and what can be done about it.

use domain::{
    ApiError, Reach, Time,
    access::{Action, reach},
    people::{AccountRow, GoesWith, Moment, MomentKind},
    presence::{history::PresenceDay, view::Why},
    session::{EndReason, SessionFilter, SessionSort, SessionState, SessionView},
};
use leptos::prelude::*;
use services::{Opened, Page};

use super::{Form, Values, fields, organisations, roles, state};
use crate::{
    components::strip::Strip,
    text,
    written::{
        Asked, Written,
        audit::readable,
        page,
        part::{Field, confirm, exact, field, refusal, refused, summary, when},
    },
};

/// Moments of the timeline on one page.
const MOMENTS: u32 = 20;
/// Sessions shown here; the rest is in the list of sessions.
const SESSIONS: u32 = 20;

pub(crate) async fn write(asked: &Asked<'_>, id: &str) -> Result<Written, ApiError> {
    let id = uuid::Uuid::parse_str(id).map_err(|_| ApiError::not_found())?;
    let services = asked.services;
    let Opened { person, why, day } =
        services.open_person(asked.actor, id, &asked.now.exact()[..10], asked.again).await?;
    let filter = SessionFilter {
        user: Some(person.user.username.clone()),
        state: Some(SessionState::Live),
        ..SessionFilter::default()
    };
    let sessions = services.sessions.list(asked.actor, &filter, SessionSort::Activity, SESSIONS, None).await?;
    let manage = if asked.actor.reach(Action::Accounts) == Reach::Everything {
        let (roles, organisations) = (roles(asked).await?, organisations(asked).await?);
        Some((roles, organisations, services.accounts.goes_with(asked.actor, id).await?))
    } else {
        None
    };
    let cursor = asked.query.get("cursor");
    let timeline = services.accounts.timeline(asked.actor, id, MOMENTS, cursor).await?;
    // Counting them reads the whole log: only when it is asked for.
    let erases = match (asked.query.get("erase"), &manage) {
        (Some(_), Some(_)) => Some(services.accounts.erases(asked.actor, id).await?),
        _ => None,
    };
    let total = sessions.total.unwrap_or_default();
    Ok(page(person.user.name.clone(), || {
        view! {
            {confirm(asked)}
            {refused(asked)}
            <div class="stack">
                <section class="card" aria-label="Person" data-part="person">{header(&person, &why, day)}</section>
                <section class="card" aria-labelledby="sessions-title" data-part="sessions">
                    {live(&person, &sessions.items, total)}
                </section>
                <section class="card" aria-labelledby="timeline-title" data-part="timeline">
                    {story(asked, &person, &timeline)}
                </section>
                <section class="card" aria-labelledby="permissions-title" data-part="permissions">
                    <header><h2 id="permissions-title">"Permissions"</h2></header>
                    <div class="body">{permissions(&person)}</div>
                </section>
                <div data-part="erase">{erases.map(|goes| erase(asked, &person, &goes))}</div>
                {manage.map(|(roles, organisations, goes)| view! {
                    <section class="card" aria-labelledby="edit-title">
                        <header><h2 id="edit-title">"Edit"</h2></header>
                        <div class="body">{edit(asked, &person, &roles, &organisations, total)}</div>
                    </section>
                    <section class="card" aria-labelledby="account-title" data-part="account">
                        <header><h2 id="account-title">"Account"</h2></header>
                        <div class="body">{account(asked, &person, &goes)}</div>
                    </section>
                })}
            </div>
        }
    }))
}

fn header(p: &AccountRow, why: &Why, day: PresenceDay) -> impl IntoView + use<> {
    let u = &p.user;
    let never = || view! { "Never" };
    view! {
        <header class="tags">
            <span data-person=u.id.to_string()>{state(p.state)}</span>
            <span class="tag">{text::capital(&u.role)}</span>
            {u.organisation.clone().map(|o| view! { <span class="tag">{o}</span> })}
            {p.disabled_at.map(|_| view! { <span class="tag bad">"Disabled"</span> })}
            {(!p.has_password).then(|| view! { <span class="tag">"Has not chosen a password yet"</span> })}
        </header>
        <div class="body stack">
        <dl class="facts">
            <dt>"Username"</dt>
            <dd>{u.username.clone()}</dd>
            <dt>"E-mail"</dt>
            <dd>{u.email.clone().unwrap_or_else(|| "–".to_owned())}</dd>
            <dt>"Teams"</dt>
            <dd>{if u.teams.is_empty() { "–".to_owned() } else { u.teams.join(", ") }}</dd>
            <dt>"Member since"</dt>
            <dd>{when(p.created_at, false)}</dd>
            <dt>"Last sign-in"</dt>
            <dd>{p.last_sign_in_at.map(|at: Time| when(at, false)).map_or_else(|| never().into_any(), IntoAny::into_any)}</dd>
        </dl>
        <p class="why">
            <b>{format!("Why {}? ", why.state.as_str())}</b>
            {why.sentence.clone()} " " <span class="muted">{why.limits.clone()}</span>
        </p>
        <h2>"Today"</h2>
        <Strip day=day />
        </div>
    }
}

fn live(p: &AccountRow, sessions: &[SessionView], total: u64) -> impl IntoView + use<> {
    let all = format!("/admin/sessions?user={}", crate::routes::escape(&p.user.username));
    let files = format!("/admin/files?user={}", crate::routes::escape(&p.user.username));
    let rows = sessions.iter().map(session).collect_view();
    view! {
        <header>
            <h2 id="sessions-title">{text::count(total, "live session")}</h2>
            <span class="acts"><a href=files>"Files"</a><a href=all>"All sessions"</a></span>
        </header>
        {(total > 0).then(|| view! {
            <table class="listed" role="table" aria-labelledby="sessions-title">
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Device"</th>
                        <th scope="col" role="columnheader">"Address"</th>
                        <th scope="col" role="columnheader">"Signed in"</th>
                        <th scope="col" role="columnheader">"Last activity"</th>
                        <th scope="col" role="columnheader"><span class="hidden">"Action"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        })}
    }
}

/// Sign-ins, ends of sessions and what was done to the account, newest first.
fn story(asked: &Asked, p: &AccountRow, timeline: &Page<Moment>) -> impl IntoView + use<> {
    let log = format!("/admin/audit?subject={}", crate::routes::escape(&p.user.username));
    let reads = asked.actor.reach(Action::Audit) == Reach::Everything;
    let rows = timeline.items.iter().map(|m| moment(m, &p.user.username)).collect_view();
    let newest = asked.query.with(asked.path, "cursor", None);
    let older = timeline.next.as_deref().map(|next| asked.query.with(asked.path, "cursor", Some(next)));
    view! {
        <header>
            <h2 id="timeline-title">"Timeline"</h2>
            {reads.then(|| view! { <a href=log>"In the audit log"</a> })}
        </header>
        {timeline.items.is_empty().then(|| view! { <p class="empty">"Nothing has happened yet."</p> })}
        {(!timeline.items.is_empty()).then(|| view! {
            <table class="listed" role="table" aria-labelledby="timeline-title">
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"When"</th>
                        <th scope="col" role="columnheader">"What"</th>
                        <th scope="col" role="columnheader">"By"</th>
                        <th scope="col" role="columnheader">"Address"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        })}
        <nav class="pager" aria-label="Pages of the timeline">
            {asked.query.get("cursor").map(|_| view! { <a class="button" href=newest>"Newest"</a> })}
            {older.map(|href| view! { <a class="button" href=href>"Older"</a> })}
        </nav>
    }
}

fn moment(m: &Moment, username: &str) -> impl IntoView + use<> {
    let device = m.device.clone();
    let (what, more) = match m.kind {
        MomentKind::SignedIn => ("Signed in".to_owned(), device),
        MomentKind::Ended if m.reason == Some(EndReason::Logout) => ("Signed out".to_owned(), device),
        MomentKind::Ended => {
            let reason = m.reason.map(|r| format!(": {}", r.as_str().replace('_', " "))).unwrap_or_default();
            (format!("Session ended{reason}"), device)
        }
        MomentKind::Act => {
            let action = m.action.as_deref().unwrap_or_default().replace('_', " ");
            (text::capital(&action), m.details.as_ref().map(readable))
        }
    };
    let by = m.by.clone().filter(|by| by != username);
    let label = by.is_some().then_some("By");
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{exact(m.at)}</th>
            <td role="cell">{what}<small class="muted">{more}</small></td>
            <td role="cell" data-label=label>{by}</td>
            <td role="cell" class="mono">{m.ip.clone()}</td>
        </tr>
    }
}

fn session(s: &SessionView) -> impl IntoView + use<> {
    let label = s.device_label();
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">
                {label.clone()}{s.current.then(|| view! { <span class="tag accent">"This device"</span> })}
            </th>
            <td role="cell" class="mono">{s.ip.clone()}<small class="muted">{s.place.clone()}</small></td>
            <td role="cell" data-label="Signed in">{when(s.created_at, false)}</td>
            <td role="cell" data-label="Last activity">{when(s.last_activity_at, true)}</td>
            <td role="cell" class="act">
                <form method="post" action="/rpc/end_session">
                    <input type="hidden" name="id" value=s.id.to_string() />
                    <button class="button danger" aria-label=format!("End {label}")>"End"</button>
                </form>
            </td>
        </tr>
    }
}

/// What the one table of permissions says of this role in this organisation.
fn permissions(p: &AccountRow) -> impl IntoView + use<> {
    let reaches = Action::ALL.map(|a| (a, reach(p.user.level, p.user.organisation_id, a)));
    let lines = |wanted: fn(Reach) -> bool| {
        let words: Vec<_> = reaches.iter().filter(|(_, r)| wanted(*r)).map(|(a, _)| a.words()).collect();
        (!words.is_empty()).then(|| words.into_iter().map(|w| view! { <li>{w}</li> }).collect_view())
    };
    let everything = lines(|r| r == Reach::Everything);
    let own = lines(|r| matches!(r, Reach::Organisation(_)));
    let of = p.user.organisation.clone().unwrap_or_default();
    view! {
        <p>{text::level(p.user.level)} "."</p>
        {everything.map(|lines| view! { <h3>"Of everybody"</h3> <ul class="words">{lines}</ul> })}
        {own.map(|lines| view! { <h3>{format!("Of {of}")}</h3> <ul class="words">{lines}</ul> })}
    }
}

fn edit(asked: &Asked, p: &AccountRow, roles: &[String], organisations: &[String], live: u64) -> impl IntoView + use<> {
    let error = refusal(asked, "/rpc/edit_person");
    let u = &p.user;
    let values = Values {
        username: u.username.clone(),
        name: u.name.clone(),
        email: u.email.clone().unwrap_or_default(),
        role: u.role.clone(),
        organisation: u.organisation.clone().unwrap_or_default(),
        teams: u.teams.join("; "),
    };
    let form = Form { prefix: "edit", error: error.as_ref(), roles, organisations, values };
    let warning = match live {
        0 => "Another role or organisation counts from the next sign-in.".to_owned(),
        n => format!("Another role or organisation signs them out: {} would end.", text::count(n, "session")),
    };
    view! {
        <form method="post" action="/rpc/edit_person" data-keeps="">
            {summary(error.as_ref())}
            <input type="hidden" name="id" value=u.id.to_string() />
            {fields(form)}
            <p class="hint">{warning}</p>
            <div class="actions"><button class="button primary">"Save"</button></div>
        </form>
    }
}

/// Links, disabling, a lost second factor, and deleting.
fn account(asked: &Asked, p: &AccountRow, goes: &GoesWith) -> impl IntoView + use<> {
    let (id, name, username) = (p.user.id.to_string(), p.user.name.clone(), p.user.username.clone());
    let (link, made) = if p.has_password {
        ("/rpc/reset_link", "Make a link to reset the password")
    } else {
        (
            "/rpc/invite_person",
            if asked.services.mail.is_configured() && p.user.email.is_some() {
                "Invite by mail"
            } else {
                "Make an invitation link"
            },
        )
    };
    let (door, word) =
        if p.disabled_at.is_some() { ("/rpc/enable_person", "Enable") } else { ("/rpc/disable_person", "Disable") };
    let hidden = |id: &str| {
        let id = id.to_owned();
        view! { <input type="hidden" name="id" value=id /> }
    };
    let second = goes.rows.get("second_factors").is_some_and(|n| *n > 0);
    let error = refusal(asked, "/rpc/delete_person");
    let rows = goes.rows.iter().filter(|(_, n)| **n > 0).map(|(kind, n)| {
        view! { <li>{format!("{n} {}", kind.replace('_', " "))}</li> }
    });
    let confirm =
        Field { prefix: "delete", hint: "This cannot be undone.", ..Field::new("confirm", "Type the username") };
    view! {
        <div class="acts">
            {p.disabled_at.is_none().then(|| view! {
                <form method="post" action=link>{hidden(&id)}<button class="button">{made}</button></form>
            })}
            <form method="post" action=door class="acts">
                {hidden(&id)}
                <button class="button">{word}</button>
                <span class="hint">
                    {if p.disabled_at.is_some() { "Lets them sign in again." } else { "Signs them out everywhere and lets them in no more." }}
                </span>
            </form>
            {second.then(|| view! {
                <form method="post" action="/rpc/reset_second_factor">
                    {hidden(&id)}<button class="button">"Turn the second factor off"</button>
                </form>
            })}
            <button type="button" class="button danger" command="show-modal" commandfor="delete-person">"Delete …"</button>
            <a class="button danger" href=asked.query.with(asked.path, "erase", Some("1"))>"Erase …"</a>
        </div>
        <dialog id="delete-person" class="dialog" aria-labelledby="delete-person-title">
            <h2 id="delete-person-title">{format!("Delete {name}?")}</h2>
            <form method="post" action="/rpc/delete_person">
                {summary(error.as_ref())}
                {hidden(&id)}
                <p>{format!("With the account go, for good ({} live):", text::count(goes.live_sessions, "session"))}</p>
                <ul class="words">{rows.collect_view()}</ul>
                <p>"What they did stays in the audit log, under the username " <b>{username}</b> "."</p>
                {field(confirm, error.as_ref())}
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="delete-person">"Cancel"</button>
                    <button class="button primary danger">"Delete"</button>
                </div>
            </form>
        </dialog>
    }
}

/// Erasing: what would go, counted, and the username to type.
fn erase(asked: &Asked, p: &AccountRow, goes: &GoesWith) -> impl IntoView + use<> {
    let error = refusal(asked, "/rpc/erase_person");
    let rows: u64 = goes.rows.values().sum();
    let entries = goes.audit_entries.unwrap_or_default();
    let keep = asked.query.with(asked.path, "erase", None);
    let confirm =
        Field { prefix: "erase", hint: "This cannot be undone.", ..Field::new("confirm", "Type the username") };
    view! {
        <section class="card" aria-labelledby="erase-title">
            <header><h2 id="erase-title">{format!("Erase {}?", p.user.name)}</h2></header>
            <form class="body" method="post" action="/rpc/erase_person">
                {summary(error.as_ref())}
                <input type="hidden" name="id" value=p.user.id.to_string() />
                <p>
                    {format!("With the account go {} ({} live), for good.", text::count(rows, "record"), text::count(goes.live_sessions, "session"))}
                </p>
                <p>
                    {format!("What the audit log says of them goes too, now in {}: a pseudonym stands in its place, and verifying the log still succeeds.",
                        if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") })}
                </p>
                {field(confirm, error.as_ref())}
                <div class="actions start">
                    <button class="button danger">"Erase"</button>
                    <a class="button quiet" href=keep>"Keep them"</a>
                </div>
            </form>
        </section>
    }
}
