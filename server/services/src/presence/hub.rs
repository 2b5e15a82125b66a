//! The task that owns presence.
//!
//! - `sockets`: connections and the ends of sessions. `flush`: what changed goes out.
//! - `reading`: what it answers. `watching`: topics and live queries. `uploads`: files as they come. `notices`: the bell.

mod flush;
mod notices;
mod reading;
mod sockets;
mod uploads;
mod watching;

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    Reach, Time,
    files::Arriving,
    presence::{
        Counts, Event, Roster, Sort,
        clocks::{Clocks, Jump},
        ordered::Ordered,
        recent::Recent,
        topic::Audience,
    },
    settings::Settings,
    time::{MINUTE, SECOND},
};
use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Act, Close, canary::Canary, ledger::Ledger, pace::Pace, registry::Registry, signs::Signs, watch::Watchers,
};
use crate::clock::Clock;

/// An order of everybody that nobody asked for in this time is not kept any longer.
const ORDER_KEPT: i64 = 10 * MINUTE;
/// What is due in this time is done at once, in milliseconds.
const STEP: i64 = 10;
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
    pub(super) signs: Arc<Signs>,
    epoch: Uuid,
    seq: u64,
    recent: Recent,
    /// Whole states as of the last flush, for all who join before the next: the diff that follows fits them.
    states: HashMap<Audience, Bytes>,
    pub(super) canary: Canary,
    /// Uploads on their way.
    arriving: Vec<Arriving>,
    /// Whether anybody watches traffic: only then are samples made.
    pub(super) traffic_watched: watch::Sender<bool>,
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
            arriving: vec![],
            ledger: None,
            signs: Arc::default(),
            seq: 0,
            recent: Recent::default(),
            states: HashMap::new(),
            traffic_watched: watch::Sender::new(false),
            waiting: None,
            orders: HashMap::new(),
            stopping: false,
        }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time for the roster. A time in which the process slept, or by which the wall clock was set, is told it first:
    /// frames that came meanwhile wait to be read, and nobody is lost for them. Then it hears the signs of life that came
    /// before what is about to happen.
    fn look(&mut self) -> Time {
        let now = self.clock.now();
        let jump = self.clocks.as_mut().zip(self.clock.steady()).and_then(|(c, steady)| c.look(now, steady));
        if let Some((jump, last)) = jump {
            tracing::warn!(deaf_ms = jump.deaf, set_ms = jump.set, "the process slept, or its clock was set");
            self.jump(jump, last);
        }
        for (connection, at) in self.signs.take() {
            // A clock that was set back since puts none in the future.
            self.roster.apply(Event::Alive { connection }, at.min(now));
        }
        now
    }

    pub(super) fn jump(&mut self, jump: Jump, last: Time) {
        self.roster.jump(jump, last);
        self.canary.jump(jump, self.clock.now());
    }

    /// Runs until `stop`, then closes every socket with 1012.
    pub(super) async fn run(mut self, mut inbox: UnboundedReceiver<Act>, stop: CancellationToken) {
        let mut flush_after = Instant::now();
        let mut pace = Pace::new(flush_after);
        let mut batch = Vec::with_capacity(BATCH);
        // One timer for all that is due, set anew only when something is due earlier: each setting of a near one wakes the
        // system's poll once for nothing.
        let mut alarm = pin!(sleep_until(flush_after));
        loop {
            self.look();
            // Looked at here too, so that a full inbox cannot keep time from passing.
            if self.is_due() {
                self.advance();
            }
            self.tell_ledger();
            let mut due = self.next_due();
            if self.roster.has_changes() {
                let now = Instant::now();
                self.waiting.get_or_insert(now);
                if flush_after <= now {
                    let changes = self.flush();
                    let now = Instant::now();
                    flush_after = now + pace.after(changes, self.frames(), now);
                    continue;
                }
                due = due.min(flush_after);
            }
            if alarm.is_elapsed() || due < alarm.deadline() {
                alarm.as_mut().reset(due);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                n = inbox.recv_many(&mut batch, BATCH) => {
                    if n == 0 {
                        break;
                    }
                    batch.drain(..).for_each(|act| act(&mut self));
                }
                () = &mut alarm => {}
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
    /// two of them means that nobody looked; and it takes a step at least: deadlines of thousands of people fall together.
    fn next_due(&self) -> Instant {
        let wait = [self.roster.next_deadline(), self.registry.next_due()]
            .into_iter()
            .flatten()
            .map(|t| t.since(self.now()))
            .min()
            .unwrap_or(SECOND);
        Instant::now() + Duration::from_millis(wait.clamp(STEP, SECOND) as u64)
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

    /// Other settings are in force.
    pub(super) fn settings_changed(&mut self, settings: Settings) {
        let now = self.look();
        self.advance();
        if settings.presence != self.settings.presence {
            self.roster.set_limits(settings.presence.clone(), now);
        }
        self.canary.settings_changed(&settings, now);
        self.settings = settings;
        for id in self.registry.retime(now) {
            self.send_expiry(id, None);
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
}
