//! Many durations in five numbers.

use std::time::Duration;

use serde::Serialize;

/// Milliseconds; percentiles are exact, by nearest rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Latency {
    pub(super) count: u64,
    pub(super) mean_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Latency {
    /// All zero when there are no samples.
    pub(super) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let rank = (samples.len() * percent).div_ceil(100).saturating_sub(1);
            samples.get(rank).copied().map_or(0.0, milliseconds)
        };
        let total: Duration = samples.iter().sum();
        let count = samples.len() as u64;
        let mean_ms = milliseconds(total.checked_div(count.max(1) as u32).unwrap_or_default());
        Self { count, mean_ms, p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

/// Rounded to a tenth of a microsecond: what lies below is noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e7).round() / 1e4
}

/// Rounded to three digits after the point.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let all = Latency::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(all, Latency { count: 200, mean_ms: 100.5, p50_ms: 100.0, p99_ms: 198.0, max_ms: 200.0 });
        let one = Latency { count: 1, mean_ms: 7.0, p50_ms: 7.0, p99_ms: 7.0, max_ms: 7.0 };
        assert_eq!(Latency::of(vec![Duration::from_millis(7)]), one);
        assert_eq!(Latency::of(vec![]), Latency::default());
    }
}
