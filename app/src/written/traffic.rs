//! What the server is asked for, by whom, and how quickly it answers.

use domain::{
    ApiError,
    access::{Action, Reach},
    activity::Zone,
    traffic::{Current, Figures, Point, RouteRow},
};
use leptos::prelude::*;
use services::traffic::{Range, Shown};

use super::{
    Asked, Written,
    audit::thousands,
    chart::{Bar, Bars, Line},
    page,
    part::{exact, figure, sorted, view_link, when},
};
use crate::text;

/// Routes of the list.
const ROUTES: usize = 50;

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let range = asked.query.word("range", Range::parse).unwrap_or_default();
    let mut shown = asked.services.traffic.shown(asked.actor, range).await?;
    if asked.query.get("sort") == Some("requests") {
        shown.report.routes.sort_by_key(|r| std::cmp::Reverse(r.durations.n()));
    }
    let of = |value: fn(&Point) -> Option<f64>| shown.points.iter().map(|p| (p.at, value(p))).collect::<Vec<_>>();
    let (rates, times) = (of(|p| Some(p.rps)), of(|p| p.p95_ms));
    let now = shown.current.figures.as_of;
    Ok(page("Traffic", || {
        view! {
            <p class="live-line" id="traffic-live" role="status">"As of " {exact(now)}</p>
            {figures(&shown.current, shown.zone)}
            <nav class="bar ranges" aria-label="Range" data-part="ranges">
                {Range::ALL.map(|r| view_link(asked, "range", words(r), r == range, r == Range::default())).collect_view()}
            </nav>
            {Line { id: "rate", title: "Requests over time", points: &rates, days: None, words: per_s }.view()}
            {Line { id: "p95", title: "p95 over time", points: &times, days: None, words: ms }.view()}
            <div class="charts" data-part="statuses">{statuses(&shown)}</div>
            {routes(asked, &shown)}
            <div class="columns">
                {top(&shown, asked.actor.reach(Action::Traffic))}
                {machine(&shown, range)}
            </div>
        }
    }))
}

fn words(r: Range) -> (&'static str, &'static str) {
    let word = match r {
        Range::Hour => "Last hour",
        Range::Day => "Last day",
        Range::Week => "Last week",
    };
    (r.as_str(), word)
}

/// `0.4/s`
pub(super) fn per_s(value: f64) -> String {
    format!("{}/s", rate(value))
}

/// `0.4`, as the script writes it too.
fn rate(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// `7.4 ms`, `120 ms`, as the script writes it too.
pub(super) fn ms(value: f64) -> String {
    if value >= 10.0 || value == 0.0 { format!("{value:.0} ms") } else { format!("{value:.1} ms") }
}

fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), ms)
}

/// A number that samples of traffic keep true.
fn number(key: &'static str, value: String) -> impl IntoView {
    view! { <span data-figure=key>{value}</span> }
}

pub(super) fn per_second(f: &Figures) -> impl IntoView + use<> {
    figure(
        "Requests per second",
        number("current_rps", rate(f.current_rps)),
        "last 10 s",
        "Requests answered over the last ten seconds, divided by them. Scripts, styles, icons, sockets and health checks \
         are counted apart; requests without a session and of bots are in it, and in no other number of this console.",
    )
}

/// The mean, with its percentiles below.
pub(super) fn response(f: &Figures) -> impl IntoView + use<> {
    let sub = view! { "p95 " {number("p95_response_ms", maybe(f.p95_response_ms))} ", last 5 min" };
    figure(
        "Response time",
        number("avg_response_ms", maybe(f.avg_response_ms)),
        sub,
        "The average of the last five minutes: the sum of all durations divided by their number, from the end of a \
         request's head to the first byte of its answer. p95: 95 of 100 were answered within this, by nearest rank, to 1 %.",
    )
}

