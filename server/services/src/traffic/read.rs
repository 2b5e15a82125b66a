//! The figures, a series, and what the page shows.

use std::collections::HashSet;

use domain::{
    Actor, ApiError, Time,
    access::{Action, Reach},
    account::UserCard,
    activity::Zone,
    time::{HOUR, MINUTE, SECOND},
    traffic::{Current, Figures, Line, Point, Pool, Report, Row, SLOT, slot_of},
};

use super::Traffic;
use crate::store::{card, traffic as rows};

/// Times on cards are of this many seconds.
const TIMES_OF: i64 = 300;
/// And the rate of these.
const RATE_OF: i64 = 10;
/// Series up to this many minutes are by the second, up to an hour by the minute, and longer ones by the quarter.
const BY_SECOND: i64 = 10;
const BY_MINUTE: i64 = 60;
const MINUTES_MAX: i64 = 7 * 24 * 60;
/// People of the list of who asks most.
const TOP: usize = 10;

/// What the page may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    #[default]
    Hour,
    Day,
    Week,
}

impl Range {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// The step of its report and how many.
    fn steps(self) -> (i64, i64) {
        match self {
            Self::Hour => (SLOT, 4),
            Self::Day => (SLOT, 96),
            Self::Week => (2 * HOUR, 84),
        }
    }
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Shown {
    pub current: Current,
    /// Oldest first; the last goes on.
    pub points: Vec<Point>,
    /// The length of a step of them, in milliseconds.
    pub step: i64,
    pub report: Report,
    /// Since when `report` counts.
    pub from: Time,
    /// The zone in which today began.
    pub zone: Zone,
    /// Who asked most within the last hour, of those within reach.
    pub top: Vec<(UserCard, u64)>,
}

impl Traffic {
    pub(super) fn figures(&self, now: Time, sockets: u64) -> Figures {
        let counted = self.counted();
        let (rate, times) = (counted.recent.last(now, RATE_OF), counted.recent.last(now, TIMES_OF));
        let today = counted.today.at(now);
        Figures {
            current_rps: rate.rps,
            avg_response_ms: times.avg_ms,
            p50_response_ms: times.p50_ms,
            p95_response_ms: times.p95_ms,
            p99_response_ms: times.p99_ms,
            requests_today: today.requests,
            errors_today: today.errors,
            refused_today: today.refused,
            sockets,
            as_of: now,
        }
    }

    /// How things are now.
    pub async fn current(&self, actor: &Actor) -> Result<Current, ApiError> {
        let reach = actor.require(Action::Traffic)?;
        let (sockets, people) = self.inner.presence.load(reach).await?;
        let (in_use, open) = self.inner.store.pool();
        Ok(Current {
            active_users: people.active,
            online_users: people.online,
            figures: self.figures(self.inner.clock.now(), sockets),
            database: Pool { in_use, open },
        })
    }

    /// The last minutes, in steps that are over.
    pub async fn line(&self, actor: &Actor, minutes: i64) -> Result<Line, ApiError> {
        actor.require(Action::Traffic)?;
        if !(1..=MINUTES_MAX).contains(&minutes) {
            return Err(ApiError::invalid("minutes", "Use 1 to 10080 minutes, which is a week."));
        }
        let now = self.inner.clock.now();
        let seconds = |step: i64| {
            let items = self.counted().recent.series(now, step, minutes * 60 / step);
            Line { step, items, as_of: now }
        };
        if minutes <= BY_SECOND {
            return Ok(seconds(1));
        }
        if minutes <= BY_MINUTE {
            return Ok(seconds(60));
        }
        let to = slot_of(now);
        let from = slot_of(to.plus(-minutes * MINUTE));
        let report = self.report(from, to, SLOT, now).await?;
        Ok(Line { step: SLOT / SECOND, items: report.points, as_of: now })
    }

    /// Everything of a range.
    pub async fn shown(&self, actor: &Actor, range: Range) -> Result<Shown, ApiError> {
        let reach = actor.require(Action::Traffic)?;
        let current = self.current(actor).await?;
        let now = self.inner.clock.now();
        let (step, steps) = range.steps();
        // The last step is the running one.
        let to = Time((now.0.div_euclid(step) + 1) * step);
        let from = to.plus(-steps * step);
        let report = self.report(from, to, step, now).await?;
        let (points, step) = match range {
            Range::Hour => (self.counted().recent.up_to_now(now, 60, 60), MINUTE),
            Range::Day | Range::Week => (report.points.clone(), step),
        };
        Ok(Shown {
            current,
            points,
            step,
            report,
            from,
            zone: self.inner.activity.zone(),
            top: self.top(now, reach).await?,
        })
    }

    /// Rows that were written, and those in memory, which are newer.
    async fn report(&self, from: Time, to: Time, step: i64, now: Time) -> Result<Report, ApiError> {
        let store = &self.inner.store;
        let held: Vec<Row> = self.counted().slots.rows();
        let slots: HashSet<Time> = held.iter().map(|r| r.slot).collect();
        let written = store.within(rows::between(store.read(), from, to)).await?;
        let rows = written.into_iter().filter(|r| !slots.contains(&r.slot)).chain(held);
        Ok(Report::of(rows, from, to, step, now))
    }

    async fn top(&self, now: Time, reach: Reach) -> Result<Vec<(UserCard, u64)>, ApiError> {
        let top = self.counted().callers.top(now, reach, TOP);
        let ids: Vec<_> = top.iter().map(|(id, _)| *id).collect();
        let store = &self.inner.store;
        let cards = store.within(card::by_ids(store.read(), &ids)).await?;
        // Whoever was deleted since is in no list.
        let of = |(id, n): (domain::UserId, u64)| cards.iter().find(|c| c.id == id).map(|c| (c.clone(), n));
        Ok(top.into_iter().filter_map(of).collect())
    }
}
