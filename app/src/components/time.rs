//! Instants and ages. On the server exact and in UTC; in the browser local and, where it helps, relative.

use domain::Time;
use leptos::prelude::*;

use crate::clock::{Local, ago, clock, lasting};

/// How an instant reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// "3 min ago" within a week.
    Relative,
    /// "14:02" today, "2 Mar, 14:02" else: for sensitive facts.
    Exact,
    /// "14:02" today, "2 Mar, 14:02" else, where an age stands beside it.
    Minute,
    /// "14:02:11", for what happened today.
    Clock,
}

/// An instant; its exact form in the title and in `datetime`.
#[component]
pub(crate) fn When(#[prop(into)] at: Signal<Time>, #[prop(default = Style::Relative)] style: Style) -> impl IntoView {
    let clock = clock();
    let text = move || {
        let at = at.get();
        match (clock.now(), style) {
            (None, Style::Minute) => format!("{} UTC", &at.clock()[..5]),
            (None, Style::Clock) => format!("{} UTC", at.clock()),
            (None, _) => format!("{} UTC", at.exact()),
            (Some(now), Style::Relative) => ago(now, at).unwrap_or_else(|| Local::of(at).short(now)),
            (Some(now), Style::Exact | Style::Minute) => Local::of(at).short(now),
            (Some(_), Style::Clock) => Local::of(at).clock(),
        }
    };
    let title = move || {
        let at = at.get();
        if clock.now().is_some() { Local::of(at).full(at) } else { format!("{} UTC", at.exact()) }
    };
    view! {
        <time datetime=move || at.get().to_string() title=title>
            {text}
        </time>
    }
}

/// How long something has lasted, ticking in minutes; `as_of` counts until the browser has taken over.
#[component]
pub(crate) fn Age(#[prop(into)] since: Signal<Time>, #[prop(into)] as_of: Signal<Time>) -> impl IntoView {
    let clock = clock();
    move || lasting(clock.now().unwrap_or_else(|| as_of.get()), since.get())
}

/// How long ago, in a column of its own: "now" within a minute.
#[component]
pub(crate) fn Ago(#[prop(into)] at: Signal<Time>, #[prop(into)] as_of: Signal<Time>) -> impl IntoView {
    let clock = clock();
    let text = move || {
        let now = clock.now().unwrap_or_else(|| as_of.get());
        match ago(now, at.get()).as_deref() {
            Some("just now") => "now".to_owned(),
            Some(text) => text.to_owned(),
            None => at.get().exact(),
        }
    };
    view! { <time datetime=move || at.get().to_string()>{text}</time> }
}
