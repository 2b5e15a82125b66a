//! A run: what was asked for, in order.

use std::{rc::Rc, time::Duration};

use tokio::{sync::oneshot, time::sleep};

use super::{
    super::{
        cookies,
        process::{Process, Usage},
        summary::rounded,
    },
    SocketsArgs,
    crowd::Crowd,
    report::{Memory, Report},
    watcher::{self, Eyes, Watched},
};
use crate::cli::failure::Failure;

/// For buffers to be given back and pages to be returned before memory is read.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) struct Script {
    pub(super) crowd: Crowd,
    pub(super) watchers: Vec<Eyes>,
    /// Watchers that read nothing yet, and what wakes each.
    pub(super) stuck: Vec<(Eyes, oneshot::Sender<()>)>,
    pub(super) process: Option<Process>,
    /// Whom the watchers saw before anybody came.
    pub(super) others: usize,
    /// How many were let in last.
    pub(super) arrived: usize,
}

impl Script {
    /// The watchers, looking; nobody else yet.
    pub(super) async fn prepare(args: &SocketsArgs) -> Result<Self, Failure> {
        let mut people = cookies::read(&args.cookies)?;
        if people.len() < args.people as usize {
            return Err(Failure::usage(format!("the file holds only {} people; say --people", people.len())));
        }
        people.truncate(args.people as usize);
        let crowd = Crowd::new(people, args.url.clone(), args.join, args.room.clone(), args.sources);
        let process = args.pid.map(Process);
        let mut script = Self { crowd, watchers: vec![], stuck: vec![], process, others: 0, arrived: 0 };
        script.look(args).await?;
        script.others = script.watchers.first().map_or(0, |eyes| eyes.borrow().people);
        Ok(script)
    }

    /// Lets the watchers begin to look.
    pub(super) async fn look(&mut self, args: &SocketsArgs) -> Result<(), Failure> {
        self.watchers.clear();
        let Some(file) = &args.watch_cookie else { return Ok(()) };
        let cookie = &cookies::read(file)?[0].cookie;
        for _ in 0..args.watchers {
            let told = Rc::clone(&self.crowd.told);
            self.watchers.push(watcher::start(&args.url, cookie, args.watch, told).await?);
        }
        Ok(())
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
            self.add_stuck(args).await?;
            let before = self.usage()?;
            let everybody: Vec<usize> = (0..self.crowd.len()).collect();
            let window = self.window();
            let shown = if window.is_empty() { &everybody } else { &window };
            report.changes = Some(self.change(shown, args.changes_per_second, args.seconds).await?);
            if args.stuck > 0 {
                report.stuck = Some(self.wake(before).await?);
            }
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
        // Those that a restart ends are expected.
        report.failed = self.crowd.told.failed.take();
        report.ended = self.crowd.told.ended.take();
        report.diverged = self.watchers.iter().map(|eyes| eyes.borrow().diverged).sum();
        report.blind = self.watchers.iter().filter_map(|eyes| eyes.borrow().ended.clone()).collect();
        if args.restart {
            report.restart = Some(self.restart(args).await?);
            report.failed = self.crowd.told.failed.take();
        }
        Ok(report)
    }

    async fn add_stuck(&mut self, args: &SocketsArgs) -> Result<(), Failure> {
        let Some(file) = args.watch_cookie.as_ref().filter(|_| args.stuck > 0) else { return Ok(()) };
        let cookie = &cookies::read(file)?[0].cookie;
        for _ in 0..args.stuck {
            let told = Rc::clone(&self.crowd.told);
            self.stuck.push(watcher::start_stuck(&args.url, cookie, args.watch, told).await?);
        }
        Ok(())
    }

    pub(super) fn usage(&self) -> Result<Option<Usage>, Failure> {
        self.process.map(Process::usage).transpose()
    }
}
