//! Every metric with its description.

use std::{sync::OnceLock, thread, time::Duration};

use domain::presence::State;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// From a page out of memory to a request that will soon be given up, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Samples of histograms wait in memory until they are read or tidied; 5 s of them are nothing.
const TIDY_EVERY: Duration = Duration::from_secs(5);

/// Begins to count, once per process; later calls give the same handle.
///
/// # Panics
///
/// When something else in the process has begun to collect metrics already.
pub fn install_metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| install().expect("nothing else installs metrics in this program")).clone()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()?;
    let tidy = handle.clone();
    // A thread, since it must not depend on anybody reading the metrics, nor on which runtime came first.
    thread::spawn(move || {
        loop {
            thread::sleep(TIDY_EVERY);
            tidy.run_upkeep();
        }
    });
    describe();
    Ok(handle)
}

fn describe() {
    describe_gauge!("rollcall_connections", "Open sockets.");
    gauge!("rollcall_connections").set(0.0);
    describe_gauge!("rollcall_people", "People who are not offline, by state.");
    for state in State::ALL.into_iter().filter(|s| *s != State::Offline) {
        gauge!("rollcall_people", "state" => state.as_str()).set(0.0);
    }
    describe_counter!("rollcall_diffs_total", "Flushes of presence: each sends what changed to whoever watches it.");
    describe_counter!("rollcall_frames_total", "Frames of presence put into the queues of watchers.");
    describe_counter!("rollcall_resends_total", "Fresh snapshots for watchers that had fallen behind.");
    describe_counter!("rollcall_sent_bytes_total", Unit::Bytes, "Bytes of presence put into the queues of watchers.");
    describe_gauge!("rollcall_lagging_watchers", "Watchers whose queue overflowed, until they have caught up.");
    gauge!("rollcall_lagging_watchers").set(0.0);
    describe_gauge!("rollcall_queued_bytes", Unit::Bytes, "The most bytes that wait for any one socket.");
    gauge!("rollcall_queued_bytes").set(0.0);
    describe_histogram!(
        "rollcall_flush_age_seconds",
        Unit::Seconds,
        "Age of the oldest waiting change of presence when changes were sent."
    );
    describe_counter!(
        "rollcall_ghost_seconds_total",
        "Seconds a person of our own, in no list, was shown as here after they were gone beyond their grace."
    );
    describe_counter!(
        "rollcall_false_offline_seconds_total",
        "Seconds a person of our own, in no list, was shown offline while they were connected."
    );
    for name in [
        "rollcall_diffs_total",
        "rollcall_frames_total",
        "rollcall_resends_total",
        "rollcall_sent_bytes_total",
        "rollcall_ghost_seconds_total",
        "rollcall_false_offline_seconds_total",
        "rollcall_ledger_merged_total",
    ] {
        counter!(name).increment(0);
    }
    describe_counter!("rollcall_http_requests_total", "Requests answered, by route, method and status.");
    describe_histogram!(
        "rollcall_http_request_seconds",
        Unit::Seconds,
        "Time from the end of a request's head to its answer, by route."
    );
    describe_counter!("rollcall_activity_written_total", "Sessions whose activity was written behind.");
    describe_gauge!("rollcall_activity_age_seconds", Unit::Seconds, "Time since no activity waited to be written.");
    describe_histogram!("rollcall_activity_flush_seconds", Unit::Seconds, "Time of one write of waiting activity.");
    describe_counter!(
        "rollcall_ledger_written_total",
        "Intervals of presence written, at their beginning and their end."
    );
    describe_counter!(
        "rollcall_ledger_merged_total",
        "Intervals of presence that became part of an unknown one, since the database was away for too long."
    );
    describe_gauge!("rollcall_ledger_waiting", "Ended intervals of presence that are not written yet.");
    describe_histogram!("rollcall_ledger_flush_seconds", Unit::Seconds, "Time of one write of waiting intervals.");
    describe_counter!("rollcall_events_written_total", "Page views and actions written.");
    describe_counter!("rollcall_events_refused_total", "Page views and actions refused, since too many waited.");
    describe_gauge!("rollcall_events_waiting", "Page views and actions that are not written yet.");
    describe_histogram!("rollcall_events_flush_seconds", Unit::Seconds, "Time of one write of page views and actions.");
    describe_counter!("rollcall_sign_ins_total", "Attempts to sign in, by result: ok, refused, throttled or failed.");
}
