//! Home: one's own status, and what is known of one right now.

use domain::{
    presence::{Choice, Colleague, DeviceRow, State, view::Me},
    time::{HOUR, MINUTE},
};
use leptos::{prelude::*, task::spawn_local};
use uuid::Uuid;

use crate::{
    call::{Ask, answer, parse},
    clock::localised,
    components::{
        form::{ErrorSummary, Field, Form, Sending},
        frame::Page,
        presence::{Shape, StateWord},
        read::Read,
        status::said,
        time::{Style, When},
    },
    live::{colleagues::follow, status::status},
    text,
    viewer::viewer,
};

#[component]
pub(crate) fn Home() -> impl IntoView {
    let known = Read::once(Ask::Me);
    view! { <Page title="Home">{known.page(|me: Me| view! { <Known me=me /> }.into_any())}</Page> }
}

#[component]
fn Known(me: Me) -> impl IntoView {
    let me = RwSignal::new(me);
    let status = status();
    let session = viewer().person.as_ref().map(|p| p.session);
    // This page is the home page.
    let is_this = move |d: &DeviceRow| d.connected && Some(d.session_id) == session && d.page.as_deref() == Some("/");
    let knows = move |m: &Me, own: State| own == m.state && m.devices.iter().any(is_this);
    // The page was written before this tab was connected: look again when the server has heard of it, and whenever
    // what it then says differs. Only ever while somebody looks, since asking counts as activity.
    Effect::new(move |_| {
        let visible = document().visibility_state() == web_sys::VisibilityState::Visible;
        if status.own.get().is_some_and(|own| !me.with_untracked(|m| knows(m, own))) && visible {
            let _ = set_timeout_with_handle(move || look_again(me, status.leaving), SETTLED);
        }
    });
    view! {
        <div class="grid">
            <div class="span-5"><StatusForm me=me /></div>
            <div class="span-7"><NowCard me=me /></div>
            <div class="span-12"><Tabs me=me /></div>
            {viewer().person.as_ref().and_then(|p| p.user.organisation_id).map(|organisation| view! {
                <div class="span-12"><People organisation=organisation /></div>
            })}
        </div>
    }
}

/// What is heard is put together after this, and whoever signs in only to sign out again is not asked about.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(1);

fn look_again(me: RwSignal<Me>, leaving: StoredValue<bool>) {
    // The page may have been left meanwhile, or is about to be.
    if me.is_disposed() || leaving.try_get_value() != Some(false) {
        return;
    }
    spawn_local(async move {
        if let Ok(fresh) = answer(Ask::Me).await.and_then(|text| parse(&text)) {
            let _ = me.try_set(fresh);
        }
    });
}

/// How long a choice may hold.
const SPANS: [(i64, &str); 6] = [
    (0, "until I change it"),
    (30, "for 30 minutes"),
    (HOUR / MINUTE, "for 1 hour"),
    (2 * HOUR / MINUTE, "for 2 hours"),
    (4 * HOUR / MINUTE, "for 4 hours"),
    (8 * HOUR / MINUTE, "for 8 hours"),
];

