//! Codes that change with time (RFC 6238): six digits, thirty seconds, HMAC-SHA-1, as every app reads them.

use domain::{Time, time::SECOND};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A code is shown for this long.
const STEP: i64 = 30 * SECOND;

pub(super) fn step_of(now: Time) -> i64 {
    now.0.div_euclid(STEP)
}

/// The code of a step.
fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash.last()? & 0xf);
    let four: [u8; 4] = hash.get(at..at + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

/// The step whose code this is: the one of now, or of a clock that is one step off. Steps up to `used` are over, so
/// that no code works twice.
pub(super) fn matching_step(secret: &[u8], typed: &str, now: Time, used: i64) -> Option<i64> {
    let now = step_of(now);
    (now - 1..=now + 1).find(|step| *step > used && code(secret, *step).is_some_and(|c| c == typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn the_vectors_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(secret, step_of(Time(seconds * SECOND))).as_deref(), Some(expected), "{seconds}");
        }
    }

    #[test]
    fn one_step_of_drift_and_each_code_once() {
        let (secret, now) = (b"12345678901234567890", Time(1_800_000_000_000));
        let step = step_of(now);
        for drift in -3..=3 {
            let code = code(secret, step + drift).unwrap();
            let expected = (drift.abs() <= 1).then_some(step + drift);
            assert_eq!(matching_step(secret, &code, now, 0), expected, "{drift}");
            assert_eq!(matching_step(secret, &code, now, step + drift), None, "{drift}");
        }
        assert_eq!(matching_step(secret, "", now, 0), None);
    }
}
