//! The canary: a person who does not exist, whose every step we script, so that we know what should be said of them.
//!
//! They are a person to the engine like everybody, with the same task, clock, deadlines and flushes, but stand in no
//! list, count or topic: the hub takes them out of what goes to others and tells the canary instead. What was shown
//! and what was done then make two counters that stay 0 as long as presence is true: `rollcall_ghost_seconds_total`
//! and `rollcall_false_offline_seconds_total`.

use std::{sync::Arc, time::Duration};

use domain::{
    Level, Time,
    account::UserCard,
    presence::{Closing, ConnectionId, Event, Joined, PersonRow, Report, State, clocks::Jump},
    session::EndReason,
    settings::{AwayAs, PresenceLimits, Settings},
    time::{Millis, SECOND},
};
use metrics::counter;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Presence;

/// How often it is looked at; what the script wants done meanwhile is done then.
const LOOK: Duration = Duration::from_secs(1);
/// What may pass between a deed and the flush that shows it: fifty milliseconds, and the hub's other work.
const SLACK: Millis = SECOND;
/// How long it stays away once it ought to be gone, so that a ghost has time to be seen.
const AWAY: Millis = 10 * SECOND;

/// How it goes; then it comes back, and goes the next way.
#[derive(Clone, Copy, Debug)]
enum Going {
    Leaves,
    BreaksOff,
    /// Says nothing any more, with its connection open.
    FallsSilent,
    SignsOut,
}

const LIFE: [Going; 4] = [Going::Leaves, Going::BreaksOff, Going::FallsSilent, Going::SignsOut];

#[derive(Clone, Copy, Debug)]
enum Doing {
    /// Connected; says so now and then.
    Here {
        beat_at: Time,
        until: Time,
    },
    Gone {
        until: Time,
    },
}

pub(super) struct Canary {
    who: Joined,
    limits: PresenceLimits,
    heartbeat: Millis,
    /// Far above those of sockets.
    connection: ConnectionId,
    lives: usize,
    /// Nothing before the first look.
    doing: Option<Doing>,
    /// When it must not be shown offline: while it is connected.
    here: (Time, Time),
    /// From when on it must be shown as nothing else.
    gone: Time,
    /// What watchers of it were shown last.
    shown: State,
    /// Up to when the rest is added up.
    accounted: Time,
    pub(super) ghost: Millis,
    pub(super) false_offline: Millis,
}

impl Canary {
    pub(super) fn new(settings: &Settings, id: Uuid, session: Uuid) -> Self {
        let card = UserCard {
            id,
            username: "canary".to_owned(),
            name: "Canary".to_owned(),
            email: None,
            role: "member".to_owned(),
            level: Level::Member,
            organisation: None,
            teams: vec![],
            second_factor: false,
        };
        let at = Time(i64::MIN);
        Self {
            who: Joined {
                card: Arc::new(card),
                session,
                device: "".into(),
                ip: "".into(),
                place: None,
                signed_in_at: at,
            },
            limits: settings.presence.clone(),
            heartbeat: settings.heartbeat,
            connection: ConnectionId::MAX,
            lives: 0,
            doing: None,
            here: (at, at),
            gone: Time(i64::MAX),
            shown: State::Offline,
            accounted: at,
            ghost: 0,
            false_offline: 0,
        }
    }

    pub(super) fn is(&self, id: Uuid) -> bool {
        self.who.card.id == id
    }

    /// What watchers would have been sent of it now.
    pub(super) fn show(&mut self, row: Option<&PersonRow>, now: Time) {
        self.account(now);
        self.shown = row.map_or(State::Offline, |r| r.state);
    }

    /// The clocks jumped to `now`: its script goes on as if they had not, and what was shown meanwhile was shown to nobody.
    pub(super) fn jump(&mut self, Jump { set, deaf }: Jump, now: Time) {
        self.accounted = now;
        self.here = (self.here.0.plus(set), self.here.1.plus(set));
        // Who may return has as long as before.
        self.gone = self.gone.plus(set).plus(deaf);
        match &mut self.doing {
            Some(Doing::Here { beat_at, until }) => (*beat_at, *until) = (beat_at.plus(set), until.plus(set)),
            Some(Doing::Gone { until }) => *until = until.plus(set),
            None => {}
        }
    }

