//! The task that owns presence.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    ApiError, ErrorCode, OrganisationId, Reach, SessionId, Time, UserId,
    presence::{
        Closing, Colleague, ConnectionId, Counts, Event, Joined, PersonRow, Query, Report, Roster, State,
        diff::{self, Audience},
        live::{self, Opened, View, Window},
        recent::Recent,
        roster::{Change, Known},
        sight, state,
        view::{Me, OnlinePage, sentence},
    },
    session::EndReason,
    settings::Settings,
    time::MINUTE,
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
    watch::{KEYS_MAX, Key, Live, Watchers, reachable, topic},
};
use crate::{clock::Clock, sessions::LiveSession};

/// Changes are never held back longer than this.
const COALESCE_MAX: Duration = Duration::from_millis(50);
/// What one frame to one watcher may cost the two directions together. The first change goes out at once; the next
/// flush waits this long per watcher, so that five watchers see each change after at most 2.5 ms while a thousand
/// who all watch each other get one diff per 50 ms.
const COALESCE_PER_WATCHER: Duration = Duration::from_micros(500);
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
    ledger: Ledger,
    epoch: Uuid,
    seq: u64,
    recent: Recent,
    /// Whole states as of the last flush, for all who join before the next: the diff that follows fits them.
    states: HashMap<Audience, Bytes>,
    pub(super) canary: Canary,
    /// Since when a change waits to be sent.
    waiting: Option<Instant>,
    /// Sockets that close from now on were closed by us: their sessions stay marked as connected, so that the next
    /// start knows who may return.
    stopping: bool,
}

impl Hub {
    pub(super) fn new(settings: Settings, roles: Vec<String>, clock: Clock, ledger: Ledger) -> Self {
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
            clock,
            ledger,
            seq: 0,
            recent: Recent::default(),
            states: HashMap::new(),
            waiting: None,
            stopping: false,
        }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Runs until `stop`, then closes every socket with 1012.
    pub(super) async fn run(mut self, mut inbox: UnboundedReceiver<Act>, stop: CancellationToken) {
        let mut flush_after = Instant::now();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            // Looked at here too, so that a full inbox cannot keep time from passing.
            if self.is_due() {
                self.advance();
            }
            self.ledger.note(self.roster.take_traces());
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
        self.ledger.end();
        self.registry.outboxes().for_each(|o| o.close(Close::RESTARTING));
    }

    /// Tells the ledger everything up to now.
    pub(super) fn note(&mut self) {
        self.advance();
        self.ledger.note(self.roster.take_traces());
    }

    fn is_due(&self) -> bool {
        let now = self.now();
        [self.roster.next_deadline(), self.registry.next_due()].into_iter().flatten().any(|t| t <= now)
    }

    /// When there is something to do without anybody saying so; looked at least once a minute, should the wall clock
    /// have been set.
    fn next_due(&self) -> Instant {
        let wait = [self.roster.next_deadline(), self.registry.next_due()]
            .into_iter()
            .flatten()
            .map(|t| t.since(self.now()))
            .min()
            .unwrap_or(MINUTE);
        Instant::now() + Duration::from_millis(wait.clamp(0, MINUTE) as u64)
    }

    /// Lets everything happen that is due.
    pub(super) fn advance(&mut self) {
        let now = self.now();
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
        let now = self.now();
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
        Heard { state: self.roster.state(user), expires_at: self.now() }
    }

    pub(super) fn heard(&self, user: UserId, session: &LiveSession) -> Heard {
        Heard { state: self.roster.state(user), expires_at: session.expires_at() }
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
            self.apply(Event::Ended { session: *session, reason: *reason });
        }
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

    // What people read.

    /// Everybody who is not offline, and who exists.
    fn rows(&self) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.roster.rows().filter(|r| !self.canary.is(r.id))
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

