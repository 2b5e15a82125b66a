//! When the process slept or the wall clock was set: a jump that must not count against anybody.

use crate::{
    Time,
    time::{Millis, SECOND},
};

/// Whoever looks at the clocks does so every second; a gap beyond this is a time in which nobody did.
const JUMP_MIN: Millis = 3 * SECOND;

/// What happened between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jump {
    /// How far the wall clock was set, forward or back.
    pub set: Millis,
    /// How long we were deaf: stopped, starved, or suspended with the machine. Frames that came meanwhile wait to be
    /// read.
    pub deaf: Millis,
}

/// The wall clock, and one that is never set and goes on while the machine is suspended, as they stood at the last look.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    wall: Time,
    steady: Millis,
}

impl Clocks {
    pub fn new(wall: Time, steady: Millis) -> Self {
        Self { wall, steady }
    }

    /// Looks again. Tells of a jump, and the wall's time before it.
    pub fn look(&mut self, wall: Time, steady: Millis) -> Option<(Jump, Time)> {
        let last = std::mem::replace(self, Self { wall, steady });
        let passed = steady.saturating_sub(last.steady);
        let set = wall.since(last.wall).saturating_sub(passed);
        let worth = |ms: Millis| if ms.saturating_abs() > JUMP_MIN { ms } else { 0 };
        let jump = Jump { set: worth(set), deaf: worth(passed) };
        (jump != Jump::default()).then_some((jump, last.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    #[test]
    fn only_jumps_are_told() {
        let mut clocks = Clocks::new(Time(1_000), 50);
        assert_eq!(clocks.look(Time(2_000), 1_050), None);
        // Corrections of a clock that runs a little wrong are no jump.
        assert_eq!(clocks.look(Time(3_400), 2_050), None);
        let deaf = Jump { deaf: 60_000, set: 0 };
        assert_eq!(clocks.look(Time(63_400), 62_050), Some((deaf, Time(3_400))));
        assert_eq!(clocks.look(Time(64_400), 63_050), None);
        let set = Jump { deaf: 0, set: 3 * HOUR };
        assert_eq!(clocks.look(Time(65_400 + 3 * HOUR), 64_050), Some((set, Time(64_400))));
        let both = Jump { deaf: 10_000, set: -HOUR };
        assert_eq!(clocks.look(Time(75_400 + 2 * HOUR), 74_050), Some((both, Time(65_400 + 3 * HOUR))));
    }

    /// Both clocks went on while the lid was closed; by one that stood still, the wall's would seem to have been set.
    #[test]
    fn a_suspend_is_deafness() {
        let (night, before) = (8 * HOUR, Time(1_000));
        let awake = before.plus(night + 500);
        let told = Clocks::new(before, 0).look(awake, night + 500);
        assert_eq!(told, Some((Jump { deaf: night + 500, set: 0 }, before)));
        let told = Clocks::new(before, 0).look(awake, 500);
        assert_eq!(told, Some((Jump { deaf: 0, set: night }, before)));
    }
}
