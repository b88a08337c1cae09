//! Counts alone: what they show where requests overlapped, so that their order is not the balancer's. A round robin
//! spreads requests as evenly as can be; independent draws do not.

use crate::analysis::{
    math::log_prob::{ln_factorial, probability},
    pattern::{
        evidence::{CountsEvidence, PatternEvidence, Unit},
        finding::{Finding, Pattern},
        near_weights,
    },
    sampling::budget::{self, Decision},
    series::sequence::Sequence,
    verdict::{Algorithm, Rejection, Test},
};

/// The finding from how often each of several instances answered.
pub fn judge_counts(sequence: &Sequence, unit: Unit, alpha: f64) -> Finding {
    let alpha = budget::spend(alpha, Decision::EvenCounts);
    let counts: Vec<usize> = sequence.counts().into_iter().map(|(_, count)| count).collect();
    let (instances, picks) = (counts.len(), sequence.len());
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    if least < 2 {
        return Finding::open(PatternEvidence::Counts(CountsEvidence::NotAllAgain { picks, unit, instances }));
    }
    if most - least > 1 {
        return Finding::open(PatternEvidence::Counts(CountsEvidence::Uneven { unit, instances, least, most }));
    }
    let p = as_even_by_chance(&counts, least);
    if p >= alpha {
        return Finding::open(PatternEvidence::Counts(CountsEvidence::EvenTooFew { unit, p }));
    }
    Finding::new(
        Pattern::RoundRobin(near_weights::in_rounds(instances, picks)),
        vec![Rejection { algorithm: Algorithm::Random, test: Test::EvenCounts, p }],
        vec![
            PatternEvidence::Counts(CountsEvidence::Even { picks, unit, instances, least, most }),
            PatternEvidence::Counts(CountsEvidence::EvenByChance { p }),
        ],
    )
}

/// The probability that even draws are as even as counts of which none is more than one above `least`: all the ways to
/// choose the instances that are one ahead, times the multinomial coefficient.
fn as_even_by_chance(counts: &[usize], least: usize) -> f64 {
    let (k, picks) = (counts.len(), counts.iter().sum::<usize>());
    let ahead = counts.iter().filter(|&&count| count > least).count();
    let choose = ln_factorial(k) - ln_factorial(ahead) - ln_factorial(k - ahead);
    let arrangements = ln_factorial(picks) - counts.iter().map(|&count| ln_factorial(count)).sum::<f64>();
    probability(choose + arrangements - picks as f64 * (k as f64).ln())
}
