//! Placement: judges if a balancer gives new values to its instances in turn, as a table does that remembers them, or
//! not, as a hash does.

use crate::{
    analysis::{
        affinity::keys::Values,
        case::Case,
        math::log_prob::{ln_extreme, probability},
        pattern::{
            finding::{Finding, Pattern},
            select,
        },
        sampling::budget::{self, Decision, is_sure},
        verdict::Order,
    },
    model::trace::{Conditions, Connection, InstanceId, Series},
};

/// The largest share of turns that unseen clients may take.
const MAX_BACKGROUND_SHARE: f64 = 0.05;

/// The round robin that placed new values, if they were placed in turn.
pub fn find_round_robin(case: &Case, values: &Values, decision: Decision) -> Option<Finding> {
    let placed = values.first_requests();
    let free = case.free()?.series;
    // these requests were sent one after the other, however the free ones were
    let conditions = Conditions { connection: Connection::Fresh, concurrency: 1, ..free.conditions.clone() };
    let series = Series { conditions, requests: placed, others: Vec::new(), ..free.clone() };
    let found = select::find_in_series(&series, budget::spend(case.alpha(), decision));
    found.pattern.goes_round().then_some(found)
}

/// The probability of this order if the round robin of the free clients placed new values; `None` unless it is surely
/// small.
pub fn rule_out_round_robin(case: &Case, new: &Values) -> Option<f64> {
    let free = case.free()?;
    let found = free.finding();
    let ring = matches!(found.pattern, Pattern::RoundRobin(_)) && found.order == Some(Order::Fixed);
    if !ring || found.background.is_some() {
        return None;
    }
    let k = found.cycle.len().max(free.sequence().counts().len());
    let placed: Vec<InstanceId> = new.first_requests().iter().filter_map(|request| request.instance).collect();
    // in a ring of k, none comes again before k - 1 others have
    let early = |index: usize| placed[(index + 1).saturating_sub(k)..index].contains(&placed[index]);
    let seen = (1..placed.len()).filter(|&index| early(index)).count();
    let tries = placed.len().saturating_sub(1).max(1);
    let p = probability(ln_extreme(seen, tries, MAX_BACKGROUND_SHARE));
    (seen as f64 / tries as f64 > MAX_BACKGROUND_SHARE && is_sure(p, case.alpha(), Decision::NotInTurn)).then_some(p)
}
