//! The steps of a run, and what is measured in each.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tokio::{
    net::TcpStream,
    time::{sleep, sleep_until},
};

use super::{
    super::{
        process::Usage,
        summary::{Latency, rounded},
    },
    SocketsArgs,
    report::{Arrival, Beats, Changes, Leaving, Return, Room, Stuck},
    script::Script,
};
use crate::cli::failure::Failure;

/// How often progress is looked at: the error of the times of a whole step.
const LOOK: Duration = Duration::from_millis(2);
/// A step that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(2);
/// Changes that arrive later than this are missed.
const LATE: Duration = Duration::from_secs(5);
/// Heartbeats a second over everybody: 10,000 people beat every 2 s.
const BEATS_PER_SECOND: f64 = 5_000.0;

/// Said when whoever runs the server may restart it.
const RESTART_NOW: &str = "ready: stop the server, and start it again at the same address";

impl Script {
    /// Processor time since `before`, in seconds for each 1,000 of `n`.
    fn cpu_since(&self, before: Option<Usage>, n: usize) -> Result<Option<f64>, Failure> {
        let used = self.usage()?.zip(before).map(|(after, before)| after.cpu - before.cpu);
        Ok(used.map(|cpu| (cpu / n.max(1) as f64 * 1e7).round() / 1e4))
    }

    fn everybody_sees(&self, people: usize) -> bool {
        // A watcher that was cut off is in the report; waiting for it would only hide why.
        self.watchers.iter().map(|eyes| eyes.borrow()).all(|seen| seen.ended.is_some() || seen.people == people)
    }

    fn frames(&self) -> u64 {
        self.watchers.iter().map(|eyes| eyes.borrow().frames).sum()
    }

    /// The sum of the bytes of all watchers.
    fn bytes(&self) -> u64 {
        self.watchers.iter().map(|eyes| eyes.borrow().bytes).sum()
    }

    fn per_watcher(&self, sum: u64, n: usize) -> f64 {
        rounded(sum as f64 / self.watchers.len().max(1) as f64 / n.max(1) as f64)
    }

    pub(super) async fn arrive(&mut self, rate: Option<u32>) -> Result<Arrival, Failure> {
        let (n, before, bytes) = (self.crowd.len(), self.usage()?, self.bytes());
        let started = Instant::now();
        self.crowd.enter(rate).await;
        wait_for("everybody is connected", || self.crowd.told.tried.get() >= n).await?;
        let seconds = started.elapsed().as_secs_f64();
        let here = self.crowd.told.here.get();
        self.arrived = here;
        let watched = self.crowd.joins() && !self.watchers.is_empty();
        if watched {
            wait_for("the watchers see everybody", || self.everybody_sees(self.others + here)).await?;
        }
        let told = &self.crowd.told;
        if self.crowd.has_room() {
            wait_for("everybody in the room sees everybody", || told.room_is_complete(self.others + here)).await?;
        }
        let complete = started.elapsed().as_secs_f64();
        Ok(Arrival {
            seconds: rounded(seconds),
            per_second: rounded(here as f64 / seconds),
            watchers_complete_seconds: (watched || self.crowd.has_room()).then(|| rounded(complete)),
            bytes_per_person_per_watcher: watched.then(|| self.per_watcher(self.bytes() - bytes, here)),
            cpu_seconds_per_1000: self.cpu_since(before, here)?,
            cpu_seconds: self.cpu_since(before, 1_000)?,
            room: self
                .crowd
                .has_room()
                .then(|| Room { frames: told.room_frames.take(), bytes: told.room_bytes.take() }),
        })
    }

    /// Page changes of `who`, in an open loop: each is sent when it is due, whatever became of those before.
    pub(super) async fn change(&mut self, who: &[usize], per_second: u32, seconds: u32) -> Result<Changes, Failure> {
        let (before, bytes, frames) = (self.usage()?, self.bytes(), self.frames());
        let first = self.crowd.told.sent.borrow().len();
        let total = per_second as usize * seconds as usize;
        let started = Instant::now();
        for n in 0..total {
            sleep_until((started + Duration::from_secs_f64(n as f64 / f64::from(per_second))).into()).await;
            // In an order that repeats late and looks like none.
            self.crowd.change(who[(n * 7_919) % who.len()]);
        }
        let took = started.elapsed().as_secs_f64();
        let expected = total * self.watchers.len();
        let end = Instant::now() + LATE;
        while self.count_since(first) < expected && Instant::now() < end {
            sleep(LOOK).await;
        }
        let cpu = self.usage()?.zip(before).map(|(after, before)| after.cpu - before.cpu);
        let samples = self.seen_since(first);
        Ok(Changes {
            per_second: rounded(total as f64 / took),
            sent: total as u64,
            missed: (expected - samples.len()) as u64,
            latency: Latency::of(samples),
            bytes_per_change_per_watcher: self.per_watcher(self.bytes() - bytes, total),
            frames_per_watcher: self.per_watcher(self.frames() - frames, 1),
            cpu_percent: cpu.map(|cpu| rounded(cpu / started.elapsed().as_secs_f64() * 1e2)),
        })
    }

