//! Likelihood ratios for and against load: each is the log of how much better one hypothesis explains the instances of the quick
//! requests than the other hypothesis does. `busy` are the instances that slow requests made busy meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    analysis::{
        load::pick::Pick,
        math::{
            independent::ln_learned,
            log_prob::{ln_best_independent, ln_mean},
        },
    },
    model::trace::InstanceId,
};

/// The log of how much better a fraction of the exact share explains the picks of busy instances than the share itself.
pub fn ln_avoided_share(picks: &[&Pick], share: &impl Fn(&Pick) -> f64) -> f64 {
    let with = |fraction: f64| {
        let each = |pick: &&Pick| match (share(pick), pick.busy.contains(&pick.instance)) {
            (_, true) => fraction.ln(),
            (share, false) => ((1.0 - fraction * share) / (1.0 - share)).ln(),
        };
        picks.iter().map(each).sum::<f64>()
    };
    ln_mean(&[0.02, 0.2, 0.5].map(with))
}

/// The log of how much better the exact share explains the picks of busy instances than any balancer that minds load.
pub fn ln_kept_share(picks: &[&Pick], share: &impl Fn(&Pick) -> f64) -> f64 {
    // at most the square of the share, whatever came before
    let each = |pick: &&Pick| match (share(pick), pick.busy.contains(&pick.instance)) {
        (share, true) => -share.ln(),
        (share, false) => -(1.0 + share).ln(),
    };
    picks.iter().map(each).sum()
}

/// The log of how much better the order that repeats without load explains the picks of busy instances than any balancer
/// that minds load.
pub fn ln_kept_order(picks: &[&Pick], share: &impl Fn(&Pick) -> f64, period: Option<usize>, k: usize) -> f64 {
    const FOLLOWED: f64 = 0.98;
    let Some(period) = period else { return f64::NEG_INFINITY };
    let each = |window: &[&Pick]| {
        let (before, pick) = (window[0], window[period]);
        // a slow request in between took a turn
        if window.iter().any(|one| one.busy != pick.busy) {
            return 0.0;
        }
        let model = if before.instance == pick.instance { FOLLOWED } else { (1.0 - FOLLOWED) / (k - 1) as f64 };
        // an idle one may be certain, for all that is known
        model.ln() - if pick.busy.contains(&pick.instance) { 2.0 * share(pick).ln() } else { 0.0 }
    };
    picks.windows(period + 1).map(each).sum()
}

/// The log ratio of two explanations of the picks. The hypothesis: a busy instance gets a fraction of its share, where
/// shares are even or learned without load. The alternative: all requests, with load and without, have the shares that
/// fit them best.
pub fn ln_avoided_counts(picks: &[&Pick], quiet: &BTreeMap<InstanceId, usize>) -> f64 {
    let counts: Vec<usize> = quiet.values().copied().collect();
    let mut all = quiet.clone();
    picks.iter().for_each(|pick| *all.entry(pick.instance).or_default() += 1);
    let same = ln_best_independent(&all.values().copied().collect::<Vec<_>>());
    let (k, n) = (counts.len() as f64, counts.iter().sum::<usize>() as f64);
    let learned = |id: &InstanceId| (quiet.get(id).copied().unwrap_or(0) as f64 + 0.5) / (n + 0.5 * k);
    let with = |share: &dyn Fn(&InstanceId) -> f64, fraction: f64| {
        let each = |pick: &&Pick| {
            let busy: f64 = pick.busy.iter().map(share).sum();
            let own = share(&pick.instance);
            if pick.busy.contains(&pick.instance) {
                (fraction * own).ln()
            } else {
                (own * (1.0 - fraction * busy) / (1.0 - busy)).ln()
            }
        };
        picks.iter().map(each).sum::<f64>()
    };
    let models = [0.02, 0.1, 0.2, 0.35, 0.5].map(|fraction| {
        ln_mean(&[ln_learned(&counts) + with(&learned, fraction), -n * k.ln() + with(&|_| 1.0 / k, fraction)])
    });
    ln_mean(&models) - same
}

/// The log of how much better the share that was counted without load explains the picks of busy instances than any
/// balancer that minds load: the mean over the sets of busy instances.
pub fn ln_kept_counts(picks: &[&Pick], quiet: &BTreeMap<InstanceId, usize>, total: usize) -> f64 {
    let mut sets: BTreeMap<&BTreeSet<InstanceId>, (usize, usize)> = BTreeMap::new();
    for pick in picks {
        let (on_busy, all) = sets.entry(&pick.busy).or_default();
        *on_busy += usize::from(pick.busy.contains(&pick.instance));
        *all += 1;
    }
    let each = |(busy, (hits, all)): (&&BTreeSet<InstanceId>, &(usize, usize))| {
        let (hits, all) = (*hits, *all);
        let before: usize = busy.iter().map(|id| quiet[id]).sum();
        let ln_coin =
            |hits: usize, all: usize, share: f64| hits as f64 * share.ln() + (all - hits) as f64 * (1.0 - share).ln();
        let minded = largest(|share| ln_coin(before, total, share) + ln_coin(hits, all, share * share));
        ln_kt_coin(before + hits, total + all) - minded
    };
    ln_mean(&sets.iter().map(each).collect::<Vec<_>>())
}

/// The largest value of a concave function of a share.
fn largest(of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (1e-9, 1.0 - 1e-9);
    for _ in 0..100 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if of(left) < of(right) { low = left } else { high = right }
    }
    of((low + high) / 2.0)
}

/// The log-probability of the throws of a coin with the estimates of Krichevsky and Trofimov (1981).
fn ln_kt_coin(hits: usize, all: usize) -> f64 {
    let half = |n: usize| (0..n).map(|i| (i as f64 + 0.5).ln()).sum::<f64>();
    half(hits) + half(all - hits) - (1..=all).map(|i| (i as f64).ln()).sum::<f64>()
}