pub(super) fn today(f: &Figures, zone: Zone) -> impl IntoView + use<> {
    let since = format!("since midnight, {}", zone.name());
    figure(
        "Requests today",
        number("requests_today", thousands(f.requests_today as i64)),
        since,
        "Requests answered since midnight in the zone in which the server counts days.",
    )
}

pub(super) fn errors(f: &Figures) -> impl IntoView + use<> {
    let sub = view! { {number("refused_today", thousands(f.refused_today as i64))} " refused (4xx)" };
    figure(
        "Errors today",
        number("errors_today", thousands(f.errors_today as i64)),
        sub,
        "Requests of today that the server failed to answer: a status of 5xx. Those answered with 4xx stand beside them: \
         they were refused, or asked for what is not there.",
    )
}

fn figures(c: &Current, zone: Zone) -> impl IntoView + use<> {
    let f = &c.figures;
    let p95 = view! { "p50 " {number("p50_response_ms", maybe(f.p50_response_ms))} ", p99 "
    {number("p99_response_ms", maybe(f.p99_response_ms))} };
    let here =
        view! { <span data-part="online">{format!("{} online, {} active", c.online_users, c.active_users)}</span> };
    view! {
        <div class="figures six">
            {per_second(f)}
            {figure("Average", number("avg_response_ms", maybe(f.avg_response_ms)), "response time, 5 min",
                "Of the last five minutes: from the end of a request's head to the first byte of its answer. The sum of \
                 all durations divided by their number.")}
            {figure("p95", number("p95_response_ms", maybe(f.p95_response_ms)), p95,
                "Of the last five minutes: from the end of a request's head to the first byte of its answer. 95 of 100 \
                 requests were answered within this, by nearest rank, to 1 %.")}
            {today(f, zone)}
            {errors(f)}
            {figure("Open sockets", number("sockets", thousands(f.sockets as i64)), here,
                "Browsers and programs that are connected now. One person may have several.")}
        </div>
    }
}

/// By class of status.
fn statuses(shown: &Shown) -> impl IntoView + use<> {
    let all = shown.report.by_class;
    let total: u64 = all.iter().sum();
    let words = ["1xx, informed", "2xx, answered", "3xx, sent on", "4xx, refused", "5xx, failed"];
    let bar = |i: usize| {
        let share = if total == 0 { 0.0 } else { all[i] as f64 * 100.0 / total as f64 };
        let words = (words[i].to_owned(), format!("{} · {share:.1} %", thousands(all[i] as i64)));
        Bar { label: words.0, value: all[i], words: words.1, href: None }
    };
    let sub = view! { <span class="muted">"since " {when(shown.from, false)}</span> }.into_any();
    let bars = (1..5).map(bar).collect();
    Bars { id: "statuses", title: "By status", sub, of: "Class", measure: "Requests", rows: bars, none: "" }.view()
}

fn routes(asked: &Asked, shown: &Shown) -> impl IntoView + use<> {
    let n = shown.report.routes.len();
    let rows = shown.report.routes.iter().take(ROUTES).map(route).collect_view();
    let more = (n > ROUTES).then(|| view! { <p class="body">{format!("{ROUTES} of {n} routes.")}</p> });
    view! {
        <section class="card" data-part="routes">
            <header>
                <h2>"Routes"</h2>
                <span class="muted">"since " {when(shown.from, false)}</span>
            </header>
            <div class="tablewrap" tabindex="0" role="region" aria-label="Table of routes">
                <table class="listed">
                    <caption class="hidden">"Routes"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Route"</th>
                            {sorted(asked, "p95", &[("p95", "descending")], "p95")}
                            <th scope="col">"Average"</th>
                            <th scope="col">"Slowest"</th>
                            {sorted(asked, "Requests", &[("requests", "descending")], "p95")}
                            <th scope="col">"4xx"</th>
                            <th scope="col">"5xx"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {(n == 0).then(|| view! { <p class="empty">"Nobody asked for anything in this time."</p> })}
            {more}
        </section>
    }
}

