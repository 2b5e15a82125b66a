//! A small generator, so that the same demo plays the same way each time.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good. Not for secrets.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; the bias of the remainder does not show in a story.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// A pause from `from` to `to` seconds.
    pub(super) fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from * 1_000 + self.below((to - from) * 1_000))
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_plays_the_same() {
        let play = |seed| {
            let mut chance = Chance::new(seed);
            [0; 4].map(|_| chance.below(1_000))
        };
        assert_eq!(play(7), play(7));
        assert_ne!(play(7), play(8));
        assert!((0..100).all(|_| Chance::new(3).seconds(2, 5) < Duration::from_secs(5)));
    }
}
