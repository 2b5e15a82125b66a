//! `presence:me`: what this tab reports of itself (page, visibility, age of the last input), and what the server says
//! of this session (when it ends, that it has ended).
//!
//! Input is what a person does: keys, pointer, touch, wheel, a navigation. Events made by scripts do not count, nor
//! does a pointer the page moved under.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use domain::{
    Time,
    presence::{Report, State},
    session::EndReason,
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, PageTransitionEvent, PointerEvent, Response};

use super::{
    SOCKET,
    socket::{Link, Socket},
    status::{Status, status},
};
use crate::viewer::viewer;

const TOPIC: &str = "presence:me";
const PATH: &str = "/socket/websocket?vsn=2.0.0";
/// While input goes on, it is reported this often; the first one after as long a pause at once.
const INPUT_EVERY_MS: f64 = 10_000.0;
/// What somebody who is not active does is reported at once, but not for every pixel.
const INPUT_GAP_MS: f64 = 1_000.0;
const INPUT_EVERY_MIN_MS: f64 = 250.0;
/// Without a socket the same is said by POST, so that a network that allows no sockets hides nobody.
const BEAT_EVERY: Duration = Duration::from_mins(1);

/// Connections refused in a row before we ask why.
const REFUSED_MAX: u32 = 2;

struct Agent {
    status: Status,
    refused: Cell<u32>,
    page: RefCell<String>,
    /// `INPUT_EVERY_MS`, or less where idle begins so early that somebody busy would seem idle between two reports.
    every: f64,
    /// By this browser's clock.
    last_input: Cell<f64>,
    last_push: Cell<f64>,
    trailing: Cell<bool>,
    active: Cell<bool>,
    pointer: Cell<(i32, i32)>,
}

#[derive(Deserialize)]
struct Ended {
    reason: EndReason,
}

/// What the server says of this session.
#[derive(Deserialize)]
struct Answer {
    expires_at: Option<Time>,
    state: Option<State>,
}

/// Connects this tab and begins to report. Called once, by the frame of the signed-in pages.
pub(crate) fn start() {
    let status = status();
    let path = use_location().pathname;
    let now = js_sys::Date::now();
    let agent = Rc::new(Agent {
        status,
        refused: Cell::new(0),
        page: RefCell::new(path.get_untracked()),
        every: INPUT_EVERY_MS.min(viewer().active_for as f64 / 2.0).max(INPUT_EVERY_MIN_MS),
        last_input: Cell::new(now),
        last_push: Cell::new(now),
        trailing: Cell::new(false),
        active: Cell::new(true),
        pointer: Cell::new((0, 0)),
    });

    let told = Rc::clone(&agent);
    let socket = Socket::open(PATH, move |link| {
        told.status.link(link);
        // Refused again: is it the network, or does the server not know this session any more?
        match link {
            Link::Open => told.refused.set(0),
            Link::Down { .. } if told.refused.replace(told.refused.get() + 1) == REFUSED_MAX => told.beat(),
            _ => {}
        }
    });
    status.lost();
    SOCKET.with_borrow_mut(|s| *s = Some(socket.clone()));
    let (reporter, heard) = (Rc::clone(&agent), Rc::clone(&agent));
    socket.join(TOPIC, move || reporter.report(), move |event, payload| heard.heard(event, payload));

    let navigated = Rc::clone(&agent);
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|b| b != path) {
            navigated.page.replace(path.clone());
            navigated.input(true);
        }
        path
    });

    agent.listen();
    if !window().navigator().on_line() {
        status.network(false);
    }
    let beating = Rc::clone(&agent);
    let _ = set_interval_with_handle(move || beating.beat(), BEAT_EVERY);
}

impl Agent {
    fn report(&self) -> Value {
        let report = Report {
            page: Some(self.page.borrow().clone()),
            visible: Some(visible()),
            input_at: None,
            idle_ms: Some((js_sys::Date::now() - self.last_input.get()).max(0.0) as i64),
            tabs: None,
        };
        serde_json::to_value(report).unwrap_or_default()
    }

    fn push(&self) {
        self.last_push.set(js_sys::Date::now());
        if let Some(socket) = super::socket() {
            socket.push(TOPIC, "meta", &self.report());
        }
    }

