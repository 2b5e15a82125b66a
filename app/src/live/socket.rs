//! This page's end of the browser's one socket. The socket itself is a script, `frontend/agent/hub.mjs`, in a worker
//! that all tabs share; `page.mjs` is the way from here to there, and sees what the reader does.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen::closure::Closure;

/// What the scripts offer.
mod page {
    use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

    #[wasm_bindgen(raw_module = "./agent/page.mjs")]
    extern "C" {
        pub(super) fn connect(session: &str, page: &str, input_every: f64, heard: JsValue);
        pub(super) fn visit(page: &str);
        pub(super) fn join(topic: &str, payload: &str);
        pub(super) fn push(topic: &str, event: &str, payload: &str);
        pub(super) fn leave(topic: &str);
        pub(super) fn wake();
    }
}

/// Gets the event and its payload as JSON text: typed values are then read by the one reader the pages use as well.
type Handler = Rc<dyn Fn(&str, &str)>;

struct Topic {
    name: Rc<str>,
    payload: Rc<dyn Fn() -> String>,
    handler: Handler,
}

#[derive(Default)]
struct Inner {
    topics: RefCell<Vec<Topic>>,
    is_open: Cell<bool>,
}

#[derive(Clone)]
pub(crate) struct Socket(Rc<Inner>);

#[expect(clippy::unused_self, reason = "there is one page, but only who has its socket speaks through it")]
impl Socket {
    /// Finds the socket, or makes it. `told` gets what it tells of itself (`hub.mjs` has the words), what the browser
    /// says of the network, and the events of `presence:me`.
    pub(crate) fn open(session: &str, page: &str, input_every: f64, told: impl Fn(&str, &str) + 'static) -> Self {
        let socket = Self(Rc::default());
        let this = socket.clone();
        let heard =
            Closure::<dyn Fn(String, String, String)>::new(move |topic: String, event: String, payload: String| {
                let (event, payload) = (event.as_str(), payload.as_str());
                if topic.is_empty() {
                    this.link(event);
                }
                if topic.is_empty() || topic == "presence:me" {
                    return told(event, payload);
                }
                let found = this.0.topics.borrow().iter().find(|t| *t.name == topic).map(|t| Rc::clone(&t.handler));
                match found {
                    Some(_) if event == "rejoin" => this.send_join(&topic),
                    Some(handler) => handler(event, payload),
                    None => {}
                }
            });
        page::connect(session, page, input_every, heard.into_js_value());
        socket
    }

    fn link(&self, event: &str) {
        match event {
            "open" => {
                self.0.is_open.set(true);
                let names: Vec<Rc<str>> = self.0.topics.borrow().iter().map(|t| Rc::clone(&t.name)).collect();
                for name in names {
                    self.send_join(&name);
                }
            }
            "lost" | "restarting" | "over" => self.0.is_open.set(false),
            _ => {}
        }
    }

    /// Joins a topic, now and after every reconnection; `payload` gives JSON. The handler gets the server's events,
    /// and `phx_reply` with the response of whatever was pushed.
    pub(crate) fn join(
        &self,
        name: &str,
        payload: impl Fn() -> String + 'static,
        handler: impl Fn(&str, &str) + 'static,
    ) {
        let topic = Topic { name: name.into(), payload: Rc::new(payload), handler: Rc::new(handler) };
        let mut topics = self.0.topics.borrow_mut();
        topics.retain(|t| *t.name != *name);
        topics.push(topic);
        drop(topics);
        self.send_join(name);
    }

    pub(crate) fn leave(&self, name: &str) {
        self.0.topics.borrow_mut().retain(|t| *t.name != *name);
        page::leave(name);
    }

    /// Pushes an event; lost when there is no connection, since every join says the whole truth again.
    pub(crate) fn push(&self, name: &str, event: &str, payload: &str) {
        page::push(name, event, payload);
    }

    /// Connects at once, as when somebody presses "Retry now".
    pub(crate) fn wake(&self) {
        page::wake();
    }

    /// The reader went to another page: that is input.
    pub(crate) fn visit(&self, page: &str) {
        page::visit(page);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.is_open.get()
    }

    fn send_join(&self, name: &str) {
        let payload = self.0.topics.borrow().iter().find(|t| *t.name == *name).map(|t| Rc::clone(&t.payload));
        if let (true, Some(payload)) = (self.is_open(), payload) {
            page::join(name, &payload());
        }
    }
}
