//! Round robin over replicas of different weights: each has its share of a round, spread over the round as evenly as
//! can be (nginx's smooth weighted round robin).

use crate::proxy::upstream::WeightedUpstream;

use super::cursor::Cursor;

/// Adds the weight of each replica to its debt, picks the replica of the largest debt, the first of equals, and
/// subtracts the total from it. A replica that is left out for a while keeps its debt.
pub fn pick(cursor: &mut Cursor, candidates: &[WeightedUpstream]) -> usize {
    let mut total: i64 = 0;
    let mut best = (0, i64::MIN);
    for (index, candidate) in candidates.iter().enumerate() {
        let weight = candidate.weight;
        total = total.saturating_add(weight);
        let owed = cursor.owed.entry(candidate.ordinal()).or_default();
        *owed = owed.saturating_add(weight);
        if *owed > best.1 {
            best = (index, *owed);
        }
    }
    let picked = candidates[best.0].ordinal();
    cursor.owed.entry(picked).and_modify(|owed| *owed = owed.saturating_sub(total));
    cursor.last = Some(picked);
    best.0
}