    /// Somebody did something.
    fn input(self: &Rc<Self>, at_once: bool) {
        let now = js_sys::Date::now();
        let paused = now - self.last_input.replace(now) >= self.every;
        let since = now - self.last_push.get();
        let gap = if self.active.get() && !paused { self.every } else { INPUT_GAP_MS.min(self.every) };
        if at_once || since >= gap {
            self.push();
        } else if !self.trailing.replace(true) {
            let this = Rc::clone(self);
            let wait = Duration::from_millis((gap - since).max(0.0) as u64);
            let _ = set_timeout_with_handle(
                move || {
                    this.trailing.set(false);
                    this.push();
                },
                wait,
            );
        }
    }

    fn heard(&self, event: &str, payload: &str) {
        match event {
            "phx_reply" | "session" => {
                let Ok(answer) = serde_json::from_str::<Answer>(payload) else { return };
                if let Some(state) = answer.state {
                    self.active.set(matches!(state, State::Active | State::Busy));
                    self.status.own.set(Some(state));
                }
                if answer.expires_at.is_some() {
                    self.status.expires_at.set(answer.expires_at);
                }
            }
            "ended" => {
                let reason = serde_json::from_str::<Ended>(payload).ok().map(|e| e.reason);
                self.status.reason.set(reason);
                if let Some(socket) = super::socket() {
                    socket.finish();
                }
            }
            _ => {}
        }
    }

    fn listen(self: &Rc<Self>) {
        for name in ["keydown", "pointerdown", "wheel", "touchstart"] {
            let this = Rc::clone(self);
            capture(name, move |e| {
                if e.is_trusted() {
                    this.input(false);
                }
            });
        }
        let this = Rc::clone(self);
        capture("pointermove", move |e| {
            let e: &PointerEvent = e.unchecked_ref();
            let at = (e.screen_x(), e.screen_y());
            if e.is_trusted() && this.pointer.replace(at) != at {
                this.input(false);
            }
        });
        let this = Rc::clone(self);
        let _ = window_event_listener_untyped("visibilitychange", move |_| {
            this.push();
            if let (true, Some(socket)) = (visible(), super::socket()) {
                socket.wake();
            }
        });
        let status = self.status;
        let _ = window_event_listener_untyped("offline", move |_| status.network(false));
        let _ = window_event_listener_untyped("online", move |_| {
            status.network(true);
            if let Some(socket) = super::socket() {
                socket.sleep();
                socket.wake();
            }
        });
        // A page in the back/forward cache has no socket; it gets a new one when it is shown again.
        let _ = window_event_listener_untyped("pagehide", |_| {
            if let Some(socket) = super::socket() {
                socket.sleep();
            }
        });
        let _ = window_event_listener_untyped("pageshow", |e| {
            let e: &PageTransitionEvent = e.unchecked_ref();
            if let (true, Some(socket)) = (e.persisted(), super::socket()) {
                socket.wake();
            }
        });
    }

    /// A sign of life without a socket. It also tells a lost network from a session that is over.
    fn beat(self: &Rc<Self>) {
        if super::socket().is_none_or(|s| s.is_open()) {
            return;
        }
        let headers = web_sys::Headers::new().ok();
        let init = web_sys::RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(&self.report().to_string()));
        if let Some(headers) = headers {
            let _ = headers.set("content-type", "application/json");
            init.set_headers(&headers);
        }
        let answered = Closure::once_into_js(move |response: JsValue| {
            if let (Ok(response), Some(socket)) = (response.dyn_into::<Response>(), super::socket())
                && response.status() == 401
            {
                socket.finish();
            }
        });
        let not_reached = Closure::once_into_js(|_: JsValue| {});
        let promise = window().fetch_with_str_and_init("/api/v1/heartbeat", &init);
        let then =
            js_sys::Reflect::get(&promise, &"then".into()).ok().and_then(|f| f.dyn_into::<js_sys::Function>().ok());
        if let Some(then) = then {
            let _ = then.call2(&promise, &answered, &not_reached);
        }
    }
}

fn visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Listens to `name` wherever on the page, before anybody can stop it, without delaying it.
fn capture(name: &str, f: impl Fn(Event) + 'static) {
    let options = web_sys::AddEventListenerOptions::new();
    options.set_capture(true);
    options.set_passive(true);
    let f = Closure::<dyn Fn(Event)>::new(f).into_js_value();
    let _ = window().add_event_listener_with_callback_and_add_event_listener_options(name, f.unchecked_ref(), &options);
}
