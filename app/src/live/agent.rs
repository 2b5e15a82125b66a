//! Connects this page, and takes in what the server says of this session: what its person is, when it ends, that it
//! has ended. What the page reports, `frontend/agent/page.mjs` sees by itself; only a navigation is told from here.

use domain::{Time, presence::State, session::EndReason};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::Deserialize;

use super::{SOCKET, socket::Socket, status::status};
use crate::viewer::viewer;

/// While input goes on, it is reported this often; more often where idle begins so early that somebody busy would
/// seem idle between two reports.
const INPUT_EVERY_MS: f64 = 10_000.0;
const INPUT_EVERY_MIN_MS: f64 = 250.0;

/// What the server says of this session.
#[derive(Deserialize)]
struct Answer {
    expires_at: Option<Time>,
    state: Option<State>,
    /// Why it ended.
    reason: Option<EndReason>,
}

/// Connects this page and begins to report. Called once, by the frame of the signed-in pages.
pub(crate) fn start() {
    let status = status();
    let viewer = viewer();
    let path = use_location().pathname;
    let Some(person) = &viewer.person else { return };
    let every = INPUT_EVERY_MS.min(viewer.active_for as f64 / 2.0).max(INPUT_EVERY_MIN_MS);
    status.lost();
    let socket =
        Socket::open(&person.session.to_string(), &path.get_untracked(), every, move |event, payload| match event {
            "phx_reply" | "session" | "ended" => {
                let Ok(answer) = serde_json::from_str::<Answer>(payload) else { return };
                if answer.state.is_some() {
                    status.own.set(answer.state);
                }
                if answer.expires_at.is_some() {
                    status.expires_at.set(answer.expires_at);
                }
                if answer.reason.is_some() {
                    status.reason.set(answer.reason);
                }
            }
            event => status.link(event),
        });
    SOCKET.with_borrow_mut(|s| *s = Some(socket.clone()));
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|b| b != path) {
            socket.visit(&path);
        }
        path
    });
}
