//! What was made for people: reports, exports, results of other programs.

use domain::{ApiError, files::File};
use futures_util::future::try_join;
use leptos::prelude::*;
use services::files::{Kind, Of};

use super::{
    super::{
        Asked, Written, page,
        part::{Called, apply, chip, day, empty, kept, pager, refused, search, table, when},
    },
    LIMIT, filter_of, link, size,
};

/// What filters this list.
const FILTERS: [&str; 5] = ["q", "user", "source", "from", "to"];

pub(in super::super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let (q, files, actor) = (&asked.query, &asked.services.files, asked.actor);
    let filter = filter_of(q, "source");
    let list = files.list(actor, Of::Others, Kind::Output, &filter, LIMIT, q.get("cursor"));
    let (list, labels) = try_join(list, files.labels(actor, Of::Others, Kind::Output)).await?;
    Ok(page("Outputs", || {
        let rows = list.items.iter().map(|f| row(asked, f)).collect_view();
        view! {
            {refused(asked)}
            <form class="bar" method="get" action=asked.path.to_owned() role="search" aria-label="Outputs">
                {search(q, "Find an output by its name")}
                {chip(q, "source", "Source", labels.into_iter().map(|l| (l.clone(), l)).collect())}
                {day(asked, "from", "From")}
                {day(asked, "to", "To")}
                {kept(asked, "user")}
                {apply(asked, &FILTERS)}
            </form>
            <section class="card" data-part="list">
                {table("Table of outputs", Called::Caption("Outputs"), &["Name", "Size", "Source", "Asked for by", "Made", "Kept until"], rows.into_any())}
                {list.items.is_empty().then(|| empty(asked, &FILTERS, "Nothing was made yet. Exports and reports, and what other programs register, will be here.", "outputs"))}
                {pager(asked, list.items.len(), list.total, "output", list.next.as_deref())}
            </section>
        }
    }))
}

fn row(asked: &Asked<'_>, f: &File) -> impl IntoView + use<> {
    let until = f.created_at.plus(asked.services.settings.now().retention_outputs);
    let of = asked.query.with(asked.path, "user", Some(&f.username));
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{link("outputs", f.id, &f.name)}</th>
            <td role="cell" data-label="Size">{size(f.size)}</td>
            <td role="cell" data-label=f.label.is_some().then_some("Source")>{f.label.clone()}</td>
            <td role="cell" data-label="Asked for by"><a href=of data-noscroll="">{f.user_name.clone()}</a></td>
            <td role="cell" data-label="Made">{when(f.created_at, true)}</td>
            <td role="cell" data-label="Kept until">{when(until, false)}</td>
        </tr>
    }
}
