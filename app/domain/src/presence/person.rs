//! One person: their sessions, and the rule that turns them into a state.
//!
//! - `device`: what one session brings: its sockets, or its heartbeats.
//! - `evidence`: the sentence that goes with a transition.

mod device;
mod evidence;

use std::{collections::VecDeque, sync::Arc};

use self::device::{Beat, Connection, Fell, Lost, Presence, Restored};
use super::{
    Cause, Choice, Chosen, ConnectionId, DeviceRow, Joined, PersonRow, Report, State, Transition,
    clocks::Jump,
    ledger::{Move, Trace},
};
use crate::{
    SessionId, Time,
    account::UserCard,
    settings::{AwayAs, PresenceLimits},
    time::MINUTE,
};

/// Transitions kept in memory per person; older ones belong to the history.
const HISTORY: usize = 20;

/// What a look at a person at one instant gives.
#[derive(Clone, Copy)]
struct Look {
    state: State,
    active: bool,
    /// When to look again; nothing is due before.
    next: Option<Time>,
    /// Nothing but connections lost while hidden.
    hidden_only: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Person {
    card: Arc<UserCard>,
    pub(super) sessions: Vec<Presence>,
    chosen: Chosen,
    private: bool,
    state: State,
    cause: Cause,
    since: Time,
    active: bool,
    pub(super) deadline: Option<Time>,
    history: VecDeque<Transition>,
    /// Nothing while offline.
    pub(super) row: Option<Arc<PersonRow>>,
}

impl Person {
    pub(super) fn new(card: Arc<UserCard>, now: Time) -> Self {
        Self {
            card,
            sessions: vec![],
            chosen: Chosen::default(),
            private: false,
            state: State::Offline,
            cause: Cause::SignedOut,
            since: now,
            active: false,
            deadline: None,
            history: VecDeque::new(),
            row: None,
        }
    }

    pub(super) fn state(&self) -> (State, Time, Cause) {
        (self.state, self.since, self.cause)
    }

    pub(super) fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    pub(super) fn card(&self) -> &Arc<UserCard> {
        &self.card
    }

    /// Newest first.
    pub(super) fn history(&self) -> impl Iterator<Item = &Transition> {
        self.history.iter().rev()
    }

    pub(super) fn set_card(&mut self, card: &Arc<UserCard>) {
        self.card = Arc::clone(card);
    }

    fn session(&mut self, joined: &Joined) -> &mut Presence {
        self.set_card(&joined.card);
        if let Some(i) = self.sessions.iter().position(|s| s.id == joined.session) {
            return &mut self.sessions[i];
        }
        // Most people have one session with one tab; a vector's own first step is room for four.
        self.sessions.reserve_exact(1);
        self.sessions.push(Presence {
            id: joined.session,
            device: Arc::clone(&joined.device),
            ip: Arc::clone(&joined.ip),
            signed_in_at: joined.signed_in_at,
            connections: vec![],
            beat: None,
            restored: None,
        });
        self.sessions.last_mut().expect("just pushed")
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.sessions.iter_mut().flat_map(|s| &mut s.connections).find(|c| c.id == id)
    }

    pub(super) fn knows(&self, id: ConnectionId) -> bool {
        self.sessions.iter().flat_map(|s| &s.connections).any(|c| c.id == id)
    }

    /// A socket joined, or joined again. Gives why the person may be better off now.
    pub(super) fn open(&mut self, joined: &Joined, id: ConnectionId, report: Report, now: Time) -> Cause {
        let new = self.is_new(joined, now);
        let session = self.session(joined);
        let input_at = report.input(now).unwrap_or(now);
        let visible = report.visible.unwrap_or(true);
        let tabs = tabs(&report).unwrap_or(1);
        let again = session.connections.iter().position(|c| c.id == id).map(|i| session.connections.remove(i));
        let returned = session.restored.take().is_some() || session.has_lost();
        if again.is_none() {
            // A connection of the same session that was lost is what came back: one reload is not two tabs.
            session.forget_last_lost();
        }
        session.beat = None;
        session.connections.reserve_exact(1);
        session.connections.push(Connection {
            id,
            opened_at: again.map_or(now, |c| c.opened_at),
            page: report.page,
            visible,
            tabs,
            input_at,
            seen_at: now,
            lost: None,
        });
        arrival(returned, new)
    }

