//! Samples of traffic on their way to whoever watches it. What is in them is made in `crate::traffic`.

use bytes::Bytes;
use domain::{
    Actor, ApiError,
    access::{Action, Reach},
    presence::Counts,
};
use tokio::sync::watch;

use super::{Presence, Socket};

impl Presence {
    /// Open sockets, and how many people within reach are here.
    pub(crate) async fn load(&self, reach: Reach) -> Result<(u64, Counts), ApiError> {
        if self.hub.is_none() {
            return Ok((0, Counts::zero([])));
        }
        self.ask(move |hub| hub.load(reach)).await
    }

    /// Whether anybody watches traffic, now and whenever that changes; nothing beside the server.
    pub(crate) fn traffic_watched(&self) -> Option<watch::Receiver<bool>> {
        self.traffic_watched.clone()
    }

    pub(crate) fn send_traffic(&self, frame: Bytes) {
        self.tell(move |hub| hub.send_traffic(&frame));
    }
}

impl Socket {
    /// Gets a sample of traffic each second from now on. There is no name in it, and it is of the whole server for
    /// everybody.
    pub async fn watch_traffic(&self, actor: &Actor) -> Result<(), ApiError> {
        actor.require(Action::Traffic)?;
        let id = self.id;
        self.presence.ask(move |hub| hub.watch_traffic(id)).await
    }

    pub fn unwatch_traffic(&self) {
        let id = self.id;
        self.presence.tell(move |hub| hub.unwatch_traffic(id));
    }
}
