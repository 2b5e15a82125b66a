//! Scenes told second by second, and helpers to tell them.

use domain::{
    SessionId, Time, UserId,
    presence::{
        Cause, Choice, Chosen, Closing, ConnectionId, Event, Joined, PersonRow, Report, Roster, State, Transition, view,
    },
    session::EndReason,
    settings::PresenceLimits,
    time::{HOUR, MINUTE, SECOND},
};
use uuid::Uuid;

use crate::world::{card, user};

/// One roster and a clock in milliseconds; person 0 unless said otherwise.
pub(crate) struct Story {
    pub(crate) roster: Roster,
    now: Time,
}

pub(crate) fn session(person: usize, n: u128) -> SessionId {
    Uuid::from_u128(((person as u128 + 1) << 64) | n)
}

pub(crate) fn joined(person: usize, n: u128, signed_in_at: Time) -> Joined {
    let device = if n == 9 { "curl" } else { "Firefox on Linux" };
    Joined {
        card: card(person, 0),
        session: session(person, n),
        device: device.into(),
        ip: "192.0.2.1".into(),
        place: None,
        signed_in_at,
    }
}

pub(crate) fn idle(ms: i64) -> Report {
    Report { idle_ms: Some(ms), ..Report::default() }
}

pub(crate) fn hidden() -> Report {
    Report { visible: Some(false), ..Report::default() }
}

impl Story {
    pub(crate) fn new(limits: PresenceLimits) -> Self {
        Self { roster: Roster::new(limits), now: Time(0) }
    }

    /// Goes to an instant, waking exactly when something is due.
    pub(crate) fn at(&mut self, ms: i64) -> &mut Self {
        while let Some(due) = self.roster.next_deadline().filter(|d| d.0 <= ms) {
            self.roster.advance(due);
        }
        self.now = Time(ms);
        self.roster.advance(self.now);
        self
    }

    pub(crate) fn apply(&mut self, event: Event) -> &mut Self {
        self.roster.apply(event, self.now);
        self
    }

    pub(crate) fn open(&mut self, n: u128, connection: ConnectionId, report: Report) -> &mut Self {
        self.apply(Event::Opened { joined: joined(0, n, Time(0)), connection, report })
    }

    pub(crate) fn report(&mut self, connection: ConnectionId, report: Report) -> &mut Self {
        self.apply(Event::Reported { connection, report })
    }

    pub(crate) fn alive(&mut self, connection: ConnectionId) -> &mut Self {
        self.apply(Event::Alive { connection })
    }

    pub(crate) fn close(&mut self, connection: ConnectionId, closing: Closing) -> &mut Self {
        self.apply(Event::Closed { connection, closing })
    }

    pub(crate) fn beat(&mut self, n: u128, report: Report, requested_at: Time) -> &mut Self {
        self.apply(Event::Beat { joined: joined(0, n, Time(0)), report, requested_at })
    }

    pub(crate) fn end(&mut self, n: u128, reason: EndReason) -> &mut Self {
        self.apply(Event::Ended { session: session(0, n), reason })
    }

    pub(crate) fn choose(&mut self, choice: Choice, until: Option<Time>) -> &mut Self {
        self.apply(Event::Chose { card: card(0, 0), chosen: Chosen { choice, message: None, until } })
    }

    pub(crate) fn state(&self) -> State {
        self.roster.state(me())
    }

    pub(crate) fn row(&self) -> &PersonRow {
        self.roster.row(me()).expect("here")
    }

    /// Newest first.
    pub(crate) fn transitions(&self) -> Vec<Transition> {
        self.roster.known(me()).map(|k| k.transitions).unwrap_or_default()
    }

    pub(crate) fn last(&self) -> (State, Cause, Time) {
        let t = self.transitions().first().cloned().expect("a transition");
        (t.state, t.cause, t.at)
    }

    fn sentence(&self) -> String {
        view::sentence(self.state(), self.transitions().first())
    }
}

pub(crate) fn me() -> UserId {
    user(0)
}

fn story() -> Story {
    Story::new(PresenceLimits::default())
}

#[test]
fn a_hidden_tab_that_only_answers_pings_is_here_all_day() {
    let mut s = story();
    s.open(1, 1, Report::default()).report(1, hidden());
    for beat in 1..=24 * 3_600 / 25 {
        s.at(beat * 25 * SECOND).alive(1);
        assert_ne!(s.state(), State::Offline);
    }
    let states: Vec<State> = s.transitions().iter().rev().map(|t| t.state).collect();
    assert_eq!(states, [State::Active, State::Idle, State::Away]);
    assert!(s.row().devices[0].connected && !s.row().devices[0].visible);
    s.at(24 * HOUR).report(1, Report { visible: Some(true), idle_ms: Some(0), ..Report::default() });
    assert_eq!(s.last(), (State::Active, Cause::Input, Time(24 * HOUR)));
}