#[component]
fn StatusForm(me: RwSignal<Me>) -> impl IntoView {
    let sending = Sending::to("/rpc/choose");
    let error = sending.error;
    let said = said();
    Effect::new(move |_| {
        if let Some(fresh) = sending.answer.get().and_then(|a| serde_json::from_str(&a).ok()) {
            me.set(fresh);
            said.say("Your status is set.");
        }
    });
    let chosen = me.with_untracked(|m| m.chosen.clone());
    let options = Choice::ALL
        .into_iter()
        .map(|choice| {
            let (word, does) = text::choice(choice);
            let shape = match choice {
                Choice::Available => State::Active,
                Choice::Busy => State::Busy,
                Choice::Away => State::Away,
                Choice::Invisible => State::Offline,
            };
            view! {
                <label class="option">
                    <input type="radio" name="choice" value=choice.as_str() checked=chosen.choice == choice />
                    <Shape state=shape />
                    <span class="word">{word}</span>
                    <small>{does}</small>
                </label>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="status-heading">
            <header><h2 id="status-heading">"Your status"</h2></header>
            <div class="body">
                <Form sending=sending>
                    <ErrorSummary error=error />
                    <fieldset class="options">
                        <legend class="hidden">"Show me as"</legend>
                        {options}
                    </fieldset>
                    <Field
                        name="message"
                        label="Message"
                        optional=true
                        hint="Shown beside your name."
                        max=140
                        value=chosen.message.clone().unwrap_or_default()
                        error=error
                    />
                    <div class="field">
                        <label for="f-minutes">"How long"</label>
                        <select id="f-minutes" name="minutes">
                            {SPANS.iter().map(|(minutes, words)| view! {
                                <option value=minutes.to_string()>{*words}</option>
                            }).collect_view()}
                        </select>
                    </div>
                    <div class="actions start">
                        <button class="button primary" disabled=move || sending.pending.get()>"Set status"</button>
                        {move || me.with(|m| m.chosen.until).map(|until| view! {
                            <span class="muted">"Holds until " <When at=until style=Style::Exact /></span>
                        })}
                    </div>
                </Form>
            </div>
        </section>
    }
}

/// What Rollcall knows of the person who looks.
#[component]
fn NowCard(me: RwSignal<Me>) -> impl IntoView {
    let (status, viewer) = (status(), viewer());
    let state = Signal::derive(move || me.with(|m| m.state));
    let session = viewer.person.as_ref().map(|p| p.session);
    let here = move || me.with(|m| m.devices.iter().find(|d| Some(d.session_id) == session).cloned());
    view! {
        <section class="card" aria-labelledby="now-heading">
            <header><h2 id="now-heading">"What Rollcall knows of you now"</h2></header>
            <div class="body">
                <p class="headline"><StateWord state=state /></p>
                <p class="why">{move || localised(me.with(|m| m.sentence.clone()), None)} <small>{move || me.with(|m| m.limits.clone())}</small></p>
                <dl class="facts">
                    <dt>"Since"</dt>
                    <dd>{move || me.with(|m| m.since).map(|t| view! { <When at=t style=Style::Exact /> })}</dd>
                    <dt>"Because"</dt>
                    <dd>{move || me.with(|m| m.cause).map(|c| text::capital(c.words()))}</dd>
                    <dt>"Session ends"</dt>
                    <dd>
                        {move || status.expires_at.get().map(|t| view! { <When at=t style=Style::Exact /> })}
                        {viewer.person.as_ref().map(|p| view! {
                            <small>"without activity, and at the latest " <When at=p.absolute_expires_at style=Style::Exact /></small>
                        })}
                    </dd>
                    <dt>"Device"</dt>
                    <dd>{move || here().map(|d| d.device)}</dd>
                    <dt>"Address"</dt>
                    <dd>{move || here().map(|d| d.ip)}</dd>
                    <dt>"Activity"</dt>
                    <dd>{move || me.with(|m| m.activity.clone()).map(|did| view! { <a href="/activity">{did}</a> })}</dd>
                </dl>
            </div>
        </section>
    }
}

/// Who else of the organisation is here: name, state and message, and no more.
#[component]
fn People(organisation: Uuid) -> impl IntoView {
    let read = Read::once(Ask::Colleagues);
    let own = viewer().person.as_ref().map(|p| p.user.id);
    let name = viewer().person.as_ref().and_then(|p| p.user.organisation.clone());
    let list = move |first: Vec<Colleague>| {
        let people = RwSignal::new(first);
        follow(people, organisation);
        let others = move || people.get().into_iter().filter(|p| Some(p.id) != own).collect::<Vec<_>>();
        view! {
            <ul class="people-list">
                <For each=others key=|p| (p.id, p.state, p.message.clone()) let:person>
                    <li>
                        <StateWord state=person.state />
                        <span><b>{person.name}</b> {person.message.map(|m| view! { <small>{m}</small> })}</span>
                    </li>
                </For>
            </ul>
            <Show when=move || others().is_empty()>
                <p class="empty">"Nobody else is here now."</p>
            </Show>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="people-heading">
            <header>
                <h2 id="people-heading">"People" {name.map(|n| format!(" of {n}"))}</h2>
                <span class="muted">"They see your name, state and message as well"</span>
            </header>
            {read.page(list)}
        </section>
    }
}

/// The person's tabs and devices that are connected.
#[component]
fn Tabs(me: RwSignal<Me>) -> impl IntoView {
    let rows = move || {
        me.with(|m| m.devices.clone())
            .into_iter()
            .map(|d: DeviceRow| {
                let connection = match (d.connection, d.connected, d.visible) {
                    (_, false, _) => "Lost, may return",
                    (None, ..) => "Without a socket",
                    (_, true, true) => "In view",
                    (_, true, false) => "In the background",
                };
                view! {
                    <tr role="row">
                        <th scope="row" role="rowheader">{d.device}</th>
                        <td role="cell" class="mono">{d.page}</td>
                        <td role="cell">{connection}</td>
                        <td role="cell" class="mono">{d.ip}</td>
                        <td role="cell" data-label="Last input"><When at=d.last_input_at /></td>
                    </tr>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card" aria-labelledby="tabs-heading">
            <header>
                <h2 id="tabs-heading">"Your open tabs and devices"</h2>
                <a href="/account/devices">"All signed-in devices"</a>
            </header>
            <Show
                when=move || me.with(|m| !m.devices.is_empty())
                fallback=|| view! { <p class="empty">"None is connected yet. This page connects by itself when scripts are on."</p> }
            >
                <table class="listed" role="table" aria-labelledby="tabs-heading">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th scope="col" role="columnheader">"Device"</th>
                            <th scope="col" role="columnheader">"Page"</th>
                            <th scope="col" role="columnheader">"Tab"</th>
                            <th scope="col" role="columnheader">"Address"</th>
                            <th scope="col" role="columnheader">"Last input"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </Show>
        </section>
    }
}