    /// A session not here before, signed in within the last minute: its arrival is part of the sign-in.
    fn is_new(&self, joined: &Joined, now: Time) -> bool {
        now.since(joined.signed_in_at) < MINUTE && self.sessions.iter().all(|s| s.id != joined.session)
    }

    /// A client told about itself. Input never goes back.
    pub(super) fn report(&mut self, id: ConnectionId, report: Report, now: Time) -> Cause {
        let Some(session) = self.sessions.iter_mut().find(|s| s.connections.iter().any(|c| c.id == id)) else {
            return Cause::Input;
        };
        session.beat = None;
        let Some(c) = session.connections.iter_mut().find(|c| c.id == id) else { return Cause::Input };
        let returned = c.lost.take().is_some();
        c.seen_at = now;
        if let Some(input) = report.input(now) {
            c.input_at = c.input_at.max(input);
        }
        if let Some(visible) = report.visible {
            c.visible = visible;
        }
        c.tabs = tabs(&report).unwrap_or(c.tabs);
        if report.page.is_some() {
            c.page = report.page;
        }
        if returned { Cause::Returned } else { Cause::Input }
    }

    /// `POST /heartbeat`. `requested_at` is the session's last request that is not a heartbeat.
    pub(super) fn beat(&mut self, joined: &Joined, report: Report, requested_at: Time, now: Time) -> Cause {
        let new = self.is_new(joined, now);
        let session = self.session(joined);
        let input = report.input(now).unwrap_or(requested_at).max(requested_at).min(now);
        if let Some(c) = session.newest_open() {
            // Beside a socket a beat keeps nothing alive, but newer input that it reports is input.
            c.input_at = c.input_at.max(input);
            return Cause::Input;
        }
        let old = session.beat.take();
        let cause = if old.is_some() {
            Cause::Input
        } else {
            arrival(session.restored.take().is_some() || session.has_lost(), new)
        };
        session.beat = Some(Beat {
            at: now,
            first_at: old.as_ref().map_or(now, |b| b.first_at),
            input_at: old.as_ref().map_or(input, |b| b.input_at.max(input)),
            visible: report.visible.or(old.as_ref().map(|b| b.visible)).unwrap_or(true),
            page: report.page.or(old.and_then(|b| b.page)),
        });
        cause
    }

    /// A socket is gone; it may return within its grace. One that was lost before stays lost as it was.
    pub(super) fn close(&mut self, id: ConnectionId, cause: Cause, now: Time, limits: &PresenceLimits) {
        if let Some(c) = self.connection(id).filter(|c| c.lost.is_none()) {
            c.lost = Some(Lost::new(cause, now, c.visible, limits));
        }
    }

    /// Connected at the last proof of life before a restart, and unknown until `until`; unless it is here already.
    pub(super) fn restore(&mut self, joined: &Joined, seen_at: Time, until: Time) {
        let session = self.session(joined);
        if session.connections.is_empty() && session.beat.is_none() {
            session.restored = Some(Restored { seen_at, until });
        }
    }

    /// A session is over: no grace.
    pub(super) fn end(&mut self, session: SessionId) {
        self.sessions.retain(|s| s.id != session);
    }

    /// A choice whose end has passed is none.
    pub(super) fn choose(&mut self, chosen: Chosen, now: Time) {
        self.chosen = if chosen.is_over(now) { Chosen::default() } else { chosen };
    }

    /// Whether they keep their presence from colleagues.
    pub(super) fn keep_private(&mut self, private: bool) {
        self.private = private;
    }

