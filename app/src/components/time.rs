//! Instants and ages. On the server exact and in UTC; in the browser local and, where it helps, relative.

use domain::Time;
use leptos::prelude::*;

use crate::clock::{Local, ago, clock, lasting};

/// How an instant reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// "3 min ago" within a week, unless the reader wants all of them exact.
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
    instant(at, style, None)
}

/// How long ago, in a column of its own: "now" within a minute. `as_of` counts until the browser has taken over.
#[component]
pub(crate) fn Ago(#[prop(into)] at: Signal<Time>, #[prop(into)] as_of: Signal<Time>) -> impl IntoView {
    instant(at, Style::Relative, Some(as_of))
}

fn instant(at: Signal<Time>, style: Style, as_of: Option<Signal<Time>>) -> AnyView {
    let clock = clock();
    let brief = move |now, at| match (ago(now, at), as_of) {
        (Some(words), Some(_)) if words == "just now" => Some("now".to_owned()),
        (words, _) => words,
    };
    let text = move || {
        let at = at.get();
        match (clock.now(), style) {
            (None, Style::Minute) => format!("{} UTC", &at.clock()[..5]),
            (None, Style::Clock) => format!("{} UTC", at.clock()),
            (None, _) => as_of.and_then(|t| brief(t.get(), at)).unwrap_or_else(|| format!("{} UTC", at.exact())),
            (Some(now), Style::Relative) if clock.exact.is_on() => Local::of(at).precise(now),
            (Some(now), Style::Relative) => brief(now, at).unwrap_or_else(|| Local::of(at).short(now)),
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
    .into_any()
}

/// How long something has lasted, ticking in minutes; `as_of` counts until the browser has taken over.
#[component]
pub(crate) fn Age(#[prop(into)] since: Signal<Time>, #[prop(into)] as_of: Signal<Time>) -> impl IntoView {
    let clock = clock();
    move || lasting(clock.now().unwrap_or_else(|| as_of.get()), since.get())
}
