//! A person's drawer: why they are shown as they are, their tabs and devices, what happened, and how to end it. It has
//! an address of its own and works without scripts.

use domain::{
    ApiError,
    presence::{DeviceRow, State, Transition, history::PresenceDay, view::Why},
};
use leptos::{either::Either, html, prelude::*};
use uuid::Uuid;

use super::{View, act::ids, view};
use crate::{
    clock::localised,
    components::{
        icon::{Glyph, Icon},
        presence::{Shape, StateWord},
        read::Read,
        strip::Strip,
        time::{Ago, Style, When},
    },
    text,
};

#[component]
pub(super) fn Drawer(person: Read, day: Read) -> impl IntoView {
    let View { people, open, acts, .. } = view();
    // What changes of this person on the left changes here too, at most once a second.
    let version = Memo::new(move |_| {
        let id = open.get()?;
        people.entries.with(|all| {
            let entry = all.iter().find(|e| e.id == id)?;
            Some((entry.row.with(|r| (r.state, r.since, r.devices.len(), r.page.clone())), entry.left.get().is_some()))
        })
    });
    Effect::new(move |before: Option<(Option<Uuid>, u32)>| {
        let (id, done) = (open.get(), acts.done.get());
        // Read, not only tracked: a memo that nobody reads follows nothing.
        let _ = version.get();
        if before.is_some_and(|(b, _)| b == id) && id.is_some() {
            person.refetch();
            day.refetch();
        }
        (id, done)
    });
    person.part(move |why: Result<Why, ApiError>| match why {
        Ok(why) => view! { <Panel why=why day=day /> }.into_any(),
        Err(e) => view! { <Missing text=e.message /> }.into_any(),
    })
}

#[component]
fn CloseLink() -> impl IntoView {
    let list = view().list;
    view! {
        <a class="button" href=move || list.get().href(None) data-noscroll="" aria-label="Close">
            <Glyph icon=Icon::Close />
            <kbd aria-hidden="true">"Esc"</kbd>
        </a>
    }
}

#[component]
fn Missing(text: String) -> impl IntoView {
    view! {
        <aside class="drawer" aria-label="Person">
            <div class="drawer-top"><span></span><CloseLink /></div>
            <p>{text}</p>
        </aside>
    }
}

#[component]
fn Panel(why: Why, day: Read) -> impl IntoView {
    let heading = NodeRef::<html::H2>::new();
    let (id, state) = (why.id, why.state);
    // Opened by the reader, it gets the focus; looked at again, it leaves the focus where it is.
    Effect::new(move |_| {
        if let Some(h) = heading.get() {
            let key = id.to_string();
            if document().body().is_some_and(|b| b.get_attribute("data-drawer").as_ref() != Some(&key)) {
                let _ = document().body().map(|b| b.set_attribute("data-drawer", &key));
                let _ = h.focus();
            }
        }
    });
    let row = why.person.clone();
    let devices = row.as_ref().map(|r| r.devices.clone()).unwrap_or_default();
    let as_of = RwSignal::new(why.as_of);
    view! {
        <aside class="drawer" aria-labelledby="drawer-name" data-person=id.to_string()>
            <div class="drawer-top">
                <span class="tags">
                    {row.as_ref().map(|r| view! { <span class="tag">{text::capital(&r.role)}</span> })}
                    {row.as_ref().and_then(|r| r.organisation.clone()).map(|o| view! { <span class="tag">{o}</span> })}
                    {row.as_ref().is_some_and(|r| r.invisible).then(|| view! { <span class="tag">"invisible"</span> })}
                </span>
                <a class="button" href=format!("/admin/people/{id}")>"Open page"</a>
                <CloseLink />
            </div>
            <h2 id="drawer-name" tabindex="-1" node_ref=heading>{why.name.clone()}</h2>
            <p class="sub">
                <StateWord state=state />
                {why.since.map(|t| view! { <span>" since " <When at=t style=Style::Exact /></span> })}
                {row.as_ref().and_then(|r| r.page.clone()).map(|p| view! { <span>", on " <span class="mono">{p}</span></span> })}
            </p>
            {row.as_ref().and_then(|r| r.message.clone()).map(|m| view! { <p class="message">{m}</p> })}
            <p class="why">
                <b>{format!("Why {}? ", state.as_str())}</b>
                {localised(why.sentence.clone(), None)} " "
                <span class="muted">{why.limits.clone()}</span>
            </p>
            {row.as_ref().map(|r| view! {
                <dl class="facts">
                    <dt>"Username"</dt>
                    <dd>{r.username.clone()}</dd>
                    <dt>"E-mail"</dt>
                    <dd>{r.email.clone()}</dd>
                    <dt>"Signed in"</dt>
                    <dd><When at=r.session_started_at style=Style::Exact /></dd>
                    <dt>"Last input"</dt>
                    <dd><Ago at=r.last_activity_at as_of=as_of /></dd>
                    <dt>"Address"</dt>
                    <dd class="mono">{r.ip.clone()}</dd>
                    <dt>"Last uploads"</dt>
                    <dd>{r.recent_uploads.join(", ")}</dd>
                </dl>
            })}
            <Sessions name=why.name.clone() devices=devices />
            <h3>"Today"</h3>
            {day.part(|day: Result<PresenceDay, ApiError>| match day {
                Ok(day) => view! { <Strip day=day /> }.into_any(),
                Err(e) => view! { <p class="muted">{e.message}</p> }.into_any(),
            })}
            <h3>"Timeline"</h3>
            <Timeline transitions=why.transitions />
        </aside>
    }
}

