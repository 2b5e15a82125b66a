//! The steps of a run, and what is measured in each.

use std::{
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::{sleep, sleep_until};

use super::{
    super::{
        cookies,
        process::{Process, Usage},
        summary::{Latency, rounded},
    },
    SocketsArgs,
    crowd::Crowd,
    report::{Arrival, Beats, Changes, Leaving, Memory, Report},
    watcher::{self, Eyes, Watched},
};
use crate::cli::failure::Failure;

/// How often progress is looked at: the error of the times of a whole step.
const LOOK: Duration = Duration::from_millis(2);
/// A step that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(2);
/// For buffers to be given back and pages to be returned before memory is read.
const SETTLE: Duration = Duration::from_secs(2);
/// Changes that arrive later than this are missed.
const LATE: Duration = Duration::from_secs(5);
/// Heartbeats a second over everybody: 10,000 people beat every 2 s.
const BEATS_PER_SECOND: f64 = 5_000.0;

pub(super) struct Script {
    crowd: Crowd,
    watchers: Vec<Eyes>,
    process: Option<Process>,
    /// Whom the watchers saw before anybody came.
    others: usize,
}

impl Script {
    /// The watchers, looking; nobody else yet.
    pub(super) async fn prepare(args: &SocketsArgs) -> Result<Self, Failure> {
        let mut people = cookies::read(&args.cookies)?;
        if people.len() < args.people as usize {
            return Err(Failure::usage(format!("the file holds only {} people; say --people", people.len())));
        }
        people.truncate(args.people as usize);
        let crowd = Crowd::new(people, args.url.clone(), args.join, args.sources);
        let mut watchers = Vec::new();
        if let Some(file) = &args.watch_cookie {
            let cookie = &cookies::read(file)?[0].cookie;
            for _ in 0..args.watchers {
                watchers.push(watcher::start(&args.url, cookie, args.watch, Rc::clone(&crowd.told)).await?);
            }
        }
        let others = watchers.first().map_or(0, |eyes| eyes.borrow().people);
        Ok(Self { crowd, watchers, process: args.pid.map(Process), others })
    }

    /// Plays the steps asked for, in order.
    pub(super) async fn play(&mut self, args: &SocketsArgs) -> Result<Report, Failure> {
        let before = self.usage()?;
        let connect = self.arrive(Some(args.rate).filter(|rate| *rate > 0)).await?;
        sleep(SETTLE).await;
        let memory = before.zip(self.usage()?).map(|(before, after)| Memory {
            before: before.memory,
            after: after.memory,
            per_connection: rounded(after.memory.saturating_sub(before.memory) as f64 / self.crowd.len() as f64),
        });
        let mut report = Report {
            people: self.crowd.len(),
            joined: args.join,
            watchers: self.watchers.len(),
            watched: if args.watch == Watched::Live { "live:online" } else { "presence:all" },
            connect,
            memory,
            ..Report::default()
        };
        if args.changes_per_second > 0 {
            let everybody: Vec<usize> = (0..self.crowd.len()).collect();
            let window = self.window();
            let shown = if window.is_empty() { &everybody } else { &window };
            report.changes = Some(self.change(shown, args.changes_per_second, args.seconds).await?);
            if !window.is_empty() {
                report.changes_anywhere = Some(self.change(&everybody, args.changes_per_second, args.seconds).await?);
            }
        }
        if args.heartbeats > 0 {
            report.heartbeats = Some(self.beat(args.heartbeats).await?);
        }
        if args.drop {
            report.drop = Some(self.leave(Duration::from_millis(args.grace as u64)).await?);
        }
        if args.reconnect {
            report.reconnect = Some(self.arrive(None).await?);
        }
        report.failed = self.crowd.told.failed.take();
        report.ended = self.crowd.told.ended.take();
        report.diverged = self.watchers.iter().map(|eyes| eyes.borrow().diverged).sum();
        report.blind = self.watchers.iter().filter_map(|eyes| eyes.borrow().ended.clone()).collect();
        Ok(report)
    }

    fn usage(&self) -> Result<Option<Usage>, Failure> {
        self.process.map(Process::usage).transpose()
    }

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

    async fn arrive(&mut self, rate: Option<u32>) -> Result<Arrival, Failure> {
        let (n, before, bytes) = (self.crowd.len(), self.usage()?, self.bytes());
        let started = Instant::now();
        self.crowd.enter(rate).await;
        wait_for("everybody is connected", || self.crowd.told.tried.get() >= n).await?;
        let seconds = started.elapsed().as_secs_f64();
        let here = self.crowd.told.here.get();
        let watched = self.crowd.joins() && !self.watchers.is_empty();
        if watched {
            wait_for("the watchers see everybody", || self.everybody_sees(self.others + here)).await?;
        }
        let complete = started.elapsed().as_secs_f64();
        Ok(Arrival {
            seconds: rounded(seconds),
            per_second: rounded(here as f64 / seconds),
            watchers_complete_seconds: watched.then(|| rounded(complete)),
            bytes_per_person_per_watcher: watched.then(|| self.per_watcher(self.bytes() - bytes, here)),
            cpu_seconds_per_1000: self.cpu_since(before, here)?,
        })
    }

    /// Page changes of `who`, in an open loop: each is sent when it is due, whatever became of those before.
    async fn change(&mut self, who: &[usize], per_second: u32, seconds: u32) -> Result<Changes, Failure> {
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
        while self.seen_since(first).len() < expected && Instant::now() < end {
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

    /// Those whom a window shows; nobody, when all changes are sent.
    fn window(&self) -> Vec<usize> {
        let window = self.watchers.first().map(|eyes| eyes.borrow().window.clone()).unwrap_or_default();
        let places: HashMap<&str, usize> =
            self.crowd.people.iter().enumerate().map(|(i, p)| (p.username.as_str(), i)).collect();
        window.iter().filter_map(|name| places.get(name.as_str()).copied()).collect()
    }

    async fn beat(&mut self, each: u32) -> Result<Beats, Failure> {
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

    async fn leave(&mut self, grace: Duration) -> Result<Leaving, Failure> {
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
