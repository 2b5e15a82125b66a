//! People: the list, and one person's page.

mod import;
mod list;
mod person;

use domain::{
    ApiError, Time,
    people::{TeamView, UserFilter},
    presence::State,
    time::DAY,
};
use leptos::prelude::*;

pub(super) use self::{import::write as import, list::write, person::write as person};
pub(crate) use self::{
    import::{links, looked, preview},
    list::would_move,
};
use super::{
    Asked,
    part::{Field, field},
    query::Query,
};
use crate::{components::presence::StateWord, text};

/// The list, those who were added last first.
pub(crate) const NEWEST: &str = "/admin/people?sort=created";

/// What filters the list, and its export.
pub(crate) const FILTERS: [&str; 7] = ["q", "state", "role", "org", "team", "account", "signed_in"];

/// "Last sign-in" of the list: its word, what it says, and in how many days; or not in so many.
const SIGNED_IN: [(&str, &str, i64, bool); 5] = [
    ("day", "within a day", 1, true),
    ("week", "within 7 days", 7, true),
    ("month", "within 30 days", 30, true),
    ("not_month", "not in 30 days", 30, false),
    ("not_quarter", "not in 90 days", 90, false),
];

/// The filter a page's address asks for.
fn filter(q: &Query, now: Time) -> UserFilter {
    let at = |within: bool| {
        let chosen = q.word("signed_in", |word| SIGNED_IN.iter().find(|s| s.0 == word));
        chosen.filter(|s| s.3 == within).map(|s| now.plus(-s.2 * DAY))
    };
    UserFilter {
        q: q.owned("q"),
        role: q.owned("role"),
        org: q.owned("org"),
        team: q.owned("team"),
        state: q.word("state", State::parse),
        disabled: q.word("account", |word| match word {
            "enabled" => Some(false),
            "disabled" => Some(true),
            _ => None,
        }),
        signed_in_after: at(true),
        signed_in_before: at(false),
    }
}

/// A state with its shape; nothing where it is not known.
pub(crate) fn state(state: Option<State>) -> impl IntoView {
    state.map(|state| view! { <StateWord state=state /> })
}

/// What the forms of a new and of a known person have in common.
struct Form<'a> {
    prefix: &'static str,
    error: Option<&'a ApiError>,
    roles: &'a [String],
    organisations: &'a [String],
    values: Values,
}

#[derive(Default)]
struct Values {
    username: String,
    name: String,
    email: String,
    role: String,
    organisation: String,
    teams: String,
}

fn fields(form: Form<'_>) -> impl IntoView + use<> {
    let Form { prefix, error, roles, organisations, values } = form;
    let of = |name, label, value, optional, hint| Field { hint, value, optional, prefix, ..Field::new(name, label) };
    let roles = roles
        .iter()
        .map(|role| view! { <option value=role.clone() selected=*role == values.role>{text::capital(role)}</option> })
        .collect_view();
    let known = format!("{prefix}-organisations");
    let id = format!("{prefix}-organisation");
    let options = organisations.iter().map(|o| view! { <option value=o.clone()></option> }).collect_view();
    view! {
        {field(of("username", "Username", values.username, false, "What they sign in with."), error)}
        {field(of("name", "Name", values.name, true, "How they are shown."), error)}
        {field(Field { kind: "email", ..of("email", "E-mail", values.email, true, "") }, error)}
        <div class="field">
            <label for=format!("{prefix}-role")>"Role"</label>
            <select id=format!("{prefix}-role") name="role">{roles}</select>
        </div>
        <div class="field">
            <label for=id.clone()>"Organisation" <span class="optional">" optional"</span></label>
            <input id=id.clone() name="organisation" list=known.clone() autocomplete="off" maxlength="100"
                value=values.organisation aria-describedby=format!("{id}-hint") />
            <datalist id=known>{options}</datalist>
            <p class="hint" id=format!("{id}-hint")>"One that is not there yet is made."</p>
        </div>
        {field(of("teams", "Teams", values.teams, true, "Of the organisation, separated by semicolons."), error)}
    }
}

/// Organisations a field offers: all of a small house, the first of a large one.
pub(super) async fn organisations(asked: &Asked<'_>) -> Result<Vec<String>, ApiError> {
    let page = asked.services.directory.organisations(asked.actor, None, 200, None).await?;
    Ok(page.items.into_iter().map(|o| o.name).collect())
}

/// Teams as a filter offers them, each with its organisation: two may have one of the same name.
async fn teams(asked: &Asked<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let page = asked.services.directory.teams(asked.actor, None, 200, None).await?;
    let word = |t: &TeamView| format!("{} · {}", t.name, t.organisation);
    Ok(page.items.iter().map(|t| (t.id.to_string(), word(t))).collect())
}

pub(super) async fn roles(asked: &Asked<'_>) -> Result<Vec<String>, ApiError> {
    Ok(asked.services.accounts.roles().await?.into_iter().map(|r| r.name).collect())
}

/// A link that is shown once only, in the dialog of this id where there is one.
pub(crate) fn link(link: String, until: &'static str, dialog: Option<&'static str>) -> impl IntoView {
    let hint = format!("Give it to the person yourself. It works once, for {until}; a new one voids it.");
    view! {
        <div class="field">
            <label for="once">"Link, shown this once only"</label>
            <input id="once" class="mono" readonly value=link autofocus aria-describedby="once-hint" />
            <p class="hint" id="once-hint">{hint}</p>
        </div>
        {dialog.map(|id| view! {
            <div class="actions"><button type="button" class="button primary" command="close" commandfor=id>"Done"</button></div>
        })}
    }
}

/// The filter of a page's query.
pub(crate) fn filter_of(query: &str, now: Time) -> UserFilter {
    filter(&Query::parse(query), now)
}

/// The address of a list's file, from the query of its page.
pub(crate) fn export(query: &str, now: Time) -> String {
    let asked = Query::parse(query);
    let f = filter(&asked, now);
    let flag = f.disabled.map(|d| d.to_string());
    let (after, before) = (f.signed_in_after.map(|t| t.to_string()), f.signed_in_before.map(|t| t.to_string()));
    let sort = asked.word("sort", domain::people::UserSort::parse).map(|s| s.as_str().to_owned());
    let state = f.state.map(|s| s.as_str().to_owned());
    let parts = [
        ("q", f.q),
        ("role", f.role),
        ("org", f.org),
        ("team", f.team),
        ("state", state),
        ("disabled", flag),
        ("signed_in_after", after),
        ("signed_in_before", before),
        ("sort", sort),
    ];
    let parts =
        parts.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", crate::routes::escape(&value?))));
    format!("/api/v1/admin/users/export?format=csv{}", parts.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_of_what_the_page_shows() {
        let now = Time(1_800_000_000_000);
        assert_eq!(export("", now), "/api/v1/admin/users/export?format=csv");
        let address = export("q=ada+l%26&account=disabled&signed_in=not_month&sort=dormant&x=1", now);
        let rest = "&q=ada%20l%26&disabled=true&signed_in_before=2026-12-16T08%3A00%3A00.000Z&sort=dormant";
        assert_eq!(address, format!("/api/v1/admin/users/export?format=csv{rest}"));
    }
}