    /// Other limits hold. What was promised by the old ones is not held against anybody, nor what the new ones allow.
    pub(super) fn settings_changed(&mut self, settings: &Settings, now: Time) {
        self.account(now);
        self.limits = settings.presence.clone();
        self.heartbeat = settings.heartbeat;
        let l = &self.limits;
        if let Some(Doing::Here { beat_at, .. }) = &mut self.doing {
            *beat_at = now;
        }
        if l.away_as == AwayAs::Offline {
            self.here.1 = self.here.1.min(self.here.0.plus(l.away_after - SLACK));
        }
        self.gone = self.gone.max(now.plus(l.lost_after + l.grace.max(l.hidden_grace) + SLACK));
        if let Some(Doing::Gone { until }) = &mut self.doing {
            *until = (*until).max(self.gone);
        }
    }

    /// What it does next, if that is due.
    pub(super) fn act(&mut self, now: Time) -> Option<Event> {
        self.account(now);
        match self.doing {
            // A server that starts has people who were connected before; the canary is one of them, and returns.
            None => {
                let until = now.plus(self.limits.restart_grace);
                self.who.signed_in_at = now;
                self.gone = until.plus(SLACK);
                self.doing = Some(Doing::Gone { until: now.plus(self.limits.restart_grace / 2) });
                Some(Event::Restored { joined: self.who.clone(), seen_at: now, until })
            }
            Some(Doing::Gone { until }) if until <= now => Some(self.come(now)),
            Some(Doing::Here { until, .. }) if until <= now => self.go(now),
            Some(Doing::Here { beat_at, until }) if beat_at <= now => {
                self.alive(now);
                self.doing = Some(Doing::Here { beat_at: now.plus(self.heartbeat), until });
                Some(Event::Alive { connection: self.connection })
            }
            Some(_) => None,
        }
    }

    fn come(&mut self, now: Time) -> Event {
        self.connection -= 1;
        self.here = (now.plus(SLACK), now);
        self.alive(now);
        // Long enough for a connection whose beats were lost to be given up.
        let until = now.plus(2 * self.limits.lost_after);
        self.doing = Some(Doing::Here { beat_at: now.plus(self.heartbeat), until });
        Event::Opened { joined: self.who.clone(), connection: self.connection, report: Report::default() }
    }

    /// A sign of life holds for a while. Where people without input are shown offline, so is the canary, by right.
    fn alive(&mut self, now: Time) {
        let input_holds = match self.limits.away_as {
            AwayAs::Away => Time(i64::MAX),
            AwayAs::Offline => self.here.0.plus(self.limits.away_after - SLACK),
        };
        self.here.1 = now.plus(self.limits.lost_after).min(input_holds);
        self.gone = now.plus(self.limits.lost_after + self.limits.grace + SLACK);
    }

    fn go(&mut self, now: Time) -> Option<Event> {
        let going = LIFE[self.lives % LIFE.len()];
        self.lives += 1;
        let closed = |closing| Some(Event::Closed { connection: self.connection, closing });
        let (event, gone) = match going {
            Going::Leaves => (closed(Closing::Left), now.plus(self.limits.grace + SLACK)),
            Going::BreaksOff => (closed(Closing::Lost), now.plus(self.limits.grace + SLACK)),
            Going::FallsSilent => (None, self.gone),
            Going::SignsOut => {
                let ended = Event::Ended { session: self.who.session, reason: EndReason::Logout };
                (Some(ended), now.plus(SLACK))
            }
        };
        if event.is_some() {
            self.here.1 = self.here.1.min(now);
        }
        self.gone = gone;
        self.doing = Some(Doing::Gone { until: gone.plus(AWAY) });
        event
    }

    /// Adds up what was shown since the last time, where it was not so.
    fn account(&mut self, now: Time) {
        let from = std::mem::replace(&mut self.accounted, now);
        let overlap = |begin: Time, end: Time| end.min(now).since(begin.max(from)).max(0);
        let (sum, wrong, name) = if self.shown == State::Offline {
            (&mut self.false_offline, overlap(self.here.0, self.here.1), "rollcall_false_offline_seconds_total")
        } else {
            (&mut self.ghost, overlap(self.gone, now), "rollcall_ghost_seconds_total")
        };
        let before = *sum / SECOND;
        *sum += wrong;
        counter!(name).increment((*sum / SECOND - before) as u64);
    }
}

