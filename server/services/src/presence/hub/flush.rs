//! What changed since the last flush goes out to everybody who watches any of it.

use std::sync::Arc;

use bytes::Bytes;
use domain::{
    Reach,
    presence::{Counts, PersonRow, roster::Change},
};
use metrics::{counter, gauge, histogram};

use super::{
    super::{Outbox, watch::reachable},
    Hub, ORDER_KEPT,
};

impl Hub {
    /// Sets what is measured when metrics are read.
    pub(in super::super) fn measure(&mut self) {
        gauge!("rollcall_connections").set(self.registry.len() as f64);
        for (state, n) in self.counts(Reach::Everything).by_state {
            gauge!("rollcall_people", "state" => state).set(f64::from(n));
        }
        let lagging = self.watchers.ids().filter(|id| self.registry.outbox(*id).is_some_and(|o| o.is_lagging()));
        gauge!("rollcall_lagging_watchers").set(lagging.count() as f64);
        gauge!("rollcall_queued_bytes").set(self.queued() as f64);
    }

    /// The most bytes that wait for any one socket.
    pub(in super::super) fn queued(&self) -> usize {
        self.registry.outboxes().map(|o| o.queued()).max().unwrap_or_default()
    }

    /// How many frames one flush may cost. Who is stuck gets none, and makes nobody else wait for theirs.
    pub(in super::super) fn frames(&self) -> usize {
        self.watchers.frames(|id| self.registry.outbox(id).is_some_and(|o| !o.is_lagging()))
    }

    /// What changed since the last call. The canary's part is for the canary alone.
    fn take_changes(&mut self) -> Vec<Change> {
        if let Some(since) = self.waiting.take() {
            histogram!("rollcall_flush_age_seconds").record(since.elapsed());
        }
        let now = self.now();
        let mut changes = self.roster.take_changes();
        changes.retain(|c| {
            let canary = self.canary.is(c.id);
            if canary {
                self.canary.show(c.after.as_deref(), now);
            }
            !canary
        });
        changes
    }

    /// Sends what changed since the last flush to everybody who watches any of it; how many changes that were.
    pub(in super::super) fn flush(&mut self) -> usize {
        let changes = self.take_changes();
        let n = changes.len();
        if n == 0 {
            return 0;
        }
        self.seq += 1;
        self.states.clear();
        let mut counted = vec![];
        for c in &changes {
            let same = c.before.as_ref().zip(c.after.as_ref()).is_some_and(|(b, a)| counts_alike(b, a));
            if same {
                continue;
            }
            for (row, add) in [(&c.before, false), (&c.after, true)] {
                let Some(row) = row else { continue };
                let reaches = [Some(Reach::Everything), row.organisation_id.map(Reach::Organisation)];
                for reach in reaches.into_iter().flatten().filter(|r| r.sees(row)) {
                    let zero = || Counts::zero(self.roles.iter().map(String::as_str));
                    let counts = self.counts.entry(reach).or_insert_with(zero);
                    if add {
                        counts.add(row);
                    } else {
                        counts.remove(row);
                    }
                    if !counted.contains(&reach) {
                        counted.push(reach);
                    }
                }
            }
        }
        let now = self.now();
        let mut sent = Sent::default();
        for (frame, watchers) in self.watchers.diffs(&changes) {
            for id in watchers {
                sent.to(self.registry.outbox(*id), frame.clone());
            }
        }
        for (frame, id) in self.watchers.patches(&changes, self.epoch, self.seq, &self.counts, &counted, now) {
            sent.to(self.registry.outbox(id), frame);
        }
        counter!("rollcall_diffs_total").increment(1);
        sent.count();
        self.orders.retain(|_, (_, asked_at)| now.since(*asked_at) < ORDER_KEPT);
        for ((reach, _), (ordered, _)) in &mut self.orders {
            ordered.apply(&reachable(&changes, *reach));
        }
        self.recent.push(self.seq, changes, now);
        n
    }
}

/// What went into the queues of watchers.
#[derive(Default)]
pub(super) struct Sent {
    frames: u64,
    bytes: u64,
}

impl Sent {
    pub(super) fn to(&mut self, outbox: Option<&Arc<Outbox>>, frame: Bytes) {
        let bytes = frame.len() as u64;
        if outbox.is_some_and(|o| o.push(frame)) {
            self.frames += 1;
            self.bytes += bytes;
        }
    }

    pub(super) fn count(self) {
        counter!("rollcall_frames_total").increment(self.frames);
        counter!("rollcall_sent_bytes_total").increment(self.bytes);
    }
}

/// Whether both rows count the same everywhere, which most changes do.
fn counts_alike(a: &PersonRow, b: &PersonRow) -> bool {
    let counted = |r: &PersonRow| (r.state, r.active, r.invisible, r.organisation_id);
    counted(a) == counted(b) && (&a.role, &a.organisation, &a.teams) == (&b.role, &b.organisation, &b.teams)
}
