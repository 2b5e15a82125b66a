//! The table of product.md, row by row, at its exact limits.

use domain::{
    Reach, Time,
    presence::{Cause, Choice, Closing, Event, State, Transition},
    session::EndReason,
    settings::{AwayAs, PresenceLimits},
    time::{HOUR, MINUTE, SECOND},
};

use crate::{
    story::{Story, hidden, idle, joined, me},
    world::{organisation, user},
};

fn story() -> Story {
    Story::new(PresenceLimits::default())
}

/// Somebody here since `at`, kept alive by pongs each 25 s until `until`.
fn present(s: &mut Story, at: i64, until: i64) {
    s.at(at).open(1, 1, idle(0));
    pongs(s, at, until);
}

fn pongs(s: &mut Story, from: i64, until: i64) {
    for beat in (from..=until).step_by(25_000).skip(1) {
        s.at(beat).alive(1);
    }
}

#[test]
fn active_idle_away_by_the_age_of_input() {
    let mut s = story();
    present(&mut s, 0, 5 * MINUTE);
    assert_eq!(s.at(5 * MINUTE).state(), State::Active, "input at most 5 min ago");
    assert_eq!(s.at(5 * MINUTE + 1).state(), State::Idle);
    assert_eq!(s.last(), (State::Idle, Cause::NoInput, Time(5 * MINUTE + 1)));
    pongs(&mut s, 5 * MINUTE, 15 * MINUTE);
    assert_eq!(s.at(15 * MINUTE).state(), State::Idle, "at most 15 min ago");
    assert_eq!(s.at(15 * MINUTE + 1).state(), State::Away);
    assert_eq!(s.last(), (State::Away, Cause::NoInput, Time(15 * MINUTE + 1)));
    assert!(!s.row().active);
}

#[test]
fn busy_is_chosen_and_active_now_still_needs_input() {
    let mut s = story();
    s.open(1, 1, idle(0)).choose(Choice::Busy, None);
    assert_eq!((s.state(), s.row().active), (State::Busy, true));
    pongs(&mut s, 0, 5 * MINUTE);
    assert!(s.at(5 * MINUTE).row().active);
    assert!(!s.at(5 * MINUTE + 1).row().active, "online, and not active now");
    assert_eq!(s.state(), State::Busy);
    pongs(&mut s, 5 * MINUTE, HOUR);
    assert_eq!(s.at(HOUR).state(), State::Busy);
    s.report(1, idle(0));
    assert!(s.row().active);
    // Busy needs a connection.
    s.close(1, Closing::Left).at(HOUR + 15 * SECOND);
    assert_eq!(s.last(), (State::Offline, Cause::TabClosed, Time(HOUR + 15 * SECOND)));
    s.open(1, 2, idle(0));
    assert_eq!(s.state(), State::Busy, "the choice outlives the connection");
}

#[test]
fn away_is_chosen_and_available_is_automatic() {
    let mut s = story();
    s.open(1, 1, idle(0)).choose(Choice::Away, None);
    assert_eq!((s.state(), s.row().active), (State::Away, false));
    s.at(SECOND).report(1, idle(0));
    assert_eq!(s.state(), State::Away, "input does not override a choice");
    s.choose(Choice::Available, None);
    assert_eq!(s.last(), (State::Active, Cause::Chosen, Time(SECOND)));
}

#[test]
fn a_choice_ends_at_its_end() {
    let mut s = story();
    s.open(1, 1, idle(0)).choose(Choice::Busy, Some(Time(30_000)));
    s.at(25_000).alive(1);
    assert_eq!(s.at(29_999).state(), State::Busy);
    assert_eq!(s.at(30_000).state(), State::Active);
    assert_eq!(s.last(), (State::Active, Cause::ChoiceEnded, Time(30_000)));
    // Also while nobody is here.
    s.choose(Choice::Busy, Some(Time(HOUR))).close(1, Closing::Left).at(2 * HOUR).open(1, 2, idle(0));
    assert_eq!(s.state(), State::Active);
}