fn route(r: &RouteRow) -> impl IntoView + use<> {
    let d = &r.durations;
    view! {
        <tr>
            <th scope="row" class="mono">{r.route.clone()}</th>
            <td class="number" data-label="p95">{maybe(d.quantile_ms(0.95))}</td>
            <td class="number" data-label="average">{maybe(d.mean_ms())}</td>
            <td class="number" data-label="slowest">{maybe(d.max_ms())}</td>
            <td class="number" data-label="requests">{thousands(d.n() as i64)}</td>
            <td class="number" data-label="4xx">{thousands(r.by_class[3] as i64)}</td>
            <td class="number" data-label="5xx">{thousands(r.by_class[4] as i64)}</td>
        </tr>
    }
}

/// Who asked most, of those within reach.
fn top(shown: &Shown, reach: Reach) -> impl IntoView + use<> {
    let of = if reach == Reach::Everything { "last hour" } else { "last hour, of your organisation" };
    let rows = shown.top.iter().map(|(card, n)| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/admin/people/{}", card.id)>{card.name.clone()}</a></th>
                <td class="number" data-label="requests">{thousands(*n as i64)}</td>
            </tr>
        }
    });
    view! {
        <section class="card" data-part="top">
            <header>
                <h2>"Who asks most"</h2>
                <span class="muted">{of}</span>
            </header>
            <table>
                <caption class="hidden">"People with the most requests"</caption>
                <thead><tr><th scope="col">"Person"</th><th scope="col" class="number">"Requests"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {shown.top.is_empty().then(|| view! { <p class="empty">"Nobody who is signed in asked for anything."</p> })}
        </section>
    }
}

/// What is no request, and what requests need.
fn machine(shown: &Shown, range: Range) -> impl IntoView + use<> {
    let t = &shown.report.total.totals;
    let (c, from) = (&shown.current, shown.from);
    let sum = |of: fn(&Point) -> u64| shown.points.iter().map(of).sum::<u64>();
    // Who asked is known of the last hour only.
    let who = (range == Range::Hour).then(|| {
        let (all, anonymous, bots) = (sum(|p| p.requests), sum(|p| p.anonymous), sum(|p| p.bots));
        view! {
            <dt>"Requests with a session"</dt>
            <dd>{thousands((all - anonymous - bots) as i64)}</dd>
            <dt>"Requests without one"</dt>
            <dd>{thousands(anonymous as i64)}</dd>
            <dt>"Requests of bots"</dt>
            <dd>{thousands(bots as i64)}</dd>
        }
    });
    view! {
        <section class="card" aria-labelledby="machine-heading">
            <header>
                <h2 id="machine-heading">"By whom, and beside requests"</h2>
                <span class="muted" data-part="machine-since">"since " {when(from, false)}</span>
            </header>
            <div class="body">
                <dl class="facts" data-part="machine">
                    {who}
                    <dt>"Scripts and styles"</dt>
                    <dd>{thousands(t.files as i64)}</dd>
                    <dt>"Sockets opened"</dt>
                    <dd>{thousands(t.sockets as i64)}</dd>
                    <dt>"Health checks"</dt>
                    <dd>{thousands(t.health as i64)}</dd>
                    <dt>"Database"</dt>
                    <dd>{format!("{} of {} in use", c.database.in_use, text::count(u64::from(c.database.open), "connection"))}</dd>
                </dl>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_well() {
        assert_eq!([0.0, 0.44, 99.94, 100.0, 1_234.5].map(rate), ["0.0", "0.4", "99.9", "100", "1234"]);
        assert_eq!([0.0, 0.44, 9.94, 10.0, 1_234.5].map(ms), ["0 ms", "0.4 ms", "9.9 ms", "10 ms", "1234 ms"]);
        assert_eq!(maybe(None), "–");
    }
}
