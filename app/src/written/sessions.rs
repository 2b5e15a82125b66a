//! Who is signed in, and who was: found by any filter, counted exactly, and ended.

use domain::{
    ApiError, Time,
    access::Action,
    session::{EndReason, LiveStats, SessionFilter, SessionSort, SessionState, SessionStats, SessionView},
    time::{DAY, SECOND, human},
    useragent::Kind,
};
use futures_util::future::try_join3;
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{apply, chip, confirm, day, empty, pager, refused, search, sorted, when, word},
    query::Query,
};
use crate::text;

pub(crate) const PATH: &str = "/admin/sessions";
/// Typed before everything that matches is ended.
pub(crate) const CONFIRM: &str = "end";
/// What filters this list.
const FILTERS: [&str; 10] = ["q", "state", "role", "org", "device", "reason", "user", "ip", "from", "to"];
const LIMIT: u32 = 50;

/// The filter that a page's address asks for. Days are in UTC; the last one is included.
pub(crate) fn filter_of(q: &Query) -> SessionFilter {
    SessionFilter {
        user: q.owned("user"),
        role: q.owned("role"),
        org: q.owned("org"),
        ip: q.owned("ip"),
        device: q.word("device", Kind::parse),
        state: q.word("state", SessionState::parse),
        reason: q.word("reason", EndReason::parse),
        from: q.word("from", Time::of_day),
        to: q.word("to", Time::of_day).map(|day| day.plus(DAY)),
        q: q.owned("q"),
    }
}

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, sessions) = (&asked.query, &asked.services.sessions);
    let filter = filter_of(q);
    let sort = q.word("sort", SessionSort::parse).unwrap_or_default();
    let would_end = async {
        if filter.state == Some(SessionState::Ended) {
            return Ok((0, false));
        }
        sessions.would_end(asked.actor, filter.clone()).await
    };
    let list = sessions.list(asked.actor, &filter, sort, LIMIT, q.get("cursor"));
    let (list, live, (would_end, own)) = try_join3(list, sessions.live_stats(asked.actor), would_end).await?;
    // Of a million sessions these take a quarter of a second: who wants them asks for them.
    let all = if q.get("totals") == Some("all") { Some(sessions.stats(asked.actor).await?) } else { None };
    let roles: Vec<(String, String)> = live.by_role.keys().map(|r| (r.clone(), text::capital(r))).collect();
    let mut orgs: Vec<(String, String)> = live.by_org.keys().map(|o| (o.clone(), o.clone())).collect();
    orgs.sort();
    let everybody = asked.actor.reach(Action::CleanUp) == domain::Reach::Everything;
    let devices = words(&[Kind::Desktop, Kind::Phone, Kind::Tablet, Kind::Program, Kind::Unknown], Kind::as_str);
    Ok(page("Sessions", || {
        let rows = list.items.iter().map(row).collect_view();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <section class="card totals" aria-label="Totals" data-part="totals">{totals(asked, &live, all.as_ref())}</section>
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Sessions">
                {search(q, "Find a person or an address")}
                {chip(q, "state", "State", words(&SessionState::ALL, SessionState::as_str))}
                {chip(q, "role", "Role", roles)}
                {everybody.then(|| chip(q, "org", "Organisation", orgs))}
                {chip(q, "device", "Device", devices)}
                {chip(q, "reason", "Ended by", words(&EndReason::ALL, EndReason::as_str))}
                {day(asked, "from", "Since")}
                {day(asked, "to", "Until")}
                {word(asked, "user", "Username")}
                {word(asked, "ip", "Address")}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list" aria-label="Sessions">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of sessions">
                    <table class="listed" role="table">
                        <caption class="hidden">"Sessions"</caption>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th scope="col" role="columnheader" class="tick">
                                    <input type="checkbox" id="all-sessions" data-all="" aria-label="Select all live sessions of this page" />
                                </th>
                                <th scope="col" role="columnheader">"Person"</th>
                                <th scope="col" role="columnheader">"State"</th>
                                {sorted(asked, "Started", &[("started", "descending")], "started")}
                                {sorted(asked, "Last activity", &[("activity", "descending")], "started")}
                                <th scope="col" role="columnheader">"Device"</th>
                                <th scope="col" role="columnheader">"Address"</th>
                                <th scope="col" role="columnheader">"Ended"</th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nobody has signed in yet.", "sessions"))}
                <p class="empty">"Ending cannot be undone: who is ended signs in again. Last activity is exact; of a server that was killed, the last 10 s may be missing."</p>
                {pager(asked, list.items.len(), list.total, "session", list.next.as_deref())}
                <div class="actions start body">
                    <button type="button" class="button danger needs-script" command="show-modal" commandfor="end-selected" data-some="">
                        "End "<span data-count="">"0"</span>" selected"
                    </button>
                    {(would_end > 0).then(|| view! {
                        <button type="button" class="button danger" command="show-modal" commandfor="end-all">
                            {format!("End {} that match", text::count(would_end, "live session"))}
                        </button>
                    })}
                </div>
            </section>
            {end_selected()}
            <div data-part="dialog">{(would_end > 0).then(|| end_all(asked, would_end, own))}</div>
            {everybody.then(clean_up)}
        }
    }))
}