/// Lets the canary live until `stop`. Like a socket, it speaks to the hub by channel.
pub(super) async fn run(presence: Presence, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if presence.ask(super::Hub::look_at_canary).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::time::HOUR;

    use super::{super::Hub, *};
    use crate::Clock;

    /// A hub's life of `seconds`, with or without its deadlines; gives how often the canary came into sight.
    fn live(hub: &mut Hub, clock: &Clock, seconds: u32, deadlines: bool) -> u32 {
        let (mut before, mut arrivals) = (State::Offline, 0);
        for _ in 0..seconds {
            clock.advance(SECOND);
            if deadlines {
                hub.advance();
            }
            hub.flush();
            hub.look_at_canary();
            hub.flush();
            arrivals += u32::from(before == State::Offline && hub.canary.shown != State::Offline);
            before = hub.canary.shown;
        }
        arrivals
    }

    fn hub(clock: &Clock) -> Hub {
        Hub::new(Settings::default(), vec![], clock.clone())
    }

    #[test]
    fn a_true_engine_counts_nothing_and_a_restart_neither() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        for _ in 0..3 {
            let mut hub = hub(&clock);
            let arrivals = live(&mut hub, &clock, 2_000, true);
            assert!(arrivals > 8, "every way to go, several times: {arrivals}");
            assert_eq!((hub.canary.ghost, hub.canary.false_offline), (0, 0));
        }
    }

    #[test]
    fn without_deadlines_it_haunts() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        let mut hub = hub(&clock);
        live(&mut hub, &clock, 2_000, false);
        assert!(hub.canary.ghost > 60 * SECOND, "{}", hub.canary.ghost);
        assert_eq!(hub.canary.false_offline, 0);
    }

    #[test]
    fn signs_of_life_that_get_lost_show_it_offline() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        // The engine is given no more than a third of what the client was promised.
        let mut settings = Settings::default();
        settings.presence.lost_after = 15 * SECOND;
        settings.presence.grace = SECOND;
        let mut hub = Hub::new(settings, vec![], clock.clone());
        hub.canary.limits = PresenceLimits::default();
        live(&mut hub, &clock, 2_000, true);
        assert!(hub.canary.false_offline > 60 * SECOND, "{}", hub.canary.false_offline);
        assert_eq!(hub.canary.ghost, 0);
    }

    #[test]
    fn nobody_is_shown_the_canary() {
        let clock = Clock::manual(Time(1_800_000_000_000));
        let mut hub = hub(&clock);
        for _ in 0..200 {
            live(&mut hub, &clock, 5, true);
            let page = hub.online(domain::Reach::Everything, &domain::presence::Query::default(), 200, 0);
            assert_eq!((page.total, page.users.len(), page.seq), (0, 0, 0));
            assert!(page.counts.by_state.values().all(|n| *n == 0), "{:?}", page.counts);
        }
    }

    /// Wherever in its script the machine was suspended, or its clock set, both ways.
    #[test]
    fn clocks_that_jump_count_nothing() {
        for (set, deaf) in [(0, 8 * HOUR), (3 * HOUR, 0), (-3 * HOUR, 0), (-HOUR, 20 * SECOND)] {
            for away_as in [AwayAs::Away, AwayAs::Offline] {
                let clock = Clock::manual(Time(1_800_000_000_000));
                let mut settings = Settings::default();
                settings.presence.away_as = away_as;
                let mut hub = Hub::new(settings, vec![], clock.clone());
                for n in 0..40 {
                    live(&mut hub, &clock, 37 + n, true);
                    let last = clock.now();
                    clock.advance(set + deaf);
                    hub.jump(Jump { set, deaf }, last);
                }
                let arrivals = live(&mut hub, &clock, 2_000, true);
                assert!(arrivals > 8, "{set} {deaf}: {arrivals}");
                assert_eq!((hub.canary.ghost, hub.canary.false_offline), (0, 0), "{set} {deaf} {away_as:?}");
            }
        }
    }
}
