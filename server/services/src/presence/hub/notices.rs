//! The bell: the topic `notices:me`.

use bytes::Bytes;
use domain::{UserId, presence::ConnectionId, wire};
use serde_json::json;

use super::Hub;

const TOPIC: &str = "notices:me";

impl Hub {
    /// Begins to tell a connection of its person's notices, as soon as they have been counted.
    pub(in super::super) fn watch_notices(&mut self, id: ConnectionId, user: UserId) {
        self.watchers.notices.insert(id, (user, None));
    }

    pub(in super::super) fn unwatch_notices(&mut self, id: ConnectionId) {
        self.watchers.notices.remove(&id);
    }

    pub(in super::super) fn watchers_of_notices(&self) -> Vec<UserId> {
        self.watchers.notices.values().map(|(user, _)| *user).collect()
    }

    /// Somebody has so many unread ones; told where it is news.
    pub(in super::super) fn unread(&mut self, whose: UserId, unread: u64) {
        let mut news = vec![];
        for (id, (user, told)) in &mut self.watchers.notices {
            if *user == whose && *told != Some(unread) {
                *told = Some(unread);
                news.push(*id);
            }
        }
        for id in news {
            self.send_unread(id);
        }
    }

    pub(super) fn send_unread(&self, id: ConnectionId) {
        if let Some((_, Some(unread))) = self.watchers.notices.get(&id) {
            self.push_to(id, &Bytes::from(wire::broadcast(TOPIC, "unread", &json!({"unread": unread}))));
        }
    }
}
