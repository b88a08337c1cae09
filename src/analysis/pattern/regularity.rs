//! Regularity: compares the probability of a sequence under a regular order with that under independent draws.
//!
//! Each model gives every sequence a probability, pick by pick. By the inequality of Ville (1939), the ratio of such a
//! probability to that of the best independent draws exceeds 1/alpha by chance with a probability of at most alpha, at
//! whatever request one stops.

use std::collections::{BTreeSet, HashMap};

use crate::model::trace::InstanceId;

use crate::analysis::{math::log_prob::ln_mean, series::picks::Picks, series::sequence::Sequence};

/// The log-probability of a sequence under a mixture of regular models: each pick depends on up to three before it, or
/// the picks come in rounds that are broken now and then.
pub fn ln_regular(sequence: &Sequence, k: usize) -> f64 {
    let by_context = [1, 2, 3].map(|depth| ln_with_depth(sequence, k, depth));
    let in_rounds = (0..k).map(|offset| ln_in_rounds(sequence, k, offset)).collect::<Vec<_>>();
    let again = [1, 2].map(|back| ln_again(sequence, k, back));
    ln_mean(&[ln_mean(&by_context), ln_mean(&in_rounds), ln_mean(&again)])
}

/// The log-probability of a sequence whose counts stay closer together than chance would make them: the further an
/// instance is behind its even share, the likelier it is next.
pub fn ln_evened(picks: &Picks) -> f64 {
    let each = [0.1_f64, 0.25, 0.6, 1.5].map(|pull| {
        let mut ln = 0.0;
        // e^(-pull * count), so that a pick costs one multiplication
        let mut likely = vec![1.0_f64; picks.k];
        let mut total = picks.k as f64;
        for pick in picks.all() {
            ln += (likely[pick] / total).ln();
            likely[pick] *= (-pull).exp();
            total = likely.iter().sum();
            if total < 1e-100 {
                likely.iter_mut().for_each(|one| *one /= total);
                total = 1.0;
            }
        }
        ln
    });
    ln_mean(&each)
}

/// The log-probability of a sequence in which a pick equals the pick `back` before it more or less often than chance
/// makes it.
fn ln_again(sequence: &Sequence, k: usize, back: usize) -> f64 {
    let mut counts: HashMap<InstanceId, f64> = Default::default();
    let (mut again, mut other, mut total) = (0.5, 0.5, 0.5 * k as f64);
    let mut ln = 0.0;
    for segment in &sequence.segments {
        for (index, pick) in segment.iter().enumerate() {
            let share = |pick: &InstanceId, counts: &HashMap<InstanceId, f64>| {
                (counts.get(pick).copied().unwrap_or(0.0) + 0.5) / total
            };
            match index.checked_sub(back).map(|before| segment[before]) {
                Some(before) if before == *pick => {
                    ln += f64::ln(again / (again + other));
                    again += 1.0;
                }
                Some(before) => {
                    ln += f64::ln(other / (again + other) * share(pick, &counts) / (1.0 - share(&before, &counts)));
                    other += 1.0;
                }
                None => ln += share(pick, &counts).ln(),
            }
            *counts.entry(*pick).or_default() += 1.0;
            total += 1.0;
        }
    }
    ln
}

/// Rounds of `k` that begin after `offset` picks: mostly an instance that the round has not seen yet, sometimes any,
/// and then a new round begins with it. So a balancer that is configured anew meanwhile still shows its rounds.
fn ln_in_rounds(sequence: &Sequence, k: usize, offset: usize) -> f64 {
    const BROKEN: f64 = 0.1;
    let any = 1.0 / k as f64;
    let mut ln = 0.0;
    let mut before = offset;
    for segment in &sequence.segments {
        let mut seen = BTreeSet::new();
        for pick in segment {
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

/// The log-probability of a sequence in which each pick depends on the `depth` picks before it, with Krichevsky-Trofimov
/// estimates.
fn ln_with_depth(sequence: &Sequence, k: usize, depth: usize) -> f64 {
    let mut seen: HashMap<(&[InstanceId], InstanceId), f64> = Default::default();
    let mut totals: HashMap<&[InstanceId], f64> = Default::default();
    let mut ln = 0.0;
    for segment in &sequence.segments {
        for (index, &pick) in segment.iter().enumerate() {
            let context = &segment[index.saturating_sub(depth)..index];
            let count = seen.entry((context, pick)).or_default();
            let total = totals.entry(context).or_default();
            ln += ((*count + 0.5) / (*total + 0.5 * k as f64)).ln();
            *count += 1.0;
            *total += 1.0;
        }
    }
    ln
}
