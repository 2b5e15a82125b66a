//! The task that owns presence.
//!
//! - `reading`: what it answers. `watching`: topics and live queries.

mod reading;
mod watching;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    Reach, SessionId, Time, UserId,
    presence::{
        Closing, ConnectionId, Counts, Event, Joined, PersonRow, Report, Roster, Sort, clocks::Clocks,
        ordered::Ordered, recent::Recent, roster::Change, topic::Audience,
    },
    session::EndReason,
    settings::Settings,
    time::{MINUTE, SECOND},
    wire,
};
use metrics::{counter, gauge, histogram};
use serde_json::json;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Act, Close, Heard, Outbox,
    canary::Canary,
    ledger::Ledger,
    registry::{Refused, Registry},
    watch::{Watchers, reachable},
};
use crate::{clock::Clock, sessions::LiveSession};

/// Changes are never held back longer than this.
const COALESCE_MAX: Duration = Duration::from_millis(50);
/// What one frame to one watcher may cost the two directions together. The first change goes out at once; the next
/// flush waits this long per watcher, so that five watchers see each change after at most 2.5 ms while a thousand
/// who all watch each other get one diff per 50 ms.
const COALESCE_PER_WATCHER: Duration = Duration::from_micros(500);
/// An order of everybody that nobody asked for in this time is not kept any longer.
const ORDER_KEPT: i64 = 10 * MINUTE;
/// Commands taken in before changes are flushed, so that a storm cannot starve watchers.
const BATCH: usize = 256;

pub(super) struct Hub {
    roster: Roster,
    registry: Registry,
    watchers: Watchers,
    /// For everybody, and for each organisation anybody of was ever seen.
    counts: HashMap<Reach, Counts>,
    roles: Vec<String>,
    settings: Settings,
    clock: Clock,
    /// Nothing in a hub that is tested alone.
    pub(super) ledger: Option<Ledger>,
    epoch: Uuid,
    seq: u64,
    recent: Recent,
    /// Whole states as of the last flush, for all who join before the next: the diff that follows fits them.
    states: HashMap<Audience, Bytes>,
    pub(super) canary: Canary,
    /// Since when a change waits to be sent.
    waiting: Option<Instant>,
    /// Everybody within a reach, in an order that somebody asked for lately, and when.
    orders: HashMap<(Reach, Sort), (Ordered, Time)>,
    /// As they stood at the last look; nothing beside a clock that tests move.
    clocks: Option<Clocks>,
    /// Sockets that close from now on were closed by us: their sessions stay marked as connected, so that the next
    /// start knows who may return.
    stopping: bool,
}

impl Hub {
    pub(super) fn new(settings: Settings, roles: Vec<String>, clock: Clock) -> Self {
        let zero = Counts::zero(roles.iter().map(String::as_str));
        Self {
            roster: Roster::new(settings.presence.clone()),
            registry: Registry::default(),
            watchers: Watchers::default(),
            counts: HashMap::from([(Reach::Everything, zero)]),
            roles,
            canary: Canary::new(&settings, clock.new_id(), clock.new_id()),
            settings,
            epoch: clock.new_id(),
            clocks: clock.steady().map(|steady| Clocks::new(clock.now(), steady)),
            clock,
            ledger: None,
            seq: 0,
            recent: Recent::default(),
            states: HashMap::new(),
            waiting: None,
            orders: HashMap::new(),
            stopping: false,
        }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time for the roster. A time in which the process slept, or by which the wall clock was set, is told it first:
    /// frames that came meanwhile wait to be read, and nobody is lost for them.
    fn look(&mut self) -> Time {
        let now = self.clock.now();
        let jump = self.clocks.as_mut().zip(self.clock.steady()).and_then(|(c, steady)| c.look(now, steady));
        if let Some((jump, last)) = jump {
            tracing::warn!(deaf_ms = jump.deaf, set_ms = jump.set, "the process slept, or its clock was set");
            self.roster.jump(jump, last);
        }
        now
    }

    /// Runs until `stop`, then closes every socket with 1012.
    pub(super) async fn run(mut self, mut inbox: UnboundedReceiver<Act>, stop: CancellationToken) {
        let mut flush_after = Instant::now();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            self.look();
            // Looked at here too, so that a full inbox cannot keep time from passing.
            if self.is_due() {
                self.advance();
            }
            self.tell_ledger();
            let due = self.next_due();
            let flush = self.roster.has_changes();
            if flush {
                self.waiting.get_or_insert_with(Instant::now);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = sleep_until(flush_after), if flush => {
                    self.flush();
                    let pause = COALESCE_PER_WATCHER * self.watchers.len().min(1_000) as u32;
                    flush_after = Instant::now() + pause.min(COALESCE_MAX);
                }
                n = inbox.recv_many(&mut batch, BATCH) => {
                    if n == 0 {
                        break;
                    }
                    batch.drain(..).for_each(|act| act(&mut self));
                }
                () = sleep_until(due), if !flush => self.advance(),
            }
        }
        self.stop();
        inbox.close();
        while let Some(act) = inbox.recv().await {
            act(&mut self);
        }
    }

