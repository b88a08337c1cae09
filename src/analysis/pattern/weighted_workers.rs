//! Workers on a weighted order: several workers that each follow the same weighted order, as worker processes do if
//! each has a counter of its own, and that take turns at random.
//!
//! As in `interleaved_workers`, a forward filter over their joint positions (Rabiner 1989) predicts the picks. All
//! workers are alike, so their positions are a multiset. Where the order is not among those that are tried, the counts
//! still stay closer to the weights than chance would make them: they are *pulled* to the weights.

use std::collections::BTreeMap;

use crate::analysis::{
    pattern::{
        evidence::{ChanceEvidence, PatternEvidence, WeightsEvidence},
        finding::{Background, Finding},
        forward_filter::ln_filtered,
        weighted,
    },
    series::picks::Picks,
    verdict::Order,
};

/// The most joint positions that a filter may have.
const MOST_STATES: usize = 1500;
/// The most sets of weights that are tried.
const MOST_SETS: usize = 6;
/// The strengths with which counts are pulled to the weights: the weaker, the more workers.
const PULLS: [f64; 3] = [0.4, 0.8, 1.5];
/// The rounds that are seen before weights are named: weights that are nearly the same may look so in fewer.
const ROUNDS_WEIGHED: usize = 16;
/// The largest weight up to which all neighbours are tried.
const COARSE: u32 = 3;
/// The most workers that are tried.
pub const MAX_WORKERS: usize = 4;

/// Counters on one weighted order.
pub struct WeightedWorkers {
    pub workers: usize,
    pub weights: Vec<u32>,
    pub ln: f64,
    pub ln_predictive: f64,
}

/// Counts that are pulled to some weights.
pub struct PulledCounts {
    pub ln: f64,
    pub ln_predictive: f64,
}

/// The fit of each set of weights that the counts allow, if the counts are pulled to it.
pub fn fit_pulled(picks: &Picks) -> Vec<PulledCounts> {
    let fit = |weights: Vec<u32>| {
        let ln = PULLS.map(|pull| ln_pulled(picks, &weights, pull)).into_iter().fold(f64::NEG_INFINITY, f64::max);
        PulledCounts { ln, ln_predictive: ln - (PULLS.len() as f64).ln() - weighted::ln_choice(&weights) }
    };
    weighted::weight_sets(picks).into_iter().map(fit).collect()
}

/// The log-probability of picks of which an instance is the likelier the further it is behind its share.
fn ln_pulled(picks: &Picks, weights: &[u32], pull: f64) -> f64 {
    let sum = f64::from(weights.iter().sum::<u32>());
    let share: Vec<f64> = weights.iter().map(|&weight| f64::from(weight) / sum).collect();
    // share * e^(-pull * turns ahead), kept up to date by multiplication
    let grows: Vec<f64> = share.iter().map(|share| (pull * share).exp()).collect();
    let falls = (-pull).exp();
    let mut likely = share;
    let mut total = 1.0;
    let mut ln = 0.0;
    for pick in picks.all() {
        ln += f64::ln(likely[pick] / total);
        likely[pick] *= falls;
        likely.iter_mut().zip(&grows).for_each(|(likely, grows)| *likely *= grows / total);
        total = likely.iter().sum();
    }
    ln
}

/// The workers that explain the picks, the likeliest first.
pub fn fit_all(picks: &Picks) -> Vec<WeightedWorkers> {
    let mut found = Vec::new();
    for weights in weighted::weight_sets(picks).into_iter().take(MOST_SETS) {
        let orders = weighted::smooth_orders(picks.k, &weights);
        for workers in 2..=MAX_WORKERS {
            for pattern in &orders {
                let Some(ln) = ln_shared_order(picks, pattern, workers) else { continue };
                let ln_predictive = ln - weighted::ln_choice(&weights) - (3.0 * orders.len() as f64).ln();
                found.push(WeightedWorkers { workers, weights: weights.clone(), ln, ln_predictive });
            }
        }
    }
    found.sort_by(|one, other| other.ln_predictive.total_cmp(&one.ln_predictive));
    found
}

