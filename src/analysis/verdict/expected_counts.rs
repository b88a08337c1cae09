//! Expected counts: the bounds of the answers of each instance if the pattern that was named is the balancer's.

use std::collections::BTreeMap;

use crate::model::trace::{InstanceId, Series};

use crate::analysis::{
    pattern::finding::Finding,
    series::sequence::{Sequence, Visibility},
    verdict::{Order, RoundShares},
};

/// The probability that even draws have some count outside of its bounds.
pub const OUTLIER_CHANCE: f64 = 1e-3;

/// The least and the most answers of each instance. The map is empty where the pattern gives no bounds: where others
/// took turns, where shares differ by chance, where something else than the order decides.
pub fn bound_counts(found: &Finding, series: &Series, sequence: &Sequence) -> BTreeMap<InstanceId, (usize, usize)> {
    let answered = series.requests.iter().filter(|request| request.instance.is_some()).count();
    let ids: Vec<InstanceId> = sequence.counts().into_iter().map(|(id, _)| id).collect();
    let k = ids.len();
    let shares = found.algorithm().round_shares();
    if found.algorithm().counts_are_a_sample() && found.even == Some(true) {
        let range = draws_range(answered, k);
        return ids.into_iter().map(|id| (id, range)).collect();
    }
    if shares.is_none() || found.background.is_some() || !series.others.is_empty() {
        return BTreeMap::new();
    }
    // a request without an answer may have taken a turn
    let unanswered = series.requests.len() - answered;
    let turns = answered + unanswered;
    let sum: u32 = found.weights.iter().map(|(_, weight)| weight).sum();
    let range = |id: InstanceId| {
        let weight = found.weights.iter().find(|(one, _)| *one == id).map(|(_, weight)| *weight);
        let repeating = match (found.repeats_after, weight) {
            (Some(period), Some(weight)) => {
                Some(periodic_range(turns, period, weight as usize * period / sum as usize))
            }
            _ => None,
        };
        let (least, most) = match (repeating, found.order) {
            (Some(range), Some(Order::Changing)) if shares == Some(RoundShares::Equal) => {
                let (least, most) = rounds_range(turns, k);
                (least.max(range.0), most.min(range.1))
            }
            (None, Some(Order::Changing)) if shares == Some(RoundShares::Equal) => rounds_range(turns, k),
            (None, None) if sequence.visibility == Visibility::CountsOnly => periodic_range(turns, k, 1),
            (repeating, _) => repeating?,
        };
        Some((id, (least.saturating_sub(unanswered), most)))
    };
    ids.into_iter().filter_map(range).collect()
}

/// The least and the most picks of an instance in `turns` turns of an order that repeats after `period` and holds it
/// `weight` times.
fn periodic_range(turns: usize, period: usize, weight: usize) -> (usize, usize) {
    let (whole, rest) = (turns / period * weight, turns % period);
    (whole + (weight + rest).saturating_sub(period), whole + weight.min(rest))
}

/// The least and the most picks of an instance in `turns` turns of rounds that hold each of `k` instances once. The
/// first round may have begun before.
fn rounds_range(turns: usize, k: usize) -> (usize, usize) {
    let begun = (0..k.min(turns + 1)).map(|head| {
        let (whole, tail) = ((turns - head) / k, (turns - head) % k);
        (whole, whole + usize::from(head > 0) + usize::from(tail > 0))
    });
    begun.fold((usize::MAX, 0), |(least, most), (low, high)| (least.min(low), most.max(high)))
}

/// The least and the most picks of each of `k` instances in `draws` even draws, but for a chance of [`OUTLIER_CHANCE`]
/// over all instances.
fn draws_range(draws: usize, k: usize) -> (usize, usize) {
    let share = 1.0 / k as f64;
    let tail = OUTLIER_CHANCE / (2 * k) as f64;
    (low_quantile(draws, share, tail), draws - low_quantile(draws, 1.0 - share, tail))
}

/// The largest number that fewer of the draws than that hit with a probability of at most `tail`.
fn low_quantile(draws: usize, share: f64, tail: f64) -> usize {
    let mut ln = draws as f64 * (1.0 - share).ln();
    let mut below = 0.0;
    for count in 0..draws {
        below += ln.exp();
        if below > tail {
            return count;
        }
        ln += ((draws - count) as f64 / (count + 1) as f64).ln() + share.ln() - (1.0 - share).ln();
    }
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_a_repeating_order_holds_each_as_often_as_it_can() {
        // a ring
        assert_eq!(periodic_range(30, 5, 1), (6, 6));
        assert_eq!(periodic_range(32, 5, 1), (6, 7));
        // aab: two or three in a row hold a once or twice, or both
        assert_eq!(periodic_range(30, 3, 2), (20, 20));
        assert_eq!(periodic_range(31, 3, 2), (20, 21));
        assert_eq!(periodic_range(32, 3, 2), (21, 22));
        assert_eq!(periodic_range(2, 3, 1), (0, 1));
    }

    #[test]
    fn rounds_may_be_begun_in_the_middle() {
        // with three, seven in a row may be `bc bac ab`, which holds b three times, or `bc bac bc`, which holds a once
        assert_eq!(rounds_range(7, 3), (1, 3));
        assert_eq!(rounds_range(6, 3), (1, 3));
        assert_eq!(rounds_range(8, 3), (2, 4));
        assert_eq!(rounds_range(4, 2), (1, 3));
        assert_eq!(rounds_range(0, 2), (0, 0));
    }

    #[test]
    fn even_draws_vary_by_chance() {
        // exactly: of ten throws of a coin, none or one come up 11 times in 1024
        assert_eq!(low_quantile(10, 0.5, 0.01), 1);
        assert_eq!(low_quantile(10, 0.5, 0.011), 2);
        let (least, most) = draws_range(100, 5);
        assert!((5..=8).contains(&least) && (34..=37).contains(&most), "{least} {most}");
        let (least, most) = draws_range(1_000_000, 2);
        assert!((498_000..498_500).contains(&least) && least + most == 1_000_000, "{least} {most}");
    }
}
