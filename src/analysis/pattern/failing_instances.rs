//! Failing instances: requests without an answer that come as regularly as an instance that fails has its turns.

use crate::{
    analysis::{
        pattern::{
            evidence::{ChangeEvidence, PatternEvidence},
            finding::{Finding, Pattern},
            near_weights::{self, NearWeights},
            strict_order,
        },
        sampling::budget::OrderBudget,
        series::{
            picks::Picks,
            sequence::{Sequence, Visibility},
        },
        verdict::Algorithm,
    },
    model::trace::{InstanceId, Request, Series},
};

/// The number that stands for every instance without an answer. No instance has it: a trace numbers fewer.
const NO_INSTANCE: InstanceId = InstanceId(u16::MAX);

/// The order that every request follows, if those without an answer have places of their own in it.
pub fn find_order(series: &Series, sequence: &Sequence, budget: OrderBudget) -> Option<Finding> {
    let mut found = order_with_unnamed(series, sequence, budget)?;
    let nameless = series.requests.iter().filter(|request| request.instance.is_none()).count();
    let places = found.cycle.iter().filter(|id| **id == NO_INSTANCE).count();
    found.evidence.push(PatternEvidence::Change(ChangeEvidence::Failures {
        nameless,
        instances: sequence.counts().len(),
        places,
    }));
    found.weights.retain(|(id, _)| *id != NO_INSTANCE);
    found.cycle.retain(|id| *id != NO_INSTANCE);
    let equal = found.weights.first().is_some_and(|(_, first)| found.weights.iter().all(|(_, one)| one == first));
    if equal {
        found.weights.iter_mut().for_each(|(_, weight)| *weight = 1);
        if found.pattern == Pattern::WeightedRoundRobin {
            found.pattern = Pattern::RoundRobin(near_weights(series, found.repeats_after));
            found.ruled_out.retain(|out| out.algorithm != Algorithm::RoundRobin);
        }
    }
    Some(found)
}

/// The weights that an order may hide that repeats after `period` requests, each place of it as an instance. Where an
/// instance answers without a name, it may have any weight.
fn near_weights(series: &Series, period: Option<usize>) -> NearWeights {
    let answers = |request: &Request| request.status.is_some_and(|status| status.get() < 500);
    match period {
        Some(period) if !series.requests.iter().any(|request| request.instance.is_none() && answers(request)) => {
            near_weights::in_ring(period, series.requests.len())
        }
        _ => NearWeights::Possible,
    }
}

/// Returns true if requests without an answer come regularly between those of one instance.
pub fn fail_periodically(series: &Series, sequence: &Sequence, alpha: f64) -> bool {
    order_with_unnamed(series, sequence, OrderBudget { ring: alpha, other: alpha }).is_some()
}

fn order_with_unnamed(series: &Series, sequence: &Sequence, budget: OrderBudget) -> Option<Finding> {
    if sequence.visibility != Visibility::OwnTurns || series.requests.iter().all(|request| request.instance.is_some()) {
        return None;
    }
    let ours = series.requests.iter().map(|request| request.instance.unwrap_or(NO_INSTANCE));
    let whole = Sequence { segments: vec![ours.collect()], visibility: Visibility::OwnTurns };
    let found = strict_order::find_strict_order(&whole, &Picks::from_sequence(&whole), budget)?;
    found.pattern.goes_round().then_some(found)
}
