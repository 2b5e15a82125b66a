//! Phoenix Channels V2 over one WebSocket: joins, beats, notices silence, and finds its way back.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use domain::wire::{Ref, push};
use leptos::prelude::{
    IntervalHandle, TimeoutHandle, document, set_interval_with_handle, set_timeout_with_handle, window,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// What the socket tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Open,
    /// Any frame came.
    Heard,
    /// Lost, or not reached; it tries again by itself.
    Down {
        was_open: bool,
    },
    /// The server restarts and said so.
    Restarting,
    /// The server does not want this session any more; it does not try again.
    Over,
}

/// Of our heartbeat: the server's own ping is answered by the browser, this one proves the way back.
const BEAT: Duration = Duration::from_secs(25);
/// Without any frame for longer, the connection is dead even if nobody says so: a beat, its answer, and some.
const SILENT_MS: f64 = 45_000.0;
const BACK_OFF_FIRST_MS: f64 = 500.0;
const BACK_OFF_MAX_MS: f64 = 30_000.0;

const CLOSE_RESTARTING: u16 = 1012;
const CLOSE_ENDED: u16 = 4001;
const CLOSE_NOT_ALLOWED: u16 = 4003;

/// Gets the event and its payload as JSON text: typed values are then read by the one reader the pages use as well.
type Handler = Rc<dyn Fn(&str, &str)>;

/// A frame as the server writes them; its references are the strings we gave it.
type Heard<'a> = (Option<String>, Option<String>, String, String, &'a RawValue);

#[derive(Deserialize)]
struct Reply<'a> {
    status: String,
    #[serde(borrow)]
    response: &'a RawValue,
}

struct Topic {
    name: &'static str,
    payload: Rc<dyn Fn() -> Value>,
    handler: Handler,
    join_ref: String,
}

/// Closures the browser calls; they live as long as their socket.
struct Wire {
    socket: WebSocket,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

struct Inner {
    url: String,
    tell: Box<dyn Fn(Link)>,
    wire: RefCell<Option<Wire>>,
    topics: RefCell<Vec<Topic>>,
    next_ref: Cell<u64>,
    /// Counts sockets, so that a late event of an old one is not taken for the new one's.
    generation: Cell<u32>,
    failures: Cell<i32>,
    heard: Cell<f64>,
    retry: Cell<Option<TimeoutHandle>>,
    beat: Cell<Option<IntervalHandle>>,
    over: Cell<bool>,
}

#[derive(Clone)]
pub(crate) struct Socket(Rc<Inner>);

impl Socket {
    /// Opens a socket to `path` of this host and keeps it open.
    pub(crate) fn open(path: &str, tell: impl Fn(Link) + 'static) -> Self {
        let location = window().location();
        let scheme = if location.protocol().is_ok_and(|p| p == "https:") { "wss" } else { "ws" };
        let socket = Self(Rc::new(Inner {
            url: format!("{scheme}://{}{path}", location.host().unwrap_or_default()),
            tell: Box::new(tell),
            wire: RefCell::new(None),
            topics: RefCell::new(vec![]),
            next_ref: Cell::new(1),
            generation: Cell::new(0),
            failures: Cell::new(0),
            heard: Cell::new(0.0),
            retry: Cell::new(None),
            beat: Cell::new(None),
            over: Cell::new(false),
        }));
        let this = socket.clone();
        socket.0.beat.set(set_interval_with_handle(move || this.beat(), BEAT).ok());
        socket.connect();
        socket
    }

    /// Joins a topic, now and after every reconnection. The handler gets the server's events, and `phx_reply` with
    /// the response of whatever was pushed.
    pub(crate) fn join(
        &self,
        name: &'static str,
        payload: impl Fn() -> Value + 'static,
        handler: impl Fn(&str, &str) + 'static,
    ) {
        self.leave(name);
        let topic = Topic { name, payload: Rc::new(payload), handler: Rc::new(handler), join_ref: String::new() };
        self.0.topics.borrow_mut().push(topic);
        self.send_join(name);
    }

    pub(crate) fn leave(&self, name: &str) {
        let place = self.0.topics.borrow().iter().position(|t| t.name == name);
        if let Some(i) = place {
            let topic = self.0.topics.borrow_mut().remove(i);
            self.send(Some(&topic.join_ref), name, "phx_leave", &json!({}));
        }
    }

    /// Pushes an event; lost when there is no connection, since every join says the whole truth again.
    pub(crate) fn push(&self, name: &str, event: &str, payload: &Value) {
        let join_ref = self.0.topics.borrow().iter().find(|t| t.name == name).map(|t| t.join_ref.clone());
        if let Some(join_ref) = join_ref {
            self.send(Some(&join_ref), name, event, payload);
        }
    }

    /// Connects at once, as when the browser comes back online, a tab is shown, or somebody presses "Retry now".
    pub(crate) fn wake(&self) {
        if self.0.over.get() || self.is_open() {
            return;
        }
        self.0.failures.set(0);
        self.connect();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.wire.borrow().as_ref().is_some_and(|w| w.socket.ready_state() == WebSocket::OPEN)
    }

    /// Puts the socket to sleep, as before the page goes into the back/forward cache.
    pub(crate) fn sleep(&self) {
        self.stop_retry();
        self.drop_wire();
    }

    /// For good: the session is over.
    pub(crate) fn finish(&self) {
        self.0.over.set(true);
        self.sleep();
        if let Some(beat) = self.0.beat.take() {
            beat.clear();
        }
        (self.0.tell)(Link::Over);
    }