#[test]
fn invisible_people_are_marked_and_keep_their_state() {
    let mut s = story();
    s.open(1, 1, idle(0)).choose(Choice::Invisible, None);
    assert_eq!((s.state(), s.row().invisible, s.transitions().len()), (State::Active, true, 2));
    s.choose(Choice::Available, None);
    assert!(!s.row().invisible);
}

/// When somebody hides and shows themselves is a transition of its own, so that what others are told begins there.
#[test]
fn what_was_while_invisible_stays_with_admins() {
    let manager = Reach::Organisation(organisation(1));
    let told = |s: &Story, reach| {
        let known = s.roster.known(me()).and_then(|k| k.seen(reach));
        let line = |t: &Transition| (t.state, t.cause, t.at.0, t.invisible);
        known.map(|k| (k.state, k.since.0, k.transitions.iter().map(line).collect::<Vec<_>>()))
    };
    let mut s = story();
    s.open(1, 1, idle(0)).at(10_000).choose(Choice::Invisible, Some(Time(400_000)));
    assert_eq!(told(&s, manager), None);
    for beat in 1..16 {
        s.at(25_000 * beat).alive(1);
    }
    let mut all = vec![
        (State::Idle, Cause::NoInput, 300_001, true),
        (State::Active, Cause::Chosen, 10_000, true),
        (State::Active, Cause::SignedIn, 0, false),
    ];
    assert_eq!(told(&s, Reach::Everything), Some((State::Idle, 300_001, all.clone())));
    assert_eq!(told(&s, manager), None);
    // The choice ends: to managers they come into being, as they are.
    s.at(400_000).alive(1);
    let shown = (State::Idle, Cause::ChoiceEnded, 400_000, false);
    assert_eq!(told(&s, manager), Some((State::Idle, 400_000, vec![shown])));
    assert_eq!(s.row().since, Time(400_000), "a row tells no earlier time either");
    all.insert(0, shown);
    assert_eq!(told(&s, Reach::Everything), Some((State::Idle, 400_000, all)));
    // What went on unseen and is over is not told afterwards.
    s.choose(Choice::Invisible, None).end(1, EndReason::Logout);
    assert_eq!(told(&s, manager), None);
    s.at(500_000).choose(Choice::Available, None);
    assert_eq!(told(&s, manager).map(|k| (k.0, k.2)), Some((State::Offline, vec![])));
    assert_eq!(told(&s, Reach::Everything).map(|k| k.2.len()), Some(6));
}

#[test]
fn connected_is_a_sign_of_life_at_most_45_s_old() {
    let mut s = story();
    s.open(1, 1, idle(0));
    assert!(s.at(45 * SECOND).row().devices[0].connected);
    assert!(!s.at(45 * SECOND + 1).row().devices[0].connected);
    assert_eq!(s.state(), State::Active, "its grace runs");
    assert_eq!(s.at(60 * SECOND - 1).state(), State::Active);
    assert_eq!(s.at(60 * SECOND).state(), State::Offline);
    assert_eq!(s.last(), (State::Offline, Cause::HeartbeatMissed, Time(60 * SECOND)));
}

#[test]
fn a_lost_or_closed_tab_has_15_s_to_return() {
    for (closing, cause) in [(Closing::Left, Cause::TabClosed), (Closing::Lost, Cause::ConnectionLost)] {
        let mut s = story();
        s.open(1, 1, idle(0)).at(SECOND).close(1, closing);
        assert_eq!(s.at(16 * SECOND - 1).state(), State::Active);
        assert_eq!(s.at(16 * SECOND).state(), State::Offline);
        assert_eq!(s.last(), (State::Offline, cause, Time(16 * SECOND)));
    }
}

