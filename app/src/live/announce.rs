//! What is said of people who come and go, to who asked for it: only news, and not all the time.

use domain::{Time, time::Millis};
use uuid::Uuid;

/// Between two announcements.
const EVERY: Millis = 30_000;

/// What was said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced(Option<(Time, u32, Vec<Uuid>)>);

impl Announced {
    /// What to say now, if anything. `all` is everybody who is here, if all of them are known: only then can it be
    /// told who joined and who left from those who are merely in the list or not.
    pub(crate) fn next(&mut self, now: Time, online: u32, all: Option<&[Uuid]>) -> Option<String> {
        let here = all.unwrap_or_default();
        let count = |of: &[Uuid], but: &[Uuid]| of.iter().filter(|id| !but.contains(id)).count();
        let mut said = crate::text::people(online) + " online";
        if let Some((at, before, known)) = &self.0 {
            let compare = !here.is_empty() && !known.is_empty();
            let (joined, left) = if compare { (count(here, known), count(known, here)) } else { (0, 0) };
            if now.since(*at) < EVERY || (online, joined, left) == (*before, 0, 0) {
                return None;
            }
            for (n, word) in [(joined, "joined"), (left, "left")] {
                if n > 0 {
                    said = format!("{said}, {n} {word}");
                }
            }
        }
        self.0 = Some((now, online, here.to_vec()));
        Some(said + ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: std::ops::Range<u128>) -> Vec<Uuid> {
        numbers.map(Uuid::from_u128).collect()
    }

    #[test]
    fn news_is_said_at_most_every_half_minute() {
        let mut said = Announced::default();
        let mut say = |s: i64, online, all: std::ops::Range<u128>| said.next(Time(s * 1_000), online, Some(&ids(all)));
        assert_eq!(say(0, 10, 0..10).as_deref(), Some("10 people online."));
        assert_eq!(say(29, 12, 0..12), None);
        assert_eq!(say(30, 12, 0..12).as_deref(), Some("12 people online, 2 joined."));
        assert_eq!(say(90, 12, 0..12), None);
        assert_eq!(say(91, 1, 11..12).as_deref(), Some("1 person online, 11 left."));
        assert_eq!(say(130, 2, 12..14).as_deref(), Some("2 people online, 2 joined, 1 left."));
    }

    #[test]
    fn of_a_part_only_the_number_is_known() {
        let mut said = Announced::default();
        assert_eq!(said.next(Time(0), 500, None).as_deref(), Some("500 people online."));
        assert_eq!(said.next(Time(30_000), 501, None).as_deref(), Some("501 people online."));
        assert_eq!(said.next(Time(60_000), 40, Some(&ids(0..40))).as_deref(), Some("40 people online."));
        assert_eq!(said.next(Time(90_000), 41, Some(&ids(0..41))).as_deref(), Some("41 people online, 1 joined."));
    }
}
