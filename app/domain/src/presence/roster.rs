//! Everybody: events and time in, changes out. One task owns it; nothing in it waits, reads a clock or does I/O.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Cause, Chosen, Closing, ConnectionId, Event, PersonRow, Report, State, Transition, clocks::Jump, event::cause_of,
    ledger::Trace, person::Person,
};
use crate::{SessionId, Time, UserId, account::UserCard, settings::PresenceLimits};

/// A person's row before and after: nothing stands for offline.
#[derive(Clone, Debug)]
pub struct Change {
    pub id: UserId,
    pub before: Option<Arc<PersonRow>>,
    pub after: Option<Arc<PersonRow>>,
}

/// The newest of what is known of one person.
#[derive(Clone, Debug)]
pub struct Known {
    pub card: Arc<UserCard>,
    pub state: State,
    pub since: Time,
    pub cause: Cause,
    pub chosen: Chosen,
    /// Newest first.
    pub transitions: Vec<Transition>,
    pub row: Option<Arc<PersonRow>>,
}

/// How many of everything a roster holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Everybody heard of since the start; the others shrink when people leave.
    pub people: usize,
    /// Those who are not offline.
    pub here: usize,
    pub sessions: usize,
    /// Open ones, and lost ones that may return.
    pub connections: usize,
    pub deadlines: usize,
}

/// The state of everybody we have heard of since the start.
#[derive(Debug)]
pub struct Roster {
    limits: PresenceLimits,
    /// Boxed: a map keeps up to half of its places free, and a person is large.
    people: HashMap<UserId, Box<Person>>,
    /// Open and lost connections, and whose they are.
    connections: HashMap<ConnectionId, UserId>,
    sessions: HashMap<SessionId, UserId>,
    /// One entry per person with something due: one timer serves everybody.
    deadlines: BTreeSet<(Time, UserId)>,
    /// Who changed since the last `take_changes`, with the row before.
    changed: HashMap<UserId, Option<Arc<PersonRow>>>,
    /// What the history is to hear since the last `take_traces`.
    traces: Vec<Trace>,
    online: HashSet<UserId>,
    /// The names of everybody's last uploads, newest first; whoever is met later has them too.
    uploads: HashMap<UserId, Arc<[String]>>,
    /// Lost for want of a sign of life since the last `advance`, which tells.
    lost: Vec<ConnectionId>,
}

impl Roster {
    pub fn new(limits: PresenceLimits) -> Self {
        Self {
            limits,
            people: HashMap::new(),
            connections: HashMap::new(),
            sessions: HashMap::new(),
            deadlines: BTreeSet::new(),
            changed: HashMap::new(),
            traces: vec![],
            online: HashSet::new(),
            uploads: HashMap::new(),
            lost: vec![],
        }
    }

    pub fn limits(&self) -> &PresenceLimits {
        &self.limits
    }