    fn connect(&self) {
        self.stop_retry();
        self.drop_wire();
        let generation = self.0.generation.get();
        let Ok(socket) = WebSocket::new(&self.0.url) else { return self.retry_later() };
        self.0.heard.set(js_sys::Date::now());
        let was_open = Rc::new(Cell::new(false));
        let current = {
            let this = self.clone();
            move || (this.0.generation.get() == generation).then(|| this.clone())
        };
        let open = {
            let (current, was_open) = (current.clone(), Rc::clone(&was_open));
            Closure::new(move || {
                if let Some(this) = current() {
                    was_open.set(true);
                    this.opened();
                }
            })
        };
        let message = {
            let current = current.clone();
            Closure::new(move |e: MessageEvent| {
                if let (Some(this), Some(text)) = (current(), e.data().as_string()) {
                    this.received(&text);
                }
            })
        };
        let close = Closure::new(move |e: CloseEvent| {
            if let Some(this) = current() {
                this.closed(e.code(), was_open.get());
            }
        });
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        let wire = Wire { socket, _open: open, _message: message, _close: close };
        self.0.wire.replace(Some(wire));
    }

    fn opened(&self) {
        self.0.failures.set(0);
        (self.0.tell)(Link::Open);
        let names: Vec<&'static str> = self.0.topics.borrow().iter().map(|t| t.name).collect();
        for name in names {
            self.send_join(name);
        }
    }

    fn received(&self, text: &str) {
        self.0.heard.set(js_sys::Date::now());
        (self.0.tell)(Link::Heard);
        let Ok((join_ref_of, _, topic, event, payload)) = serde_json::from_str::<Heard>(text) else { return };
        let found = {
            let topics = self.0.topics.borrow();
            topics.iter().find(|t| t.name == topic).map(|t| (t.name, t.join_ref.clone(), Rc::clone(&t.handler)))
        };
        let Some((name, join_ref, handler)) = found else { return };
        let of_old_join = join_ref_of.is_some_and(|r| r != join_ref);
        match event.as_str() {
            _ if of_old_join => {}
            "phx_error" | "phx_close" => {
                let this = self.clone();
                let _ = set_timeout_with_handle(move || this.send_join(name), Duration::from_secs(1));
            }
            "phx_reply" => {
                if let Ok(reply) = serde_json::from_str::<Reply>(payload.get())
                    && reply.status == "ok"
                {
                    handler("phx_reply", reply.response.get());
                }
            }
            event => handler(event, payload.get()),
        }
    }

    fn closed(&self, code: u16, was_open: bool) {
        self.drop_wire();
        match code {
            CLOSE_ENDED | CLOSE_NOT_ALLOWED => self.finish(),
            CLOSE_RESTARTING => {
                (self.0.tell)(Link::Restarting);
                self.retry_later();
            }
            _ => {
                (self.0.tell)(Link::Down { was_open });
                self.retry_later();
            }
        }
    }

    /// Full jitter: a thousand browsers do not come back in step.
    fn retry_later(&self) {
        if self.0.over.get() {
            return;
        }
        let failures = self.0.failures.get();
        self.0.failures.set(failures + 1);
        let longest = (BACK_OFF_FIRST_MS * 2_f64.powi(failures)).min(BACK_OFF_MAX_MS);
        let wait = js_sys::Math::random() * longest;
        let this = self.clone();
        let timer = set_timeout_with_handle(move || this.connect(), Duration::from_millis(wait as u64));
        self.0.retry.set(timer.ok());
    }

    fn stop_retry(&self) {
        if let Some(timer) = self.0.retry.take() {
            timer.clear();
        }
    }

    fn drop_wire(&self) {
        self.0.generation.set(self.0.generation.get().wrapping_add(1));
        if let Some(wire) = self.0.wire.take() {
            wire.socket.set_onopen(None);
            wire.socket.set_onmessage(None);
            wire.socket.set_onclose(None);
            let _ = wire.socket.close();
            // The closures may be what is running now: they go when it has returned.
            let _ = set_timeout_with_handle(move || drop(wire), Duration::ZERO);
        }
    }

    fn beat(&self) {
        if !self.is_open() {
            return;
        }
        // A page frozen by the browser hears nothing either: give the answer to this beat the time it needs first.
        if js_sys::Date::now() - self.0.heard.get() > SILENT_MS && document().has_focus().unwrap_or(true) {
            self.closed(1006, true);
            return;
        }
        self.send(None, "phoenix", "heartbeat", &json!({}));
    }

    fn send_join(&self, name: &'static str) {
        if !self.is_open() {
            return;
        }
        let join_ref = self.fresh_ref();
        let payload = {
            let mut topics = self.0.topics.borrow_mut();
            let Some(topic) = topics.iter_mut().find(|t| t.name == name) else { return };
            topic.join_ref.clone_from(&join_ref);
            Rc::clone(&topic.payload)
        };
        let reference = Ref::Text(join_ref);
        self.transmit(&push(Some(&reference), Some(&reference), name, "phx_join", &payload()));
    }

    fn send(&self, join_ref: Option<&str>, name: &str, event: &str, payload: &Value) {
        let join_ref = join_ref.map(|r| Ref::Text(r.to_owned()));
        let reference = Ref::Text(self.fresh_ref());
        self.transmit(&push(join_ref.as_ref(), Some(&reference), name, event, payload));
    }

    fn transmit(&self, text: &str) {
        if let Some(wire) = &*self.0.wire.borrow()
            && wire.socket.ready_state() == WebSocket::OPEN
        {
            let _ = wire.socket.send_with_str(text);
        }
    }

    fn fresh_ref(&self) -> String {
        let n = self.0.next_ref.get();
        self.0.next_ref.set(n + 1);
        n.to_string()
    }
}
