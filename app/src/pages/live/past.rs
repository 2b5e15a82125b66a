//! Who was here at a moment gone by: a slider over a day, and everybody of that moment. The address says the moment.

use domain::{
    Time,
    presence::{
        State,
        history::{PresenceAt, WasHere},
    },
    time::{DAY, human},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    call::Ask,
    components::{
        presence::{Shape, StateWord},
        read::Read,
        time::{Style, When},
    },
    live::list::{BACK_MAX, Moment},
    text,
    viewer::viewer,
};

/// Asks when the slider pauses, not at every step.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(120);

#[component]
pub(super) fn Past(moment: Memo<Option<Moment>>) -> impl IntoView {
    let read = Read::new(move || moment.get().map(Ask::At));
    view! {
        <Slider moment=moment />
        {read.page(|at: PresenceAt| view! { <Then at=at /> }.into_any())}
    }
}

#[component]
fn Slider(moment: Memo<Option<Moment>>) -> impl IntoView {
    let to = move || moment.get().and_then(|m| m.to);
    let back = move || moment.get().map_or(0, |m| m.back);
    let navigate = use_navigate();
    let turn = StoredValue::new(0_u32);
    let slid = move |e: leptos::ev::Event| {
        let (value, now, navigate) = (event_target_value(&e), turn.get_value() + 1, navigate.clone());
        turn.set_value(now);
        let _ = set_timeout_with_handle(
            move || {
                if turn.try_get_value() == Some(now) {
                    let next = Moment { to: to(), back: value.parse().unwrap_or_default() };
                    let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
                    navigate(&next.href(), options);
                }
            },
            PAUSE,
        );
    };
    // A day further, from where the slider ends.
    let shifted = move |days: i64| {
        let end = to().unwrap_or_else(|| viewer().now);
        Moment { to: Some(end.plus(days * DAY)), back: back() }.href()
    };
    let words = move || moment.get().map_or_else(String::new, Moment::words);
    view! {
        <form class="bar past" method="get" action="/admin/live" aria-label="A moment gone by">
            <label for="back">"Who was here"</label>
            {move || to().map(|t| view! { <input type="hidden" name="to" value=t.to_string() /> })}
            <input id="back" name="back" type="range" min="0" max=BACK_MAX.to_string() step="1"
                value=back().to_string() aria-valuetext=words on:input=slid />
            <output for="back">{words} {move || to().map(|t| view! { " " <When at=t style=Style::Exact /> })}</output>
            <button class="button without-script">"Show"</button>
            <span class="end">
                <a class="button" href=move || shifted(-1) data-noscroll="">"A day earlier"</a>
                <Show when=move || to().is_some()>
                    <a class="button" href=move || shifted(1) data-noscroll="">"A day later"</a>
                </Show>
                <a class="button" href="/admin/live">"Back to now"</a>
            </span>
        </form>
    }
}

/// Everybody of that moment.
#[component]
fn Then(at: PresenceAt) -> impl IntoView {
    let PresenceAt { time, total, by_state, users } = at;
    let counts = State::ALL[..5]
        .iter()
        .map(|&s| {
            let n = by_state.get(s.as_str()).copied().unwrap_or_default();
            view! { <li><Shape state=s /> <b>{n}</b> " " {s.as_str()}</li> }
        })
        .collect_view();
    let more = total.saturating_sub(users.len() as u32);
    view! {
        <section class="card then" aria-labelledby="then-heading">
            <header>
                <h2 id="then-heading">{text::people(total)} " at " <When at=time style=Style::Exact /></h2>
                <ul class="legend">{counts}</ul>
            </header>
            {if users.is_empty() {
                view! { <p class="empty">"Nobody was here then, as far as is remembered."</p> }.into_any()
            } else {
                view! { <Table users=users time=time /> }.into_any()
            }}
            {(more > 0).then(|| view! {
                <p class="empty">"and " {text::people(more)} " more; " <code>"/api/v1/admin/presence/at"</code> " gives them all."</p>
            })}
        </section>
    }
}

#[component]
fn Table(users: Vec<WasHere>, time: Time) -> impl IntoView {
    let rows = users
        .into_iter()
        .map(|u| {
            let lasted = human(u.until.unwrap_or(time).max(time).since(u.since));
            view! {
                <tr role="row">
                    <th scope="row" role="rowheader">
                        <a href=format!("/admin/live?open={}", u.id)>{u.name}</a>
                        {u.invisible.then(|| view! { <small>"Invisible to others"</small> })}
                    </th>
                    <td role="cell"><StateWord state=u.state /></td>
                    <td role="cell" data-label="Since"><When at=u.since style=Style::Exact /></td>
                    <td role="cell" data-label=u.until.map(|_| "Until")>
                        {u.until.map(|t| view! { <When at=t style=Style::Exact /> <small>{lasted}</small> })}
                    </td>
                    <td role="cell">{text::capital(u.cause.words())}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="listed" role="table" aria-labelledby="then-heading">
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader">"Name"</th>
                    <th scope="col" role="columnheader">"State"</th>
                    <th scope="col" role="columnheader">"Since"</th>
                    <th scope="col" role="columnheader">"Until"</th>
                    <th scope="col" role="columnheader">"Why"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
}
