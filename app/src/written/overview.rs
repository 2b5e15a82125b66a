//! What the server writes of the console's first page: figures, the main series, what needs attention, and what came
//! last. Who is here is the browser's part (`pages::overview`).

use domain::{
    ApiError,
    access::{Action, Reach},
    activity::Today,
    files::{File, FileFilter, Summary, bytes_text},
    mail::MailState,
    traffic::RouteRow,
};
use futures_util::future::{try_join, try_join4};
use leptos::prelude::*;
use services::{
    disk::{Disk, Room},
    files::{Kind, Of},
    traffic::{Range, Shown},
};

use super::{
    Asked, Written,
    audit::thousands,
    chart::{Bar, Bars, Line},
    files::{link, size},
    page,
    part::{Called, exact, figure, table, view_link, when},
    traffic,
};
use crate::text;

const UPLOADS: u32 = 5;
const OUTPUTS: u32 = 10;
const PAGES: u32 = 10;
/// A route is slow whose p95 is this long, of as many requests at least; the slowest of them are told.
const SLOW_MS: f64 = 1_000.0;
const SLOW_OF: u64 = 20;
const SLOWEST: usize = 3;
/// So many sign-ins that were refused within a day are worth a look.
const REFUSED: u64 = 10;
/// The doors to sign in by.
const SIGN_IN: [&str; 2] = ["POST /api/v1/auth/login", "POST /rpc/sign_in"];

/// Days of the series of people.
const DAYS: i64 = 30;

/// What the main series is of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Series {
    #[default]
    Requests,
    People,
}

impl Series {
    const ALL: [Self; 2] = [Self::Requests, Self::People];

    /// In the address, and as a word.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Requests => ("requests", "Requests"),
            Self::People => ("people", "Active users"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.words().0 == text)
    }
}

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (services, actor, every) = (asked.services, asked.actor, FileFilter::default());
    let files = &services.files;
    let (shown, today) =
        try_join(services.traffic.shown(actor, Range::Day), services.activity.today(actor, PAGES)).await?;
    let (uploads, outputs, newest_uploads, newest_outputs) = try_join4(
        files.summary(actor, Of::Others, Kind::Upload, &every),
        files.summary(actor, Of::Others, Kind::Output, &every),
        files.list(actor, Of::Others, Kind::Upload, &every, UPLOADS, None),
        files.list(actor, Of::Others, Kind::Output, &every, OUTPUTS, None),
    )
    .await?;
    let given_up = match actor.reach(Action::Mail) {
        Reach::Nothing => 0,
        _ => services.mail.list(actor, Some(MailState::GivenUp), 1, None).await?.total.unwrap_or_default(),
    };
    let disks = services.disks(actor).await;
    let chosen = asked.query.word("series", Series::parse).unwrap_or_default();
    let series = match chosen {
        Series::Requests => {
            let points: Vec<_> = shown.points.iter().map(|p| (p.at, Some(p.rps))).collect();
            Line {
                id: "requests",
                title: "Requests per second, last day",
                points: &points,
                days: None,
                words: traffic::per_s,
            }
            .view()
            .into_any()
        }
        Series::People => {
            let days = services.active_by_day(actor, DAYS).await?;
            let points: Vec<_> = days.into_iter().map(|(at, n)| (at, n.map(|n| n as f64))).collect();
            Line {
                id: "people",
                title: "Active users per day, last 30 days",
                points: &points,
                days: Some(shown.zone),
                words: people,
            }
            .view()
            .into_any()
        }
    };
    let f = &shown.current.figures;
    Ok(page("Overview", || {
        view! {
            <p class="live-line" id="traffic-live" role="status">"As of " {exact(f.as_of)}</p>
            <div class="figures six">
                {active(&today)}
                {traffic::today(f, shown.zone)}
                {traffic::per_second(f)}
                {traffic::response(f)}
                {traffic::errors(f)}
                {storage(&uploads, &outputs)}
            </div>
            <nav class="bar ranges" aria-label="Series" data-part="series">
                {Series::ALL.map(|s| view_link(asked, "series", s.words(), s == chosen, s == Series::default())).collect_view()}
                <span class="muted">{format!("days in {}", shown.zone.name())}</span>
            </nav>
            <div class="columns main">
                {series}
                {attention(&notes(&shown, given_up, &disks))}
            </div>
            <div class="columns">
                {newest("uploads", "Latest uploads", &newest_uploads.items, &uploads, ("/admin/files", "Every upload"), "Nobody has sent a file yet.")}
                {newest("outputs", "Latest outputs", &newest_outputs.items, &outputs, ("/admin/outputs", "Every output"), "Nothing was made yet.")}
            </div>
            <div class="charts" data-part="pages">{pages(&today)}</div>
        }
    }))
}

fn people(n: f64) -> String {
    thousands(n as i64)
}

/// People who did something today; the last day that is whole beside it.
fn active(t: &Today) -> impl IntoView + use<> {
    let value = view! { <span data-part="active">{thousands(t.active as i64)}</span> };
    let sub = view! { <span data-part="active-before">{format!("so far; yesterday {}", thousands(t.active_before as i64))}</span> };
    figure(
        "Active users today",
        value,
        sub,
        "People who signed in, opened a page, did something, sent or fetched a file today, in the zone in which the \
         server counts days. What happens by itself counts for nobody.",
    )
}