    /// When `advance` has something to do.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(t, _)| *t)
    }

    /// Lets everything happen that is due at `now`. Gives the connections that were lost for want of a sign of life
    /// since the last call, and have not returned.
    pub fn advance(&mut self, now: Time) -> Vec<ConnectionId> {
        while let Some(&(_, id)) = self.deadlines.first().filter(|(due, _)| *due <= now) {
            self.update(id, now, |_, _| None);
        }
        let mut lost = std::mem::take(&mut self.lost);
        lost.retain(|c| !self.is_open(*c));
        lost
    }

    /// Takes in an event at `now`.
    pub fn apply(&mut self, event: Event, now: Time) {
        match event {
            Event::Opened { joined, connection, report } => {
                let id = self.meet(&joined.card, now);
                self.update(id, now, |p, _| Some(p.open(&joined, connection, report, now)));
            }
            Event::Reported { connection, report } => {
                if let Some(&id) = self.connections.get(&connection) {
                    self.update(id, now, |p, _| p.knows(connection).then(|| p.report(connection, report, now)));
                }
            }
            Event::Alive { connection } => self.alive(connection, now),
            Event::Closed { connection, closing } => {
                let cause = if closing == Closing::Left { Cause::TabClosed } else { Cause::ConnectionLost };
                if let Some(&id) = self.connections.get(&connection) {
                    self.update(id, now, |p, limits| {
                        p.close(connection, cause, now, limits);
                        Some(cause)
                    });
                }
            }
            Event::Beat { joined, report, requested_at } => {
                let id = self.meet(&joined.card, now);
                self.update(id, now, |p, _| Some(p.beat(&joined, report, requested_at, now)));
            }
            Event::Ended { session, reason } => {
                if let Some(&id) = self.sessions.get(&session) {
                    self.update(id, now, |p, _| {
                        p.end(session);
                        Some(cause_of(reason))
                    });
                }
            }
            Event::Chose { card, chosen } => {
                let id = self.meet(&card, now);
                self.update(id, now, |p, _| {
                    p.set_card(&card);
                    p.choose(chosen, now);
                    Some(Cause::Chosen)
                });
            }
            Event::Changed { card } => {
                self.touch(card.id, now, |p, limits, traces| {
                    p.set_card(&card);
                    p.refresh(now, limits, traces);
                });
            }
            Event::Deleted { user } => self.forget(user, now),
            Event::Private { card, private } => {
                let id = self.meet(&card, now);
                self.touch(id, now, |p, limits, traces| {
                    p.keep_private(private);
                    p.refresh(now, limits, traces);
                });
            }
            Event::Uploads { user, names } => {
                if names.is_empty() {
                    self.uploads.remove(&user);
                } else {
                    self.uploads.insert(user, Arc::clone(&names));
                }
                self.touch(user, now, |p, limits, traces| {
                    p.set_uploads(names);
                    p.refresh(now, limits, traces);
                });
            }
            // A grace that is over already has nothing to wait for.
            Event::Restored { until, .. } if until <= now => {}
            Event::Restored { joined, seen_at, until } => {
                let id = self.meet(&joined.card, now);
                self.update(id, now, |p, _| {
                    p.restore(&joined, seen_at, until);
                    Some(Cause::ServerRestart)
                });
            }
        }
    }

    /// Other limits hold from `now` on: everybody is what these limits make of them, but for what the old ones gave up
    /// already, which is gone. What changes by that changes now.
    pub fn set_limits(&mut self, limits: PresenceLimits, now: Time) {
        let everybody: Vec<UserId> = self.people.keys().copied().collect();
        for id in &everybody {
            self.touch(*id, now, |_, _, _| {});
        }
        let old = std::mem::replace(&mut self.limits, limits);
        for id in everybody {
            self.touch(id, now, |p, limits, traces| p.relimit(now, &old, limits, traces));
        }
    }

    /// The clocks jumped; `last` is the wall's time before. It counts against nobody: who was here stays, who may
    /// return has as long as before.
    pub fn jump(&mut self, jump: Jump, last: Time) {
        let now = last.plus(jump.set);
        let everybody: Vec<UserId> = self.people.keys().copied().collect();
        for id in everybody {
            self.touch(id, last, |p, limits, traces| p.jump(jump, now, limits, traces));
        }
    }

    /// Forgets somebody whose account is deleted: history, choice and all. Watchers and the history see them go.
    pub fn forget(&mut self, id: UserId, now: Time) {
        self.uploads.remove(&id);
        self.update(id, now, |p, _| {
            p.sessions.clear();
            Some(Cause::UserDisabled)
        });
        if let Some(due) = self.people.remove(&id).and_then(|p| p.deadline) {
            self.deadlines.remove(&(due, id));
        }
    }

    /// Whose session it is, while it is here.
    pub fn owner(&self, session: SessionId) -> Option<UserId> {
        self.sessions.get(&session).copied()
    }

    /// Who changed since the last call, with the row before the first change and after the last.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let people = &self.people;
        self.changed
            .drain()
            .map(|(id, before)| Change { id, before, after: people.get(&id).and_then(|p| p.row.clone()) })
            .filter(|c| c.before != c.after)
            .collect()
    }

    /// Every change of state since the last call, also those that changed back, and every page; in order. To be called
    /// often: they are kept until then.
    pub fn take_traces(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.traces)
    }

    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Everybody who is not offline, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<PersonRow>> {
        self.online.iter().filter_map(|id| self.people.get(id)?.row.as_ref())
    }

    pub fn row(&self, id: UserId) -> Option<&Arc<PersonRow>> {
        self.people.get(&id)?.row.as_ref()
    }

    /// What is known of a person; nothing when they have not been here since the start.
    pub fn known(&self, id: UserId) -> Option<Known> {
        let p = self.people.get(&id)?;
        let (state, since, cause) = p.state();
        Some(Known {
            card: Arc::clone(p.card()),
            state,
            since,
            cause,
            chosen: p.chosen().clone(),
            transitions: p.history().cloned().collect(),
            row: p.row.clone(),
        })
    }

    /// The state of a person now.
    pub fn state(&self, id: UserId) -> State {
        self.people.get(&id).map_or(State::Offline, |p| p.state().0)
    }

    /// How much is held, for metrics: nothing may grow with what is over.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            people: self.people.len(),
            here: self.online.len(),
            sessions: self.sessions.len(),
            connections: self.connections.len(),
            deadlines: self.deadlines.len(),
        }
    }

    fn meet(&mut self, card: &Arc<UserCard>, now: Time) -> UserId {
        let uploads = &self.uploads;
        self.people.entry(card.id).or_insert_with(|| {
            let uploads = uploads.get(&card.id).cloned().unwrap_or_else(|| Arc::from([]));
            Box::new(Person::new(Arc::clone(card), uploads, now))
        });
        card.id
    }

    fn is_open(&mut self, connection: ConnectionId) -> bool {
        let person = self.connections.get(&connection).and_then(|id| self.people.get_mut(id));
        person.and_then(|p| p.connection(connection)).is_some_and(|c| c.lost.is_none())
    }

    /// A sign of life moves no state by itself, so nothing is computed: the old deadline stands, and finds the
    /// connection alive. Only what is due before it comes first.
    fn alive(&mut self, connection: ConnectionId, now: Time) {
        let Some(&id) = self.connections.get(&connection) else { return };
        let Some(p) = self.people.get_mut(&id) else { return };
        let due = p.deadline.is_some_and(|d| d <= now);
        match p.connection(connection) {
            Some(c) if c.lost.is_none() && !due => c.seen_at = c.seen_at.max(now),
            _ => self.update(id, now, |p, _| p.knows(connection).then(|| p.report(connection, Report::default(), now))),
        }
    }

    /// Brings a person up to `now`, lets `act` happen, and looks again when it tells why.
    fn update(&mut self, id: UserId, now: Time, act: impl FnOnce(&mut Person, &PresenceLimits) -> Option<Cause>) {
        self.touch(id, now, |p, limits, traces| {
            if let Some(cause) = act(p, limits) {
                p.conclude(now, cause, limits, traces);
            }
        });
    }

    /// Brings a person up to `now`, lets `act` happen, and keeps every index in step.
    fn touch(&mut self, id: UserId, now: Time, act: impl FnOnce(&mut Person, &PresenceLimits, &mut Vec<Trace>)) {
        let Some(p) = self.people.get_mut(&id) else { return };
        let before = p.row.clone();
        let old_deadline = p.deadline;
        let old_connections: Vec<_> = connections(p).collect();
        let old_sessions: Vec<SessionId> = p.sessions.iter().map(|s| s.id).collect();
        p.advance(now, &self.limits, &mut self.traces);
        let open_still: Vec<_> = connections(p).filter(|(_, open)| *open).collect();
        self.lost.extend(old_connections.iter().filter(|c| c.1 && !open_still.contains(c)).map(|(c, _)| *c));
        act(p, &self.limits, &mut self.traces);
        if old_deadline != p.deadline {
            old_deadline.map(|d| self.deadlines.remove(&(d, id)));
            p.deadline.map(|d| self.deadlines.insert((d, id)));
        }
        // Most of what happens leaves all of these as they are.
        if !old_connections.iter().map(|(c, _)| *c).eq(connections(p).map(|(c, _)| c)) {
            for (gone, _) in old_connections.iter().filter(|(c, _)| !p.knows(*c)) {
                self.connections.remove(gone);
            }
            self.connections.extend(connections(p).map(|(c, _)| (c, id)));
        }
        if !old_sessions.iter().copied().eq(p.sessions.iter().map(|s| s.id)) {
            for gone in old_sessions.iter().filter(|s| !p.sessions.iter().any(|k| k.id == **s)) {
                self.sessions.remove(gone);
            }
            self.sessions.extend(p.sessions.iter().map(|s| (s.id, id)));
        }
        if before.is_some() != p.row.is_some() {
            if p.row.is_some() {
                self.online.insert(id);
            } else {
                self.online.remove(&id);
            }
        }
        if before != p.row {
            self.changed.entry(id).or_insert(before);
        }
    }
}

/// A person's connections, and whether each is open.
fn connections(p: &Person) -> impl Iterator<Item = (ConnectionId, bool)> + '_ {
    p.sessions.iter().flat_map(|s| &s.connections).map(|c| (c.id, c.lost.is_none()))
}
