//! Free jumps: a ring of which others take turns in a rhythm of their own.
//!
//! Where others come at random, the distance to our next pick on the ring has a geometric distribution ([`ring`](super::ring)).
//! Another client that sends one request after the other falls in step with the probe: it takes one turn between two of
//! ours again and again, until a pause changes that. So the distance has any distribution here, which may depend on the
//! distance before and may change. It is learned with the estimates of Krichevsky and Trofimov (1981), by predictors that forget at
//! different speeds.
//!
//! The distances say nothing where most picks repeat the one before: a cache or a clock makes these as well.

use crate::analysis::{
    math::log_prob::{ln_factorial, ln_mean},
    pattern::ring::next_permutation,
    series::picks::Picks,
};

/// The most instances of which all rings are tried.
const ALL_RINGS: usize = 7;
/// The share of distances that a predictor keeps in mind from one pick to the next.
const MEMORIES: [f64; 2] = [1.0, 0.93];
/// The largest share of picks that repeat the one before.
const MOST_REPEATS: f64 = 0.5;

/// The log-probability of the picks on a ring with free jumps, as predicted pick by pick; `None` where the distances on a ring
/// say nothing: between two instances, or where most picks repeat the one before.
pub fn ln_predictive(picks: &Picks) -> Option<f64> {
    let followers = picks.followers();
    let pairs: u32 = followers.iter().sum();
    let repeats: u32 = (0..picks.k).map(|one| followers[one * picks.k + one]).sum();
    if picks.k < 3 || f64::from(repeats) > MOST_REPEATS * f64::from(pairs) {
        return None;
    }
    let ring = most_orderly_ring(&followers, picks.k)?;
    let each: Vec<f64> =
        [0, 1].into_iter().flat_map(|depth| MEMORIES.map(|memory| ln_jumps(picks, &ring, depth, memory))).collect();
    let ln_start = -(picks.segments.len() as f64) * (picks.k as f64).ln();
    Some(ln_mean(&each) + ln_start - ln_factorial(picks.k - 1))
}

/// The largest log-probability of picks that repeat the one before with some chance, and are otherwise drawn independently.
pub fn ln_max_repeating(picks: &Picks) -> f64 {
    let (k, followers) = (picks.k, picks.followers());
    let n = picks.len() as f64;
    // with the shares that were seen, which are the best ones up to a factor for each instance
    let share: Vec<f64> = picks.counts.iter().map(|&count| count as f64 / n).collect();
    let (mut again, mut other, mut ln) = (0.0, 0.0, 0.0);
    for (one, next) in (0..k).flat_map(|one| (0..k).map(move |next| (one, next))) {
        let count = f64::from(followers[one * k + next]);
        if one == next {
            again += count;
        } else if count > 0.0 {
            other += count;
            ln += count * (share[next] / (1.0 - share[one])).ln();
        }
    }
    let term = |count: f64| if count > 0.0 { count * (count / (again + other)).ln() } else { 0.0 };
    ln + term(again) + term(other) + k as f64 - picks.segments.len() as f64 * (k as f64).ln()
}

/// The ring on which the distances are distributed the least evenly; `None` for too many instances.
fn most_orderly_ring(followers: &[u32], k: usize) -> Option<Vec<usize>> {
    if k > ALL_RINGS {
        return None;
    }
    let orderliness = |ring: &[usize]| {
        let mut jumps = vec![0_u32; k];
        for (from, &one) in ring.iter().enumerate() {
            for (to, &other) in ring.iter().enumerate() {
                jumps[(to + k - from) % k] += followers[one * k + other];
            }
        }
        jumps.into_iter().filter(|n| *n > 0).map(|n| f64::from(n) * f64::from(n).ln()).sum::<f64>()
    };
    let mut ring: Vec<usize> = (0..k).collect();
    let mut best = (orderliness(&ring), ring.clone());
    // a ring has no beginning, so the first stays
    while next_permutation(&mut ring[1..]) {
        let orderly = orderliness(&ring);
        if orderly > best.0 {
            best = (orderly, ring.clone());
        }
    }
    Some(best.1)
}

/// The log-probability of the distances by a predictor that looks `depth` distances back and forgets.
fn ln_jumps(picks: &Picks, ring: &[usize], depth: usize, memory: f64) -> f64 {
    let k = picks.k;
    let mut place = vec![0; k];
    ring.iter().enumerate().for_each(|(at, &one)| place[one] = at);
    // by the distance before, and one row for the first distance of a segment
    let mut counts = vec![vec![0.0; k]; k + 1];
    let mut ln = 0.0;
    for segment in &picks.segments {
        let mut context = k;
        for pair in segment.windows(2) {
            let jump = (place[pair[1]] + k - place[pair[0]]) % k;
            let row = &mut counts[context];
            let total: f64 = row.iter().sum();
            ln += ((row[jump] + 0.5) / (total + 0.5 * k as f64)).ln();
            row.iter_mut().for_each(|count| *count *= memory);
            row[jump] += 1.0;
            context = if depth == 0 { k } else { jump };
        }
    }
    ln
}
