//! The socket: who may open one, what may be said on it, what it says, and every way it ends.

mod ends;
mod handshake;
mod herd;
mod limits;
mod live;
mod people;
mod raw;
mod realtime;
mod sleep;
pub(crate) mod slow;
pub(crate) mod topics;
mod version_one;
mod wire;
