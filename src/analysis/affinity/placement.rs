//! Placement: the order in which a balancer gives new values to its instances.

use crate::model::trace::{Conditions, Connection, Series};

use crate::analysis::{
    affinity::keys::Values,
    case::Case,
    pattern::{finding::Finding, select},
    sampling::budget,
    verdict::Algorithm,
};

/// The round robin that placed new values, if they were placed in turn.
pub fn in_turn(case: &Case, values: &Values) -> Option<Finding> {
    let placed = values.placed();
    let free = case.free()?.series;
    // they were asked for one after the other, however the free ones were
    let conditions = Conditions { connection: Connection::Fresh, concurrency: 1, ..free.conditions.clone() };
    let series = Series { conditions, requests: placed, others: Vec::new(), ..free.clone() };
    let found = select::find_in_series(&series, case.alpha() * budget::PLACED);
    matches!(found.algorithm(), Algorithm::RoundRobin | Algorithm::WeightedRoundRobin).then_some(found)
}
