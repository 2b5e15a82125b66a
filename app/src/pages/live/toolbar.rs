//! Above the table: what to show, in which order, and whether to go on. Below it: the pages.

use domain::presence::{Counts, Sort, State};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::{View, view};
use crate::{
    components::{
        icon::{Glyph, Icon},
        keys::element,
        switch::SwitchBox,
        time::{Style, When},
    },
    live::list::{LIMIT, List},
    text,
};

/// Typing asks when it pauses, not at every key.
const TYPING: std::time::Duration = std::time::Duration::from_millis(200);

/// What a chip chooses of the list.
type Read = fn(&List) -> Option<String>;
type Write = fn(&mut List, Option<String>);

#[component]
pub(super) fn Filters() -> impl IntoView {
    let view = view();
    let View { people, list, .. } = view;
    let first = list.get_untracked().query;
    let typing = StoredValue::new(0_u32);
    let take = move || view.change(&|l| (l.query.q, l.query.page) = (typed("q"), typed("page")));
    let typing = move |_| {
        let turn = typing.get_value() + 1;
        typing.set_value(turn);
        let _ = set_timeout_with_handle(
            move || {
                if typing.try_get_value() == Some(turn) {
                    take();
                }
            },
            TYPING,
        );
    };
    // What was cleared elsewhere is cleared here.
    Effect::new(move |_| {
        if list.get().filters() == 0 {
            for input in ["q", "page"].into_iter().filter_map(input) {
                input.set_value("");
            }
        }
    });
    view! {
        <form class="bar" method="get" action="/admin/live" id="filters" role="search" aria-label="People"
            on:submit=move |e| {
                e.prevent_default();
                take();
            }>
            <span class="filter">
                <input data-filter type="search" name="q" placeholder="Filter people" aria-label="Filter people"
                    autocomplete="off" value=first.q on:input=typing />
                <kbd aria-hidden="true">"/"</kbd>
            </span>
            <Chip word="State" name="state" options=|_| State::ALL[..5].iter().map(|s| s.as_str().to_owned()).collect()
                get=|l| l.query.state.map(|s| s.as_str().to_owned())
                set=|l, v| l.query.state = v.and_then(|v| State::parse(&v)) />
            <Chip word="Role" name="role" options=|c| c.by_role.keys().cloned().collect()
                get=|l| l.query.role.clone() set=|l, v| l.query.role = v />
            <Chip word="Organisation" name="org" options=|c| c.by_org.keys().cloned().collect()
                get=|l| l.query.org.clone() set=|l, v| l.query.org = v />
            <Chip word="Team" name="team" options=|c| c.by_team.keys().cloned().collect()
                get=|l| l.query.team.clone() set=|l, v| l.query.team = v />
            <label class="chip">
                <span>"Page"</span>
                <input name="page" placeholder="any" autocomplete="off" autocapitalize="off" spellcheck="false"
                    value=first.page on:input=typing />
            </label>
            <Chip word="Sort" name="sort" options=|_| Sort::ALL.iter().map(|s| s.as_str().to_owned()).collect()
                get=|l| Some(l.query.sort.as_str().to_owned())
                set=|l, v| l.query.sort = v.and_then(|v| Sort::parse(&v)).unwrap_or_default() />
            <Show when=move || { list.get().filters() > 0 }>
                <a class="button quiet" href="/admin/live" data-noscroll="">"Clear"</a>
            </Show>
            <button class="button without-script">"Apply"</button>
            <span class="newcomers">
                <Show when=move || { people.waiting.get() > 0 }>
                    <button type="button" class="pill" on:click=move |_| people.show_waiting()>
                        {move || people.waiting.get()} " new · Show"
                    </button>
                </Show>
            </span>
        </form>
    }
}

