//! Weighted orders with background traffic.
//!
//! For each set of weights that the counts allow, these orders are tried: the smooth one of nginx, which adds its
//! weight to each instance and picks the largest, which then pays the sum; the clumped one of older schemes (`aaabc`);
//! and the earliest virtual deadline of fair queueing (Nagle 1987; Demers, Keshav, Shenker 1989), with ties in any
//! order. A forward filter over the place in the order gives the probability of the picks under each.

use crate::analysis::{
    math::{
        log_prob::{ln_best_independent, ln_factorial, ln_mean},
        weights::lowest_terms,
    },
    pattern::ring,
    pattern::ring::next_permutation,
    series::picks::Picks,
};

/// The shares of background turns that are tried.
const SHARES: [f64; 5] = [0.01, 0.06, 0.18, 0.35, 0.55];
/// The share of picks that are anywhere, because the balancer was configured anew or an instance failed.
const LOST: f64 = 0.02;
/// The longest round that is tried for few instances.
const LONGEST: usize = 40;
/// The most sets of weights that are tried.
const MOST_SETS: usize = 10;
/// The largest weight that all instances but one may have, in a set that is tried whatever the counts are.
const MOST_EQUAL: u32 = 5;
/// The kinds of orders that are tried for each set of weights: ties in order, and in any order.
const KINDS: f64 = 2.0;
/// The most instances of which all orders are tried, because instances of equal weights come in any.
const TIES_OF: usize = 4;
/// The most instances for which all beginnings of the ring are tried.
const ROTATED: usize = 12;

/// The order of instances that are due at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// Every turn has its place.
    InOrder,
    /// Ties come in any order, which leaves little order where most weights are equal.
    InAnyOrder,
}

/// A weighted order, and how likely it makes the picks.
pub struct WeightedOrder {
    pub weights: Vec<u32>,
    pub ties: Ties,
    /// The probability of each instance at each place, in rows of `k`.
    places: Vec<f64>,
    /// The log-probability of the picks by share of background turns, as in [`SHARES`].
    by_share: Vec<f64>,
    ln_complexity: f64,
}

impl WeightedOrder {
    fn fit(picks: &Picks, weights: &[u32], places: Vec<f64>, ln_complexity: f64, ties: Ties) -> WeightedOrder {
        let by_share = SHARES.map(|share| ln_with(picks, &places, share)).to_vec();
        WeightedOrder { weights: weights.to_vec(), ties, places, by_share, ln_complexity }
    }

    /// The ratio of the largest weight to the smallest.
    pub fn spread(&self) -> f64 {
        let (least, most) = (self.weights.iter().min(), self.weights.iter().max());
        most.zip(least).map_or(1.0, |(most, least)| f64::from(*most) / f64::from(*least))
    }

    pub fn ln_predictive(&self) -> f64 {
        ln_mean(&self.by_share) - self.ln_complexity
    }

