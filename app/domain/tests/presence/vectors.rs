//! V12 of analytics.md: presence at t = 1000 s, before any grace.

use domain::{
    Time,
    presence::{Closing, Report, State},
    settings::PresenceLimits,
    time::SECOND,
};

use crate::story::{Story, idle};

/// A socket that opened at the first of `beats` with input at `input`, and gave a sign of life at the others; seconds.
fn socket(input: i64, beats: &[i64]) -> Story {
    let mut s = Story::new(PresenceLimits::default());
    s.at(beats[0] * SECOND).open(1, 1, idle((beats[0] - input) * SECOND));
    for beat in &beats[1..] {
        s.at(beat * SECOND).alive(1);
    }
    s
}

fn at_1000(mut s: Story) -> State {
    s.at(1_000 * SECOND).state()
}

#[test]
fn beat_995_input_990_is_active() {
    assert_eq!(at_1000(socket(990, &[990, 995])), State::Active);
}

#[test]
fn beats_900_and_980_input_985_is_active() {
    // Two connections: one fell silent at 900, the other beat at 980; the input was reported at 985.
    let mut s = Story::new(PresenceLimits::default());
    s.at(900 * SECOND).open(1, 1, idle(0)).open(1, 2, idle(0));
    s.at(940 * SECOND).alive(2);
    s.at(980 * SECOND).alive(2);
    s.at(985 * SECOND).report(2, idle(0));
    assert_eq!(s.at(1_000 * SECOND).state(), State::Active);
    assert_eq!(s.row().devices.len(), 1);
}

#[test]
fn beat_990_input_699_is_idle_and_700_is_active() {
    assert_eq!(at_1000(socket(699, &[990])), State::Idle);
    assert_eq!(at_1000(socket(700, &[990])), State::Active);
}

#[test]
fn beat_954_is_lost_and_offline_when_its_grace_ends() {
    let mut s = socket(954, &[954]);
    s.at(999 * SECOND);
    assert!(s.row().devices[0].connected, "45 s old");
    s.at(1_000 * SECOND);
    assert!(!s.row().devices[0].connected, "connection lost");
    s.at(1_014 * SECOND - 1);
    assert_eq!(s.state(), State::Active);
    assert_eq!(s.at(1_014 * SECOND).state(), State::Offline);
    assert_eq!(s.last().2, Time(1_014 * SECOND));
}

#[test]
fn without_a_socket_a_heartbeat_at_990_with_input_at_980_is_active() {
    let mut s = Story::new(PresenceLimits::default());
    s.at(990 * SECOND).beat(9, idle(10 * SECOND), Time(0));
    assert_eq!(s.at(1_000 * SECOND).state(), State::Active);
    assert_eq!(s.row().last_activity_at, Time(980 * SECOND));
}

#[test]
fn without_any_input_the_last_request_decides() {
    for (requested, state) in [(980, State::Active), (700, State::Active), (699, State::Idle), (99, State::Away)] {
        let mut s = Story::new(PresenceLimits::default());
        s.at(990 * SECOND).beat(9, Report::default(), Time(requested * SECOND));
        assert_eq!(s.at(1_000 * SECOND).state(), state, "requested at {requested}");
    }
}

#[test]
fn a_heartbeat_counts_for_five_minutes_and_a_closed_socket_voids_it() {
    let mut s = Story::new(PresenceLimits::default());
    s.at(990 * SECOND).beat(9, idle(0), Time(0));
    assert_eq!(s.at(1_290 * SECOND).state(), State::Active);
    assert_eq!(s.at(1_290 * SECOND + 1).state(), State::Offline);

    s.at(2_000 * SECOND).beat(9, idle(0), Time(0)).open(9, 1, idle(0)).close(1, Closing::Left);
    assert_eq!(s.at(2_015 * SECOND - 1).state(), State::Active);
    assert_eq!(s.at(2_015 * SECOND).state(), State::Offline);
}