/// The connected sessions, each with its tabs, and the ways to end them.
#[component]
fn Sessions(name: String, devices: Vec<DeviceRow>) -> impl IntoView {
    let mut sessions: Vec<(Uuid, Vec<DeviceRow>)> = vec![];
    for d in devices {
        match sessions.iter_mut().find(|(id, _)| *id == d.session_id) {
            Some((_, tabs)) => tabs.push(d),
            None => sessions.push((d.session_id, vec![d])),
        }
    }
    let all: Vec<Uuid> = sessions.iter().map(|(id, _)| *id).collect();
    let number = all.len();
    let all_question = format!("End all {number} sessions of {name}? They are signed out everywhere at once.");
    let cards = sessions
        .into_iter()
        .map(|(id, tabs)| {
            let device = tabs[0].device.clone();
            let question = format!("End the session of {name} on {device}? They are signed out there at once.");
            view! {
                <li class="session">
                    <div class="session-top">
                        <span>
                            <b>{device}</b>
                            <small>{tabs[0].ip.clone()} ", signed in " <When at=tabs[0].signed_in_at style=Style::Exact /></small>
                        </span>
                        <End label="End this session" ids=vec![id] question=question />
                    </div>
                    <ul class="tabs">{tabs.into_iter().map(|t| view! { <Tab tab=t /> }).collect_view()}</ul>
                </li>
            }
        })
        .collect_view();
    let heading = if number == 1 { "1 session".to_owned() } else { format!("{number} sessions") };
    (number > 0).then(|| {
        view! {
            <h3>{heading}</h3>
            <ul class="sessions">{cards}</ul>
            {(number > 1).then(|| view! {
                <End label=format!("End all {number} sessions") ids=all question=all_question />
            })}
        }
    })
}

#[component]
fn Tab(tab: DeviceRow) -> impl IntoView {
    let words = match (tab.connection, tab.connected, tab.visible) {
        (_, false, _) => "lost, may return",
        (None, ..) => "without a socket",
        (_, true, true) => "in view",
        (_, true, false) => "in the background",
    };
    view! {
        <li>
            <span class="mono">{tab.page.unwrap_or_else(|| "no page".to_owned())}</span>
            <small>{words} ", input " <When at=tab.last_input_at /></small>
        </li>
    }
}

/// A button that asks back; without scripts a form that does it.
#[component]
fn End(#[prop(into)] label: String, ids: Vec<Uuid>, question: String) -> impl IntoView {
    let acts = view().acts;
    let value = self::ids(&ids);
    view! {
        <form method="post" action="/rpc/end_sessions" on:submit=move |e| {
            e.prevent_default();
            acts.ask(ids.clone(), question.clone());
        }>
            <input type="hidden" name="ids" value=value />
            <button class="button danger">{label}</button>
        </form>
    }
}

#[component]
fn Timeline(transitions: Vec<Transition>) -> impl IntoView {
    if transitions.is_empty() {
        return Either::Left(view! { <p class="muted">"Nothing has happened since the server started."</p> });
    }
    let lines = transitions
        .into_iter()
        .map(|t| {
            let state: State = t.state;
            view! {
                <li>
                    <When at=t.at style=Style::Clock />
                    <span>
                        <Shape state=state />
                        <b>{state.word()}</b>
                        ": " {localised(t.evidence, Some(t.at))}
                        <small>{text::capital(t.cause.words())}</small>
                    </span>
                </li>
            }
        })
        .collect_view();
    Either::Right(view! { <ol class="timeline">{lines}</ol> })
}
