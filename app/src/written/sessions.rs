//! Who is signed in, and who was.

use domain::{
    ApiError,
    session::{EndReason, SessionFilter, SessionSort, SessionState, SessionView},
    useragent::Kind,
};
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{apply, chip, confirm, empty, pager, refused, search, sorted, when},
};
use crate::text;

/// What filters this list.
const FILTERS: [&str; 8] = ["q", "state", "role", "org", "device", "reason", "user", "ip"];
const LIMIT: u32 = 50;

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let q = &asked.query;
    let filter = SessionFilter {
        user: q.owned("user"),
        role: q.owned("role"),
        org: q.owned("org"),
        ip: q.owned("ip"),
        device: q.word("device", Kind::parse),
        state: q.word("state", SessionState::parse),
        reason: q.word("reason", EndReason::parse),
        from: None,
        to: None,
        q: q.owned("q"),
    };
    let sort = q.word("sort", SessionSort::parse).unwrap_or_default();
    let list = asked.services.sessions.list(asked.actor, &filter, sort, LIMIT, q.get("cursor")).await?;
    Ok(page("Sessions", || {
        let rows = list.items.iter().map(row).collect_view();
        view! {
            {confirm(asked)}
            {refused(asked)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Sessions">
                {search(q, "Find a person or an address")}
                {chip(q, "state", "State", words(&SessionState::ALL, SessionState::as_str))}
                {chip(q, "reason", "Ended by", words(&EndReason::ALL, EndReason::as_str))}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list">
                <div class="tablewrap" tabindex="0" role="region" aria-label="Table of sessions">
                    <table class="listed">
                        <caption class="hidden">"Sessions"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Person"</th>
                                <th scope="col">"State"</th>
                                {sorted(asked, "Started", &[("started", "descending")], "started")}
                                {sorted(asked, "Last activity", &[("activity", "descending")], "started")}
                                <th scope="col">"Device"</th>
                                <th scope="col">"Address"</th>
                                <th scope="col">"Ended"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nobody has signed in yet.", "sessions"))}
                {pager(asked, list.items.len(), list.total, "session", list.next.as_deref())}
            </section>
        }
    }))
}

fn row(s: &SessionView) -> impl IntoView + use<> {
    let ended = s.ended_reason.map(|r| text::capital(&r.as_str().replace('_', " ")));
    let by = s.ended_by.clone().map(|by| format!("by {by}"));
    view! {
        <tr>
            <th scope="row">{s.name.clone()}<small class="muted">{s.username.clone()}</small></th>
            <td>{text::capital(s.state.as_str())}{s.current.then(|| view! { <small>"This session"</small> })}</td>
            <td>{when(s.created_at, false)}</td>
            <td>{when(s.last_activity_at, true)}</td>
            <td>{s.device_label()}</td>
            <td>{s.ip.clone()}<small class="muted">{s.place.clone()}</small></td>
            <td>{ended}<small class="muted">{by}" "{s.ended_at.map(|at| when(at, false))}</small></td>
        </tr>
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<(String, String)> {
    all.iter().map(|t| (word(*t).to_owned(), word(*t).replace('_', " "))).collect()
}
