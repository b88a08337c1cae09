//! Regularity: how much better than independent draws a regular order explains a sequence.
//!
//! Each model gives every sequence a probability, pick by pick. By Markov's inequality the ratio of such a probability to
//! that of the best independent draws is large by chance only as seldom as it is large (Ville 1939), whenever one stops.

use std::collections::{BTreeSet, HashMap};

use crate::trace::InstanceId;

use super::sequence::Sequence;

/// The log-probability of a sequence under a mixture of regular models: each pick depends on up to three before it, or
/// the picks come in rounds that are broken now and then.
pub fn ln_regular(sequence: &Sequence, k: usize) -> f64 {
    let by_context = [1, 2, 3].map(|depth| ln_with_depth(sequence, k, depth));
    let in_rounds = (0..k).map(|offset| ln_in_rounds(sequence, k, offset)).collect::<Vec<_>>();
    ln_mean(&[ln_mean(&by_context), ln_mean(&in_rounds)])
}

fn ln_mean(models: &[f64]) -> f64 {
    let best = models.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    best + (models.iter().map(|ln| (ln - best).exp()).sum::<f64>() / models.len() as f64).ln()
}

/// Rounds of `k` that begin after `offset` picks: mostly an instance that the round has not seen yet, sometimes any,
/// and then a new round begins with it. So a balancer that is configured anew meanwhile still shows its rounds.
fn ln_in_rounds(sequence: &Sequence, k: usize, offset: usize) -> f64 {
    const BROKEN: f64 = 0.1;
    let any = 1.0 / k as f64;
    let mut ln = 0.0;
    let mut before = offset;
    for stretch in &sequence.stretches {
        let mut seen = BTreeSet::new();
        for pick in stretch {
            if before > 0 {
                before -= 1;
                ln += any.ln();
                continue;
            }
            if seen.len() == k {
                seen.clear();
            }
            let new = !seen.contains(pick);
            ln += (BROKEN * any + if new { (1.0 - BROKEN) / (k - seen.len()) as f64 } else { 0.0 }).ln();
            if !new {
                seen.clear();
            }
            seen.insert(*pick);
        }
    }
    ln
}

/// Each pick depends on `depth` before it, with Krichevsky-Trofimov estimates.
fn ln_with_depth(sequence: &Sequence, k: usize, depth: usize) -> f64 {
    let mut seen: HashMap<(&[InstanceId], InstanceId), f64> = Default::default();
    let mut totals: HashMap<&[InstanceId], f64> = Default::default();
    let mut ln = 0.0;
    for stretch in &sequence.stretches {
        for (index, &pick) in stretch.iter().enumerate() {
            let context = &stretch[index.saturating_sub(depth)..index];
            let count = seen.entry((context, pick)).or_default();
            let total = totals.entry(context).or_default();
            ln += ((*count + 0.5) / (*total + 0.5 * k as f64)).ln();
            *count += 1.0;
            *total += 1.0;
        }
    }
    ln
}