    /// Lets the time-driven things happen that are due at `now`; gives what fell away.
    fn settle(&mut self, now: Time, limits: &PresenceLimits) -> Option<Fell> {
        let mut fell = None;
        if self.chosen.is_over(now) {
            self.chosen = Chosen::default();
            fell = Some(Fell::Choice);
        }
        for s in &mut self.sessions {
            fell = s.settle(now, limits).or(fell);
        }
        self.sessions.retain(|s| !s.is_empty());
        fell
    }

    /// The rule: the best of all connections wins, a choice overrides.
    fn look(&self, now: Time, limits: &PresenceLimits) -> Look {
        let mut look = Look { state: State::Offline, active: false, next: self.chosen.until, hidden_only: true };
        let mut newest_input = None;
        let mut due = |at: Time| {
            if at > now {
                look.next = Some(look.next.map_or(at, |n| n.min(at)));
            }
        };
        let mut state = State::Offline;
        for s in &self.sessions {
            for c in &s.connections {
                match c.lost {
                    Some(l) => due(l.until),
                    None => due(c.seen_at.plus(limits.lost_after + 1)),
                }
                if c.lost.is_some_and(|l| l.hidden) {
                    state = state.max(State::Away);
                    continue;
                }
                state = state.max(by_input(now, c.input_at, limits, &mut due));
                newest_input = newest_input.max(Some(c.input_at));
            }
            if let Some(b) = &s.beat {
                due(b.at.plus(limits.online_window + 1));
                state = state.max(by_input(now, b.input_at, limits, &mut due));
                newest_input = newest_input.max(Some(b.input_at));
            }
            if let Some(r) = s.restored {
                due(r.until);
                state = state.max(State::Unknown);
            }
        }
        look.hidden_only = newest_input.is_none();
        if let Some(input) = newest_input {
            state = match self.chosen.choice {
                Choice::Busy => State::Busy,
                Choice::Away => State::Away,
                Choice::Available | Choice::Invisible => state,
            };
            look.active = state.is_online() && now.since(input) <= limits.idle_after;
        }
        if state == State::Away && limits.away_as == AwayAs::Offline {
            state = State::Offline;
        }
        look.state = state;
        look
    }

    /// Brings the person up to `now` through every instant at which something was due, so that each transition
    /// carries the time it is true from, however late we wake.
    pub(super) fn advance(&mut self, now: Time, limits: &PresenceLimits, traces: &mut Vec<Trace>) {
        while let Some(due) = self.deadline.filter(|d| *d <= now) {
            let fell = self.settle(due, limits);
            self.look_again(due, fell.map(Fell::cause), fell, limits, traces);
        }
    }

    /// The clocks jumped to `now`. What is said stays as it is; nothing of it lies in the future.
    pub(super) fn jump(&mut self, jump: Jump, now: Time, limits: &PresenceLimits, traces: &mut Vec<Trace>) {
        for s in &mut self.sessions {
            s.jump(jump, now);
        }
        self.since = self.since.min(now);
        for t in &mut self.history {
            t.at = t.at.min(now);
        }
        self.look_again(now, None, None, limits, traces);
    }

    /// Looks again without anything having happened, so that the row carries what changed about the account.
    pub(super) fn refresh(&mut self, now: Time, limits: &PresenceLimits, traces: &mut Vec<Trace>) {
        self.look_again(now, None, None, limits, traces);
    }

    /// Looks again after an event at `now`, which `cause` describes.
    pub(super) fn conclude(&mut self, now: Time, cause: Cause, limits: &PresenceLimits, traces: &mut Vec<Trace>) {
        self.look_again(now, Some(cause), None, limits, traces);
    }

    fn look_again(
        &mut self,
        now: Time,
        cause: Option<Cause>,
        fell: Option<Fell>,
        limits: &PresenceLimits,
        traces: &mut Vec<Trace>,
    ) {
        let moved = self.look_for_state(now, cause, fell, limits);
        let before = self.row.take();
        self.row = self.build_row().map(|row| match &before {
            Some(old) if **old == row => Arc::clone(old),
            _ => Arc::new(row),
        });
        traces.extend(match (before, &self.row) {
            _ if moved => Some(self.moved(self.since, self.cause)),
            (Some(before), Some(row)) if before.invisible != row.invisible => {
                Some(self.moved(now, cause.unwrap_or(Cause::Chosen)))
            }
            (Some(before), Some(row)) if before.page != row.page => {
                row.page.clone().map(|page| Trace::Visited { user: row.id, page })
            }
            _ => None,
        });
    }

