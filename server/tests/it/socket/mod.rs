//! The socket: who may open one, what may be said on it, what it says, and every way it ends.

mod ends;
mod handshake;
mod herd;
mod limits;
mod live;
mod raw;
mod sleep;
pub(crate) mod slow;
mod topics;
mod version_one;
mod wire;
