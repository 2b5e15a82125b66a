//! What people did: everybody's for those who may see it, and one's own.

use domain::{
    ApiError, Time,
    activity::{ACTION, Day, EventFilter, EventRow, LOGIN, LOGOUT, Lengths, NEW_DEVICE, PAGE_VIEW, Step, lengths},
    time::{DAY, human},
};
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{apply, chip, confirm, day, empty, exact, refused, when},
    people::{organisations, roles},
};
use crate::{
    components::icon::{Glyph, Icon},
    routes::escape,
    text,
};

/// What filters the list.
const FILTERS: [&str; 7] = ["user", "kind", "page", "role", "org", "from", "to"];
const LIMIT: u32 = 50;
/// Visits of this long are told in one's own summary.
const VISITS: i64 = 30 * DAY;

/// What people call a kind.
fn word(kind: &str) -> String {
    match kind {
        LOGIN => "Signed in".to_owned(),
        LOGOUT => "Signed out".to_owned(),
        NEW_DEVICE => "New device".to_owned(),
        PAGE_VIEW => "Page view".to_owned(),
        ACTION => "Action".to_owned(),
        other => text::capital(&other.replace('_', " ")),
    }
}

/// `/admin/activity`
pub(super) async fn all(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, activity) = (&asked.query, &asked.services.activity);
    let zone = activity.zone();
    let filter = EventFilter {
        user: q.owned("user"),
        kind: q.owned("kind"),
        page: q.owned("page"),
        role: q.owned("role"),
        org: q.owned("org"),
        from: q.word("from", Day::parse).map(|day| zone.begin(day)),
        // The last day is one of them.
        to: q.word("to", Day::parse).map(|day| zone.span(day).1),
    };
    let list = activity.list(asked.actor, &filter, LIMIT, q.get("cursor")).await?;
    let kinds = activity.kinds(asked.actor).await?;
    let (roles, organisations) = (roles(asked).await?, organisations(asked).await?);
    let unlocked = activity.may_export(asked.actor).is_ok();
    let follows = q.get("cursor").is_none() && filter.to.is_none_or(|to| to > asked.now);
    Ok(page("Activity", || {
        let rows = list.items.iter().map(row).collect_view();
        let kinds = kinds.into_iter().map(|k| (k.clone(), word(&k))).collect();
        let roles = roles.into_iter().map(|r| (r.clone(), text::capital(&r))).collect();
        let organisations: Vec<_> = organisations.into_iter().map(|o| (o.clone(), o)).collect();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Activity">
                {typed(asked, "user", "Username")}
                {typed(asked, "page", "Page, such as /files/17")}
                {chip(q, "kind", "Kind", kinds)}
                {chip(q, "role", "Role", roles)}
                {(organisations.len() > 1).then(|| chip(q, "org", "Organisation", organisations))}
                {day(asked, "from", "From")}
                {day(asked, "to", "To")}
                {apply(asked, &FILTERS)}
            </form>
            <div class="bar">
                <span data-part="follows">
                    {follows.then(|| view! { <span data-follows="live:activity" class="muted">"New events appear here as they happen. "</span> })}
                </span>
                <button type="button" class="button needs-script" data-pause="" aria-pressed="false">
                    <Glyph icon=Icon::Pause />
                    "Pause"
                </button>
                <div class="bar" data-part="export">{export(asked, &filter, unlocked)}</div>
            </div>
            <ul class="queue" data-exports="" aria-label="Exports on their way"></ul>
            <section class="card" data-part="list">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of events">
                    <table class="listed">
                        <caption class="hidden">"Activity"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"When"</th>
                                <th scope="col">"Who"</th>
                                <th scope="col">"What"</th>
                                <th scope="col">"Page or action"</th>
                                <th scope="col">"Organisation"</th>
                                <th scope="col">"Address"</th>
                                <th scope="col">"Device"</th>
                                <th scope="col">"Everything"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nothing has happened yet.", "events"))}
                {pager(asked, list.items.len(), list.total, list.next.as_deref())}
            </section>
            <p class="muted after" data-part="zone">
                {format!("Days begin at midnight in {}. Events are kept for {}.", zone.name(),
                    domain::settings::duration_text(asked.services.settings.now().retention_events))}
            </p>
        }
    }))
}

/// A field of the filter form, which is sent when typing pauses.
fn typed(asked: &Asked, name: &'static str, label: &'static str) -> impl IntoView + use<> {
    view! {
        <span class="filter">
            <input id=format!("by-{name}") data-typing type="search" name=name placeholder=label aria-label=label
                autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200" value=asked.query.owned(name) />
        </span>
    }
}

/// Below the list. Many events are not counted.
fn pager(asked: &Asked, shown: usize, total: Option<u64>, next: Option<&str>) -> impl IntoView + use<> {
    let beyond = asked.query.get("cursor").is_some();
    let said = match total {
        Some(total) if total == shown as u64 => text::count(total, "event"),
        Some(total) => format!("1–{shown} of {}", text::count(total, "event")),
        None if beyond => format!("{shown} more"),
        None => format!("the newest {shown}"),
    };
    let first = asked.query.with(asked.path, "cursor", None);
    let next = next.map(|cursor| asked.query.with(asked.path, "cursor", Some(cursor)));
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{said}</span>
            {beyond.then(|| view! { <a class="button" href=first><Glyph icon=Icon::Newer />"Newest"</a> })}
            {next.map(|href| view! { <a class="button" href=href>"Older"<Glyph icon=Icon::Older /></a> })}
        </nav>
    }
}