/// Exact numbers over everything in reach, whatever the filter.
fn totals(asked: &Asked<'_>, live: &LiveStats, all: Option<&SessionStats>) -> impl IntoView + use<> {
    let length = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), |s| human(s as i64 * SECOND));
    let link = |value, says| {
        let to = asked.query.with(asked.path, "totals", value);
        view! { <p class="body"><a href=to>{says}</a></p> }
    };
    let of = |groups: &std::collections::BTreeMap<String, u64>| {
        let mut groups: Vec<_> = groups.iter().filter(|(_, n)| **n > 0).collect();
        groups.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let first: Vec<String> = groups.iter().take(6).map(|(name, n)| format!("{name} {n}")).collect();
        match groups.len() {
            0 => "–".to_owned(),
            n if n > 6 => format!("{}, and {} more", first.join(", "), n - 6),
            _ => first.join(", "),
        }
    };
    let ended = all.map(|s| {
        view! {
            <dt>"Ended"</dt>
            <dd>{s.ended}</dd>
            <dt>"Expired, not cleaned up yet"</dt>
            <dd>{s.expired_uncleaned}</dd>
            <dt>"Average and median length"</dt>
            <dd>{length(s.average_seconds)}", "{length(s.median_seconds)}</dd>
        }
    });
    let link = match all {
        None => link(Some("all"), "Ended ones and lengths"),
        Some(_) => link(None, "Live ones only"),
    };
    view! {
        <dl class="facts body">
            <dt>"Live"</dt>
            <dd>{live.live}</dd>
            <dt>"Live by role"</dt>
            <dd>{of(&live.by_role)}</dd>
            <dt>"Live by organisation"</dt>
            <dd>{of(&live.by_org)}</dd>
            {ended}
        </dl>
        {link}
    }
}

/// Ending what is ticked.
fn end_selected() -> impl IntoView {
    view! {
        <dialog id="end-selected" class="dialog" aria-labelledby="end-selected-heading">
            <form method="post" action="/rpc/end_selected" id="end-selected-form">
                <h2 id="end-selected-heading">"End the selected sessions?"</h2>
                <p>
                    "Selected: " <b data-count="">"0"</b>
                    ". Their people are signed out at once, you too if yours is among them, and their pages close. Undo is impossible: whoever is ended signs in again."
                </p>
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="end-selected">"Keep them"</button>
                    <button class="button danger">"End " <span data-count="">"0"</span> " now"</button>
                </div>
            </form>
        </dialog>
    }
}

