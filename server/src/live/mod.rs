//! The socket: Phoenix Channels at `/socket/websocket`, and for clients of Supabase at `/realtime/v1/websocket`.
//!
//! `upgrade` decides who may open one; `connection` is the loop of one socket, generic over what it reads from and
//! writes to, so that tests drive it with channels; `channel` answers frames; `realtime` is what
//! the Supabase dialect says otherwise. Presence itself is `services::presence`.

mod channel;
mod connection;
mod realtime;
mod upgrade;
mod version;

pub use upgrade::upgrade;