    pub(super) fn stop(&mut self) {
        self.stopping = true;
        self.note();
        if let Some(ledger) = &self.ledger {
            ledger.end();
        }
        self.registry.outboxes().for_each(|o| o.close(Close::RESTARTING));
    }

    /// Tells the ledger everything up to now.
    pub(super) fn note(&mut self) {
        self.advance();
        self.tell_ledger();
    }

    fn tell_ledger(&mut self) {
        let mut traces = self.roster.take_traces();
        traces.retain(|t| !self.canary.is(t.user()));
        if let Some(ledger) = &self.ledger {
            ledger.note(traces);
        }
    }

    fn is_due(&self) -> bool {
        let now = self.now();
        [self.roster.next_deadline(), self.registry.next_due()].into_iter().flatten().any(|t| t <= now)
    }

    /// When there is something to do without anybody saying so. A round takes a second at most, so that a gap between
    /// two of them means that nobody looked.
    fn next_due(&self) -> Instant {
        let wait = [self.roster.next_deadline(), self.registry.next_due()]
            .into_iter()
            .flatten()
            .map(|t| t.since(self.now()))
            .min()
            .unwrap_or(SECOND);
        Instant::now() + Duration::from_millis(wait.clamp(0, SECOND) as u64)
    }

    /// Lets everything happen that is due.
    pub(super) fn advance(&mut self) {
        let now = self.look();
        for id in self.roster.advance(now) {
            if let Some(outbox) = self.registry.outbox(id) {
                outbox.close(Close::LOST);
            }
        }
        let (over, tell) = self.registry.look(now);
        let over: Vec<_> = over.iter().map(|s| (s.id, s.span().timeout())).collect();
        self.end_sessions(&over);
        for id in tell {
            self.send_expiry(id, None);
        }
    }

    pub(super) fn apply(&mut self, event: Event) {
        let now = self.look();
        self.roster.apply(event, now);
    }

    // Sockets and sessions.

    pub(super) fn register(
        &mut self,
        session: &Arc<LiveSession>,
        outbox: Arc<Outbox>,
    ) -> Result<ConnectionId, Refused> {
        if self.stopping {
            return Err(Refused::Stopping);
        }
        let s = &self.settings;
        self.registry.add(session, outbox, s.sockets_per_session, s.sockets_per_address, self.clock.now())
    }

    pub(super) fn unregister(&mut self, id: ConnectionId, closing: Closing) {
        self.watchers.remove(id);
        self.apply(Event::Closed { connection: id, closing });
        let last_of = self.registry.remove(id).filter(|_| !self.stopping);
        if let Some(session) = last_of {
            session.set_connected(false);
        }
    }

    pub(super) fn open(&mut self, id: ConnectionId, joined: Joined, report: Report) -> Heard {
        let user = joined.card.id;
        let session = self.registry.get(joined.session).map(|e| Arc::clone(&e.session));
        // A session that ended meanwhile has no entry any more, and must not come back to life here.
        if let Some(session) = session.filter(|s| s.is_live(self.now())) {
            self.apply(Event::Opened { joined, connection: id, report });
            return self.heard(user, &session);
        }
        Heard { state: self.roster.state(user), expires_at: self.now(), retry_within: self.registry.retry_within() }
    }

