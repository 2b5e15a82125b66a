//! Those who watch what people do: new events, whoever wrote them, by `live:activity`.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use domain::{Actor, ApiError, Reach, access::Action, activity::EventRow, wire};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Activity, lock};
use crate::{
    presence::{Outbox, Socket},
    store::feed,
};

/// How often it is looked for news while anybody watches.
const EVERY: Duration = Duration::from_millis(250);
/// Of more than so many at once only the newest are told, and that there were others.
const TOLD: i64 = 100;

pub(super) struct Watcher {
    reach: Reach,
    /// The last event before.
    since: i64,
    outbox: Weak<Outbox>,
}

impl Activity {
    /// From now on the socket is told of events within the actor's reach. The number of the last event before.
    pub async fn watch(&self, actor: &Actor, socket: &Socket) -> Result<i64, ApiError> {
        let reach = actor.require(Action::Activity)?;
        let store = &self.inner.store;
        let last = store.within(feed::last(store.read())).await?;
        let outbox = Arc::downgrade(&socket.outbox);
        lock(&self.inner.watchers).insert(socket.id, Watcher { reach, since: last, outbox });
        Ok(last)
    }

    pub fn unwatch(&self, socket: &Socket) {
        lock(&self.inner.watchers).remove(&socket.id);
    }

    fn watchers(&self) -> Vec<(Reach, i64, Arc<Outbox>)> {
        let mut watchers = lock(&self.inner.watchers);
        watchers.retain(|_, w| w.outbox.strong_count() > 0);
        watchers.values().filter_map(|w| Some((w.reach, w.since, w.outbox.upgrade()?))).collect()
    }

    /// Tells them until `stop`. Events are numbered in the order of their commits, so none is missed.
    pub(super) async fn run_live(self, stop: CancellationToken) {
        let mut last = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let watchers = self.watchers();
            if watchers.is_empty() {
                last = None;
                continue;
            }
            let since = watchers.iter().map(|(_, since, _)| *since).min().unwrap_or_default();
            let before = last.unwrap_or(since);
            match self.news(before).await {
                Ok((seq, rows)) => {
                    tell(&watchers, before, seq, &rows);
                    last = Some(seq);
                }
                Err(e) => tracing::debug!(error = %e, "could not look for events"),
            }
        }
    }

    /// The newest of what came after `last`, oldest first, and the number of the very last.
    async fn news(&self, last: i64) -> Result<(i64, Vec<EventRow>), ApiError> {
        let store = &self.inner.store;
        let seq = store.within(feed::last(store.read())).await?;
        if seq <= last {
            return Ok((last, vec![]));
        }
        let rows = store.within(feed::between(store.read(), last.max(seq - TOLD), seq)).await?;
        Ok((seq, rows))
    }
}

/// Who just came may hear again of what was there before. `after` and `last` are numbers of events: whoever has another `after` than the `last` before has missed some.
fn tell(watchers: &[(Reach, i64, Arc<Outbox>)], after: i64, last: i64, rows: &[EventRow]) {
    let mut frames: Vec<(Reach, Bytes)> = vec![];
    for (reach, _, outbox) in watchers {
        let known = frames.iter().find(|(r, _)| r == reach).map(|(_, frame)| frame.clone());
        let frame = known.unwrap_or_else(|| {
            let seen: Vec<&EventRow> = rows.iter().filter(|r| reach.covers(r.organisation_id)).collect();
            let more = last - after > TOLD;
            let payload = json!({"after": after, "last": last, "events": seen, "more": more});
            let none = seen.is_empty() && !more;
            let frame =
                if none { Bytes::new() } else { Bytes::from(wire::broadcast("live:activity", "events", &payload)) };
            frames.push((*reach, frame.clone()));
            frame
        });
        if !frame.is_empty() {
            outbox.push(frame);
        }
    }
}
