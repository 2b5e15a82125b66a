//! Organisations with their teams, and roles.

use domain::{
    ApiError, Level, Reach,
    access::Action,
    people::{OrganisationView, RoleView, TeamView},
};
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{Field, apply, confirm, empty, field, pager, refusal, refused, search, summary, when},
};
use crate::text;

const LIMIT: u32 = 50;
/// Teams of one organisation that are shown; nobody has more.
const TEAMS: u32 = 200;

pub(super) async fn organisations(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, directory) = (&asked.query, &asked.services.directory);
    let list = directory.organisations(asked.actor, q.get("q"), LIMIT, q.get("cursor")).await?;
    // A manager has one, which is open.
    let only = (list.total == Some(1)).then(|| list.items.first()).flatten().map(|o| o.id);
    let opened = match q.word("open", |id| uuid::Uuid::parse_str(id).ok()).or(only) {
        None => None,
        Some(id) => {
            let organisation = directory.organisation(asked.actor, id).await?;
            Some((organisation, directory.teams(asked.actor, Some(id), TEAMS, None).await?.items))
        }
    };
    let manages = asked.actor.reach(Action::Directory) == Reach::Everything;
    let others: Vec<OrganisationView> = match &opened {
        Some((one, _)) if manages => {
            let all = directory.organisations(asked.actor, None, 200, None).await?.items;
            all.into_iter().filter(|o| o.id != one.id).collect()
        }
        _ => vec![],
    };
    Ok(page("Organisations", || {
        let rows = list.items.iter().map(|o| organisation(asked, o)).collect_view();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Organisations">
                {search(q, "Find by name")}
                {apply(asked, &["q"])}
                <span class="end">
                    <a class="button" href="/admin/roles">"Roles"</a>
                    {manages.then(|| view! {
                        <button type="button" class="button primary" command="show-modal" commandfor="new-organisation">
                            "New organisation"
                        </button>
                    })}
                </span>
            </form>
            <div class="stack">
            <section class="card" data-part="list">
                <table class="listed" role="table" aria-label="Organisations">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">"Organisation"</th>
                            <th scope="col" role="columnheader">"People"</th>
                            <th scope="col" role="columnheader">"Teams"</th>
                            <th scope="col" role="columnheader">"Since"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
                {list.items.is_empty().then(|| empty(asked, &["q"], "There is no organisation yet.", "organisations"))}
                {pager(asked, list.items.len(), list.total, "organisation", list.next.as_deref())}
            </section>
            <div data-part="open">{opened.map(|(o, teams)| open(asked, &o, &teams, &others, manages))}</div>
            </div>
            {manages.then(|| new_organisation(asked))}
        }
    }))
}

fn organisation(asked: &Asked, o: &OrganisationView) -> impl IntoView + use<> {
    let id = o.id.to_string();
    let people = format!("/admin/people?org={}", crate::routes::escape(&o.name));
    view! {
        <tr role="row" class:current=asked.query.get("open") == Some(&id)>
            <th scope="row" role="rowheader">
                <a href=asked.query.with(asked.path, "open", Some(&id)) data-noscroll="">{o.name.clone()}</a>
            </th>
            <td role="cell" data-label="People"><a href=people>{o.people.to_string()}</a></td>
            <td role="cell" data-label="Teams">{o.teams.to_string()}</td>
            <td role="cell" data-label="Since">{when(o.created_at, true)}</td>
        </tr>
    }
}

fn open(
    asked: &Asked,
    o: &OrganisationView,
    teams: &[TeamView],
    others: &[OrganisationView],
    manages: bool,
) -> impl IntoView + use<> {
    let rows = teams.iter().map(|t| team(t, teams, manages)).collect_view();
    let id = o.id.to_string();
    let targets = others.iter().map(|o| (o.id.to_string(), o.name.clone())).collect::<Vec<_>>();
    let note = format!(
        "{} leave their teams and are signed out; {} go with it.",
        text::count(o.people, "account"),
        text::count(o.teams, "team")
    );
    let delete = Delete {
        id: id.clone(),
        door: "/rpc/delete_organisation",
        key: "organisation".to_owned(),
        name: o.name.clone(),
        people: o.people,
        note,
        nowhere: Some("No organisation"),
        targets,
    };
    let error = refusal(asked, "/rpc/add_team");
    let new_team = Field { prefix: "team", ..Field::new("name", "New team") };
    view! {
        <section class="card" aria-labelledby="open-title">
            <header>
                <h2 id="open-title">{o.name.clone()}</h2>
                {manages.then(|| view! { <span class="acts">{rename("/rpc/rename_organisation", &id, &o.name)}{deleting(delete)}</span> })}
            </header>
            {teams.is_empty().then(|| view! { <p class="empty">"It has no teams."</p> })}
            {(!teams.is_empty()).then(|| view! {
                <table class="listed" role="table" aria-label="Teams">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">"Team"</th>
                            <th scope="col" role="columnheader">"People"</th>
                            <th scope="col" role="columnheader"><span class="hidden">"Action"</span></th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            })}
            {manages.then(|| view! {
                <form method="post" action="/rpc/add_team" class="body inline">
                    {summary(error.as_ref())}
                    <input type="hidden" name="organisation_id" value=id.clone() />
                    {field(new_team, error.as_ref())}
                    <button class="button">"Add team"</button>
                </form>
            })}
        </section>
    }
}

