//! How well we are connected, for the reader: the indicator in the header, the banner when data gets old, the dialog
//! when the session is over, and the warning a minute before it is.

use domain::{Time, time::MINUTE};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_location;

use super::{
    dialog::Dialog,
    status::said,
    time::{Style, When},
};
use crate::{
    call::{parse, send},
    clock::{Local, clock},
    live::{
        socket,
        status::{Live, Status, status},
    },
    routes::escape,
    text,
    viewer::viewer,
};

/// The dot and the word.
#[component]
pub(crate) fn Indicator() -> impl IntoView {
    let status = status();
    let text = move || match status.live.get() {
        Live::Starting => "Connecting".to_owned(),
        Live::Connected => "Live".to_owned(),
        Live::Reconnecting => format!("Reconnecting…{}", data_from(status)),
        Live::Stale => format!("Not live{}", data_from(status)),
        Live::Offline => "Offline".to_owned(),
        Live::Restarting => "Updating".to_owned(),
        Live::Ended => "Signed out".to_owned(),
    };
    view! {
        <span class="connection">
            <span class="dot" aria-hidden="true"></span>
            <span>{text}</span>
        </span>
    }
}

fn data_from(status: Status) -> String {
    status.data_at.get().map_or_else(String::new, |t| format!(" data from {}", Local::of(t).clock()))
}

/// Said in full when what is shown may be old; polite, and in the page from the start.
#[component]
pub(crate) fn Banner() -> impl IntoView {
    let status = status();
    let text = move || match status.live.get() {
        Live::Stale => Some(format!(
            "Live updates are off.{}",
            match status.data_at.get() {
                Some(t) => format!(" Showing data from {}.", Local::of(t).clock()),
                None => String::new(),
            }
        )),
        Live::Offline => Some("You are offline. Live updates resume when the network is back.".to_owned()),
        Live::Restarting => Some("Updating to a new version. Back in a moment.".to_owned()),
        _ => None,
    };
    let can_retry = move || status.live.get() == Live::Stale;
    let retry = move |_| {
        if let Some(socket) = socket() {
            socket.wake();
        }
    };
    view! {
        <div class="banner-place" aria-live="polite">
            {move || text().map(|text| view! {
                <div class="banner">
                    <span>{text}</span>
                    <Show when=can_retry>
                        <button type="button" class="button" on:click=retry>"Retry now"</button>
                    </Show>
                </div>
            })}
        </div>
    }
}

/// The session is over: says why, and leads back here after signing in.
#[component]
pub(crate) fn EndedDialog() -> impl IntoView {
    let status = status();
    let open = RwSignal::new(false);
    let location = use_location();
    let idle = viewer().person.as_ref().map_or(0, |p| p.idle);
    Effect::new(move |_| {
        if status.live.get() == Live::Ended {
            open.set(true);
        }
    });
    let back = move || {
        let (path, search) = (location.pathname.get(), location.search.get());
        let here = if search.is_empty() { path } else { format!("{path}?{search}") };
        format!("/login?next={}", escape(&here))
    };
    view! {
        <Dialog open=open title="You are signed out" id="ended" alert=true closable=false>
            <p>{move || text::ended(status.reason.get(), idle)}</p>
            <div class="actions">
                <a class="button primary" rel="external" href=back>"Sign in"</a>
            </div>
        </Dialog>
    }
}

/// A minute before the end: a countdown, and a way to stay.
#[component]
pub(crate) fn ExpiryDialog() -> impl IntoView {
    let (status, clock, said) = (status(), clock(), said());
    let person = viewer().person.clone();
    let absolute = person.map_or(Time::default(), |p| p.absolute_expires_at);
    let open = RwSignal::new(false);
    let dismissed = RwSignal::new(None::<Time>);
    let left = Memo::new(move |_| {
        let (now, end) = (clock.second()?, status.expires_at.get()?);
        Some(end.since(now)).filter(|ms| *ms < MINUTE).map(|ms| ms.max(0) / 1_000)
    });
    let is_final = move || status.expires_at.get().is_some_and(|end| end >= absolute);
    Effect::new(move |_| {
        let ends = status.expires_at.get();
        let over = status.live.get() == Live::Ended;
        open.set(left.get().is_some() && !over && dismissed.get() != ends);
    });
    // Closed by Esc: it does not come back for the same end.
    Effect::new(move |was: Option<bool>| {
        let is = open.get();
        if was == Some(true) && !is && left.get_untracked().is_some() {
            dismissed.set(status.expires_at.get_untracked());
        }
        is
    });
    let stay = move |_| {
        spawn_local(async move {
            match send("/rpc/stay", &[]).await.and_then(|text| parse(&text)) {
                Ok(end) => {
                    status.expires_at.set(Some(end));
                    said.say("You stay signed in.");
                }
                Err(e) => said.say(e.message),
            }
        });
    };
    view! {
        <Dialog open=open title="This session ends soon" id="expiry" alert=true>
            <p>
                {move || if is_final() {
                    "This session reaches its longest time and ends in "
                } else {
                    "You will be signed out for inactivity in "
                }}
                <strong class="countdown">{move || format!("{} s", left.get().unwrap_or_default())}</strong>
                "."
            </p>
            <p class="muted">
                "At "
                {move || status.expires_at.get().map(|end| view! { <When at=end style=Style::Clock /> })}
                "."
            </p>
            <div class="actions">
                <Show
                    when=move || !is_final()
                    fallback=move || view! {
                        <button type="button" class="button" on:click=move |_| open.set(false)>"Close"</button>
                    }
                >
                    <button type="button" class="button primary" on:click=stay autofocus>"Stay signed in"</button>
                </Show>
            </div>
        </Dialog>
    }
}
