//! One person: their sessions, and the rule that turns them into a state.
//!
//! - `device`: what one session brings: its sockets, or its heartbeats.
//! - `news`: what happens to a person: a socket opens, a client tells, a choice is made.
//! - `row`: what watchers see. `evidence`: the sentence that goes with a transition.

mod device;
mod evidence;
mod news;
mod row;

use std::{collections::VecDeque, sync::Arc};

use self::device::{Connection, Fell, Presence};
use super::{
    Cause, Choice, Chosen, ConnectionId, PersonRow, State, Transition,
    clocks::Jump,
    ledger::{Move, Trace},
};
use crate::{
    Time,
    account::UserCard,
    settings::{AwayAs, PresenceLimits},
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
    uploads: Arc<[String]>,
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
    pub(super) fn new(card: Arc<UserCard>, uploads: Arc<[String]>, now: Time) -> Self {
        Self {
            card,
            sessions: vec![],
            chosen: Chosen::default(),
            private: false,
            uploads,
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

    pub(super) fn set_uploads(&mut self, names: Arc<[String]>) {
        self.uploads = names;
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.sessions.iter_mut().flat_map(|s| &mut s.connections).find(|c| c.id == id)
    }

    pub(super) fn knows(&self, id: ConnectionId) -> bool {
        self.sessions.iter().flat_map(|s| &s.connections).any(|c| c.id == id)
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

    /// Other limits hold from `now` on, up to which the person is brought already. What they change, changes now: the
    /// past was told by the old ones.
    pub(super) fn relimit(
        &mut self,
        now: Time,
        old: &PresenceLimits,
        limits: &PresenceLimits,
        traces: &mut Vec<Trace>,
    ) {
        for s in &mut self.sessions {
            s.relimit(old, limits, now);
        }
        let fell = self.settle(now, limits);
        // Who is more present by the new limits is so by the input that was there all along.
        let rises = self.look(now, limits).state > self.state.max(State::Away);
        let cause = if rises { Some(Cause::Input) } else { fell.map(Fell::cause) };
        self.look_again(now, cause, fell.filter(|_| !rises), limits, traces);
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
            _ if moved => Some(self.moved()),
            (Some(before), Some(row)) if before.page != row.page => {
                row.page.clone().map(|page| Trace::Visited { user: row.id, page })
            }
            _ => None,
        });
    }

    /// Whether the state is another one, or those who may know of it are.
    fn look_for_state(&mut self, now: Time, cause: Option<Cause>, fell: Option<Fell>, limits: &PresenceLimits) -> bool {
        let look = self.look(now, limits);
        self.deadline = look.next;
        self.active = look.active;
        let invisible = self.chosen.choice == Choice::Invisible;
        let turned = look.state != State::Offline && self.row.as_ref().is_some_and(|r| r.invisible != invisible);
        let moved = look.state != self.state;
        if moved || turned {
            let fell_asleep = moved && look.state == State::Away && look.hidden_only;
            let cause = match cause {
                _ if fell_asleep && self.chosen.choice != Choice::Away => Cause::PageHidden,
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
            self.history.push_back(Transition { state: look.state, at, cause, evidence, invisible });
            (self.state, self.since, self.cause) = (look.state, at, cause);
        }
        moved || turned
    }

    fn moved(&self) -> Trace {
        let row = self.row.as_deref();
        let newest = row.and_then(|r| r.devices.iter().max_by_key(|d| d.last_input_at));
        Trace::Moved(Move {
            user: self.card.id,
            state: self.state,
            invisible: row.is_some_and(|r| r.invisible),
            at: self.since,
            cause: self.cause,
            session: newest.map(|d| d.session_id),
            page: row.and_then(|r| r.page.clone()),
        })
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