    /// The largest log-probability with a share of background turns up to this.
    pub fn ln_max_likelihood(&self, share: f64) -> f64 {
        let upto = SHARES.iter().zip(&self.by_share).filter(|(one, _)| **one <= share + 1e-9);
        upto.map(|(_, ln)| *ln).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The likeliest share of background turns.
    pub fn share(&self, picks: &Picks) -> f64 {
        ring::max_likelihood_share(ring::share_grid(0.7), |share| ln_with(picks, &self.places, share))
    }
}

/// The orders that the counts allow, one for each set of weights. `ring` is the likeliest order of equals.
pub fn fit_all(picks: &Picks, ring: &[usize]) -> Vec<WeightedOrder> {
    weight_sets(picks)
        .into_iter()
        .flat_map(|weights| [likeliest_order(picks, &weights, ring), deadline_order(picks, &weights)])
        .collect()
}

/// The orders of all sets in which one weight is one more or one less.
pub fn neighbouring_orders(picks: &Picks, weights: &[u32], ring: &[usize]) -> Vec<WeightedOrder> {
    let changed = (0..weights.len()).flat_map(|one| [-1, 1].map(|by| (one, by)));
    let sets = changed.filter_map(|(one, by)| {
        let mut set = weights.to_vec();
        set[one] = set[one].checked_add_signed(by).filter(|weight| *weight > 0)?;
        Some(set)
    });
    sets.flat_map(|set| [likeliest_order(picks, &set, ring), deadline_order(picks, &set)]).collect()
}

/// Sets of unequal weights near the counts, the nearest first.
pub fn weight_sets(picks: &Picks) -> Vec<Vec<u32>> {
    let (k, n) = (picks.k, picks.len() as f64);
    let longest = longest_round(k);
    let mut sets: Vec<Vec<u32>> = Vec::new();
    for sum in k + 1..=longest {
        let near = picks.counts.iter().map(|&count| ((count as f64 * sum as f64 / n).round() as u32).max(1));
        sets.push(lowest_terms(&near.collect::<Vec<_>>()));
    }
    let by = |most: bool| {
        (0..k).max_by_key(|&one| if most { picks.counts[one] as i64 } else { -(picks.counts[one] as i64) })
    };
    for equal in 1..=MOST_EQUAL {
        for (odd, other) in [(by(false), equal.saturating_sub(1)), (by(true), equal + 1)] {
            if let (Some(odd), 1..) = (odd, other) {
                sets.push((0..k).map(|one| if one == odd { other } else { equal }).collect());
            }
        }
    }
    sets.retain(|weights| weights.iter().any(|weight| *weight != weights[0]));
    sets.sort();
    sets.dedup();
    let best = ln_best_independent(&picks.counts);
    let distance = |weights: &[u32]| {
        let sum: u32 = weights.iter().sum();
        let ln = |(&count, &weight): (&usize, &u32)| count as f64 * (f64::from(weight) / f64::from(sum)).ln();
        // each further instance in the round has its price
        best - picks.counts.iter().zip(weights).map(ln).sum::<f64>() + 0.1 * f64::from(sum)
    };
    sets.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
    sets.truncate(MOST_SETS);
    sets
}

/// The largest sum of weights that is tried for `k` instances, but for sets in which only one weight differs.
fn longest_round(k: usize) -> usize {
    LONGEST.max(2 * k)
}

/// The log of the price of having chosen these weights by the counts: one over the probability that a set has before
/// any pick was seen. With half of the probability, one instance has a weight next to that of all others, which is at most
/// [`MOST_EQUAL`]; with the other half, all sums up to the longest round are equally likely, and all weights with this
/// sum: these are ln C(sum - 1, k - 1).
pub fn ln_choice(weights: &[u32]) -> f64 {
    let k = weights.len();
    let sum = weights.iter().sum::<u32>() as usize;
    let (least, most) = (weights.iter().min().copied().unwrap_or(1), weights.iter().max().copied().unwrap_or(1));
    let lone = [least, most].iter().any(|odd| weights.iter().filter(|weight| *weight == odd).count() == 1);
    let levels = if least + 1 == most { weights.iter().filter(|weight| **weight == most).count() } else { 0 };
    let one_differs = lone && (levels == 1 && least <= MOST_EQUAL || levels + 1 == k && most <= MOST_EQUAL);
    if one_differs {
        // each of the instances, up or down, by each of the weights that the others have
        return 2f64.ln() + (2.0 * k as f64 * f64::from(MOST_EQUAL)).ln();
    }
    let compositions = ln_factorial(sum - 1) - ln_factorial(k - 1) - ln_factorial(sum - k);
    let longest = longest_round(k).max(sum);
    2f64.ln() + ((longest - k) as f64).ln() + compositions
}

fn likeliest_order(picks: &Picks, weights: &[u32], ring: &[usize]) -> WeightedOrder {
    let begins = if picks.k <= ROTATED { picks.k } else { 1 };
    let rotated = |by: usize| ring[by..].iter().chain(&ring[..by]).copied().collect();
    let mut orders: Vec<Vec<usize>> = (0..begins).map(rotated).collect();
    orders.extend(all_orders(picks.k));
    let mut patterns: Vec<Vec<usize>> = orders
        .iter()
        .flat_map(|order| [smooth_order(weights, order), clumped(weights, order)])
        .map(least_rotation)
        .collect();
    patterns.sort();
    patterns.dedup();
    let places =
        |pattern: &Vec<usize>| pattern.iter().flat_map(|&one| (0..picks.k).map(move |k| f64::from(k == one))).collect();
    let patterns: Vec<Vec<f64>> = patterns.iter().map(places).collect();
    let ln_complexity = (patterns.len() as f64).ln() + KINDS.ln() + ln_choice(weights);
    // one share is enough to find the pattern that fits best
    let each = patterns.iter().map(|pattern| (ln_with(picks, pattern, SHARES[2]), pattern));
    let best = each.max_by(|one, other| one.0.total_cmp(&other.0));
    let best = best.map_or(Vec::new(), |(_, best)| best.clone());
    WeightedOrder::fit(picks, weights, best, ln_complexity, Ties::InOrder)
}

/// All orders of few instances, else none.
fn all_orders(k: usize) -> Vec<Vec<usize>> {
    if k > TIES_OF {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..k).collect();
    let mut orders = vec![order.clone()];
    while next_permutation(&mut order) {
        orders.push(order.clone());
    }
    orders
}

/// The smooth orders of few instances, each once; for more, one of them.
pub fn smooth_orders(k: usize, weights: &[u32]) -> Vec<Vec<usize>> {
    let mut orders = all_orders(k);
    if orders.is_empty() {
        orders.push((0..k).collect());
    }
    let mut patterns: Vec<Vec<usize>> =
        orders.iter().map(|order| least_rotation(smooth_order(weights, order))).collect();
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The earliest deadline first, with ties in any order.
fn deadline_order(picks: &Picks, weights: &[u32]) -> WeightedOrder {
    let places = by_deadline(weights);
    let ln_complexity = KINDS.ln() + ln_choice(weights);
    WeightedOrder::fit(picks, weights, places, ln_complexity, Ties::InAnyOrder)
}

/// Rotates a pattern, which has no beginning, to the least of its rotations.
fn least_rotation(pattern: Vec<usize>) -> Vec<usize> {
    let rotated = |by: usize| pattern[by..].iter().chain(&pattern[..by]).copied().collect::<Vec<_>>();
    (0..pattern.len()).map(rotated).min().unwrap_or_default()
}

/// nginx's smooth weighted round robin.
pub fn smooth_order(weights: &[u32], order: &[usize]) -> Vec<usize> {
    let sum: i64 = weights.iter().map(|&weight| i64::from(weight)).sum();
    let mut current = vec![0_i64; weights.len()];
    let mut pattern = Vec::new();
    for _ in 0..sum {
        let mut best = order[0];
        for &one in order {
            current[one] += i64::from(weights[one]);
        }
        for &one in order {
            if current[one] > current[best] {
                best = one;
            }
        }
        current[best] -= sum;
        pattern.push(best);
    }
    pattern
}

fn clumped(weights: &[u32], order: &[usize]) -> Vec<usize> {
    order.iter().flat_map(|&one| std::iter::repeat_n(one, weights[one] as usize)).collect()
}

/// The earliest deadline first, with equal deadlines in any order: the probability of each instance at each place.
fn by_deadline(weights: &[u32]) -> Vec<f64> {
    let mut deadlines: Vec<(u32, u32, usize)> = Vec::new();
    for (one, &weight) in weights.iter().enumerate() {
        deadlines.extend((1..=weight).map(|turn| (turn, weight, one)));
    }
    let same = |(turn, weight, _): &(u32, u32, usize), other: &(u32, u32, usize)| turn * other.1 == other.0 * weight;
    deadlines.sort_by(|one, other| (one.0 * other.1).cmp(&(other.0 * one.1)));
    let mut places = Vec::new();
    for group in deadlines.chunk_by(same) {
        let mut place = vec![0.0; weights.len()];
        group.iter().for_each(|(_, _, one)| place[*one] += 1.0 / group.len() as f64);
        group.iter().for_each(|_| places.extend_from_slice(&place));
    }
    places
}

/// The log-probability of the picks when they follow a pattern, and each turn belongs to another client with this
/// chance. `places` holds the probability of each instance at each place, in rows of `k`.
fn ln_with(picks: &Picks, places: &[f64], share: f64) -> f64 {
    let k = picks.k;
    let length = places.len() / k;
    let any = 1.0 / length as f64;
    let all_round = 1.0 / (1.0 - share.powi(length as i32));
    let mut state = vec![any; length];
    let mut ln = 0.0;
    for segment in &picks.segments {
        for (index, &pick) in segment.iter().enumerate() {
            let mut total = 0.0;
            // how likely each place is next, were it ours
            let mut coming = state.iter().fold(0.0, |sum, p| sum * share + p) * all_round;
            for (place, p) in state.iter_mut().enumerate() {
                let was = *p;
                let next = (1.0 - LOST) * (1.0 - share) * coming + LOST * any;
                *p = places[place * k + pick] * if index == 0 { any } else { next };
                total += *p;
                coming = coming * share + was;
            }
            ln += total.ln();
            state.iter_mut().for_each(|p| *p /= total);
        }
    }
    ln
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prices_of_all_weights_add_up_to_one_at_most() {
        let sets = |k: usize, sum: u32| {
            let mut all: Vec<Vec<u32>> = vec![Vec::new()];
            for _ in 0..k {
                all = all.iter().flat_map(|set| (1..=sum).map(|more| [set.as_slice(), &[more]].concat())).collect();
                all.retain(|set| set.iter().sum::<u32>() <= sum);
            }
            all.retain(|set| lowest_terms(set) == *set && set.iter().any(|weight| *weight != set[0]));
            all
        };
        for k in 2..=4 {
            let sum: f64 = sets(k, 40).iter().map(|weights| (-ln_choice(weights)).exp()).sum();
            assert!((0.5..=1.0).contains(&sum), "{k}: {sum}");
        }
        // ten instances have two hundred million sets of this sum
        assert!(ln_choice(&[1, 2, 3, 4, 5, 6, 7, 7, 4, 1]) > 2e8f64.ln());
    }

    #[test]
    fn smooth_weights_are_those_of_nginx() {
        // its own example: weights 5, 1, 1
        assert_eq!(smooth_order(&[5, 1, 1], &[0, 1, 2]), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(smooth_order(&[3, 1, 1], &[0, 1, 2]), [0, 1, 0, 2, 0]);
        assert_eq!(clumped(&[3, 1, 1], &[0, 1, 2]), [0, 0, 0, 1, 2]);
    }
}
