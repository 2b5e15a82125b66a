//! The browser's live side: this page's end of the browser's one socket, and the people on screen.
//!
//! - `socket`: topics of this page over the socket that all tabs share (`frontend/agent`).
//! - `agent`: connects this page, and `presence:me`: what the server says of this session.
//! - `status`: how well we are connected, and how that is said.
//! - `online`: the model behind a live list of people. `paint`: its pure rule of what may move.
//! - `announce`: what is said of those who come and go.
//! - `colleagues`: the people of one's organisation.
//! - `list`: which people are asked for, as the address says it.
//!
//! All of it runs in effects and handlers, so never on the server; to add a topic, `socket().join` it in an effect.

pub(crate) mod agent;
pub(crate) mod announce;
pub(crate) mod colleagues;
pub(crate) mod list;
pub(crate) mod online;
pub(crate) mod paint;
pub(crate) mod socket;
pub(crate) mod status;

use std::cell::RefCell;

use socket::Socket;

thread_local! {
    static SOCKET: RefCell<Option<Socket>> = const { RefCell::new(None) };
}

/// The page's one socket, once `agent::start` has made it.
pub(crate) fn socket() -> Option<Socket> {
    SOCKET.with_borrow(Clone::clone)
}
