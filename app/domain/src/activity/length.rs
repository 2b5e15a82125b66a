//! How long visits and sessions are.

use crate::{Time, session::EndReason, time::Millis};

/// Mean and median of some lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    pub n: usize,
    pub mean: Millis,
    /// Of an even number, the middle of the two in the middle.
    pub median: Millis,
}

impl Lengths {
    pub fn of(mut all: Vec<Millis>) -> Self {
        let n = all.len();
        if n == 0 {
            return Self::default();
        }
        all.sort_unstable();
        let sum: i128 = all.iter().map(|ms| i128::from(*ms)).sum();
        let median = Millis::midpoint(all[(n - 1) / 2], all[n / 2]);
        Self { n, mean: (sum / n as i128) as Millis, median }
    }
}

/// What a session's length is computed from.
#[derive(Clone, Copy, Debug)]
pub struct SignIn {
    pub began: Time,
    pub last_activity: Time,
    /// When it ended and why; nothing while it is open.
    pub ended: Option<(Time, EndReason)>,
}

impl SignIn {
    /// Nothing while it is open. A session that ran out lasted until its last activity, whenever that was noticed.
    pub fn length(&self) -> Option<Millis> {
        let (at, reason) = self.ended?;
        let end = match reason {
            EndReason::IdleTimeout | EndReason::AbsoluteTimeout => self.last_activity,
            _ => at,
        };
        Some(end.since(self.began).max(0))
    }
}

/// The lengths of those that are over, and how many are open.
pub fn session_lengths(sessions: &[SignIn]) -> (Lengths, usize) {
    let over: Vec<Millis> = sessions.iter().filter_map(SignIn::length).collect();
    let open = sessions.len() - over.len();
    (Lengths::of(over), open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MINUTE;

    #[test]
    fn v10() {
        let at = |minutes: i64| Time(minutes * MINUTE);
        let s = |began, last_activity, ended| SignIn { began: at(began), last_activity: at(last_activity), ended };
        let all = [
            s(540, 575, Some((at(580), EndReason::Logout))),
            s(600, 610, Some((at(640), EndReason::IdleTimeout))),
            s(660, 660, Some((at(690), EndReason::IdleTimeout))),
            s(720, 721, None),
        ];
        let (lengths, open) = session_lengths(&all);
        assert_eq!((lengths.mean, lengths.median, lengths.n, open), (1_000_000, 600_000, 3, 1));
    }

    #[test]
    fn nothing_has_no_length() {
        assert_eq!(Lengths::of(vec![]), Lengths::default());
        assert_eq!(Lengths::of(vec![4, 1, 2, 3]).median, 2);
        assert_eq!(Lengths::of(vec![Millis::MAX; 3]).mean, Millis::MAX);
    }
}
