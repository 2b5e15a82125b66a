//! `rollcall sessions stats`.

use domain::{
    Actor,
    session::SessionStats,
    time::{SECOND, human},
};

use super::StatsArgs;
use crate::cli::{failure::Failure, out};

pub(super) async fn run(args: StatsArgs) -> Result<(), Failure> {
    let stats = args.database.open().await?.sessions.stats(&Actor::Operator).await?;
    if args.json { out::json(&stats) } else { out::text(text(&stats)) }
}

fn text(s: &SessionStats) -> String {
    let length = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), |s| human((s as i64) * SECOND));
    let mut lines = vec![
        format!("{:>9}  live", s.now.live),
        format!("{:>9}  ended", s.ended),
        format!("{:>9}  expired, not cleaned up yet", s.expired_uncleaned),
        format!("{:>9}  in all", s.total),
        String::new(),
        format!("average length  {}", length(s.average_seconds)),
        format!("median length   {}", length(s.median_seconds)),
        format!("oldest live     {}", s.now.oldest_at.map_or_else(|| "–".to_owned(), |t| format!("{} UTC", t.exact()))),
    ];
    for (title, groups) in [("live by role", &s.now.by_role), ("live by organisation", &s.now.by_org)] {
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(groups.iter().map(|(name, n)| format!("{n:>9}  {name}")));
    }
    lines.join("\n")
}
