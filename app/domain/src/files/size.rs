//! How much may come, and sizes as people read and write them: kB, MB, GB and TB are thousands, as on a disk's label.

use crate::{ApiError, ErrorCode};

const UNITS: [(&str, u64); 5] =
    [("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];
/// What a form or a multipart body has around its file.
const AROUND: u64 = 16 * 1024;

/// How much of a person's next file may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Of one file.
    pub limit: u64,
    /// Of all files of a person; 0 is no limit.
    pub quota: u64,
    /// What they have already.
    pub used: u64,
}

impl Room {
    /// What is wrong with a file of this size.
    pub fn check(self, size: u64) -> Result<(), ApiError> {
        if size > self.limit {
            let message = format!("A file may have {} at most.", bytes_text(self.limit));
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        if self.quota > 0 && self.used.saturating_add(size) > self.quota {
            let left = bytes_text(self.quota.saturating_sub(self.used));
            let message = format!(
                "All your files may have {} together, and {left} are left. Delete some first.",
                bytes_text(self.quota)
            );
            return Err(ApiError::new(ErrorCode::TooLarge, message));
        }
        Ok(())
    }

    /// The same before anything was read, by the length of the whole request: what is around the file is allowed for.
    pub fn check_length(self, length: u64) -> Result<(), ApiError> {
        self.check(length.saturating_sub(AROUND))
    }
}

/// `1.4 MB`, cut and not rounded, so that nothing seems larger than it is.
pub fn bytes_text(n: u64) -> String {
    let (unit, size) = UNITS.iter().rev().find(|(_, size)| n >= *size).unwrap_or(&UNITS[0]);
    let (whole, tenth) = (n / size, n % size * 10 / size);
    if whole < 100 && *size > 1 && tenth > 0 { format!("{whole}.{tenth} {unit}") } else { format!("{whole} {unit}") }
}

/// A size such as `100MB`, `64 KiB` or `5GB`.
pub fn bytes_of(text: &str) -> Result<u64, String> {
    let wrong = || "use a size such as 500kB, 100MB or 5GB".to_owned();
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let size = match unit.trim().to_lowercase().as_str() {
        "" if number == 0 => 1,
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(size).filter(|n| i64::try_from(*n).is_ok()).ok_or_else(wrong)
}

/// Exactly, in one unit: `100MB`.
pub(crate) fn exact_text(n: u64) -> String {
    let (unit, size) = UNITS.iter().rev().find(|(_, size)| n >= *size && n.is_multiple_of(*size)).unwrap_or(&UNITS[0]);
    if n == 0 { "0".to_owned() } else { format!("{}{unit}", n / size) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_read_well() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_499_999, "1.4 MB"),
            (99_950_000, "99.9 MB"),
            (100_900_000, "100 MB"),
            (5_000_000_000, "5 GB"),
        ] {
            assert_eq!(bytes_text(n), text);
        }
        assert_eq!(
            (bytes_of("100MB"), bytes_of(" 5 gb "), bytes_of("1KiB")),
            (Ok(100_000_000), Ok(5_000_000_000), Ok(1024))
        );
        for bad in ["", "MB", "5", "-1MB", "1.5GB", "99999999999TB", "5 elephants"] {
            assert!(bytes_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limit_and_quota_hold_to_the_byte() {
        let room = Room { limit: 100, quota: 150, used: 60 };
        assert!(room.check(90).is_ok() && room.check(91).is_err());
        assert!(Room { used: 0, ..room }.check(100).is_ok() && Room { used: 0, ..room }.check(101).is_err());
        assert!(Room { quota: 0, used: u64::MAX, ..room }.check(100).is_ok());
        assert!(Room { used: u64::MAX, ..room }.check(1).is_err());
        assert!(room.check_length(90 + AROUND).is_ok() && room.check_length(91 + AROUND).is_err());
    }

    proptest! {
        #[test]
        fn sizes_read_back(n in 0..i64::MAX as u64) {
            prop_assert_eq!(bytes_of(&exact_text(n)), Ok(n));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}", n: u64) {
            let _ = (bytes_of(&text), bytes_text(n));
        }
    }
}
