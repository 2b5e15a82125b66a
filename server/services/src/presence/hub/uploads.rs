//! Uploads as they come and have come: the topic `live:uploads`.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use domain::{
    OrganisationId, Reach, UserId,
    files::{Arriving, UploadView},
    presence::{ConnectionId, Event},
    wire,
};
use serde_json::json;

use super::Hub;

const TOPIC: &str = "live:uploads";

impl Hub {
    /// Somebody's last uploads are these now.
    pub(in super::super) fn uploads_are(&mut self, user: UserId, names: Vec<String>) {
        self.apply(Event::Uploads { user, names: Arc::from(names) });
    }

    /// Begins to tell a connection, with what is on its way now.
    pub(in super::super) fn watch_uploads(&mut self, id: ConnectionId, reach: Reach) {
        self.watchers.uploads.insert(id, reach);
        self.send_arriving(id, reach);
    }

    pub(in super::super) fn unwatch_uploads(&mut self, id: ConnectionId) {
        self.watchers.uploads.remove(&id);
    }

    pub(super) fn send_arriving(&self, id: ConnectionId, reach: Reach) {
        self.push_to(id, &self.arriving_frame(reach));
    }

    /// All of them each time, as far as somebody sees: there are few.
    fn arriving_frame(&self, reach: Reach) -> Bytes {
        let items: Vec<&Arriving> = self.arriving.iter().filter(|a| reach.covers(a.organisation)).collect();
        Bytes::from(wire::broadcast(TOPIC, "running", &json!({"items": items, "as_of": self.now()})))
    }

    /// These are on their way now.
    pub(in super::super) fn arriving(&mut self, now: Vec<Arriving>) {
        self.arriving = now;
        let mut frames: HashMap<Reach, Bytes> = HashMap::new();
        for (id, reach) in &self.watchers.uploads {
            let frame = frames.entry(*reach).or_insert_with(|| self.arriving_frame(*reach));
            self.push_to(*id, frame);
        }
    }

    /// One has come.
    pub(in super::super) fn uploaded(&self, organisation: Option<OrganisationId>, upload: &UploadView) {
        let frame = Bytes::from(wire::broadcast(TOPIC, "uploaded", upload));
        for (id, _) in self.watchers.uploads.iter().filter(|(_, reach)| reach.covers(organisation)) {
            self.push_to(*id, &frame);
        }
    }

    pub(super) fn push_to(&self, id: ConnectionId, frame: &Bytes) {
        if let Some(outbox) = self.registry.outbox(id) {
            outbox.push(frame.clone());
        }
    }
}