#[test]
fn a_reload_is_no_transition() {
    let mut s = story();
    s.open(1, 1, Report::default());
    for reload in 1..=5_u64 {
        let at = reload as i64 * 30 * SECOND;
        // The page goes: browsers say hidden first, then goodbye. It is back just within the grace.
        s.at(at).report(reload, hidden()).close(reload, Closing::Left);
        s.at(at + 15 * SECOND - 1).open(1, reload + 1, Report::default());
        assert_eq!(s.row().devices.len(), 1, "one reload is not two tabs");
    }
    assert_eq!(s.transitions().len(), 1);
    // A millisecond too late is a departure.
    s.at(HOUR).alive(6).close(6, Closing::Left);
    assert_eq!(s.state(), State::Offline, "silent for too long");
}

#[test]
fn both_of_two_tabs_come_back_after_a_broken_network() {
    let mut s = story();
    s.open(1, 1, Report::default()).open(1, 2, Report::default());
    s.at(10_000).close(1, Closing::Lost).close(2, Closing::Lost);
    s.at(12_000).open(1, 3, Report::default());
    assert_eq!(s.row().devices.len(), 2);
    s.open(1, 4, Report::default());
    assert_eq!(s.row().devices.iter().filter(|d| d.connected).count(), 2);
    assert_eq!(s.row().devices.len(), 2);
    assert_eq!(s.transitions().len(), 1);
}

#[test]
fn what_was_lost_last_comes_back_first() {
    let mut s = story();
    s.at(HOUR).open(1, 1, idle(0)).report(1, hidden()).open(1, 2, idle(0)).close(1, Closing::Lost);
    // A reload of the tab in front, while the one that sleeps may still return.
    s.at(HOUR + 10 * SECOND).close(2, Closing::Left).at(HOUR + 12 * SECOND).open(1, 3, idle(0));
    let ids: Vec<_> = s.row().devices.iter().map(|d| d.connection).collect();
    assert_eq!(ids, [Some(1), Some(3)]);
}

#[test]
fn joining_again_on_one_socket_is_one_tab() {
    let mut s = story();
    s.open(1, 1, Report::default());
    s.at(5_000).open(1, 1, Report { page: Some("/files".into()), ..Report::default() });
    assert_eq!(s.row().devices.len(), 1);
    assert_eq!((s.row().page.as_deref(), s.row().devices[0].online_at), (Some("/files"), Time(0)));
    s.close(1, Closing::Left).at(20_000);
    assert_eq!(s.last(), (State::Offline, Cause::TabClosed, Time(20_000)));
}

#[test]
fn two_tabs_and_two_devices_are_one_person() {
    let mut s = story();
    s.at(HOUR).open(1, 1, Report { page: Some("/old".into()), ..idle(10 * MINUTE) });
    s.open(1, 2, Report { page: Some("/new".into()), ..idle(0) }).open(2, 3, idle(20 * MINUTE));
    assert_eq!(s.roster.rows().count(), 1);
    assert_eq!((s.state(), s.row().devices.len(), s.row().page.as_deref()), (State::Active, 3, Some("/new")));
    // The best goes; the next best remains, when the grace is over.
    s.at(HOUR + SECOND).close(2, Closing::Left).at(HOUR + 16 * SECOND - 1);
    assert_eq!(s.state(), State::Active);
    s.at(HOUR + 16 * SECOND);
    assert_eq!(s.last(), (State::Idle, Cause::TabClosed, Time(HOUR + 16 * SECOND)));
    assert_eq!(
        s.sentence(),
        "Idle since 1970-01-01 01:00:16 UTC: a tab was closed; 2 tabs open, the last input in Firefox on Linux at \
         00:50:00 UTC."
    );
}

