//! Slots summed up: a series for a chart, and a row for each route.

use std::collections::BTreeMap;

use super::{
    Durations,
    slots::Row,
    tally::{Point, Series, Tally},
};
use crate::Time;

/// A route over a time.
#[derive(Clone, Debug)]
pub struct RouteRow {
    pub route: String,
    pub durations: Durations,
    /// Requests by class of status, of 1xx to 5xx.
    pub by_class: [u64; 5],
}

/// What the page shows of a time.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub total: Tally,
    /// Oldest first, silent steps too.
    pub points: Vec<Point>,
    /// Of requests alone, slowest first by p95.
    pub routes: Vec<RouteRow>,
    /// Requests by class of status.
    pub by_class: [u64; 5],
    /// Files, sockets and health checks.
    pub apart: Vec<RouteRow>,
}

impl Report {
    /// Sums up rows from `from` to before `to`, in steps of so many milliseconds. Those who were anonymous or bots are
    /// known of the last hour only, and are zero here. A step that `now` is in is as long as it has lasted.
    pub fn of(rows: impl IntoIterator<Item = Row>, from: Time, to: Time, step: i64, now: Time) -> Self {
        let step = step.max(1);
        let steps = to.since(from).max(0) / step;
        let mut tallies: Vec<Tally> = vec![Tally::default(); steps as usize];
        let mut routes: BTreeMap<String, RouteRow> = BTreeMap::new();
        let mut report = Self::default();
        for row in rows {
            let Some(tally) =
                usize::try_from(row.slot.since(from).div_euclid(step)).ok().and_then(|i| tallies.get_mut(i))
            else {
                continue;
            };
            let (n, class) = (row.durations.n(), usize::from(row.class.clamp(1, 5)) - 1);
            match Series::of(&row.route) {
                Series::Files => tally.totals.files += n,
                Series::Sockets => tally.totals.sockets += n,
                Series::Health => tally.totals.health += n,
                Series::Requests => {
                    tally.totals.errors += if class == 4 { n } else { 0 };
                    tally.totals.refused += if class == 3 { n } else { 0 };
                    tally.durations.add(&row.durations);
                    report.by_class[class] += n;
                }
            }
            let of = routes.entry(row.route).or_insert_with_key(|route| RouteRow {
                route: route.clone(),
                durations: Durations::default(),
                by_class: [0; 5],
            });
            of.durations.add(&row.durations);
            of.by_class[class] += n;
        }
        for (i, tally) in (0..).zip(&tallies) {
            let at = from.plus(i * step);
            report.points.push(tally.point(at, step.min(now.since(at))));
            report.total.add(tally);
        }
        let (mut requests, apart): (Vec<_>, Vec<_>) =
            routes.into_values().partition(|r| Series::of(&r.route) == Series::Requests);
        let slow = |r: &RouteRow| r.durations.quantile_ms(0.95).unwrap_or_default();
        requests.sort_by(|a, b| slow(b).total_cmp(&slow(a)));
        report.routes = requests;
        report.apart = apart;
        report
    }
}
