//! The table "People online". On a phone the same rows are a list of two lines each.

use domain::presence::Sort;
use leptos::prelude::*;

use super::{View, row::Row, view};

#[component]
pub(super) fn Table() -> impl IntoView {
    let View { people, list, .. } = view();
    let is_empty = move || people.entries.with(Vec::is_empty);
    let nobody = move || match list.get().filters() {
        0 => "Nobody is online.".to_owned(),
        1 => "Nobody online matches this filter.".to_owned(),
        n => format!("Nobody online matches these {n} filters."),
    };
    view! {
        <div class="tablewrap" tabindex="0" role="region" aria-label="Table of people online" data-people aria-live="off">
            <table class="people" role="table">
                <caption class="hidden">"People online"</caption>
                <colgroup>
                    {["name", "status", "mail", "org", "page", "device", "address", "since", "input"]
                        .into_iter()
                        .map(|c| view! { <col class=c /> })
                        .collect_view()}
                </colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <Sorted word="Name" sorts=&[Sort::Name] />
                        <Sorted word="State" sorts=&[Sort::State] />
                        <th scope="col" role="columnheader">"E-mail"</th>
                        <th scope="col" role="columnheader">"Organisation"</th>
                        <th scope="col" role="columnheader">"Page"</th>
                        <th scope="col" role="columnheader">"Device"</th>
                        <th scope="col" role="columnheader">"Address"</th>
                        <Sorted word="Signed in" sorts=&[Sort::Started, Sort::StartedDesc] number=true />
                        <Sorted word="Last input" sorts=&[Sort::Activity] number=true />
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || people.entries.get() key=|e| e.id let:entry>
                        <Row entry=entry />
                    </For>
                </tbody>
            </table>
            <Show when=is_empty>
                <p class="empty">
                    {nobody}
                    <Show when=move || { list.get().filters() > 0 }>
                        " "<a href="/admin/live">"Clear filters"</a>
                    </Show>
                </p>
            </Show>
        </div>
    }
}

/// A header that sorts; again for the other direction where there is one. Without scripts it sends the filter form.
#[component]
fn Sorted(word: &'static str, sorts: &'static [Sort], #[prop(optional)] number: bool) -> impl IntoView {
    let view = view();
    let list = view.list;
    let current = move || list.get().query.sort;
    let aria = move || match current() {
        s if !sorts.contains(&s) => None,
        Sort::StartedDesc | Sort::Activity => Some("descending"),
        _ => Some("ascending"),
    };
    let next = move || match sorts.iter().position(|s| *s == current()) {
        Some(i) => sorts[(i + 1) % sorts.len()],
        None => sorts[0],
    };
    let click = move |e: leptos::ev::MouseEvent| {
        e.prevent_default();
        view.change(&|l| l.query.sort = next());
    };
    view! {
        <th scope="col" role="columnheader" aria-sort=aria class:number=number>
            <button class="sort" form="filters" name="sort" value=move || next().as_str() on:click=click>{word}</button>
        </th>
    }
}