/// A choice of a few words. Where nothing can be chosen it is not shown.
#[component]
fn Chip(
    word: &'static str,
    name: &'static str,
    options: fn(&Counts) -> Vec<String>,
    get: Read,
    set: Write,
) -> impl IntoView {
    let view = view();
    let list = view.list;
    // An order there always is.
    let is_filter = name != "sort";
    let chosen = move || get(&list.get()).unwrap_or_default();
    let all = move || {
        let (mut all, chosen) = (view.people.counts.with(options), chosen());
        if !chosen.is_empty() && !all.contains(&chosen) {
            all.push(chosen);
        }
        all
    };
    view! {
        <label class="chip">
            <span>{word}</span>
            <select name=name prop:value=chosen on:change=move |e| {
                let value = some(&event_target_value(&e));
                view.change(&|l| set(l, value.clone()));
            }>
                {is_filter.then(|| view! { <option value="">"any"</option> })}
                <For each=all key=Clone::clone let:option>
                    <option value=option.clone() selected=get(&list.get_untracked()).as_ref() == Some(&option)>
                        {if is_filter { option.clone() } else { sort_word(&option).to_owned() }}
                    </option>
                </For>
            </select>
        </label>
    }
}

fn sort_word(sort: &str) -> &'static str {
    match Sort::parse(sort).unwrap_or_default() {
        Sort::Started => "oldest sign-in",
        Sort::StartedDesc => "newest sign-in",
        Sort::Name => "name",
        Sort::State => "state",
        Sort::Activity => "last input",
    }
}

fn input(name: &str) -> Option<HtmlInputElement> {
    element(&format!("#filters [name={name}]")).map(JsCast::unchecked_into)
}

/// What was typed there.
fn typed(name: &str) -> Option<String> {
    some(&input(name)?.value())
}

/// What can be done with a list that moves.
#[component]
pub(super) fn Controls() -> impl IntoView {
    let View { people, list, open, .. } = view();
    let pause_text = move || match (people.paused.get(), people.missed.get()) {
        (true, 0) => "Paused".to_owned(),
        (true, n) => format!("Paused · {} waiting", text::count(u64::from(n), "update")),
        (false, _) => "Pause".to_owned(),
    };
    view! {
        <span class="end">
            <SwitchBox switch=people.announcing label="Announce changes" />
            <span class="as-of">"as of " <When at=people.as_of style=Style::Clock /></span>
            <a class="button" href="/admin/live?back=60">"Earlier"</a>
            <button type="button" class="button needs-script" aria-pressed=move || people.paused.get().to_string()
                on:click=move |_| people.pause(!people.paused.get_untracked())>
                {move || if people.paused.get() { view! { <Glyph icon=Icon::Play /> } } else { view! { <Glyph icon=Icon::Pause /> } }}
                <span>{pause_text}</span>
                <kbd aria-hidden="true">"P"</kbd>
            </button>
            <a class="button" role="button" rel="external" href=move || list.get().href(open.get())
                aria-busy=move || people.loading.get().to_string()
                on:click=move |e| {
                    e.prevent_default();
                    people.refresh();
                }>
                <Glyph icon=Icon::Refresh />
                <span>"Refresh"</span>
            </a>
        </span>
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

/// "1–50 of 212", older and newer; only where there is more than one page.
#[component]
pub(super) fn Pager() -> impl IntoView {
    let View { people, list, .. } = view();
    let total = people.total;
    let more = move || total.get() > LIMIT || list.get().offset > 0;
    let range = move || {
        let from = list.get().offset;
        format!("{}–{} of {}", (from + 1).min(total.get()), (from + LIMIT).min(total.get()), total.get())
    };
    let at = move |offset: u32| List { offset, ..list.get() }.href(None);
    view! {
        <Show when=more>
            <nav class="pager" aria-label="Pages">
                <span>{range}</span>
                <Show when=move || { list.get().offset > 0 }>
                    <a class="button" href=move || at(list.get().offset.saturating_sub(LIMIT))><Glyph icon=Icon::Newer />"Previous"</a>
                </Show>
                <Show when=move || { list.get().offset + LIMIT < total.get() }>
                    <a class="button" href=move || at(list.get().offset + LIMIT)>"Next"<Glyph icon=Icon::Older /></a>
                </Show>
            </nav>
        </Show>
    }
}
