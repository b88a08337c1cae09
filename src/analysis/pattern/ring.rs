//! Rings with background traffic: each pick is followed by the next instance of the ring, or by one a few places further.
//!
//! Every turn belongs to another client with the same chance, so the distance to our next pick on the ring has a
//! geometric distribution. The likeliest ring is then the one that needs the fewest revolutions, which is the linear
//! ordering problem on the counts of pairs that follow one another. It is solved by trying all orders of few instances,
//! and by insertions from several starts (Martí and Reinelt 2011) for more.

use crate::analysis::{
    math::log_prob::{ln_factorial, ln_mean},
    series::picks::Picks,
};

/// The shares of background turns over which the prediction is averaged.
pub const SHARES: [f64; 9] = [0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
/// The share of picks that are anywhere, because the balancer was configured anew or an instance failed.
const LOST: f64 = 0.02;
/// The most instances of which all orders are tried.
const ALL_ORDERS: usize = 7;

/// The ring that fits best, and how far each pick was from the one before it, on this ring.
pub struct Ring {
    /// The instances in their order.
    pub order: Vec<usize>,
    /// The number of times that the next pick was one place ahead, two places ahead, …, `k` places ahead.
    pub jumps: Vec<u32>,
    segments: usize,
}

impl Ring {
    /// The ring that needs the fewest revolutions.
    pub fn fit(picks: &Picks) -> Ring {
        let followers = picks.followers();
        let order = best_order(&followers, picks.k);
        Ring { jumps: jumps(&followers, &order), order, segments: picks.segments.len() }
    }

    /// The log-probability with a share of background turns.
    pub fn ln(&self, share: f64) -> f64 {
        let k = self.jumps.len();
        let ln_start = -(self.segments as f64) * (k as f64).ln();
        let ahead = |index: usize| {
            let ln_geometric = (1.0 - share).ln() + index as f64 * share.ln() - (1.0 - share.powi(k as i32)).ln();
            ((1.0 - LOST) * ln_geometric.exp() + LOST / k as f64).ln()
        };
        let hits = self.jumps.iter().enumerate().filter(|(_, jumps)| **jumps > 0);
        ln_start + hits.map(|(index, &jumps)| f64::from(jumps) * ahead(index)).sum::<f64>()
    }

    /// The predictive log-probability, over all rings and shares.
    pub fn ln_predictive(&self) -> f64 {
        ln_mean(&SHARES.map(|share| self.ln(share))) - ln_factorial(self.order.len() - 1)
    }

    /// The log of the ratio by which any distribution of distances explains the picks better than background turns do.
    pub fn ln_lack_of_fit(&self) -> f64 {
        let share = self.share();
        let total = f64::from(self.jumps.iter().sum::<u32>());
        let freely: f64 =
            self.jumps.iter().map(|&n| if n == 0 { 0.0 } else { f64::from(n) * (f64::from(n) / total).ln() }).sum();
        freely - self.ln(share) - self.segments as f64 * (self.jumps.len() as f64).ln()
    }

    /// The likeliest share of background turns.
    pub fn share(&self) -> f64 {
        max_likelihood_share(share_grid(0.98), |share| self.ln(share))
    }

    /// The largest log-probability with a share of background turns up to this.
    pub fn ln_max_likelihood(&self, share: f64) -> f64 {
        share_grid(share).map(|share| self.ln(share)).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The share that makes the picks the likeliest.
pub fn max_likelihood_share(shares: impl Iterator<Item = f64>, ln: impl Fn(f64) -> f64) -> f64 {
    let each = shares.map(|share| (share, ln(share)));
    each.max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0.0, |(share, _)| share)
}

/// Shares up to this one, in small steps.
pub fn share_grid(share: f64) -> impl Iterator<Item = f64> {
    [0.001, 0.003, 0.01]
        .into_iter()
        .chain((1..50).map(|step| f64::from(step) * 0.02))
        .filter(move |s| *s <= share + 1e-9)
}

fn jumps(followers: &[u32], order: &[usize]) -> Vec<u32> {
    let k = order.len();
    let mut jumps = vec![0; k];
    for (from, &one) in order.iter().enumerate() {
        for (to, &other) in order.iter().enumerate() {
            jumps[(to + k - from - 1) % k] += followers[one * k + other];
        }
    }
    jumps
}

/// The number of revolutions: the number of times that the next pick is not further on in this order.
fn revolutions(followers: &[u32], order: &[usize]) -> u32 {
    let k = order.len();
    (0..k)
        .flat_map(|at| (0..=at).map(move |before| (at, before)))
        .map(|(at, b)| followers[order[at] * k + order[b]])
        .sum()
}

fn best_order(followers: &[u32], k: usize) -> Vec<usize> {
    let mut best: Vec<usize> = (0..k).collect();
    if k <= ALL_ORDERS {
        let mut order = best.clone();
        let mut fewest = revolutions(followers, &best);
        // a ring has no beginning, so the first stays
        while next_permutation(&mut order[1..]) {
            let needs = revolutions(followers, &order);
            if needs < fewest {
                (fewest, best) = (needs, order.clone());
            }
        }
        return best;
    }
    let mut fewest = u32::MAX;
    let starts = 6.min(k);
    for start in 0..2 * starts {
        let mut order =
            if start < starts { greedy(followers, k, start * k / starts) } else { shuffled(k, start as u64) };
        improve(followers, &mut order);
        let needs = revolutions(followers, &order);
        if needs < fewest {
            (fewest, best) = (needs, order);
        }
    }
    best
}

/// An order that goes from each instance to its most frequent follower that it does not hold yet.
fn greedy(followers: &[u32], k: usize, start: usize) -> Vec<usize> {
    let mut order = vec![start];
    while order.len() < k {
        let last = order[order.len() - 1];
        let next = (0..k).filter(|next| !order.contains(next)).max_by_key(|next| followers[last * k + next]);
        order.extend(next);
    }
    order
}

/// An arbitrary order, the same for the same seed.
fn shuffled(k: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..k).collect();
    let mut state = seed;
    for index in (1..k).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(index, ((state >> 33) % (index as u64 + 1)) as usize);
    }
    order
}

/// Moves each instance to the place where it saves the most revolutions, until no move saves any.
fn improve(followers: &[u32], order: &mut Vec<usize>) {
    let k = order.len();
    let gain = |one: usize, other: usize| i64::from(followers[one * k + other]) - i64::from(followers[other * k + one]);
    for _ in 0..50 {
        let mut improved = false;
        for one in 0..k {
            let Some(at) = order.iter().position(|&other| other == one) else { continue };
            let (mut best, mut to) = (0, at);
            let mut saved = 0;
            for (later, &other) in order.iter().enumerate().skip(at + 1) {
                saved += gain(other, one);
                if saved > best {
                    (best, to) = (saved, later);
                }
            }
            saved = 0;
            for earlier in (0..at).rev() {
                saved += gain(one, order[earlier]);
                if saved > best {
                    (best, to) = (saved, earlier);
                }
            }
            if to != at {
                order.remove(at);
                order.insert(to, one);
                improved = true;
            }
        }
        if !improved {
            break;
        }
    }
}

/// The next permutation in lexical order; false after the last.
pub fn next_permutation(items: &mut [usize]) -> bool {
    let Some(pivot) = (1..items.len()).rev().find(|&at| items[at - 1] < items[at]) else { return false };
    if let Some(swap) = (pivot..items.len()).rev().find(|&at| items[at] > items[pivot - 1]) {
        items.swap(pivot - 1, swap);
    }
    items[pivot..].reverse();
    true
}
