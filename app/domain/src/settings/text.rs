//! Values as people write them: `90s`, `24h`, `30d`; `member=30m, teacher=2h`.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A century: longer is a slip, and would overflow times.
const LONGEST: Millis = 36_500 * DAY;
/// Longer lists of roles are nobody's.
const ROLES_MAX: usize = 100;

/// A duration such as `45s`, `15m`, `1h 30m` or `30d`, from a second to a century.
pub fn duration(text: &str) -> Result<Millis, String> {
    match parts(text.trim()).ok_or("use a duration such as 45s, 15m, 24h or 30d")? {
        ms if ms < SECOND => Err("use at least 1s".to_owned()),
        ms if ms <= LONGEST => Ok(ms),
        _ => Err("use at most 36500d".to_owned()),
    }
}

/// The sum of numbers with units; nothing when it is none. Held within a century and a bit.
fn parts(mut rest: &str) -> Option<Millis> {
    let mut sum: Millis = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let tail = tail.trim_start();
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let unit = match unit {
            "ms" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
            "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
            "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            "w" | "week" | "weeks" => 7 * DAY,
            _ => return None,
        };
        if number.is_empty() {
            return None;
        }
        let number: Millis = number.parse().unwrap_or(Millis::MAX);
        sum = sum.saturating_add(number.saturating_mul(unit));
        rest = tail.trim_start();
    }
    Some(sum)
}

/// The same duration in one unit: `24h`, `90s`, `30d`.
pub fn duration_text(ms: Millis) -> String {
    match ms {
        ms if ms >= 2 * DAY && ms % DAY == 0 => format!("{}d", ms / DAY),
        ms if ms >= HOUR && ms % HOUR == 0 => format!("{}h", ms / HOUR),
        ms if ms >= MINUTE && ms % MINUTE == 0 => format!("{}m", ms / MINUTE),
        ms if ms % SECOND == 0 => format!("{}s", ms / SECOND),
        ms => format!("{ms}ms"),
    }
}

/// Durations of roles, such as `member=30m, teacher=2h`.
pub fn durations_of_roles(text: &str) -> Result<BTreeMap<String, Millis>, String> {
    of_roles(text, duration)
}

/// Numbers of roles, such as `member=1, teacher=3`.
pub fn numbers_of_roles(text: &str) -> Result<BTreeMap<String, u32>, String> {
    of_roles(text, |n| n.parse().map_err(|_| "use whole numbers".to_owned()))
}

/// Names of roles, such as `admin, manager`.
pub fn roles(text: &str) -> Result<BTreeSet<String>, String> {
    let all: BTreeSet<_> = text.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned).collect();
    if all.iter().any(|r| !is_role(r)) {
        return Err("use names of roles, such as admin, manager".to_owned());
    }
    if all.len() > ROLES_MAX {
        return Err(format!("use at most {ROLES_MAX} roles"));
    }
    Ok(all)
}

/// The name of a zone; who has the database of zones knows whether there is one.
pub fn zone(text: &str) -> Result<String, String> {
    #[cfg(feature = "zones")]
    if crate::activity::Zone::parse(text).is_none() {
        return Err("use a zone of the IANA database, such as Europe/Berlin or UTC".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether it may be the name of a role; whether there is one, the database knows.
fn is_role(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control)
}

fn of_roles<T>(text: &str, value: impl Fn(&str) -> Result<T, String>) -> Result<BTreeMap<String, T>, String> {
    let mut all = BTreeMap::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (role, said) = part.split_once('=').ok_or("use a list such as member=…, teacher=…")?;
        let role = role.trim().to_owned();
        if !is_role(&role) {
            return Err("name a role before each =".to_owned());
        }
        if all.insert(role.clone(), value(said.trim())?).is_some() {
            return Err(format!("name {role} once"));
        }
        if all.len() > ROLES_MAX {
            return Err(format!("use at most {ROLES_MAX} roles"));
        }
    }
    Ok(all)
}

/// The same list, one role after the other.
pub(super) fn of_roles_text<T>(all: &BTreeMap<String, T>, text: impl Fn(&T) -> String) -> String {
    all.iter().map(|(role, value)| format!("{role}={}", text(value))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_duration_reads_back(ms in SECOND..LONGEST) {
            prop_assert_eq!(duration(&duration_text(ms)), Ok(ms));
        }

        #[test]
        fn nothing_panics(text in "[-=, 0-9smhdwy\u{e9}]{0,24}") {
            let _ = (duration(&text), durations_of_roles(&text), numbers_of_roles(&text), roles(&text));
        }
    }

    #[test]
    fn durations_have_a_unit_and_sense() {
        assert_eq!(duration("1m 30s"), Ok(90 * SECOND));
        assert_eq!(duration(" 1h30m "), Ok(90 * MINUTE));
        assert_eq!(duration("2 weeks"), Ok(14 * DAY));
        assert_eq!([24 * HOUR, 90 * SECOND, 30 * DAY].map(duration_text), ["24h", "90s", "30d"]);
        for bad in ["", "0", "0s", "500ms", "45", "-5s", "soon", "s", "1h m", "40000d", "999999999999999999999w"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_are_a_set() {
        let read = roles(" manager,admin, admin,").unwrap();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), ["admin", "manager"]);
        assert!(roles("").unwrap().is_empty() && roles("a\u{7}b").is_err());
    }

    #[test]
    fn roles_are_named_once() {
        let read = durations_of_roles(" member = 30m ,teacher=2h,").unwrap();
        assert_eq!(of_roles_text(&read, |ms| duration_text(*ms)), "member=30m, teacher=2h");
        assert!(numbers_of_roles("").unwrap().is_empty());
        for bad in ["member", "=3", "member=x", "member=1,member=2"] {
            assert!(numbers_of_roles(bad).is_err(), "{bad}");
        }
    }
}
