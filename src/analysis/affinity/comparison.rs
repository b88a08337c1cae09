//! Comparisons by lot: judge if something that the probe adds to its requests keeps them on an instance, such as a cookie or
//! a kept connection.
//!
//! Requests with the addition, which are *treated*, and *control* requests without it are sent in one pass, in blocks of
//! [`BLOCK`] of each. The order within a block is drawn by lot. If the addition plays no part, every other order of the
//! lot would have met the same instances, so that the treated requests are any half of the block: the exact
//! randomisation test of Fisher (1935). It assumes nothing of the balancer and of its surroundings: others may be in step,
//! servers may come and go, shares and clocks may be what they want.
//!
//! Each block is a bet that its treated requests meet the instance, or the group of instances, that the treated ones before
//! it have met. The product of these fair bets exceeds 1/alpha by chance with a probability of at most alpha, after whichever block
//! one looks (Ville 1939).

use std::collections::BTreeSet;

use crate::{
    analysis::math::log_prob::{ln_choose, ln_mean, probability},
    model::trace::{InstanceId, Series},
};

/// The number of treated requests in a block, and the number of control requests.
pub const BLOCK: usize = 4;
/// The ratios by which a bet takes a treated request to be likelier on the instance than a control request. The smaller
/// one loses less where an instance goes meanwhile.
const ODDS: [f64; 2] = [30.0, 3000.0];
/// The treated requests before a block that name its group.
const RECENT: usize = 24;

/// The result of a comparison by lot.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The number of treated requests in whole blocks.
    pub treated: usize,
    /// The chance that the treated requests follow one instance as closely if the addition plays no part.
    pub one_instance_p: f64,
    /// The same chance for a group of several instances.
    pub group_p: f64,
}

impl Comparison {
    /// Compares the treated requests with the control requests. `before` are the instances of treated requests before the
    /// pass, in the order of sending.
    pub fn of_series(before: &[InstanceId], treated: &Series, control: &Series) -> Comparison {
        let blocks = treated.requests.chunks_exact(BLOCK).zip(control.requests.chunks_exact(BLOCK));
        let mut known: Vec<InstanceId> = before.to_vec();
        let (mut one, mut group) = ([0.0; ODDS.len()], [0.0; ODDS.len()]);
        let mut count = 0;
        for (treated, control) in blocks {
            let treated: Vec<Option<InstanceId>> = treated.iter().map(|request| request.instance).collect();
            let control: Vec<Option<InstanceId>> = control.iter().map(|request| request.instance).collect();
            let last: BTreeSet<InstanceId> = known.last().copied().into_iter().collect();
            let recent = known[known.len().saturating_sub(RECENT)..].iter().copied().collect();
            for (index, odds) in ODDS.into_iter().enumerate() {
                one[index] += ln_bet(&last, &treated, &control, odds);
                group[index] += ln_bet(&recent, &treated, &control, odds);
            }
            known.extend(treated.iter().flatten());
            count += treated.len();
        }
        // one of the two is named
        let p = |lns: &[f64]| probability(2f64.ln() - ln_mean(lns));
        Comparison { treated: count, one_instance_p: p(&one), group_p: p(&group) }
    }

    /// The number of treated requests with which one of `instances` instances can be named at the earliest, if no control request meets
    /// the treated ones' instance: as many blocks as bring the chance below `alpha`.
    pub fn requests_needed(instances: usize, alpha: f64) -> usize {
        // of the control requests, one of `instances` meets the same instance
        let marked = BLOCK as f64 * (1.0 + 1.0 / instances.max(2) as f64);
        let each = ln_choose(2 * BLOCK, BLOCK) - ln_choose(marked.floor() as usize, BLOCK);
        let blocks = ((4.0 / alpha).ln() / each).ceil().max(1.0);
        blocks as usize * BLOCK
    }
}

/// The logarithm of the gain of the bet that the treated requests of a block meet these instances.
fn ln_bet(
    instances: &BTreeSet<InstanceId>,
    treated: &[Option<InstanceId>],
    control: &[Option<InstanceId>],
    odds: f64,
) -> f64 {
    let meets = |requests: &[Option<InstanceId>]| {
        requests.iter().flatten().filter(|instance| instances.contains(instance)).count()
    };
    let (seen, marked) = (meets(treated), meets(treated) + meets(control));
    let (size, all) = (treated.len(), treated.len() + control.len());
    let ways = |met: usize| -> f64 {
        if met > marked || size - met > all - marked {
            return 0.0;
        }
        (ln_choose(marked, met) + ln_choose(all - marked, size - met) - ln_choose(all, size)).exp()
    };
    let mean: f64 = (0..=size).map(|met| ways(met) * odds.powi(met as i32)).sum();
    seen as f64 * odds.ln() - mean.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<Option<InstanceId>> {
        text.bytes().map(|letter| Some(InstanceId(u16::from(letter - b'a')))).collect()
    }

    #[test]
    fn a_bet_is_fair() {
        // over all ways to draw 4 of these 8, the mean gain is 1
        let all = ids("aabcabca");
        let a = BTreeSet::from([InstanceId(0)]);
        let mut gains = Vec::new();
        for lot in 0_u32..256 {
            if lot.count_ones() == 4 {
                let drawn =
                    |one: u32| -> Vec<_> { (0..8).filter(|at| lot >> at & 1 == one).map(|at| all[at]).collect() };
                gains.push(ln_bet(&a, &drawn(1), &drawn(0), 30.0).exp());
            }
        }
        let mean = gains.iter().sum::<f64>() / gains.len() as f64;
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn requests_that_stay_among_others_win_and_equal_ones_do_not() {
        let a = BTreeSet::from([InstanceId(0)]);
        assert!(ln_bet(&a, &ids("aaaa"), &ids("bcde"), 3000.0) > 4.0);
        assert!(ln_bet(&a, &ids("aaaa"), &ids("aaaa"), 3000.0).abs() < 1e-9);
        assert!(ln_bet(&a, &ids("abcd"), &ids("abcd"), 30.0) < 0.0);
    }
}