/// Describes the workers that explain the picks best, as a weighted round robin. `all` are the workers that were fitted, `line` is the log by which
/// other weights must be worse, and `p` the probability of the picks as independent draws.
pub fn describe_workers(
    weighted: Finding,
    best: &WeightedWorkers,
    all: &[WeightedWorkers],
    picks: &Picks,
    line: f64,
    p: f64,
) -> Finding {
    let mut found = Finding {
        order: Some(Order::Interleaved),
        background: Some(Background::Unknown),
        evidence: vec![
            PatternEvidence::Weights(WeightsEvidence::Workers { workers: best.workers, weights: best.weights.clone() }),
            PatternEvidence::Chance(ChanceEvidence::Shares { p }),
        ],
        ..weighted
    };
    let others = all.iter().filter(|one| one.weights != best.weights).map(|one| one.ln);
    // finer weights near large ones are too many to be tried
    let fine = best.weights.iter().any(|weight| *weight > COARSE);
    let few = picks.len() < ROUNDS_WEIGHED * best.weights.iter().sum::<u32>() as usize;
    if fine || few || best.ln_predictive - others.fold(f64::NEG_INFINITY, f64::max) <= line {
        found.weights.clear();
        found.evidence.push(PatternEvidence::Weights(WeightsEvidence::OthersFit));
    }
    found
}

/// The log-probability of the picks by workers that start anywhere and are equally likely to be next; `None` where the
/// workers could not have picked so, or are too many to follow. A gap may have been a turn.
fn ln_shared_order(picks: &Picks, pattern: &[usize], workers: usize) -> Option<f64> {
    let length = pattern.len();
    let states = multisets(length, workers)?;
    let number: BTreeMap<&[usize], usize> =
        states.iter().enumerate().map(|(at, state)| (state.as_slice(), at)).collect();
    // from each state: the instance that the worker at each place picks, and the state that this leads to
    let step = |state: &Vec<usize>, worker: usize| {
        let mut next = state.clone();
        next[worker] = (next[worker] + 1) % length;
        next.sort_unstable();
        (pattern[state[worker]], number.get(next.as_slice()).copied().unwrap_or(0))
    };
    let steps: Vec<Vec<(usize, usize)>> =
        states.iter().map(|state| (0..workers).map(|worker| step(state, worker)).collect()).collect();
    let each = 1.0 / workers as f64;
    let turn = |state: &[f64], wanted: Option<usize>| {
        let mut next = vec![0.0; state.len()];
        for (steps, &p) in steps.iter().zip(state).filter(|(_, p)| **p > 0.0) {
            for &(_, to) in steps.iter().filter(|(pick, _)| wanted.is_none_or(|wanted| wanted == *pick)) {
                next[to] += p * each;
            }
        }
        next
    };
    let start: Vec<f64> =
        states.iter().map(|state| arrangements(state) / (length as f64).powi(workers as i32)).collect();
    ln_filtered(picks, start, turn)
}

/// All ways to put workers on places, in order; `None` where there are too many.
fn multisets(places: usize, workers: usize) -> Option<Vec<Vec<usize>>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..workers {
        let more = |set: &Vec<usize>| {
            let set = set.clone();
            (set.last().copied().unwrap_or(0)..places).map(move |place| [set.as_slice(), &[place]].concat())
        };
        all = all.iter().flat_map(more).collect();
        if all.len() > MOST_STATES {
            return None;
        }
    }
    Some(all)
}

/// The number of ways in which numbered workers make this multiset.
fn arrangements(state: &[usize]) -> f64 {
    let mut ways = 1.0;
    let mut same = 0.0;
    for (index, place) in state.iter().enumerate() {
        same = if index > 0 && state[index - 1] == *place { same + 1.0 } else { 1.0 };
        ways *= (index + 1) as f64 / same;
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multisets_are_counted_as_often_as_they_come() {
        let all = multisets(5, 3).unwrap_or_default();
        assert_eq!(all.len(), 35);
        assert_eq!(all.iter().map(|state| arrangements(state)).sum::<f64>(), 125.0);
        assert!(multisets(40, 4).is_none());
    }
}