#[test]
fn signing_out_has_no_grace() {
    for (reason, cause) in [
        (EndReason::Logout, Cause::SignedOut),
        (EndReason::Relogin, Cause::SignedOut),
        (EndReason::Revoked, Cause::Revoked),
        (EndReason::Limit, Cause::Revoked),
        (EndReason::PasswordChange, Cause::Revoked),
        (EndReason::RoleChange, Cause::Revoked),
        (EndReason::IdleTimeout, Cause::Expired),
        (EndReason::AbsoluteTimeout, Cause::Expired),
        (EndReason::UserDisabled, Cause::UserDisabled),
        (EndReason::UserDeleted, Cause::UserDisabled),
    ] {
        let mut s = story();
        s.open(1, 1, Report::default()).open(1, 2, Report::default());
        // One tab is in its grace, the other open; neither delays the end.
        s.at(10 * SECOND).close(1, Closing::Left).end(1, reason);
        assert_eq!(s.last(), (State::Offline, cause, Time(10 * SECOND)));
        assert!(s.roster.row(me()).is_none());
        // What the sockets do afterwards, and ends that are told again, change nothing.
        s.at(11 * SECOND).close(2, Closing::Lost).alive(2).report(1, idle(0)).end(1, reason).at(HOUR);
        assert_eq!((s.transitions().len(), s.roster.next_deadline()), (2, None));
    }
}

#[test]
fn an_end_after_everybody_left_is_no_transition() {
    let mut s = story();
    s.open(1, 1, Report::default()).close(1, Closing::Left).at(HOUR);
    assert_eq!(s.last(), (State::Offline, Cause::TabClosed, Time(15 * SECOND)));
    s.end(1, EndReason::Revoked).at(2 * HOUR);
    assert_eq!(s.transitions().len(), 2);
}

#[test]
fn a_goodbye_of_a_socket_already_lost_changes_nothing() {
    let mut s = story();
    s.open(1, 1, Report::default()).at(46 * SECOND);
    // The client falls back to heartbeats, then the server closes the socket that fell silent.
    s.beat(1, idle(0), Time(0)).at(47 * SECOND).close(1, Closing::Lost);
    s.at(5 * MINUTE);
    assert_eq!((s.state(), s.transitions().len()), (State::Active, 1));
    assert_eq!(s.row().devices.len(), 1);
}

#[test]
fn a_session_whose_sockets_are_all_lost_can_beat() {
    let mut s = story();
    s.open(1, 1, Report::default()).report(1, hidden());
    s.at(MINUTE).close(1, Closing::Lost);
    assert_eq!(s.last(), (State::Away, Cause::PageHidden, Time(45_001)));
    s.at(2 * MINUTE).beat(1, idle(0), Time(0));
    assert_eq!(s.last(), (State::Active, Cause::Returned, Time(2 * MINUTE)));
}

#[test]
fn arriving_has_the_right_cause() {
    let mut s = story();
    s.open(1, 1, Report::default());
    assert_eq!(s.last().1, Cause::SignedIn);
    s.close(1, Closing::Left).at(HOUR).open(1, 2, Report::default());
    assert_eq!(s.last().1, Cause::TabOpened);
    s.report(2, hidden()).close(2, Closing::Lost);
    assert_eq!(s.last(), (State::Away, Cause::PageHidden, Time(HOUR)));
    s.at(HOUR + MINUTE).open(1, 3, Report::default());
    assert_eq!(s.last(), (State::Active, Cause::Returned, Time(HOUR + MINUTE)));

    let mut s = story();
    s.apply(Event::Restored { joined: joined(0, 1, Time(-HOUR)), seen_at: Time(-1), until: Time(45_000) });
    assert_eq!(s.last(), (State::Unknown, Cause::ServerRestart, Time(0)));
    s.at(44_999).open(1, 1, Report::default());
    assert_eq!(s.last(), (State::Active, Cause::Returned, Time(44_999)));
    assert_eq!(s.row().devices.len(), 1);
}

#[test]
fn an_old_heartbeat_beside_a_socket_blames_nobody() {
    let mut s = story();
    s.open(1, 1, Report::default()).beat(1, idle(0), Time(0)).choose(Choice::Away, Some(Time(6 * MINUTE)));
    for beat in 1..=20 {
        s.at(beat * 25 * SECOND).report(1, idle(0));
    }
    assert_eq!(s.last(), (State::Active, Cause::ChoiceEnded, Time(6 * MINUTE)));
}

