//! Round robin over replicas of one weight: 1-2-3-1-2-3, in the order of their ordinals.

use crate::proxy::upstream::WeightedUpstream;

use super::cursor::Cursor;

/// Picks the replica after the one that was picked last, so that replicas which come and go do not make the round lose
/// its place.
pub fn pick(cursor: &mut Cursor, candidates: &[WeightedUpstream]) -> usize {
    let after = cursor.last.map_or(0, |last| candidates.partition_point(|candidate| candidate.ordinal() <= last));
    let index = if after == candidates.len() { 0 } else { after };
    cursor.last = Some(candidates[index].ordinal());
    // weights that come back start anew
    cursor.owed.clear();
    index
}
