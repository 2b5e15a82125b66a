//! A person's row. Each cell reads one thing of the row, so a patch repaints the cells it changed and no others.

use domain::{
    Time,
    presence::{PersonRow, State},
    time::SECOND,
};
use leptos::prelude::*;

use super::{View, view};
use crate::{
    clock::clock,
    components::{
        presence::StateWord,
        time::{Age, Ago, Style, When},
    },
    live::online::Entry,
    text,
};

/// One thing of a row, which changes only when it does.
fn part<T: Clone + PartialEq + Send + Sync + 'static>(
    row: &ArcRwSignal<PersonRow>,
    read: impl Fn(&PersonRow) -> T + Send + Sync + 'static,
) -> Memo<T> {
    let row = row.clone();
    Memo::new(move |_| row.with(&read))
}

/// "a" and "b" in turn each time `value` changes, for a tint that fades; nothing before the first change.
fn tint<T: Clone + PartialEq + Send + Sync + 'static>(value: Memo<T>) -> RwSignal<Option<&'static str>> {
    let turn = RwSignal::new(None);
    Effect::new(move |before: Option<T>| {
        let now = value.get();
        if before.is_some_and(|b| b != now) {
            turn.update(|t| *t = if *t == Some("a") { Some("b") } else { Some("a") });
        }
        now
    });
    turn
}

#[component]
pub(super) fn Row(entry: Entry) -> impl IntoView {
    let View { people, list, open, .. } = view();
    let Entry { id, row, left, elsewhere } = entry;
    let (left, elsewhere) = (RwSignal::from(left), RwSignal::from(elsewhere));
    let name = part(&row, |r| r.name.clone());
    let message = part(&row, |r| r.message.clone());
    let invisible = part(&row, |r| r.invisible);
    let state = part(&row, |r| r.state);
    let mail = part(&row, |r| r.email.clone().unwrap_or_default());
    let org = part(&row, |r| r.organisation.clone());
    let role = part(&row, |r| {
        let role = text::capital(&r.role);
        if r.teams.is_empty() { role } else { format!("{role} · {}", r.teams.join(", ")) }
    });
    let page = part(&row, |r| r.page.clone().unwrap_or_default());
    let device = part(&row, |r| r.devices.first().map(|d| d.device.clone()));
    let more = part(&row, |r| r.devices.len().saturating_sub(1));
    let ip = part(&row, |r| r.ip.clone());
    let started = part(&row, |r| r.session_started_at);
    let input = part(&row, |r| r.last_activity_at);

    let clock = clock();
    let shown_state = Signal::derive(move || if left.get().is_some() { State::Offline } else { state.get() });
    let gone = move || {
        let since = left.get()?;
        let seconds = clock.second().unwrap_or(since).since(since).max(0) / SECOND;
        // Somebody who is filtered out, or on another page now, has not left.
        Some(if list.get().is_everybody() && !elsewhere.get() {
            format!("Left {seconds} s ago")
        } else {
            "Not listed now".to_owned()
        })
    };
    let (state_tint, page_tint, device_tint) = (tint(state), tint(page), tint(device));
    let note = move || match (message.get(), invisible.get()) {
        (Some(m), true) => Some(format!("Invisible to others. {m}")),
        (None, true) => Some("Invisible to others".to_owned()),
        (m, false) => m,
    };
    let href = move || list.get().href(Some(id));
    view! {
        <tr role="row" data-row=id.to_string() class:left=move || left.get().is_some()
            aria-selected=move || (open.get() == Some(id)).then_some("true")>
            // The row is the person's, whatever else the cell says.
            <th scope="row" role="rowheader" aria-label=name>
                <a href=href data-noscroll="">{name}</a>
                {move || note().map(|n| view! { <small>{n}</small> })}
            </th>
            <td role="cell" class="status" data-tint=state_tint>
                {move || match gone() {
                    Some(words) => view! { <span class="state" data-state="offline">{words}</span> }.into_any(),
                    None => view! { <StateWord state=shown_state /> }.into_any(),
                }}
            </td>
            <td role="cell" class="mail" title=mail>{mail}</td>
            <td role="cell" class="org">{org} <small>{role}</small></td>
            <td role="cell" class="page mono" title=page data-tint=page_tint>{page}</td>
            <td role="cell" class="device" data-tint=device_tint>
                {device}
                {move || Some(more.get()).filter(|n| *n > 0).map(|n| view! { <small>{format!("and {}", text::count(n as u64, "more tab"))}</small> })}
            </td>
            <td role="cell" class="address mono" title=ip>{ip}</td>
            <td role="cell" class="number since">
                <Age since=started as_of=people.as_of />
                <small>"since " <When at=started style=Style::Minute /></small>
            </td>
            <td role="cell" class="number input"><LastInput at=input state=state as_of=people.as_of /></td>
        </tr>
    }
}

/// Of somebody unknown the exact time: it is the last thing we are sure of.
#[component]
fn LastInput(at: Memo<Time>, state: Memo<State>, as_of: RwSignal<Time>) -> impl IntoView {
    move || {
        if state.get() == State::Unknown {
            view! { <When at=at style=Style::Clock /> }.into_any()
        } else {
            view! { <Ago at=at as_of=as_of /> }.into_any()
        }
    }
}
