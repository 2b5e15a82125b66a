//! A sample each second, as long as anybody watches.

use std::time::Duration;

use bytes::Bytes;
use domain::{access::Reach, time::SECOND, traffic::Sample, wire};
use tokio_util::sync::CancellationToken;

use super::Traffic;

pub(crate) const TOPIC: &str = "live:traffic";

impl Traffic {
    /// Samples until `stop`. Without a watcher there is no timer.
    pub(crate) async fn run_live(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.sample()).await;
    }

    async fn sample(&self) {
        let Some(mut watched) = self.inner.presence.traffic_watched() else { return };
        while watched.wait_for(|w| *w).await.is_ok() {
            // Where a second begins, so that each sample is of a whole one.
            let wait = SECOND - self.inner.clock.now().0.rem_euclid(SECOND);
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
            let Ok((sockets, _)) = self.inner.presence.load(Reach::Everything).await else { return };
            let now = self.inner.clock.now();
            let sample = Sample { figures: self.figures(now, sockets), second: self.counted().recent.newest(now) };
            self.inner.presence.send_traffic(Bytes::from(wire::broadcast(TOPIC, "sample", &sample)));
        }
    }
}
