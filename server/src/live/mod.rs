//! The socket: Phoenix Channels V2 at `/socket/websocket`.
//!
//! `upgrade` decides who may open one; `connection` is the loop of one socket, generic over what it reads from and
//! writes to, so that tests drive it with channels; `channel` answers frames. Presence itself is `services::presence`.

mod channel;
mod connection;
mod upgrade;
mod version;

pub use upgrade::upgrade;
