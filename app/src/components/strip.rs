//! A person's day as one bar: when they were in which state.

use domain::{
    Time,
    presence::{
        State,
        history::{Interval, PresenceDay},
    },
    time::{SECOND, human},
};
use leptos::prelude::*;

use super::presence::Shape;

#[component]
pub(crate) fn Strip(day: PresenceDay) -> impl IntoView {
    let PresenceDay { day, from, to, intervals, seconds_by_state, as_of } = day;
    let seconds = |t: Time| t.since(from).clamp(0, to.since(from)) / SECOND;
    let seen: Vec<State> = intervals.iter().map(|i| i.state).collect();
    let parts = intervals
        .into_iter()
        .map(|i: Interval| {
            let from = seconds(i.from);
            let width = (seconds(i.to.unwrap_or(as_of)) - from).max(60);
            view! { <rect class="part" data-state=i.state.as_str() x=from.to_string() y="0" width=width.to_string() height="10" /> }
        })
        .collect_view();
    let spent: Vec<(State, String)> = State::ALL[..5]
        .iter()
        .filter_map(|s| seconds_by_state.get(s.as_str()).filter(|_| seen.contains(s)).map(|n| (*s, human(n * SECOND))))
        .collect();
    let summary = match &spent[..] {
        [] => "not here".to_owned(),
        all => all.iter().map(|(s, for_)| format!("{} {for_}", s.as_str())).collect::<Vec<_>>().join(", "),
    };
    view! {
        <figure class="strip">
            <svg viewBox="0 0 86400 10" preserveAspectRatio="none" role="img" aria-label=format!("{day} UTC: {summary}")>
                {parts}
            </svg>
            <p class="hours" aria-hidden="true"><span>"00"</span><span>"06"</span><span>"12"</span><span>"18"</span><span>"24 UTC"</span></p>
            <figcaption>
                {if spent.is_empty() {
                    view! { "Not here today so far." }.into_any()
                } else {
                    view! { <ul class="legend">{spent.into_iter().map(|(s, for_)| view! {
                        <li><Shape state=s /> {s.word()} " " <b>{for_}</b></li>
                    }).collect_view()}</ul> }.into_any()
                }}
            </figcaption>
        </figure>
    }
}