fn row(r: &EventRow) -> impl IntoView + use<> {
    let by = |name: &str, value: &str| format!("/admin/activity?{name}={}", escape(value));
    let who = r.username.clone().map(|username| {
        let name = r.name.clone().unwrap_or_else(|| username.clone());
        view! { <a href=by("user", &username)>{name}</a> <small class="muted">{username.clone()}</small> }
    });
    let place = match (&r.page, &r.route, &r.action) {
        (Some(page), Some(route), _) => view! { <a class="mono" href=by("page", route)>{page.clone()}</a> }.into_any(),
        (_, _, Some(action)) => action.clone().into_any(),
        _ => ().into_any(),
    };
    let all = serde_json::to_string_pretty(r).unwrap_or_default();
    view! {
        <tr>
            <th scope="row">{exact(r.at)}</th>
            <td>{who}</td>
            <td>{word(&r.kind)}</td>
            <td>{place}</td>
            <td>{r.organisation.clone()}</td>
            <td class="mono">{r.ip.clone()}</td>
            <td>{r.device.clone()}</td>
            <td>
                <details>
                    <summary aria-label=format!("Event {} as JSON", r.seq)>"JSON"</summary>
                    <pre class="mono">{all}</pre>
                </details>
            </td>
        </tr>
    }
}

/// Downloads of what is shown, once the password was given lately.
fn export(asked: &Asked, filter: &EventFilter, unlocked: bool) -> impl IntoView + use<> {
    if !unlocked {
        let query = asked.query.with("", "cursor", None);
        let query = query.strip_prefix('?').unwrap_or_default().to_owned();
        return view! {
            <form method="post" action="/rpc/unlock_activity">
                <input type="hidden" name="query" value=query />
                <button class="button">"Export"</button>
            </form>
        }
        .into_any();
    }
    let EventFilter { user, kind, page, role, org, from, to } = filter;
    let (from, to) = (from.map(|t| t.to_string()), to.map(|t| t.to_string()));
    let asked_for =
        [("user", user), ("kind", kind), ("page", page), ("role", role), ("org", org), ("from", &from), ("to", &to)];
    let pairs = asked_for.iter().filter_map(|(k, v)| Some(format!("&{k}={}", escape(v.as_deref()?))));
    let query: String = pairs.collect();
    let link = |format: &str| format!("/api/v1/admin/activity/export?format={format}{query}");
    let shown = if asked.query.count(&FILTERS) > 0 { "these filters" } else { "everything" };
    view! {
        <a class="button" rel="external" download="" data-export="" href=link("csv")>{format!("Export {shown} as CSV")}</a>
        <a class="button" rel="external" download="" data-export="" href=link("xlsx")>"As XLSX"</a>
        <a class="button" rel="external" download="" data-export="" href=link("json")>"As JSON Lines"</a>
    }
    .into_any()
}

/// `/activity`
pub(super) async fn own(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let activity = &asked.services.activity;
    let summary = activity.own_summary(asked.actor).await?;
    let visits = activity.own_visits(asked.actor, asked.now.plus(-VISITS)).await?;
    let journey = activity.own_journey(asked.actor, None).await?;
    Ok(page("My activity", || {
        let Lengths { n, mean, median } = lengths(&visits);
        let bounces = visits.iter().filter(|v| v.is_bounce()).count();
        let kinds = summary.event_breakdown.iter().map(|(kind, n)| {
            view! { <tr><th scope="row">{word(kind)}</th><td class="number">{*n}</td></tr> }
        });
        let steps: Vec<_> = journey.steps.iter().rev().map(step).collect();
        view! {
            <div class="grid">
                <section class="card span-5" aria-labelledby="summary-heading">
                    <header><h2 id="summary-heading">"In numbers"</h2></header>
                    <div class="body">
                        <dl class="facts">
                            <dt>"Events"</dt>
                            <dd>{summary.total_activities}</dd>
                            <dt>"Sessions"</dt>
                            <dd>{summary.total_sessions}</dd>
                            <dt>"Last"</dt>
                            <dd>{summary.last_activity.map(|at| when(at, true))}</dd>
                            <dt>"Visits"</dt>
                            <dd>
                                {n}
                                <small>{format!(" in 30 days, {} on average, half of them longer than {}; {} of a single page",
                                    human(mean), human(median), bounces)}</small>
                            </dd>
                        </dl>
                        <table class="listed">
                            <caption class="hidden">"Events by kind"</caption>
                            <tbody>{kinds.collect_view()}</tbody>
                        </table>
                    </div>
                </section>
                <section class="card span-7" aria-labelledby="journey-heading">
                    <header><h2 id="journey-heading">"What you did"</h2></header>
                    {steps.is_empty().then(|| view! { <p class="empty">"Nothing yet."</p> })}
                    <table class="listed">
                        <caption class="hidden">"What you did, newest first"</caption>
                        <tbody>{steps.into_iter().collect_view()}</tbody>
                    </table>
                    {journey.more.then(|| view! { <p class="empty">"Earlier events are not shown."</p> })}
                </section>
            </div>
            <p class="muted after">
                {format!("A visit ends after half an hour without an event. Events are kept for {}; administrators, and managers of \
                          your organisation, can see them.",
                    domain::settings::duration_text(asked.services.settings.now().retention_events))}
            </p>
        }
    }))
}

fn step(s: &Step) -> impl IntoView + use<> {
    let at: Time = s.at;
    view! {
        <tr>
            <th scope="row">{exact(at)}</th>
            <td>{word(&s.kind)}</td>
            <td class="mono">{s.page.clone()}{s.action.clone()}</td>
        </tr>
    }
}
