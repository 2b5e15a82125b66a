//! Everybody who has an account.

use domain::{
    ApiError, Reach,
    access::Action,
    people::{AccountRow, Moved, UserSort},
    presence::State,
};
use leptos::prelude::*;

use super::{FILTERS, Form, SIGNED_IN, Values, fields, filter, organisations, roles, state, teams};
use crate::{
    text,
    written::{
        Asked, Written, page,
        part::{apply, chip, confirm, empty, exact, pager, refusal, refused, search, sorted, summary, when},
    },
};

const LIMIT: u32 = 50;

pub(crate) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let q = &asked.query;
    let sort = q.word("sort", UserSort::parse).unwrap_or_default();
    let filter = filter(q, asked.now);
    let list = asked.services.accounts.list(asked.actor, &filter, sort, LIMIT, q.get("cursor")).await?;
    let (organisations, roles) = (organisations(asked).await?, roles(asked).await?);
    let teams = teams(asked).await?;
    let manages = asked.actor.reach(Action::Accounts) == Reach::Everything;
    let states = State::ALL.map(|s| (s.as_str().to_owned(), s.word().to_lowercase())).to_vec();
    let accounts = ["enabled", "disabled"].map(|w| (w.to_owned(), w.to_owned())).to_vec();
    let signed_in = SIGNED_IN.iter().map(|(word, said, ..)| ((*word).to_owned(), (*said).to_owned())).collect();
    let named = |all: &[String]| all.iter().map(|n| (n.clone(), n.clone())).collect::<Vec<_>>();
    Ok(page("People", || {
        let rows = list.items.iter().map(|r| row(r, manages)).collect_view();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="People">
                {search(q, "Find a person")}
                {chip(q, "state", "State", states)}
                {chip(q, "role", "Role", named(&roles))}
                {manages.then(|| chip(q, "org", "Organisation", named(&organisations)))}
                {chip(q, "account", "Account", accounts)}
                {chip(q, "signed_in", "Signed in", signed_in)}
                {chip(q, "team", "Team", teams)}
                {apply(asked, &FILTERS)}
                <span class="end">
                    {manages.then(|| view! {
                        <button type="button" class="button needs-script" command="show-modal" commandfor="move" data-some="">
                            "Move " <span data-count="">"0"</span> " …"
                        </button>
                        <a class="button" href="/admin/people/import">"Import"</a>
                        <button type="button" class="button primary" command="show-modal" commandfor="new-person">"New person"</button>
                    })}
                </span>
            </form>
            <section class="card" data-part="list">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of people">
                    <table class="listed" role="table">
                        <caption class="hidden">"People"</caption>
                        <thead role="rowgroup">
                            <tr role="row">
                                {manages.then(|| view! {
                                    <th scope="col" role="columnheader" class="tick">
                                        <input type="checkbox" data-all="" aria-label="Choose everybody on this page" />
                                    </th>
                                })}
                                {sorted(asked, "Person", &[("name", "ascending")], "name")}
                                <th scope="col" role="columnheader">"State"</th>
                                <th scope="col" role="columnheader">"Role"</th>
                                <th scope="col" role="columnheader">"Organisation"</th>
                                {sorted(asked, "Last sign-in", &[("sign_in", "descending"), ("dormant", "ascending")], "name")}
                                {sorted(asked, "Member since", &[("created", "descending")], "name")}
                                <th scope="col" role="columnheader">"Account"</th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nobody has an account yet.", "people"))}
                <p class="empty">"States as of " <span data-as-of="">{exact(asked.now)}</span> "."</p>
                {pager(asked, list.items.len(), list.total, "account", list.next.as_deref())}
                <form class="body" method="post" action="/rpc/export_people">
                    <input type="hidden" name="query" value=query(asked) />
                    <button class="button">"Download as CSV"</button>
                </form>
            </section>
            {manages.then(|| new_person(asked, &roles, &organisations))}
            {manages.then(|| move_people(&organisations))}
        }
    }))
}

