//! Silence: requests that no instance answered, as far as the answers say, and that come as regularly as an instance that
//! fails has its turns.

use crate::model::trace::{InstanceId, Request, Series};

use crate::analysis::{
    pattern::finding::Finding,
    pattern::strict_order,
    series::picks::Picks,
    series::sequence::{Known, Sequence},
    verdict::Algorithm,
};

/// Stands for whoever did not answer. No instance has this number: so many are not told apart.
const NOBODY: InstanceId = InstanceId(u16::MAX);

/// The order that every request follows, if those without an answer have places of their own in it.
pub fn find(series: &Series, sequence: &Sequence, alpha: f64) -> Option<Finding> {
    let mut found = with_nobody(series, sequence, alpha)?;
    let instances = sequence.counts().len();
    let turns = found.cycle.iter().filter(|id| **id == NOBODY).count();
    found.weights.retain(|(id, _)| *id != NOBODY);
    found.cycle.retain(|id| *id != NOBODY);
    if let [(_, first), rest @ ..] = found.weights.as_mut_slice()
        && rest.iter().all(|(_, weight)| *weight == *first)
    {
        *first = 1;
        rest.iter_mut().for_each(|(_, weight)| *weight = 1);
        if found.algorithm == Algorithm::WeightedRoundRobin {
            found.algorithm = Algorithm::RoundRobin;
            found.candidates = vec![Algorithm::RoundRobin, Algorithm::LeastConnections];
            // one that answers without a name may have another weight than the others
            let answers = |request: &Request| request.status.is_some_and(|status| status.get() < 500);
            if series.requests.iter().any(|request| request.instance.is_none() && answers(request)) {
                found.candidates.push(Algorithm::WeightedRoundRobin);
            }
            found.ruled_out.retain(|out| out.algorithm != Algorithm::RoundRobin);
        }
    }
    let silent = series.requests.iter().filter(|request| request.instance.is_none()).count();
    found.evidence.push(match turns {
        0 => format!(
            "{silent} requests that none of the {instances} instances answered are counted as turns of their own: they \
             come where the turns of instances that fail would"
        ),
        1 => format!(
            "{silent} requests that none of the {instances} instances answered have a place of their own in each round, \
             as an instance would that fails or does not say its name"
        ),
        _ => format!(
            "{silent} requests that none of the {instances} instances answered have {turns} places of their own in each \
             round, as instances would that fail or do not say their names"
        ),
    });
    Some(found)
}

/// Whether requests without an answer come regularly between those of one instance.
pub fn regularly(series: &Series, sequence: &Sequence, alpha: f64) -> bool {
    with_nobody(series, sequence, alpha).is_some()
}

fn with_nobody(series: &Series, sequence: &Sequence, alpha: f64) -> Option<Finding> {
    let ours = series.requests.iter().map(|request| request.instance.unwrap_or(NOBODY));
    if sequence.known != Known::Ours || series.requests.iter().all(|request| request.instance.is_some()) {
        return None;
    }
    let whole = Sequence { stretches: vec![ours.collect()], known: Known::Ours };
    let found = strict_order::find(&whole, &Picks::of(&whole), alpha)?;
    matches!(found.algorithm, Algorithm::RoundRobin | Algorithm::WeightedRoundRobin).then_some(found)
}