    fn within(&self, reach: Reach) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.rows().filter(move |r| reach.covers(r.organisation_id))
    }

    fn counts(&self, reach: Reach) -> Counts {
        let zero = || Counts::zero(self.roles.iter().map(String::as_str));
        self.counts.get(&reach).cloned().unwrap_or_else(zero)
    }

    pub(super) fn online(&mut self, reach: Reach, query: &Query, limit: u32, offset: u32) -> OnlinePage {
        self.advance();
        self.flush();
        let now = self.now();
        let (total, users) = live::page(query, limit, offset, self.within(reach), now);
        OnlinePage { counts: self.counts(reach), total, users, as_of: now, seq: self.seq }
    }

    pub(super) fn people(&mut self, organisation: OrganisationId) -> Vec<Colleague> {
        self.advance();
        let rows = self.rows().map(|r| &**r);
        sight::colleagues(rows.filter(|r| r.organisation_id == Some(organisation)))
    }

    pub(super) fn known(&mut self, id: UserId) -> Option<Known> {
        self.advance();
        self.roster.known(id)
    }

    pub(super) fn limits_sentence(&self) -> String {
        state::limits_sentence(self.roster.limits())
    }

    pub(super) fn me(&mut self, id: UserId) -> Me {
        let known = self.known(id);
        let state = known.as_ref().map_or(State::Offline, |k| k.state);
        let latest = known.as_ref().and_then(|k| k.transitions.first());
        Me {
            chosen: known.as_ref().map(|k| k.chosen.clone()).unwrap_or_default(),
            state,
            since: latest.map(|t| t.at),
            cause: latest.map(|t| t.cause),
            sentence: sentence(state, latest),
            limits: self.limits_sentence(),
            devices: known.as_ref().and_then(|k| k.row.as_ref()).map(|r| r.devices.clone()).unwrap_or_default(),
            as_of: self.now(),
        }
    }

    // Watchers.

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
                for reach in
                    [Some(Reach::Everything), row.organisation_id.map(Reach::Organisation)].into_iter().flatten()
                {
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
        self.recent.push(self.seq, changes, now);
    }

    pub(super) fn watch(&mut self, id: ConnectionId, audience: Audience) {
        let watchers = self.watchers.topics.entry(audience).or_default();
        if !watchers.contains(&id) {
            watchers.push(id);
        }
        self.send_state(id, audience);
    }

    fn send_state(&mut self, id: ConnectionId, audience: Audience) {
        let frame = self.state_frame(audience);
        self.send(id, frame);
    }

    fn state_frame(&mut self, audience: Audience) -> Bytes {
        if let Some(frame) = self.states.get(&audience) {
            return frame.clone();
        }
        self.flush();
        let rows = self.rows().map(|r| &**r).filter(|r| audience.includes(r));
        let frame = Bytes::from(wire::broadcast(&topic(audience), "presence_state", &diff::state(rows)));
        self.states.insert(audience, frame.clone());
        frame
    }

    pub(super) fn unwatch(&mut self, id: ConnectionId, audience: Audience) {
        if let Some(watchers) = self.watchers.topics.get_mut(&audience) {
            watchers.retain(|c| *c != id);
        }
    }

    /// Opens or changes a live query, with a snapshot.
    pub(super) fn query(&mut self, id: ConnectionId, key: Key, reach: Reach, window: Window) -> Opened {
        self.flush();
        let mut live = Live { reach, view: View::new(window, self.within(reach)) };
        self.send_snapshot(id, key, &mut live);
        let opened = live.view.opened(false, self.epoch);
        self.watchers.live.insert((id, key), live);
        opened
    }

    /// Opens a live query: a mirror that was cut off hears only what it missed, where that is known; else a snapshot.
    pub(super) fn open_query(
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

    fn send_snapshot(&self, id: ConnectionId, key: Key, live: &mut Live) {
        let snapshot = live.view.snapshot(self.epoch, self.seq, self.counts(live.reach), self.now());
        self.send(id, Bytes::from(wire::broadcast(&key.topic(), "snapshot", &snapshot)));
    }

    fn send(&self, id: ConnectionId, frame: Bytes) {
        let mut sent = Sent::default();
        sent.to(self.registry.outbox(id), frame);
        sent.count();
    }

    pub(super) fn unquery(&mut self, id: ConnectionId, key: Key) {
        self.watchers.live.remove(&(id, key));
    }

    pub(super) fn resend(&mut self, id: ConnectionId) {
        counter!("rollcall_resends_total").increment(1);
        for audience in self.watchers.topics_of(id) {
            self.send_state(id, audience);
        }
        self.flush();
        for key in self.watchers.keys_of(id) {
            if let Some(mut live) = self.watchers.live.remove(&(id, key)) {
                self.send_snapshot(id, key, &mut live);
                self.watchers.live.insert((id, key), live);
            }
        }
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
    (a.state, a.active, &a.role, &a.organisation, &a.teams) == (b.state, b.active, &b.role, &b.organisation, &b.teams)
}