#[test]
fn lost_while_hidden_is_away_for_5_min_then_offline() {
    let mut s = story();
    s.open(1, 1, idle(0)).report(1, hidden());
    assert_eq!(s.state(), State::Active, "hidden is not gone");
    s.at(SECOND).close(1, Closing::Lost);
    assert_eq!(s.last(), (State::Away, Cause::PageHidden, Time(SECOND)));
    assert_eq!(s.at(SECOND + 5 * MINUTE - 1).state(), State::Away);
    assert_eq!(s.at(SECOND + 5 * MINUTE).state(), State::Offline);
    assert_eq!(s.last(), (State::Offline, Cause::ConnectionLost, Time(SECOND + 5 * MINUTE)));
    // The same when it fell silent; the five minutes run from the loss.
    let mut s = story();
    s.open(1, 1, idle(0)).report(1, hidden()).at(45 * SECOND + 1);
    assert_eq!(s.last(), (State::Away, Cause::PageHidden, Time(45 * SECOND + 1)));
    assert_eq!(s.at(45 * SECOND + 5 * MINUTE - 1).state(), State::Away);
    assert_eq!(s.at(45 * SECOND + 5 * MINUTE).state(), State::Offline);
    // A page that is closed was hidden just before: that is a closed tab.
    let mut s = story();
    s.open(1, 1, idle(0)).report(1, hidden()).close(1, Closing::Left);
    assert_eq!(s.state(), State::Active);
    assert_eq!(s.at(15 * SECOND).state(), State::Offline);
}

#[test]
fn after_a_restart_people_are_unknown_for_45_s_from_listening() {
    let mut s = story();
    s.at(HOUR);
    for person in [0, 1] {
        let joined = joined(person, 1, Time(0));
        s.apply(Event::Restored { joined, seen_at: Time(HOUR - 2 * SECOND), until: Time(HOUR + 45 * SECOND) });
    }
    assert_eq!((s.state(), s.roster.rows().count()), (State::Unknown, 2));
    assert!(!s.row().devices[0].connected);
    s.at(HOUR + SECOND).open(1, 1, idle(0));
    assert_eq!(s.last(), (State::Active, Cause::Returned, Time(HOUR + SECOND)));
    s.at(HOUR + 45 * SECOND - 1);
    assert_eq!(s.roster.state(user(1)), State::Unknown, "unknown is not offline");
    s.at(HOUR + 45 * SECOND);
    let other = s.roster.known(user(1)).unwrap();
    assert_eq!((other.state, other.since, other.cause), (State::Offline, Time(HOUR + 45_000), Cause::ServerRestart));
    assert_eq!(s.state(), State::Active);
}

#[test]
fn the_best_of_all_connections_wins() {
    let mut s = story();
    s.at(HOUR);
    s.apply(Event::Restored { joined: joined(0, 3, Time(0)), seen_at: Time(0), until: Time(2 * HOUR) });
    assert_eq!(s.state(), State::Unknown);
    s.open(2, 2, hidden()).close(2, Closing::Lost);
    assert_eq!(s.state(), State::Away);
    s.open(1, 1, idle(6 * MINUTE));
    assert_eq!(s.state(), State::Idle);
    s.report(1, idle(0));
    assert_eq!(s.state(), State::Active);
    s.choose(Choice::Busy, None);
    assert_eq!(s.state(), State::Busy);
    assert!(State::ALL.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn people_who_are_away_can_be_shown_offline() {
    let mut s = Story::new(PresenceLimits { away_as: AwayAs::Offline, ..PresenceLimits::default() });
    s.open(1, 1, idle(0));
    pongs(&mut s, 0, 15 * MINUTE);
    s.at(15 * MINUTE + 1);
    assert_eq!(s.last(), (State::Offline, Cause::NoInput, Time(15 * MINUTE + 1)));
    assert_eq!(s.roster.rows().count(), 0);
    let evidence = s.transitions()[0].evidence.clone();
    assert!(evidence.ends_with("; people who are away are shown as offline"), "{evidence}");
    s.report(1, idle(0));
    assert_eq!(s.last(), (State::Active, Cause::Input, Time(15 * MINUTE + 1)));
    s.choose(Choice::Away, None);
    assert_eq!((s.state(), s.last().1), (State::Offline, Cause::Chosen));
}

#[test]
fn limits_are_settings() {
    let limits = PresenceLimits { idle_after: SECOND, away_after: 2 * SECOND, ..PresenceLimits::default() };
    let mut s = Story::new(limits);
    s.open(1, 1, idle(0));
    assert_eq!(s.at(SECOND + 1).state(), State::Idle);
    assert_eq!(s.at(2 * SECOND + 1).state(), State::Away);
    let words = domain::presence::state::limits_sentence(s.roster.limits());
    assert_eq!(words, "Idle begins after 1 s without input, away after 2 s.");
}
