//! Numbers about people: the headline figures, the line of counts, and shares as bars.

use domain::{
    Time,
    presence::{Counts, State},
};
use leptos::prelude::*;

use super::{
    presence::Shape,
    time::{Style, When},
};
use crate::text;

/// A headline number with its definition one key press away.
#[component]
pub(crate) fn Figure(
    label: &'static str,
    #[prop(into)] value: Signal<u32>,
    #[prop(into)] sub: Signal<String>,
    definition: String,
) -> impl IntoView {
    view! {
        <section class="figure" aria-label=label>
            <h2>{label}</h2>
            <p class="value live-number">{value}</p>
            <p class="sub">{sub}</p>
            <details class="definition">
                <summary>"Definition"</summary>
                <p>{definition}</p>
            </details>
        </section>
    }
}

/// Everybody who is not offline, by state: one bar, and a legend with every state, zeros too.
#[component]
pub(crate) fn ByState(counts: RwSignal<Counts>, as_of: RwSignal<Time>) -> impl IntoView {
    let of = move |state: State| counts.with(|c| c.by_state.get(state.as_str()).copied().unwrap_or_default());
    let states = &State::ALL[..5];
    let bar = move || {
        let total: u32 = states.iter().map(|s| of(*s)).sum();
        let mut before = 0;
        states
            .iter()
            .filter(|s| of(**s) > 0)
            .map(|s| {
                let (x, width) = (percent(before, total), percent(of(*s), total));
                let part = view! {
                    <rect class="part" data-state=s.as_str() x=x y="0" width=width height="8" />
                };
                before += of(*s);
                part
            })
            .collect_view()
    };
    view! {
        <section class="figure by-state" aria-label="By state">
            <h2>"By state"</h2>
            <svg class="share" width="100%" height="8" aria-hidden="true">{bar}</svg>
            <ul class="legend">
                {states.iter().map(|&s| view! {
                    <li>
                        <Shape state=s />
                        <span>{s.word()}</span>
                        <b class="live-number">{move || of(s)}</b>
                    </li>
                }).collect_view()}
            </ul>
            <p class="as-of">"as of " <When at=as_of style=Style::Clock /></p>
        </section>
    }
}

/// Above the live table: "9 online" and what can be done about it, then by state, then by role.
#[component]
pub(crate) fn CountLine(counts: RwSignal<Counts>, active_for: String, children: Children) -> impl IntoView {
    let online = move || counts.with(|c| format!("{} online", c.online));
    let active = move || counts.with(|c| format!("{} active in the last {active_for}", c.active));
    let state = move |s: State| counts.with(|c| c.by_state.get(s.as_str()).copied().unwrap_or_default());
    let roles = move || {
        counts.with(|c| {
            c.by_role
                .iter()
                .map(|(role, n)| {
                    let word =
                        text::count(u64::from(*n), role).split_once(' ').map(|(_, w)| w.to_owned()).unwrap_or_default();
                    view! { <span><b>{*n}</b>" "{word}</span> }
                })
                .collect_view()
        })
    };
    view! {
        <div class="counts">
            <strong class="live-number">{online}</strong>
            <span>{active}</span>
            {children()}
            <span class="groups">
                <span class="group" role="group" aria-label="By state">
                    {State::ALL[..5].iter().map(|&s| view! {
                        <span><b class="live-number">{move || state(s)}</b>" "{s.as_str()}</span>
                    }).collect_view()}
                </span>
                <span class="group" role="group" aria-label="Online by role">{roles}</span>
            </span>
        </div>
    }
}

/// A table of groups: online, active now, and the share of the largest as a bar.
#[component]
pub(crate) fn Groups(
    title: &'static str,
    noun: &'static str,
    /// Name, online, active now where it is counted.
    #[prop(into)]
    rows: Signal<Vec<(String, u32, Option<u32>)>>,
    empty: &'static str,
) -> impl IntoView {
    let has_active = Memo::new(move |_| rows.with(|r| r.iter().any(|(_, _, a)| a.is_some())));
    let body = move || {
        let rows = rows.get();
        let most = rows.iter().map(|(_, n, _)| *n).max().unwrap_or_default().max(1);
        rows.into_iter()
            .map(|(name, online, active)| {
                let width = percent(online, most);
                view! {
                    <tr>
                        <th scope="row">{text::capital(&name)}</th>
                        <td class="measure">
                            <svg width="100%" height="8" aria-hidden="true"><rect class="fill" width=width height="8" rx="2" /></svg>
                        </td>
                        <td class="number live-number">{online}</td>
                        {has_active.get().then(|| view! { <td class="number live-number">{active}</td> })}
                    </tr>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card groups">
            <header><h2>{title}</h2></header>
            <Show
                when=move || rows.with(|r| !r.is_empty())
                fallback=move || view! { <p class="empty">{empty}</p> }
            >
                <table>
                    <caption class="hidden">{title}", people online"</caption>
                    <thead>
                        <tr>
                            <th scope="col">{noun}</th>
                            <td></td>
                            <th scope="col" class="number">"Online"</th>
                            {move || has_active.get().then(|| view! { <th scope="col" class="number">"Active"</th> })}
                        </tr>
                    </thead>
                    <tbody>{body}</tbody>
                </table>
            </Show>
        </section>
    }
}

/// A share as an SVG length, to a hundredth of a percent; in whole numbers, since the code that prints others is large.
fn percent(part: u32, of: u32) -> String {
    let hundredths = u64::from(part) * 10_000 / u64::from(of.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
