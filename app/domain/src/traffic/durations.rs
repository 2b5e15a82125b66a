//! How long answers took: a count, a sum and a histogram of logarithmic buckets, all of which add up. A mean of means or
//! a percentile of percentiles cannot be asked for.

use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};

/// Two digits: a bucket is at most 1 % wide.
const DIGITS: u8 = 2;
/// No request lasts longer: it is given up before.
const MAX_US: u64 = 3_600_000_000;

#[derive(Clone, Debug)]
pub struct Durations {
    n: u64,
    sum_us: u64,
    max_us: u64,
    histogram: Histogram<u32>,
}

impl Default for Durations {
    fn default() -> Self {
        let histogram = Histogram::new(DIGITS).expect("0 to 5 digits are allowed");
        Self { n: 0, sum_us: 0, max_us: 0, histogram }
    }
}

impl Durations {
    pub fn record(&mut self, us: u64) {
        self.record_n(us, 1);
        self.sum_us += us;
        self.max_us = self.max_us.max(us);
    }

    fn record_n(&mut self, us: u64, n: u32) {
        self.n += u64::from(n);
        // It grows to what it is given, and the most that is given is bounded.
        let _ = self.histogram.record_n(us.clamp(1, MAX_US), n);
    }

    pub fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
        let _ = self.histogram.add(&other.histogram);
    }

    pub fn n(&self) -> u64 {
        self.n
    }

    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// Sum over count, in milliseconds; nothing of nothing.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum_us as f64 / self.n as f64 / 1_000.0)
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> Option<f64> {
        (self.n > 0).then(|| self.max_us as f64 / 1_000.0)
    }

    /// By nearest rank, within a bucket, in milliseconds.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        (self.n > 0).then(|| self.histogram.value_at_quantile(q).min(self.max_us) as f64 / 1_000.0)
    }

    /// The histogram in the V2 format of HdrHistogram, as other programs read it too.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![];
        // Into memory, where nothing fails.
        let _ = V2Serializer::new().serialize(&self.histogram, &mut bytes);
        bytes
    }

    /// What was stored. A histogram that cannot be read leaves the count, the sum and the longest right.
    pub fn stored(n: u64, sum_us: u64, max_us: u64, bytes: &[u8]) -> Self {
        let read: Option<Histogram<u32>> = Deserializer::new().deserialize(&mut &*bytes).ok();
        let mut histogram = Histogram::new(DIGITS).expect("0 to 5 digits are allowed");
        if let Some(read) = read {
            let _ = histogram.add(read);
        }
        Self { n, sum_us, max_us, histogram }
    }

    /// The buckets that are not empty, for what is kept by the thousand.
    pub(super) fn packed(&self) -> Packed {
        let buckets = self.histogram.iter_recorded().map(|v| (v.value_iterated_to() as u32, v.count_at_value()));
        Packed { sum_us: self.sum_us, max_us: self.max_us, buckets: buckets.collect() }
    }

    pub(super) fn add_packed(&mut self, packed: &Packed) {
        self.sum_us += packed.sum_us;
        self.max_us = self.max_us.max(packed.max_us);
        for (us, n) in &packed.buckets {
            self.record_n(u64::from(*us), *n);
        }
    }
}

/// The same, small: a value of each bucket and how many are in it.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    sum_us: u64,
    max_us: u64,
    buckets: Box<[(u32, u32)]>,
}
