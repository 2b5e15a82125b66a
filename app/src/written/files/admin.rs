//! Who uploads what: as it comes, in sums, and one by one.

use domain::{
    ApiError,
    files::{Arriving, File, Summary, bytes_text},
};
use futures_util::future::try_join3;
use leptos::prelude::*;
use services::files::{Kind, Of};

use super::{
    super::{
        Asked, Written,
        chart::{Bar, Bars},
        page,
        part::{Called, apply, chip, confirm, day, empty, kept, pager, refused, search, table, when},
        query::Query,
    },
    KINDS, LIMIT, SIZES, filter_of, link, size,
};
use crate::text;

const PATH: &str = "/admin/files";
/// What filters this list.
const FILTERS: [&str; 7] = ["q", "user", "workflow", "type", "size", "from", "to"];
/// Bars of a chart.
const BARS: usize = 10;
/// Days of the chart: the newest on which anything came.
const DAYS: usize = 14;

pub(in super::super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, files, actor) = (&asked.query, &asked.services.files, asked.actor);
    let filter = filter_of(q, "workflow");
    let list = files.list(actor, Of::Others, Kind::Upload, &filter, LIMIT, q.get("cursor"));
    let sums = files.summary(actor, Of::Others, Kind::Upload, &filter);
    let (list, sums, labels) = try_join3(list, sums, files.labels(actor, Of::Others, Kind::Upload)).await?;
    let arriving = files.arriving(actor)?;
    Ok(page("Files", || {
        let rows = list.items.iter().map(|f| row(asked, f)).collect_view();
        let same = |l: String| (l.clone(), l);
        let kinds = KINDS.iter().map(|(value, word)| ((*value).to_owned(), (*word).to_owned())).collect();
        let sizes = SIZES.iter().map(|(value, word, _)| ((*value).to_owned(), (*word).to_owned())).collect();
        view! {
            {confirm(asked)}
            {refused(asked)}
            {coming(&arriving)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Uploads">
                {search(q, "Find a file by its name")}
                {chip(q, "workflow", "Workflow", labels.into_iter().map(same).collect())}
                {chip(q, "type", "Type", kinds)}
                {chip(q, "size", "Size", sizes)}
                {day(asked, "from", "From")}
                {day(asked, "to", "To")}
                {kept(asked, "user")}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card totals" aria-label="Totals" data-part="totals">
                <dl class="facts body">
                    <dt>"Uploads"</dt>
                    <dd>{sums.total}</dd>
                    <dt>"Together"</dt>
                    <dd>{size(sums.bytes)}</dd>
                    {q.owned("user").map(|user| view! { <dt>"Of"</dt><dd>{user}" "<a href=q.with(PATH, "user", None) data-noscroll="">"Show everybody's"</a></dd> })}
                </dl>
            </section>
            <div class="charts" data-part="charts">{charts(asked, &sums)}</div>
            <section class="card" data-part="list">
                {table("Table of uploads", Called::Caption("Uploads"), &["Name", "Person", "Size", "Workflow", "Type", "Sent"], rows.into_any())}
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nobody has sent a file yet.", "uploads"))}
                {pager(asked, list.items.len(), list.total, "upload", list.next.as_deref())}
            </section>
        }
    }))
}

/// Uploads on their way; a script keeps them true.
fn coming(arriving: &[Arriving]) -> impl IntoView + use<> {
    let none = arriving.is_empty();
    let rows = arriving
        .iter()
        .map(|a| {
            let percent = a.size.filter(|n| *n > 0).map(|n| a.received.min(n) * 100 / n);
            view! {
                <tr role="row" data-id=a.id.to_string()>
                    <th scope="row" role="rowheader">{a.name.clone()}</th>
                    <td role="cell">{a.user_name.clone()}</td>
                    <td role="cell">{a.workflow.clone()}</td>
                    <td role="cell">
                        <progress max="100" value=percent.map(|p| p.to_string()) aria-label=format!("Progress of {}", a.name)></progress>
                        " "<span class="text">{bytes_text(a.received)}</span>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="coming" data-arriving="">
            <header><h2 id="coming">"On their way"</h2></header>
            {table("Table of uploads on their way", Called::As("coming".to_owned()), &["Name", "Person", "Workflow", "Progress"], rows.into_any())}
            <p class="empty" hidden=!none>"Nothing is on its way."</p>
        </section>
    }
}

fn charts(asked: &Asked<'_>, s: &Summary) -> impl IntoView + use<> {
    let q = &asked.query;
    let words = |count: u64, bytes: u64| format!("{} · {}", text::count(count, "file"), bytes_text(bytes));
    let by_user = s.by_user.iter().take(BARS).map(|g| Bar {
        label: g.username.clone(),
        value: g.count,
        words: words(g.count, g.bytes),
        href: Some(q.with(PATH, "user", Some(&g.username))),
    });
    let by_workflow = s.by_workflow.iter().take(BARS).map(|g| Bar {
        label: g.workflow.clone().unwrap_or_else(|| "no workflow".to_owned()),
        value: g.count,
        words: words(g.count, g.bytes),
        href: g.workflow.as_ref().map(|w| q.with(PATH, "workflow", Some(w))),
    });
    let by_day = s.by_day.iter().rev().take(DAYS).rev().map(|g| {
        let from = q.with(PATH, "from", Some(&g.day));
        let query = from.split_once('?').map_or("", |(_, query)| query);
        Bar {
            label: g.day.clone(),
            value: g.count,
            words: words(g.count, g.bytes),
            href: Some(Query::parse(query).with(PATH, "to", Some(&g.day))),
        }
    });
    view! {
        {chart("by-user-chart", "By person", "Person", by_user.collect())}
        {chart("by-workflow-chart", "By workflow", "Workflow", by_workflow.collect())}
        {chart("by-day-chart", "By day", "Day", by_day.collect())}
    }
}

fn chart(id: &'static str, title: &'static str, of: &'static str, bars: Vec<Bar>) -> impl IntoView {
    Bars { id, title, sub: ().into_any(), of, measure: "Uploads", rows: bars, none: "Nothing to draw yet." }.view()
}

fn row(asked: &Asked<'_>, f: &File) -> impl IntoView + use<> {
    let of = asked.query.with(PATH, "user", Some(&f.username));
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{link("uploads", f.id, &f.name)}</th>
            <td role="cell" data-label="Person">
                <a href=of data-noscroll="">{f.user_name.clone()}</a>
                <small class="muted">{f.username.clone()}</small>
            </td>
            <td role="cell" data-label="Size">{size(f.size)}</td>
            <td role="cell" data-label=f.label.is_some().then_some("Workflow")>{f.label.clone()}</td>
            <td role="cell" data-label="Type">{f.content_type.clone()}</td>
            <td role="cell" data-label="Sent">{when(f.created_at, true)}</td>
        </tr>
    }
}
