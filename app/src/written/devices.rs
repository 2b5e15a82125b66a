//! One's own devices: every session that is signed in, to end one or all others.

use domain::{ApiError, session::SessionView, useragent::Kind};
use leptos::prelude::*;

use super::{
    Asked, Written, page,
    part::{confirm, refused, when},
};
use crate::{
    components::icon::{Glyph, Icon},
    text,
};

pub(super) async fn write(asked: &Asked<'_>) -> Result<Written, ApiError> {
    let sessions = asked.services.sessions.own(asked.actor).await?;
    let others = sessions.iter().any(|s| !s.current);
    let new = asked.services.sessions.new_devices(asked.actor).await?;
    let new: Vec<&SessionView> = sessions.iter().filter(|s| !s.current && new.contains(&s.id)).collect();
    Ok(page("Devices", || {
        view! {
            {confirm(asked)}
            {refused(asked)}
            {new.iter().map(|s| notice(s)).collect_view()}
            <section class="card" aria-labelledby="devices-heading">
                <header>
                    <h2 id="devices-heading">{format!("Signed in on {}", text::count(sessions.len() as u64, "device"))}</h2>
                    {others.then(|| view! {
                        <form method="post" action="/rpc/end_other_devices">
                            <button class="button danger">"End all others"</button>
                        </form>
                    })}
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
                    <tbody role="rowgroup">{sessions.iter().map(row).collect_view()}</tbody>
                </table>
            </section>
            <p class="muted after">
                "A device that is ended is signed out at once. If you do not know one of them, end it and change your password."
            </p>
        }
    }))
}

/// A device the account was never used on before.
fn notice(s: &SessionView) -> impl IntoView + use<> {
    view! {
        <p class="notice news">
            <strong>{format!("New: {}", s.device_label())}</strong>
            {format!(" at {} signed in ", s.ip)} {when(s.created_at, false)}
            ". If this was not you, end it and change your password."
        </p>
    }
}

fn row(session: &SessionView) -> impl IntoView + use<> {
    let label = session.device_label();
    let (kind, icon) = match session.device {
        Kind::Desktop => ("Computer", Icon::Desktop),
        Kind::Phone => ("Phone", Icon::Phone),
        Kind::Tablet => ("Tablet", Icon::Tablet),
        Kind::Program => ("Program", Icon::Program),
        Kind::Unknown => ("Unknown kind", Icon::Desktop),
    };
    let end = || {
        view! {
            <form method="post" action="/rpc/end_device">
                <input type="hidden" name="id" value=session.id.to_string() />
                <button class="button danger" aria-label=format!("End {label}")>"End"</button>
            </form>
        }
    };
    view! {
        <tr role="row" class:current=session.current>
            <th scope="row" role="rowheader">
                <span class="gadget">
                    <Glyph icon=icon />
                    <span>
                        {label.clone()}
                        <small>{kind} {session.remembered.then_some(", stays signed in")}</small>
                    </span>
                    {session.current.then(|| view! { <span class="tag accent">"This device"</span> })}
                </span>
            </th>
            <td role="cell" class="mono">{session.ip.clone()}</td>
            <td role="cell">{session.place.clone()}</td>
            <td role="cell" data-label="Last activity">{when(session.last_activity_at, true)}</td>
            <td role="cell" data-label="Signed in">{when(session.created_at, false)}</td>
            <td role="cell" data-label="Ends">{when(session.expires_at, false)}</td>
            <td role="cell" class="act">{(!session.current).then(end)}</td>
        </tr>
    }
}
