//! The live page: everybody who is not offline, pushed; a filter, a person's drawer, and how to end sessions.
//!
//! The address is the truth: filters, order, page and drawer are all in it, so it works without scripts and can be
//! sent to somebody. With scripts a change of the address asks the socket another question.

mod act;
mod drawer;
mod past;
mod row;
mod table;
mod toolbar;

use domain::{presence::view::OnlinePage, time::human};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use uuid::Uuid;
use wasm_bindgen::JsCast;

use crate::{
    call::Ask,
    components::{
        figures::CountLine,
        form::refusal,
        frame::{OnlineNow, Page},
        keys::{element, keys},
        read::Read,
        sudo::SudoInline,
    },
    live::{
        list::{List, Moment, open, title},
        online::{Online, Reading},
    },
    viewer::viewer,
};
use act::{Acts, ConfirmDialog};

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct View {
    people: Online,
    list: Memo<List>,
    open: Memo<Option<Uuid>>,
    acts: Acts,
    go: Callback<String>,
}

impl View {
    /// Asks for another list: the address says it, the rest follows.
    fn change(self, change: &dyn Fn(&mut List)) {
        let mut next = self.list.get_untracked();
        change(&mut next);
        next.offset = 0;
        self.go.run(next.href(self.open.get_untracked()));
    }
}

/// The page's own context, for everything below `People`.
fn view() -> View {
    expect_context()
}

#[component]
pub(crate) fn Live() -> impl IntoView {
    let query = use_query_map();
    let moment = Memo::new(move |_| query.with(Moment::of));
    view! {
        <Page title="Live">
            // While one goes to another page the address may be gone before the title is.
            <Title text=move || query.try_with(title).unwrap_or_default() />
            <Show when=move || moment.get().is_some() fallback=|| view! { <Now /> }>
                <past::Past moment=moment />
            </Show>
        </Page>
    }
}

#[component]
fn Now() -> impl IntoView {
    let query = use_query_map();
    let list = Memo::new(move |_| query.with(List::of));
    let open = Memo::new(move |_| query.with(open));
    let first = Read::once(Ask::Online(list.get_untracked().window()));
    let refused = RwSignal::new(refusal("/rpc/end_sessions"));
    // The drawer's own resource is made here, in the same order on both sides.
    let person = Read::new(move || open.get().map(Ask::Why));
    let day = Read::new(move || open.get().map(Ask::Day));
    view! {
        <SudoInline error=refused />
        {first.page(move |page: OnlinePage| {
            view! { <People page=page list=list open=open person=person day=day /> }.into_any()
        })}
    }
}

#[component]
fn People(page: OnlinePage, list: Memo<List>, open: Memo<Option<Uuid>>, person: Read, day: Read) -> impl IntoView {
    let people = Online::new(&page, list.get_untracked().window());
    people.follow(reading);
    let acts = Acts::new();
    let navigate = use_navigate();
    let go = Callback::new(move |href: String| {
        navigate(&href, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    });
    provide_context(View { people, list, open, acts, go });
    Effect::new(move |_| people.announcing.recall());
    let OnlineNow(number) = expect_context();
    Effect::new(move |_| number.set(Some(people.counts.with(|c| c.online))));
    // Another question in the address asks the server another question.
    Effect::new(move |before: Option<List>| {
        let now = list.get();
        if before.is_some_and(|b| b != now) {
            people.ask(now.window());
        }
        now
    });
    keys().of_page(move |key| match key.as_str() {
        "p" => people.pause(!people.paused.get_untracked()),
        "j" => step(1),
        "k" => step(-1),
        "]" | "[" if open.get_untracked().is_some() => {
            if let Some(next) = beside(people, open.get_untracked(), key == "]") {
                go.run(list.get_untracked().href(Some(next)));
            }
        }
        "Escape" if open.get_untracked().is_some() => {
            let was = open.get_untracked();
            go.run(list.get_untracked().href(None));
            focus_row(was);
        }
        _ => {}
    });
    let active_for = human(viewer().active_for);
    view! {
        <CountLine counts=people.counts active_for=active_for>
            <toolbar::Controls />
        </CountLine>
        <toolbar::Filters />
        <table::Table />
        <toolbar::Pager />
        <drawer::Drawer person=person day=day />
        <ConfirmDialog acts=acts />
    }
}

const REGION: &str = "[data-people]";

/// What the reader is doing with the table.
fn reading() -> Reading {
    let Some(region) = element(REGION) else { return Reading::No };
    let selection = window().get_selection().ok().flatten();
    let selecting = selection.is_some_and(|s| {
        let inside = s.anchor_node().is_some_and(|n| region.contains(Some(&n)));
        inside && !s.is_collapsed()
    });
    let focused =
        document().active_element().is_some_and(|e| region.contains(Some(&e)) && !region.is_same_node(Some(&e)));
    let pointed = region.matches(":hover").unwrap_or(false);
    let scrolled = window().scroll_y().unwrap_or(0.0) > 120.0;
    if selecting {
        Reading::Selecting
    } else if focused || pointed || scrolled {
        Reading::Near
    } else {
        Reading::No
    }
}

/// The links of the rows on screen, in order.
fn links() -> Vec<web_sys::HtmlElement> {
    let Ok(found) = document().query_selector_all("[data-people] tbody th a") else { return vec![] };
    (0..found.length()).filter_map(|i| found.get(i)?.dyn_into().ok()).collect()
}

/// Moves the focus to the next or the previous row.
fn step(by: isize) {
    let links = links();
    let at = document().active_element().and_then(|e| links.iter().position(|l| l.is_same_node(Some(&e))));
    let next = at.map_or(Some(0), |i| i.checked_add_signed(by));
    if let Some(link) = next.and_then(|i| links.get(i)) {
        let _ = link.focus();
    }
}

/// Who is above or below the one whose drawer is open.
fn beside(people: Online, open: Option<Uuid>, below: bool) -> Option<Uuid> {
    people.entries.with_untracked(|all| {
        let at = all.iter().position(|e| Some(e.id) == open)?;
        let next = if below { at + 1 } else { at.checked_sub(1)? };
        all.get(next).map(|e| e.id)
    })
}

/// Gives the focus back to the row whose drawer was closed.
fn focus_row(id: Option<Uuid>) {
    if let Some(link) = id.and_then(|id| element(&format!("[data-row=\"{id}\"] th a"))) {
        let _ = link.focus();
    }
}