fn row(r: &AccountRow, ticks: bool) -> impl IntoView + use<> {
    let (id, u) = (r.user.id.to_string(), &r.user);
    let account = match (r.disabled_at, r.has_password) {
        (Some(_), _) => Some("Disabled"),
        (None, false) => Some("Invited"),
        (None, true) => None,
    };
    let teams = (!u.teams.is_empty()).then(|| view! { <small class="muted">{u.teams.join(", ")}</small> });
    let last = r.last_sign_in_at.map_or_else(|| view! { "never" }.into_any(), |at| when(at, true).into_any());
    view! {
        <tr role="row">
            {ticks.then(|| view! {
                <td role="cell" class="tick">
                    <input type="checkbox" name="ids" value=id.clone() form="move-form" aria-label=format!("Choose {}", u.name) />
                </td>
            })}
            <th scope="row" role="rowheader">
                <a href=format!("/admin/people/{id}")>{u.name.clone()}</a>
                <small class="muted">{u.username.clone()}</small>
            </th>
            <td role="cell" data-person=id.clone()>{state(r.state)}</td>
            <td role="cell">{text::capital(&u.role)}</td>
            <td role="cell">{u.organisation.clone()}{teams}</td>
            <td role="cell" data-label="Last sign-in">{last}</td>
            <td role="cell" data-label="Member since">{when(r.created_at, true)}</td>
            <td role="cell">{account.map(|word| view! { <span class="tag">{word}</span> })}</td>
        </tr>
    }
}

/// The list as it is filtered, for the door of the export.
fn query(asked: &Asked) -> String {
    let with = asked.query.with("", "cursor", None);
    with.strip_prefix('?').unwrap_or_default().to_owned()
}

fn new_person(asked: &Asked, roles: &[String], organisations: &[String]) -> impl IntoView + use<> {
    let error = refusal(asked, "/rpc/add_person");
    let values = Values { role: "member".to_owned(), ..Values::default() };
    let form = Form { prefix: "new", error: error.as_ref(), roles, organisations, values };
    view! {
        <dialog id="new-person" class="dialog" aria-labelledby="new-person-title">
            <h2 id="new-person-title">"New person"</h2>
            <form method="post" action="/rpc/add_person">
                {summary(error.as_ref())}
                {fields(form)}
                <p class="hint">"You get a link by which they choose their own password."</p>
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="new-person">"Cancel"</button>
                    <button class="button primary">"Add and invite"</button>
                </div>
            </form>
        </dialog>
    }
}

/// What a move would do, and the button that does it.
pub(crate) fn would_move(moved: Moved, to: String) -> impl IntoView {
    let people = text::count(moved.people, "account");
    let place = if to.is_empty() { "out of any organisation".to_owned() } else { format!("to {to}") };
    let says = match moved.people {
        0 => "Everybody chosen is there already.".to_owned(),
        _ => format!(
            "{people} would move {place}, and {} would end at once. They leave their teams.",
            text::count(moved.sessions_ended, "live session")
        ),
    };
    view! {
        <p>{says}</p>
        <input type="hidden" name="to" value=to />
        <input type="hidden" name="confirmed" value="true" />
        <div class="actions">
            <button type="button" class="button" command="close" commandfor="move">"Cancel"</button>
            {(moved.people > 0).then(|| view! { <button class="button primary">{format!("Move {people}")}</button> })}
        </div>
    }
}

fn move_people(organisations: &[String]) -> impl IntoView + use<> {
    let options = organisations.iter().map(|o| view! { <option value=o.clone()>{o.clone()}</option> }).collect_view();
    view! {
        <dialog id="move" class="dialog" aria-labelledby="move-title">
            <h2 id="move-title">"Move people"</h2>
            <form method="post" action="/rpc/move_people" id="move-form">
                <p>"Chosen: " <b data-count="">"0"</b> ". Those who move leave their teams and are signed out everywhere; you see first how many."</p>
                <div class="field">
                    <label for="move-to">"To"</label>
                    <select id="move-to" name="to">
                        <option value="">"No organisation"</option>
                        {options}
                    </select>
                </div>
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="move">"Cancel"</button>
                    <button class="button primary">"Preview"</button>
                </div>
            </form>
        </dialog>
    }
}