fn team(t: &TeamView, all: &[TeamView], manages: bool) -> impl IntoView + use<> {
    let id = t.id.to_string();
    let people = format!("/admin/people?team={id}");
    let targets = all.iter().filter(|o| o.id != t.id).map(|o| (o.id.to_string(), o.name.clone())).collect();
    let delete = Delete {
        id: id.clone(),
        door: "/rpc/delete_team",
        key: format!("team-{id}"),
        name: t.name.clone(),
        people: t.people,
        note: format!("{} in it.", text::count(t.people, "account")),
        nowhere: Some("No team"),
        targets,
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{t.name.clone()}</th>
            <td role="cell" data-label="People"><a href=people>{t.people.to_string()}</a></td>
            <td role="cell" class="act">
                {manages.then(|| view! { <span class="acts">{rename("/rpc/rename_team", &id, &t.name)}{deleting(delete)}</span> })}
            </td>
        </tr>
    }
}

pub(super) async fn roles(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let all = asked.services.directory.roles(asked.actor).await?;
    let manages = asked.actor.reach(Action::Directory) == Reach::Everything;
    let error = refusal(asked, "/rpc/add_role");
    Ok(page("Roles", || {
        let settings = asked.services.settings.now();
        let rows =
            all.iter().map(|r| role(r, &all, manages, settings.second_factor_roles.contains(&r.name))).collect_view();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <div class="stack">
            <section class="card" aria-labelledby="roles-title" data-part="list">
                <header>
                    <h2 id="roles-title">{text::count(all.len() as u64, "role")}</h2>
                    <a href="/admin/organisations">"Organisations"</a>
                </header>
                <table class="listed" role="table" aria-labelledby="roles-title">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">"Role"</th>
                            <th scope="col" role="columnheader">"Level"</th>
                            <th scope="col" role="columnheader">"Second factor"</th>
                            <th scope="col" role="columnheader">"People"</th>
                            <th scope="col" role="columnheader"><span class="hidden">"Action"</span></th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
                {manages.then(|| view! {
                    <div class="body">
                        <p class="hint">
                            "Where a second factor is required, people without one are led to set it up right after signing in, \
                             and nothing else works for them until they have."
                        </p>
                        <p><a class="button" href="/admin/settings#f-second_factor_roles">"Choose the roles"</a></p>
                    </div>
                })}
            </section>
            {manages.then(|| view! {
                <section class="card" aria-labelledby="new-role-title">
                    <header><h2 id="new-role-title">"New role"</h2></header>
                    <form method="post" action="/rpc/add_role" class="body inline">
                        {summary(error.as_ref())}
                        {field(Field { prefix: "role", ..Field::new("name", "Name") }, error.as_ref())}
                        {levels("new-role", Level::Member)}
                        <button class="button">"Add role"</button>
                    </form>
                </section>
            })}
            </div>
        }
    }))
}

fn role(r: &RoleView, all: &[RoleView], manages: bool, second_factor: bool) -> impl IntoView + use<> {
    let id = r.id.to_string();
    let people = format!("/admin/people?role={}", crate::routes::escape(&r.name));
    let targets = all.iter().filter(|o| o.id != r.id).map(|o| (o.id.to_string(), text::capital(&o.name))).collect();
    let delete = Delete {
        id: id.clone(),
        door: "/rpc/delete_role",
        key: format!("role-{id}"),
        name: r.name.clone(),
        people: r.people,
        note: format!("{} get another role and are signed out.", text::count(r.people, "account")),
        nowhere: None,
        targets,
    };
    let key = format!("edit-{id}");
    let (title, known) = (format!("{key}-title"), r.name.clone());
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">
                {text::capital(&r.name)} {r.built_in.then(|| view! { " " <span class="tag">"Built in"</span> })}
            </th>
            <td role="cell" data-label="Level">{text::level(r.level)}</td>
            <td role="cell" data-label="Second factor">{if second_factor { "Required" } else { "Optional" }}</td>
            <td role="cell" data-label="People"><a href=people>{r.people.to_string()}</a></td>
            <td role="cell" class="act">
                {(manages && !r.built_in).then(|| view! {
                    <span class="acts">
                        <button type="button" class="button" command="show-modal" commandfor=key.clone()
                            aria-label=format!("Change {known}")>"Change …"</button>
                        <dialog id=key.clone() class="dialog" aria-labelledby=title.clone()>
                            <h2 id=title.clone()>{format!("Change {known}")}</h2>
                            <form method="post" action="/rpc/edit_role">
                                <input type="hidden" name="id" value=id.clone() />
                                {named(&id, &known)}
                                {levels(&id, r.level)}
                                <p class="hint">"Another level signs its people out everywhere."</p>
                                <div class="actions">
                                    <button type="button" class="button" command="close" commandfor=key.clone()>"Cancel"</button>
                                    <button class="button primary">"Save"</button>
                                </div>
                            </form>
                        </dialog>
                        {deleting(delete)}
                    </span>
                })}
            </td>
        </tr>
    }
}

