//! The power of two choices (Mitzenmacher 2001): of two replicas picked at random, the less busy one.

use rand::{Rng, RngExt};

use crate::proxy::upstream::WeightedUpstream;

/// Picks the one of two replicas that has fewer requests in flight. As in Traefik, two equal picks become neighbours,
/// and a tie goes to the first.
pub fn pick(candidates: &[WeightedUpstream], random: &mut impl Rng) -> usize {
    let count = candidates.len();
    let first = random.random_range(0..count);
    let second = random.random_range(0..count);
    let second = if first == second { (first + 1) % count } else { second };
    if candidates[second].in_flight() < candidates[first].in_flight() { second } else { first }
}