#[test]
fn evidence_reads_well_and_is_true() {
    let mut s = story();
    let at = |s: &Story| s.transitions()[0].evidence.clone();
    s.open(1, 1, idle(0));
    assert_eq!(at(&s), "signed in; one tab open, the last input in Firefox on Linux at 00:00:00 UTC");
    s.at(4 * MINUTE).alive(1);
    assert_eq!(s.state(), State::Offline, "no sign of life for four minutes");
    assert_eq!(at(&s), "no sign of life for 45 s, and nothing returned within 15 s");

    s.beat(9, idle(0), Time(0));
    assert_eq!(at(&s), "began to send heartbeats; heartbeats from curl, the last input in curl at 00:04:00 UTC");
    s.at(10 * MINUTE);
    assert_eq!(at(&s), "no heartbeat for 5 min");

    s.open(1, 2, idle(0)).report(2, hidden()).close(2, Closing::Lost);
    assert_eq!(at(&s), "the connection was lost while the page was hidden; nothing open");
    s.at(15 * MINUTE);
    assert_eq!(at(&s), "the connection was lost while the page was hidden, and nothing returned within 5 min");

    s.open(1, 3, idle(0)).open(2, 4, idle(6 * MINUTE)).end(1, EndReason::Logout);
    assert_eq!(
        at(&s),
        "signed out on one of several devices; one tab open, the last input in Firefox on Linux at 00:09:00 UTC"
    );
    s.choose(Choice::Busy, None);
    assert_eq!(s.sentence(), "Busy since 1970-01-01 00:15:00 UTC: chose to be busy.");
    s.close(4, Closing::Left).at(16 * MINUTE);
    assert_eq!(
        s.sentence(),
        "Offline since 1970-01-01 00:15:15 UTC: the last tab was closed, and nothing returned within 15 s."
    );
    assert_eq!(view::sentence(State::Offline, None), "Offline: not here since the server started.");
}

#[test]
fn ages_that_no_calendar_knows_do_no_harm() {
    for ms in [i64::MAX, i64::MIN, i64::MIN + 1, -1, 0] {
        let mut s = story();
        s.at(1_700_000_000_000).open(1, 1, idle(ms)).report(1, idle(ms)).beat(2, idle(ms), Time(0));
        let text = serde_json::to_string(s.row()).unwrap();
        let back: PersonRow = serde_json::from_str(&text).expect("every date that goes out can be read");
        // Team ids stay on the server.
        assert_eq!(back, PersonRow { team_ids: vec![], ..s.row().clone() });
        s.at(i64::MAX / 2);
        assert_eq!(s.roster.sizes().connections, 0);
    }
}

#[test]
fn choices_that_are_over_and_graces_that_are_over_are_none() {
    let mut s = story();
    s.at(HOUR).open(1, 1, idle(0)).choose(Choice::Busy, Some(Time(HOUR)));
    assert_eq!(s.state(), State::Active);
    s.apply(Event::Restored { joined: joined(1, 1, Time(0)), seen_at: Time(0), until: Time(HOUR) });
    assert_eq!((s.roster.state(user(1)), s.roster.sizes().sessions), (State::Offline, 1));
}

#[test]
fn a_clock_set_back_keeps_transitions_in_order() {
    let mut s = story();
    s.at(HOUR).open(1, 1, idle(0));
    s.now = Time(HOUR - MINUTE);
    s.end(1, EndReason::Logout).open(2, 2, idle(0));
    assert!(s.transitions().windows(2).all(|p| p[0].at >= p[1].at));
    assert_eq!(s.state(), State::Active);
}

/// One connection may carry several tabs: the row and the evidence count them.
#[test]
fn tabs_behind_a_connection_are_counted() {
    let tabs = |n| Report { tabs: Some(n), ..Report::default() };
    let mut s = story();
    s.open(1, 1, tabs(2)).open(2, 2, Report::default());
    assert_eq!(s.row().devices.iter().map(|d| d.tabs).collect::<Vec<_>>(), [2, 1]);
    let json = serde_json::to_value(&s.row().devices).unwrap();
    assert_eq!((&json[0]["tabs"], json[1].get("tabs")), (&2.into(), None), "one is not worth a word");
    for beat in 1..=13 {
        s.at(beat * 25 * SECOND).alive(1).alive(2);
    }
    let evidence = |s: &Story| s.transitions()[0].evidence.clone();
    assert!(evidence(&s).contains("3 tabs open"), "{}", evidence(&s));
    // What says nothing changes nothing; what is no such number says nothing.
    s.report(1, Report::default()).report(1, tabs(0)).report(1, tabs(-5)).report(1, tabs(1_000));
    assert_eq!(s.row().devices[0].tabs, 2);
    s.report(1, tabs(1)).close(2, Closing::Left);
    assert_eq!(s.row().devices[0].tabs, 1);
}
