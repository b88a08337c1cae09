//! Placement: judges if a balancer gives new values to its instances in turn, as a table does that remembers them, or
//! not, as a hash does.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::keys::Values,
        case::Case,
        math::log_prob::{largest_share, ln_extreme, probability},
        pattern::{
            finding::{Finding, Pattern},
            select,
        },
        sampling::budget::{self, Decision, is_sure},
        verdict::Order,
    },
    model::trace::{Conditions, Connection, InstanceId, Series},
};

/// The largest share of places between two picks at which unseen clients take turns, where none were noticed.
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
    let placed = placed_instances(new);
    let (breaks, tries) = (count_breaks(&placed, k), placed.len().saturating_sub(1).max(1));
    let p = probability(ln_extreme(breaks, tries, MAX_BACKGROUND_SHARE));
    (breaks as f64 / tries as f64 > MAX_BACKGROUND_SHARE && is_sure(p, case.alpha(), Decision::NotInTurn)).then_some(p)
}

/// The share of turns that others must have taken, if a round robin placed these new values, but for the decision's part
/// of alpha; `None` where the values may have been placed in turn without others.
pub fn others_in_turn(case: &Case, new: &Values, decision: Decision) -> Option<f64> {
    let placed = placed_instances(new);
    let k = placed.iter().collect::<BTreeSet<_>>().len();
    let (breaks, tries) = (count_breaks(&placed, k), placed.len().saturating_sub(1));
    // the least share of breaks is one less the largest share of their absence
    let share = 1.0 - largest_share(tries - breaks, tries, budget::spend(case.alpha(), decision));
    (share > 0.0).then_some(share)
}

fn placed_instances(new: &Values) -> Vec<InstanceId> {
    new.first_requests().iter().filter_map(|request| request.instance).collect()
}

/// The least number of places between picks at which others must have taken turns of a ring of `k` or more instances: in
/// the ring alone, none comes again before `k - 1` others have.
fn count_breaks(placed: &[InstanceId], k: usize) -> usize {
    let (mut breaks, mut begin) = (0, 0);
    for index in 0..placed.len() {
        let window = begin.max((index + 1).saturating_sub(k));
        if placed[window..index].contains(&placed[index]) {
            breaks += 1;
            begin = index;
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_of_others_is_one_break() {
        let placed = |picks: &[u16]| picks.iter().map(|id| InstanceId(*id)).collect::<Vec<_>>();
        assert_eq!(count_breaks(&placed(&[0, 1, 2, 3, 0, 1, 2, 3]), 4), 0);
        // others took the turn of the last
        assert_eq!(count_breaks(&placed(&[0, 1, 2, 0, 1, 2, 3, 0]), 4), 1);
        assert_eq!(count_breaks(&placed(&[0, 0, 0]), 2), 2);
    }
}