/// What runs every hour, now.
fn clean_up() -> impl IntoView {
    view! {
        <form class="card body" method="post" action="/rpc/clean_up" aria-labelledby="clean-up-heading">
            <h2 id="clean-up-heading">"Clean-up"</h2>
            <p>"Writes down as ended what is over by its time, and deletes what ended longer ago than the retention says. Runs every hour by itself; nothing depends on it."</p>
            <div class="actions start"><button class="button">"Clean up now"</button></div>
        </form>
    }
}

/// Ending everything that matches: the very number, with and without one's own, and a word to type.
fn end_all(asked: &Asked<'_>, n: u64, own: bool) -> impl IntoView + use<> {
    let address = asked.query.with("", "cursor", None);
    let query = address.strip_prefix('?').unwrap_or_default().to_owned();
    let filters = asked.query.count(&FILTERS);
    let which = match filters {
        0 => "No filter is set: this is everybody.".to_owned(),
        1 => "These are the live ones that match the filter.".to_owned(),
        n => format!("These are the live ones that match {n} filters."),
    };
    let spared = if own { " Yours matches too; it stays unless you say otherwise." } else { "" };
    view! {
        <dialog id="end-all" class="dialog" aria-labelledby="end-all-heading">
            <form method="post" action="/rpc/end_matching">
                <h2 id="end-all-heading">{format!("End {}?", text::count(n, "session"))}</h2>
                <p>{which}{spared}" Their people are signed out at once, and their pages close. Undo is impossible: everybody signs in again."</p>
                <input type="hidden" name="query" value=query />
                <input type="hidden" name="number" value=n.to_string() />
                <div class="field">
                    <label for="end-confirm">{format!("Type “{CONFIRM}” to confirm")}</label>
                    <input id="end-confirm" name="confirm" autocomplete="off" autocapitalize="none" spellcheck="false" required />
                </div>
                <div class="actions">
                    <button type="button" class="button" command="close" commandfor="end-all">"Keep them"</button>
                    <button class="button danger">{format!("End {}", text::count(n, "session"))}</button>
                    {own.then(|| view! {
                        <button class="button danger" name="include_own" value="true">{format!("End {}, mine too", n + 1)}</button>
                    })}
                </div>
            </form>
        </dialog>
    }
}

fn row(s: &SessionView) -> impl IntoView + use<> {
    let ended = s.ended_reason.map(|r| text::capital(&r.as_str().replace('_', " ")));
    let label_of_end = ended.is_some().then_some("Ended");
    let by = s.ended_by.clone().map(|by| format!("by {by} "));
    let live = s.state == SessionState::Live;
    let label = format!("Select the session of {}, {}", s.name, s.device_label());
    let person = format!("/admin/people/{}", s.user_id);
    let address = Query::default().with(PATH, "ip", Some(&s.ip));
    view! {
        <tr role="row" class:current=s.current>
            <td role="cell" class="tick">
                {live.then(|| view! { <input type="checkbox" name="ids" value=s.id.to_string() form="end-selected-form" aria-label=label /> })}
            </td>
            <th scope="row" role="rowheader">
                <a href=person>{s.name.clone()}</a>
                <small class="muted">{format!("{} · {}", s.username, s.role)}</small>
            </th>
            <td role="cell">
                {text::capital(s.state.as_str())}
                {s.current.then(|| view! { " "<span class="tag accent">"This session"</span> })}
            </td>
            <td role="cell" data-label="Started">{when(s.created_at, false)}</td>
            <td role="cell" data-label="Last activity">{when(s.last_activity_at, true)}</td>
            <td role="cell">{s.device_label()}</td>
            <td role="cell" class="mono"><a href=address>{s.ip.clone()}</a>{s.place.clone().map(|place| view! { <small class="muted">{place}</small> })}</td>
            <td role="cell" data-label=label_of_end>
                {ended.map(|reason| view! { {reason}<small class="muted">{by}{s.ended_at.map(|at| when(at, false))}</small> })}
            </td>
        </tr>
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<(String, String)> {
    all.iter().map(|t| (word(*t).to_owned(), word(*t).replace('_', " "))).collect()
}