    pub(super) fn heard(&self, user: UserId, session: &LiveSession) -> Heard {
        let retry_within = self.registry.retry_within();
        Heard { state: self.roster.state(user), expires_at: session.expires_at(), retry_within }
    }

    /// Ends sessions in presence and closes their sockets: no grace, nothing delivered afterwards.
    pub(super) fn end_sessions(&mut self, ended: &[(SessionId, EndReason)]) {
        for (session, reason) in ended {
            let frame = Bytes::from(wire::broadcast("presence:me", "ended", &json!({"reason": reason})));
            let sockets = self.registry.get(*session).map(|e| e.sockets.clone()).unwrap_or_default();
            for (id, outbox) in sockets {
                outbox.close_after(frame.clone(), Close::SESSION_ENDED);
                self.watchers.remove(id);
                self.registry.remove(id);
            }
            let owner = self.roster.owner(*session).filter(|_| *reason == EndReason::UserDeleted);
            self.apply(Event::Ended { session: *session, reason: *reason });
            if let Some(user) = owner {
                self.forget(user);
            }
        }
    }

    /// Nothing of somebody whose account is deleted stays: watchers see them go, and the rows they were seen in go too.
    pub(super) fn forget(&mut self, user: UserId) {
        self.apply(Event::Deleted { user });
        self.flush();
        self.recent.clear();
        self.states.clear();
    }

    pub(super) fn restore(&mut self, joined: Joined, seen_at: Time) {
        let until = self.now().plus(self.settings.presence.restart_grace);
        self.apply(Event::Restored { joined, seen_at, until });
    }

    /// Tells the other sockets of a session when it ends now, if that is news.
    pub(super) fn tell_expiry(&mut self, session: &LiveSession, except: Option<ConnectionId>) {
        if self.registry.tell(session) {
            self.send_expiry(session.id, except);
        }
    }

    fn send_expiry(&self, session: SessionId, except: Option<ConnectionId>) {
        let Some(entry) = self.registry.get(session) else { return };
        let payload = json!({"expires_at": entry.session.expires_at()});
        let frame = Bytes::from(wire::broadcast("presence:me", "session", &payload));
        for (_, outbox) in entry.sockets.iter().filter(|(id, _)| Some(*id) != except) {
            outbox.push(frame.clone());
        }
    }

    /// The canary does what is due of its script.
    pub(super) fn look_at_canary(&mut self) {
        if self.stopping {
            return;
        }
        if let Some(event) = self.canary.act(self.now()) {
            self.apply(event);
        }
    }

    /// Sets what is measured when metrics are read.
    pub(super) fn measure(&mut self) {
        gauge!("rollcall_connections").set(self.registry.len() as f64);
        for (state, n) in self.counts(Reach::Everything).by_state {
            gauge!("rollcall_people", "state" => state).set(f64::from(n));
        }
        let lagging = self.watchers.ids().filter(|id| self.registry.outbox(*id).is_some_and(|o| o.is_lagging()));
        gauge!("rollcall_lagging_watchers").set(lagging.count() as f64);
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

    /// Sends what changed since the last flush to everybody who watches any of it.
    pub(super) fn flush(&mut self) {
        let changes = self.take_changes();
        if changes.is_empty() {
            return;
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
    }
}

/// What went into the queues of watchers.
#[derive(Default)]
struct Sent {
    frames: u64,
    bytes: u64,
}

impl Sent {
    fn to(&mut self, outbox: Option<&Arc<Outbox>>, frame: Bytes) {
        let bytes = frame.len() as u64;
        if outbox.is_some_and(|o| o.push(frame)) {
            self.frames += 1;
            self.bytes += bytes;
        }
    }

    fn count(self) {
        counter!("rollcall_frames_total").increment(self.frames);
        counter!("rollcall_sent_bytes_total").increment(self.bytes);
    }
}

/// Whether both rows count the same everywhere, which most changes do.
fn counts_alike(a: &PersonRow, b: &PersonRow) -> bool {
    let counted = |r: &PersonRow| (r.state, r.active, r.invisible, r.organisation_id);
    counted(a) == counted(b) && (&a.role, &a.organisation, &a.teams) == (&b.role, &b.organisation, &b.teams)
}