    /// Whether the state is another one.
    fn look_for_state(&mut self, now: Time, cause: Option<Cause>, fell: Option<Fell>, limits: &PresenceLimits) -> bool {
        let look = self.look(now, limits);
        self.deadline = look.next;
        self.active = look.active;
        let moved = look.state != self.state;
        if moved {
            let cause = match cause {
                _ if look.state == State::Away && look.hidden_only && self.chosen.choice != Choice::Away => {
                    Cause::PageHidden
                }
                Some(cause) => cause,
                None => Cause::NoInput,
            };
            let evidence = self.evidence((look.state, cause), fell, now, limits);
            // Should the wall clock be set back, the order of transitions still holds.
            let at = now.max(self.since);
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            // Most people have one for hours; a queue's own first step is room for four.
            self.history.reserve_exact(1);
            self.history.push_back(Transition { state: look.state, at, cause, evidence });
            (self.state, self.since, self.cause) = (look.state, at, cause);
        }
        moved
    }

    fn moved(&self, at: Time, cause: Cause) -> Trace {
        let row = self.row.as_deref();
        let newest = row.and_then(|r| r.devices.iter().max_by_key(|d| d.last_input_at));
        Trace::Moved(Move {
            user: self.card.id,
            state: self.state,
            invisible: row.is_some_and(|r| r.invisible),
            at,
            cause,
            session: newest.map(|d| d.session_id),
            page: row.and_then(|r| r.page.clone()),
        })
    }

    fn build_row(&self) -> Option<PersonRow> {
        if self.state == State::Offline {
            return None;
        }
        let mut devices: Vec<DeviceRow> = self.sessions.iter().flat_map(Presence::rows).collect();
        devices.shrink_to_fit();
        devices.sort_by_key(|d| (d.online_at, d.connection));
        let newest = devices.iter().max_by_key(|d| d.last_input_at)?;
        let (page, ip, last_activity_at) = (newest.page.clone(), newest.ip.clone(), newest.last_input_at);
        let card = &self.card;
        Some(PersonRow {
            id: card.id,
            username: card.username.clone(),
            name: card.name.clone(),
            email: card.email.clone(),
            role: card.role.clone(),
            organisation: card.organisation.as_ref().map(|o| o.name.clone()),
            organisation_id: card.organisation.as_ref().map(|o| o.id),
            teams: card.teams.iter().map(|t| t.name.clone()).collect(),
            team_ids: card.teams.iter().map(|t| t.id).collect(),
            state: self.state,
            cause: self.cause,
            since: self.since,
            active: self.active,
            invisible: self.chosen.choice == Choice::Invisible,
            private: self.private,
            message: self.chosen.message.clone(),
            session_started_at: devices.iter().map(|d| d.signed_in_at).min()?,
            session_seconds: 0,
            last_activity_at,
            page,
            ip,
            place: None,
            devices,
            recent_uploads: vec![],
        })
    }
}

/// Tabs behind a connection; what is no such number says nothing.
fn tabs(report: &Report) -> Option<u8> {
    report.tabs.and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0)
}

/// Why a session that was not connected is.
fn arrival(returned: bool, new: bool) -> Cause {
    match (returned, new) {
        (true, _) => Cause::Returned,
        (false, true) => Cause::SignedIn,
        (false, false) => Cause::TabOpened,
    }
}

/// The state one connection gives by the age of its input, and when that changes.
fn by_input(now: Time, input: Time, limits: &PresenceLimits, due: &mut impl FnMut(Time)) -> State {
    due(input.plus(limits.idle_after + 1));
    due(input.plus(limits.away_after + 1));
    match now.since(input) {
        age if age <= limits.idle_after => State::Active,
        age if age <= limits.away_after => State::Idle,
        _ => State::Away,
    }
}