fn levels(key: &str, chosen: Level) -> impl IntoView + use<> {
    let id = format!("level-{key}");
    let options = Level::ALL.map(|l| {
        view! { <option value=l.as_str() selected=l == chosen>{text::capital(l.as_str()) + ": " + &text::level(l).to_lowercase()}</option> }
    });
    view! {
        <div class="field">
            <label for=id.clone()>"Level"</label>
            <select id=id name="level">{options.into_iter().collect_view()}</select>
        </div>
    }
}

/// The field of a name that is there already; several are on one page.
fn named(key: &str, name: &str) -> impl IntoView + use<> {
    let id = format!("name-{key}");
    view! {
        <div class="field">
            <label for=id.clone()>"Name"</label>
            <input id=id name="name" required maxlength="100" autocomplete="off" value=name.to_owned() />
        </div>
    }
}

/// A button with a dialog in which a new name is given.
fn rename(door: &'static str, id: &str, name: &str) -> impl IntoView + use<> {
    let key = format!("rename-{id}");
    let title = format!("{key}-title");
    view! {
        <button type="button" class="button" command="show-modal" commandfor=key.clone() aria-label=format!("Rename {name}")>
            "Rename …"
        </button>
        <dialog id=key.clone() class="dialog" aria-labelledby=title.clone()>
            <h2 id=title.clone()>{format!("Rename {name}")}</h2>
            <form method="post" action=door>
                <input type="hidden" name="id" value=id.to_owned() />
                {named(id, name)}
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor=key.clone()>"Cancel"</button>
                    <button class="button primary">"Rename"</button>
                </div>
            </form>
        </dialog>
    }
}

/// What a dialog that deletes asks.
struct Delete {
    id: String,
    door: &'static str,
    /// Told apart from other dialogs of the page.
    key: String,
    name: String,
    people: u64,
    note: String,
    /// The word for people who shall be in none, where that can be.
    nowhere: Option<&'static str>,
    /// Where people can go: ids and names.
    targets: Vec<(String, String)>,
}

fn deleting(d: Delete) -> impl IntoView {
    let key = format!("delete-{}", d.key);
    let (title, to, typed) = (format!("{key}-title"), format!("{key}-to"), format!("{key}-confirm"));
    let options = d.targets.into_iter().map(|(id, name)| view! { <option value=id>{name}</option> }).collect_view();
    let (name, go) = (d.name.clone(), d.people > 0);
    view! {
        <button type="button" class="button danger" command="show-modal" commandfor=key.clone() aria-label=format!("Delete {name}")>
            "Delete …"
        </button>
        <dialog id=key.clone() class="dialog" aria-labelledby=title.clone()>
            <h2 id=title.clone()>{format!("Delete {name}?")}</h2>
            <form method="post" action=d.door>
                <input type="hidden" name="id" value=d.id />
                {go.then(|| view! {
                    <p>{d.note}</p>
                    <div class="field">
                        <label for=to.clone()>"Its people go to"</label>
                        <select id=to.clone() name="move_to" required>
                            <option value="">"Choose"</option>
                            {d.nowhere.map(|word| view! { <option value="none">{word}</option> })}
                            {options}
                        </select>
                    </div>
                })}
                <div class="field">
                    <label for=typed.clone()>"Type the name"</label>
                    <input id=typed.clone() name="confirm" required autocomplete="off" aria-describedby=format!("{typed}-hint") />
                    <p class="hint" id=format!("{typed}-hint")>"This cannot be undone."</p>
                </div>
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor=key.clone()>"Cancel"</button>
                    <button class="button primary danger">"Delete"</button>
                </div>
            </form>
        </dialog>
    }
}

fn new_organisation(asked: &Asked) -> impl IntoView + use<> {
    let error = refusal(asked, "/rpc/add_organisation");
    view! {
        <dialog id="new-organisation" class="dialog" aria-labelledby="new-organisation-title">
            <h2 id="new-organisation-title">"New organisation"</h2>
            <form method="post" action="/rpc/add_organisation">
                {summary(error.as_ref())}
                {field(Field { prefix: "organisation", ..Field::new("name", "Name") }, error.as_ref())}
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="new-organisation">"Cancel"</button>
                    <button class="button primary">"Add"</button>
                </div>
            </form>
        </dialog>
    }
}
