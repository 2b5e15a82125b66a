//! One's own devices: every session that is signed in, to end one or all others.

use domain::{ApiError, session::SessionView, useragent::Kind};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    call::{Ask, answer, parse, send},
    components::{
        form::refusal,
        frame::Page,
        icon::{Glyph, Icon},
        read::Read,
        status::{Said, said},
        sudo::{Sudo, SudoInline, sudo},
        time::{Style, When},
    },
    text,
};

#[component]
pub(crate) fn Devices() -> impl IntoView {
    let listed = Read::once(Ask::Devices);
    let refused = RwSignal::new(refusal("/rpc/end_device").or_else(|| refusal("/rpc/end_other_devices")));
    view! {
        <Page title="Devices">
            <SudoInline error=refused />
            {listed.page(|first: Vec<SessionView>| view! { <List first=first /> }.into_any())}
        </Page>
    }
}

/// What ending needs: the list to read again, and the ways to ask and to tell.
#[derive(Clone, Copy)]
struct Acts {
    sessions: RwSignal<Vec<SessionView>>,
    sudo: Sudo,
    said: Said,
}

impl Acts {
    fn end(self, id: domain::SessionId, label: String) {
        let again = Callback::new({
            let label = label.clone();
            move |()| self.end(id, label.clone())
        });
        spawn_local(async move {
            let ended = send("/rpc/end_device", &[("id", &id.to_string())]).await;
            self.done(ended.map(|_| format!("{label} is signed out.")), again).await;
        });
    }

    fn end_others(self) {
        let again = Callback::new(move |()| self.end_others());
        spawn_local(async move {
            let ended = send("/rpc/end_other_devices", &[]).await.and_then(|text| parse(&text));
            self.done(ended.map(|n| format!("{} signed out.", text::count(n, "other device"))), again).await;
        });
    }

    async fn done(self, result: Result<String, ApiError>, again: Callback<()>) {
        match result {
            Ok(told) => self.said.say(told),
            Err(e) if self.sudo.asks(&e, again) => return,
            Err(e) => self.said.say(e.message),
        }
        if let Ok(fresh) = answer(Ask::Devices).await.and_then(|text| parse(&text)) {
            let _ = self.sessions.try_set(fresh);
        }
    }
}

#[component]
fn List(first: Vec<SessionView>) -> impl IntoView {
    let acts = Acts { sessions: RwSignal::new(first), sudo: sudo(), said: said() };
    let others = move || acts.sessions.with(|s| s.iter().filter(|s| !s.current).count());
    view! {
        <section class="card" aria-labelledby="devices-heading">
            <header>
                <h2 id="devices-heading">"Signed in on " {move || text::count(acts.sessions.with(Vec::len) as u64, "device")}</h2>
                <Show when=move || { others() > 0 }>
                    <form method="post" action="/rpc/end_other_devices" on:submit=move |e| {
                        e.prevent_default();
                        acts.end_others();
                    }>
                        <button class="button danger">"End all others"</button>
                    </form>
                </Show>
            </header>
            <table class="listed devices" role="table" aria-labelledby="devices-heading">
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Device"</th>
                        <th scope="col" role="columnheader">"Address"</th>
                        <th scope="col" role="columnheader">"Place"</th>
                        <th scope="col" role="columnheader">"Last activity"</th>
                        <th scope="col" role="columnheader">"Signed in"</th>
                        <th scope="col" role="columnheader">"Ends"</th>
                        <th scope="col" role="columnheader"><span class="hidden">"Action"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || acts.sessions.get() key=|s| (s.id, s.last_activity_at) let:session>
                        <Row session=session acts=acts />
                    </For>
                </tbody>
            </table>
        </section>
        <p class="muted after">"A device that is ended is signed out at once. If you do not know one of them, end it and change your password."</p>
    }
}

#[component]
fn Row(session: SessionView, acts: Acts) -> impl IntoView {
    let label = session.device_label();
    let (kind, icon) = match session.device {
        Kind::Desktop => ("Computer", Icon::Desktop),
        Kind::Phone => ("Phone", Icon::Phone),
        Kind::Tablet => ("Tablet", Icon::Tablet),
        Kind::Program => ("Program", Icon::Program),
        Kind::Unknown => ("Unknown kind", Icon::Desktop),
    };
    let id = session.id;
    let end = {
        let label = label.clone();
        move || {
            let (name, label) = (format!("End {label}"), label.clone());
            view! {
                <form method="post" action="/rpc/end_device" on:submit=move |e| {
                    e.prevent_default();
                    acts.end(id, label.clone());
                }>
                    <input type="hidden" name="id" value=id.to_string() />
                    <button class="button danger" aria-label=name>"End"</button>
                </form>
            }
        }
    };
    view! {
        <tr role="row" class:current=session.current>
            <th scope="row" role="rowheader">
                <span class="gadget">
                    <Glyph icon=icon />
                    <span>
                        {label}
                        <small>{kind} {session.remembered.then_some(", stays signed in")}</small>
                    </span>
                    {session.current.then(|| view! { <span class="tag accent">"This device"</span> })}
                </span>
            </th>
            <td role="cell" class="mono">{session.ip}</td>
            <td role="cell">{session.place}</td>
            <td role="cell" data-label="Last activity"><When at=session.last_activity_at /></td>
            <td role="cell" data-label="Signed in"><When at=session.created_at style=Style::Exact /></td>
            <td role="cell" data-label="Ends"><When at=session.expires_at style=Style::Exact /></td>
            <td role="cell" class="act">{(!session.current).then(end)}</td>
        </tr>
    }
}
