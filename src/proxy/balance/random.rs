//! Random picks: every replica has the same chance, whatever was picked before.

use rand::{Rng, RngExt};

/// Picks one of `count` replicas.
pub fn pick(count: usize, random: &mut impl Rng) -> usize {
    random.random_range(0..count)
}
