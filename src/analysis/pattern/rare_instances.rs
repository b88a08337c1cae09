//! Rare instances: those that came so seldom that stray answers explain them. The order of the others is looked for
//! without them.

use crate::{
    analysis::{
        pattern::{
            evidence::{PatternEvidence, StrayEvidence},
            finding::{Background, Finding, Pattern},
            near_weights::NearWeights,
            stray, strict_order, with_background,
        },
        sampling::budget::{Decision, OrderBudget},
        series::{
            picks::Picks,
            sequence::{Sequence, Visibility},
        },
        verdict::Order,
    },
    model::trace::InstanceId,
};

/// The chance from which on stray answers are believed. That they are not ruled out is not enough to leave instances out.
const PLAUSIBLE: f64 = 0.01;
/// The times that an instance with a regular turn answers more often than a rare one.
const RARER: usize = 4;

/// The order of the other instances, where some instances came so seldom that stray answers explain them.
pub fn find_without_rare(sequence: &Sequence, alpha: f64) -> Option<Finding> {
    let rare = rare_instances(sequence);
    if rare.is_empty() || sequence.visibility == Visibility::CountsOnly {
        return None;
    }
    let of = sequence.len();
    let without = Sequence { segments: split(sequence, &rare), visibility: sequence.visibility };
    let picks = Picks::from_sequence(&without);
    let strict = OrderBudget::of_decision(alpha, Decision::OrderWithStrays);
    let found = strict_order::find_strict_order(&without, &picks, strict)
        .filter(|found| found.pattern.goes_round())
        .unwrap_or_else(|| with_background::find_with_background(&without, &picks, alpha));
    let fixed = found.order == Some(Order::Fixed);
    let told =
        rare.iter().map(|&(instance, answers)| PatternEvidence::Stray(StrayEvidence::Rare { instance, answers, of }));
    let mut evidence: Vec<PatternEvidence> = told.collect();
    evidence.extend(found.evidence);
    let found = Finding { evidence, repeats_after: None, ..found };
    match found.pattern {
        Pattern::RoundRobin(_) => Some(Finding {
            pattern: Pattern::RoundRobin(NearWeights::Possible),
            order: found.order.filter(|_| fixed),
            background: found.background.or(Some(Background::Unknown)),
            ..found
        }),
        Pattern::WeightedRoundRobin => Some(Finding {
            order: None,
            cycle: Vec::new(),
            weights: Vec::new(),
            background: found.background.or(Some(Background::Unknown)),
            ..found
        }),
        Pattern::Open
        | Pattern::OneInstance
        | Pattern::Regular
        | Pattern::ChangingInstances
        | Pattern::RandomOrRegular(_)
        | Pattern::Random(..) => None,
    }
}

/// The instances, with their answers, that are much rarer than all others and whose answers are all believed to be stray, where
/// two or more others remain.
fn rare_instances(sequence: &Sequence) -> Vec<(InstanceId, usize)> {
    let mut counts = sequence.counts();
    counts.sort_by_key(|(_, count)| *count);
    let all = sequence.len();
    let (mut answers, mut rare) = (0, 0);
    for (index, pair) in counts.windows(2).enumerate() {
        answers += pair[0].1;
        if stray::probability_of(answers, all) < PLAUSIBLE || index + 2 >= counts.len() {
            break;
        }
        if pair[0].1 * RARER <= pair[1].1 {
            rare = index + 1;
        }
    }
    counts.truncate(rare);
    counts
}

/// The segments between the picks of rare instances, whose turns may have been those of others or not.
fn split(sequence: &Sequence, rare: &[(InstanceId, usize)]) -> Vec<Vec<InstanceId>> {
    let is_rare = |pick: &InstanceId| rare.iter().any(|(id, _)| id == pick);
    let parts = sequence.segments.iter().flat_map(|segment| segment.split(is_rare));
    parts.filter(|part| !part.is_empty()).map(<[InstanceId]>::to_vec).collect()
}
