//! Above the table: what to show, in which order, and whether to go on. Below it: the pages.

use domain::presence::{Sort, State};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{View, view};
use crate::{
    components::{
        icon::{Glyph, Icon},
        time::{Style, When},
    },
    live::list::{LIMIT, List},
    text,
};

/// Typing asks when it pauses, not at every key.
const TYPING: std::time::Duration = std::time::Duration::from_millis(200);

pub(super) fn sort_word(sort: Sort) -> &'static str {
    match sort {
        Sort::Started => "oldest sign-in",
        Sort::StartedDesc => "newest sign-in",
        Sort::Name => "name",
        Sort::State => "state",
        Sort::Activity => "last input",
    }
}

#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let View { people, list, open, .. } = view();
    let first = list.get_untracked();
    let navigate = leptos_router::hooks::use_navigate();
    let go = move |change: &dyn Fn(&mut List)| {
        let mut next = list.get_untracked();
        change(&mut next);
        next.offset = 0;
        let options = leptos_router::NavigateOptions { replace: true, scroll: false, ..Default::default() };
        navigate(&next.href(open.get_untracked()), options);
    };
    let go = StoredValue::new(go);
    let choose = move |change: &dyn Fn(&mut List)| go.with_value(|go| go(change));

    let typing = StoredValue::new(0_u32);
    let typed = move |e: leptos::ev::Event| {
        let (text, turn) = (event_target_value(&e), typing.get_value() + 1);
        typing.set_value(turn);
        let _ = set_timeout_with_handle(
            move || {
                if typing.try_get_value() == Some(turn) {
                    choose(&|l| l.query.q = some(&text));
                }
            },
            TYPING,
        );
    };
    let roles = move || people.counts.with(|c| c.by_role.keys().cloned().collect::<Vec<_>>());
    let orgs = move || {
        let mut orgs: Vec<String> = people.counts.with(|c| c.by_org.keys().cloned().collect());
        if let Some(chosen) = list.get().query.org.filter(|o| !orgs.contains(o)) {
            orgs.push(chosen);
        }
        orgs
    };
    let pause_text = move || match (people.paused.get(), people.missed.get()) {
        (true, 0) => "Paused".to_owned(),
        (true, n) => format!("Paused · {} waiting", text::count(u64::from(n), "update")),
        (false, _) => "Pause".to_owned(),
    };
    view! {
        <form class="bar" method="get" action="/admin/live" id="filters" role="search" aria-label="People"
            on:submit=move |e| {
                e.prevent_default();
                let text = crate::components::keys::element("[data-filter]").map(|i| i.unchecked_into::<web_sys::HtmlInputElement>().value());
                choose(&|l| l.query.q = text.as_deref().and_then(some));
            }>
            <span class="filter">
                <input data-filter type="search" name="q" placeholder="Filter people" aria-label="Filter people"
                    autocomplete="off" value=first.query.q.clone().unwrap_or_default() on:input=typed />
                <kbd aria-hidden="true">"/"</kbd>
            </span>
            <label class="chip" class:on=move || list.get().query.state.is_some()>
                <span>"State"</span>
                <select name="state" prop:value=move || list.get().query.state.map_or("", State::as_str)
                    on:change=move |e| { let v = event_target_value(&e); choose(&|l| l.query.state = State::parse(&v)); }>
                    <option value="">"any"</option>
                    {State::ALL[..5].iter().map(|s| view! {
                        <option value=s.as_str() selected=first.query.state == Some(*s)>{s.as_str()}</option>
                    }).collect_view()}
                </select>
            </label>
            <label class="chip" class:on=move || list.get().query.role.is_some()>
                <span>"Role"</span>
                <select name="role" prop:value=move || list.get().query.role.unwrap_or_default()
                    on:change=move |e| { let v = event_target_value(&e); choose(&|l| l.query.role = some(&v)); }>
                    <option value="">"any"</option>
                    <For each=roles key=Clone::clone let:role>
                        <option value=role.clone() selected=list.get_untracked().query.role.as_ref() == Some(&role)>{role.clone()}</option>
                    </For>
                </select>
            </label>
            <label class="chip" class:on=move || list.get().query.org.is_some()>
                <span>"Organisation"</span>
                <select name="org" prop:value=move || list.get().query.org.unwrap_or_default()
                    on:change=move |e| { let v = event_target_value(&e); choose(&|l| l.query.org = some(&v)); }>
                    <option value="">"any"</option>
                    <For each=orgs key=Clone::clone let:org>
                        <option value=org.clone() selected=list.get_untracked().query.org.as_ref() == Some(&org)>{org.clone()}</option>
                    </For>
                </select>
            </label>
            <label class="chip">
                <span>"Sort"</span>
                <select name="sort" prop:value=move || list.get().query.sort.as_str()
                    on:change=move |e| {
                        let v = event_target_value(&e);
                        choose(&|l| l.query.sort = Sort::parse(&v).unwrap_or_default());
                    }>
                    {Sort::ALL.into_iter().map(|s| view! {
                        <option value=s.as_str() selected=first.query.sort == s>{sort_word(s)}</option>
                    }).collect_view()}
                </select>
            </label>
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
            <span class="end">
                <a class="button" href="/admin/live?back=60">"Earlier"</a>
                <span class="as-of">"as of " <When at=people.as_of style=Style::Clock /></span>
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
        </form>
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