    /// How long changes took to arrive, from number `first` on, over all watchers.
    fn seen_since(&self, first: usize) -> Vec<Duration> {
        let seen = self.watchers.iter().map(|eyes| eyes.borrow());
        seen.flat_map(|seen| seen.took.iter().skip(first).flatten().copied().collect::<Vec<_>>()).collect()
    }

    fn count_since(&self, first: usize) -> usize {
        let seen = self.watchers.iter().map(|eyes| eyes.borrow());
        seen.map(|seen| seen.took.iter().skip(first).flatten().count()).sum()
    }

    /// Those whom a window shows; nobody, when all changes are sent.
    pub(super) fn window(&self) -> Vec<usize> {
        let window = self.watchers.first().map(|eyes| eyes.borrow().window.clone()).unwrap_or_default();
        let places: HashMap<&str, usize> =
            self.crowd.people.iter().enumerate().map(|(i, p)| (p.username.as_str(), i)).collect();
        window.iter().filter_map(|name| places.get(name.as_str()).copied()).collect()
    }

    pub(super) async fn beat(&mut self, each: u32) -> Result<Beats, Failure> {
        let (n, before, frames) = (self.crowd.len(), self.usage()?, self.crowd.told.frames.get());
        let total = n * each as usize;
        let started = Instant::now();
        for i in 0..total {
            sleep_until((started + Duration::from_secs_f64(i as f64 / BEATS_PER_SECOND)).into()).await;
            self.crowd.beat(i % n);
        }
        let answered = || (self.crowd.told.frames.get() - frames).min(total as u64);
        let end = Instant::now() + LATE;
        while answered() < total as u64 && Instant::now() < end {
            sleep(LOOK).await;
        }
        Ok(Beats {
            answered: answered(),
            missed: total as u64 - answered(),
            per_second: rounded(answered() as f64 / started.elapsed().as_secs_f64()),
            cpu_seconds_per_1000: self.cpu_since(before, total)?,
        })
    }

    pub(super) async fn leave(&mut self, grace: Duration) -> Result<Leaving, Failure> {
        let before = self.usage()?;
        let started = Instant::now();
        self.crowd.drop_all();
        sleep(grace.saturating_sub(LOOK)).await;
        wait_for("the watchers see everybody gone", || self.everybody_sees(self.others)).await?;
        let seconds = started.elapsed();
        Ok(Leaving {
            seconds: rounded(seconds.as_secs_f64()),
            beyond_grace_seconds: rounded(seconds.as_secs_f64() - grace.as_secs_f64()),
            cpu_seconds_per_1000: self.cpu_since(before, self.crowd.len())?,
        })
    }

    /// Wakes the watchers that read nothing, until they know what the others know.
    pub(super) async fn wake(&mut self, before: Option<Usage>) -> Result<Stuck, Failure> {
        let growth = self.usage()?.zip(before).map(|(after, before)| after.memory as i64 - before.memory as i64);
        let started = Instant::now();
        let mut woken = Vec::new();
        for (eyes, wake) in self.stuck.drain(..) {
            // Whoever was cut off meanwhile finds out when it reads.
            let _ = wake.send(());
            woken.push(eyes);
        }
        let agree = || {
            let Some(other) = self.watchers.first() else { return true };
            woken.iter().all(|eyes| eyes.borrow().ended.is_some() || eyes.borrow().agrees(&other.borrow()))
        };
        wait_for("the stuck watchers have caught up", agree).await?;
        let most = |what: fn(&super::watcher::Seen) -> u64| woken.iter().map(|e| what(&e.borrow())).max();
        let cut = woken.iter().find_map(|eyes| eyes.borrow().ended.clone());
        cut.map_or(Ok(()), |how| Err(Failure::failed(format!("a stuck watcher was cut off: {how}"))))?;
        Ok(Stuck {
            watchers: woken.len(),
            memory_growth: growth,
            bytes: most(|seen| seen.bytes).unwrap_or_default(),
            converged_seconds: rounded(started.elapsed().as_secs_f64()),
            snapshots: most(|seen| seen.snapshots).unwrap_or_default(),
        })
    }

    /// Everybody comes back once the server has been stopped and started again.
    pub(super) async fn restart(&mut self, args: &SocketsArgs) -> Result<Return, Failure> {
        eprintln!("{RESTART_NOW}");
        let told = &self.crowd.told;
        wait_for("the server is stopped", || told.here.get() < self.arrived).await?;
        let started = Instant::now();
        wait_for("the server has ended every connection", || told.here.get() == 0).await?;
        while TcpStream::connect(args.url.address).await.is_err() {
            if started.elapsed() > PATIENCE {
                return Err(Failure::failed("the server did not come back"));
            }
            sleep(LOOK).await;
        }
        let away_seconds = rounded(started.elapsed().as_secs_f64());
        // It is another process now.
        self.process = None;
        self.look(args).await?;
        Ok(Return { away_seconds, arrival: self.arrive(None).await? })
    }
}

async fn wait_for(what: &str, done: impl Fn() -> bool) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > end {
            return Err(Failure::failed(format!("it took longer than {} s until {what}", PATIENCE.as_secs())));
        }
        sleep(LOOK).await;
    }
    Ok(())
}
