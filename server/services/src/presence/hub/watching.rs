//! Who watches what: Phoenix topics and live queries.

use bytes::Bytes;
use domain::{
    ApiError, ErrorCode, Reach,
    presence::{
        ConnectionId, diff,
        live::{Opened, View, Window},
        topic::{Audience, Topic},
    },
    wire,
};
use metrics::counter;

use super::{
    super::watch::{KEYS_MAX, Key, Live, reachable},
    Hub,
    flush::Sent,
};

impl Hub {
    pub(in super::super) fn watch(&mut self, id: ConnectionId, audience: Audience) {
        let watchers = self.watchers.topics.entry(audience).or_default();
        if !watchers.contains(&id) {
            watchers.push(id);
        }
        self.send_state(id, audience);
    }

    fn send_state(&mut self, id: ConnectionId, audience: Audience) {
        let frame = self.state_frame(audience);
        if audience.topic.realtime {
            // A client that comes back with an older state lets go of it whole, see `diff::diffs`.
            self.send(id, state_of(audience, &diff::Snapshot::new()));
        }
        self.send(id, frame);
    }

    fn state_frame(&mut self, audience: Audience) -> Bytes {
        if let Some(frame) = self.states.get(&audience) {
            return frame.clone();
        }
        self.flush();
        let state = diff::state(self.rows().map(|r| &**r), audience);
        let frame = state_of(audience, &state);
        self.states.insert(audience, frame.clone());
        frame
    }

    pub(in super::super) fn unwatch(&mut self, id: ConnectionId, topic: Topic) {
        for (_, watchers) in self.watchers.topics.iter_mut().filter(|(a, _)| a.topic == topic) {
            watchers.retain(|c| *c != id);
        }
    }

    /// Opens or changes a live query, with a snapshot.
    pub(in super::super) fn query(&mut self, id: ConnectionId, key: Key, reach: Reach, window: Window) -> Opened {
        self.flush();
        let mut live = Live { reach, view: View::new(window, self.within(reach)) };
        self.send_snapshot(id, key, &mut live);
        let opened = live.view.opened(false, self.epoch);
        self.watchers.live.insert((id, key), live);
        opened
    }

    /// Opens a live query: a mirror that was cut off hears only what it missed, where that is known; else a snapshot.
    pub(in super::super) fn open_query(
        &mut self,
        id: ConnectionId,
        key: Key,
        reach: Reach,
        mut window: Window,
    ) -> Result<Opened, ApiError> {
        self.flush();
        let further = self.watchers.keys_of(id).into_iter().filter(|k| ![Key::default(), key].contains(k)).count();
        if key != Key::default() && further >= KEYS_MAX {
            let message = "Too many live queries are open on this connection. Close some.";
            return Err(ApiError::new(ErrorCode::TooManyRequests, message));
        }
        let resume = window.resume.take().filter(|r| r.epoch == self.epoch);
        let missed = resume.and_then(|r| Some((r.seq, reachable(&self.recent.since(r.seq)?, reach))));
        let Some((seq, missed)) = missed else {
            return Ok(self.query(id, key, reach, window));
        };
        let now = self.now();
        let mut view = View::resume(window, self.within(reach), &missed, seq);
        let opened = view.opened(true, self.epoch);
        let counts = Some(self.counts(reach)).filter(|c| c.before(&missed) != *c);
        if let Some(patch) = view.apply(&missed, self.epoch, self.seq, counts, now) {
            self.send(id, Bytes::from(wire::broadcast(&key.topic(), "patch", &patch)));
        }
        self.watchers.live.insert((id, key), Live { reach, view });
        Ok(opened)
    }

    /// Sends samples of traffic to this connection too.
    pub(in super::super) fn watch_traffic(&mut self, id: ConnectionId) {
        if self.registry.outbox(id).is_some() {
            self.watchers.traffic.insert(id);
        }
        self.say_whether_traffic_is_watched();
    }

    pub(in super::super) fn unwatch_traffic(&mut self, id: ConnectionId) {
        self.watchers.traffic.remove(&id);
        self.say_whether_traffic_is_watched();
    }

    pub(super) fn say_whether_traffic_is_watched(&self) {
        let watched = !self.watchers.traffic.is_empty();
        self.traffic_watched.send_if_modified(|before| std::mem::replace(before, watched) != watched);
    }

    /// A sample, to whoever watches. One that is stuck goes without: the next says all of it again.
    pub(in super::super) fn send_traffic(&self, frame: &Bytes) {
        for id in &self.watchers.traffic {
            self.send(*id, frame.clone());
        }
    }

    fn send_snapshot(&self, id: ConnectionId, key: Key, live: &mut Live) {
        let snapshot = live.view.snapshot(self.epoch, self.seq, self.counts(live.reach), self.now());
        self.send(id, Bytes::from(wire::broadcast(&key.topic(), "snapshot", &snapshot)));
    }

    fn send(&self, id: ConnectionId, frame: Bytes) {
        let mut sent = Sent::default();
        sent.to(self.registry.outbox(id), frame);
        sent.count();
    }

    pub(in super::super) fn unquery(&mut self, id: ConnectionId, key: Key) {
        self.watchers.live.remove(&(id, key));
    }

    pub(in super::super) fn resend(&mut self, id: ConnectionId) {
        counter!("rollcall_resends_total").increment(1);
        for audience in self.watchers.topics_of(id) {
            self.send_state(id, audience);
        }
        if let Some(reach) = self.watchers.uploads.get(&id).copied() {
            self.send_arriving(id, reach);
        }
        self.send_unread(id);
        self.flush();
        for key in self.watchers.keys_of(id) {
            if let Some(mut live) = self.watchers.live.remove(&(id, key)) {
                self.send_snapshot(id, key, &mut live);
                self.watchers.live.insert((id, key), live);
            }
        }
    }
}

fn state_of(audience: Audience, state: &diff::Snapshot<'_>) -> Bytes {
    Bytes::from(wire::broadcast(&audience.topic.to_string(), "presence_state", state))
}