fn storage(uploads: &Summary, outputs: &Summary) -> impl IntoView + use<> {
    let value = view! { <span data-part="storage">{bytes_text(uploads.bytes + outputs.bytes)}</span> };
    let sub = format!("{}, {}", text::count(uploads.total, "upload"), text::count(outputs.total, "output"));
    figure(
        "Storage used",
        value,
        view! { <span data-part="stored">{sub}</span> },
        "The bytes of all uploads and outputs that are kept, of the people you may see.",
    )
}

/// What somebody should look at: in words, and where.
fn notes(shown: &Shown, given_up: u64, disks: &[Disk]) -> Vec<(String, &'static str)> {
    let (errors, routes) = (shown.current.figures.errors_today, &shown.report.routes);
    let mut notes: Vec<_> = disks.iter().filter_map(|d| Some((full(d.of, d.free)?, "/admin/files"))).collect();
    if errors > 0 {
        notes.push((format!("{} of today failed (5xx)", text::count(errors, "request")), "/admin/traffic?range=day"));
    }
    let refused: u64 = routes.iter().filter(|r| SIGN_IN.contains(&r.route.as_str())).map(|r| r.by_class[3]).sum();
    if refused >= REFUSED {
        notes.push((format!("{} refused within a day", text::count(refused, "sign-in")), "/admin/traffic?range=day"));
    }
    let slow = |r: &&RouteRow| r.durations.n() >= SLOW_OF && r.durations.quantile_ms(0.95) >= Some(SLOW_MS);
    for r in routes.iter().filter(slow).take(SLOWEST) {
        let p95 = traffic::ms(r.durations.quantile_ms(0.95).unwrap_or_default());
        notes.push((format!("{}: p95 {p95} within a day", r.route), "/admin/traffic?range=day"));
    }
    if given_up > 0 {
        notes.push((format!("{} given up", text::count(given_up, "mail")), "/admin/mail?state=given_up"));
    }
    notes
}

/// What is said of a disk with so many bytes free.
fn full(of: &str, free: u64) -> Option<String> {
    let left = bytes_text(free);
    match Room::of(free) {
        Room::Scarce => Some(format!(
            "{left} free on the disk of {of}: make room now. When it is full nobody can sign in or send a file"
        )),
        Room::Low => Some(format!("{left} free on the disk of {of}: make room, or move it to a larger disk")),
        Room::Enough => None,
    }
}

fn attention(notes: &[(String, &'static str)]) -> impl IntoView + use<> {
    let items = notes.iter().map(|(words, href)| view! { <li><a href=*href>{words.clone()}</a></li> }).collect_view();
    view! {
        <section class="card attention" aria-labelledby="attention-heading">
            <header><h2 id="attention-heading">"Needs attention"</h2></header>
            <div class="body" data-part="attention">
                {if notes.is_empty() {
                    view! { <p>"Nothing does."</p> }.into_any()
                } else {
                    view! { <ul>{items}</ul> }.into_any()
                }}
            </div>
        </section>
    }
}

/// The newest files of a kind under how many there are; `noun` is the part of their address.
fn newest(
    noun: &'static str,
    title: &'static str,
    files: &[File],
    all: &Summary,
    (href, more): (&'static str, &'static str),
    none: &'static str,
) -> impl IntoView + use<> {
    let heading = format!("latest-{noun}");
    let rows = files.iter().map(|f| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader">{link(noun, f.id, &f.name)}</th>
                <td role="cell" data-label="Person">{f.user_name.clone()}</td>
                <td role="cell" data-label="Size">{size(f.size)}</td>
                <td role="cell" data-label="Time">{when(f.created_at, true)}</td>
            </tr>
        }
    });
    let totals = format!("{}, {}", text::count(all.total, "file"), bytes_text(all.bytes));
    view! {
        <section class="card" aria-labelledby=heading.clone() data-part=noun>
            <header>
                <h2 id=heading.clone()>{title}</h2>
                <span class="muted">{totals}</span>
                <a href=href>{more}</a>
            </header>
            {if files.is_empty() {
                view! { <p class="empty">{none}</p> }.into_any()
            } else {
                view! {
                    {table(&format!("Table: {title}"), Called::As(heading.clone()), &["Name", "Person", "Size", "Time"], rows.collect_view().into_any())}
                }.into_any()
            }}
        </section>
    }
}

fn pages(t: &Today) -> impl IntoView + use<> {
    let bars = t.pages.iter().map(|p| {
        let people = text::people(p.people as u32);
        let words = match p.views {
            Some(views) => format!("{people} · {}", text::count(views, "view")),
            None => people,
        };
        Bar { label: p.path.clone(), value: p.people, words, href: None }
    });
    let by = format!("today, by {}; one can be in several rows", text::people(t.readers as u32));
    let sub = view! { <span class="muted">{by}</span> }.into_any();
    let (of, measure, none) = ("Page", "People", "Nobody has opened a page today.");
    Bars { id: "popular", title: "Popular pages", sub, of, measure, rows: bars.collect(), none }.view()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_told_with_its_figures() {
        let told = |free| full("the data directory", free);
        assert_eq!([1 << 30, u64::MAX].map(told), [None, None]);
        let low = told(900_000_000).unwrap();
        assert_eq!(low, "900 MB free on the disk of the data directory: make room, or move it to a larger disk");
        assert!(told(0).unwrap().starts_with("0 B free on the disk of the data directory: make room now."));
    }
}
