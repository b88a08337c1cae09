//! The chance with which a free client stays on its instance.

use crate::analysis::{
    case::Case,
    math::log_prob,
    verdict::{Order, RoundShares},
};

/// The largest chance with which a free client may be answered again by the instance it had before; nothing where one
/// instance answers all.
pub fn max_stay_chance(case: &Case) -> Option<f64> {
    let free = case.free()?;
    let (sequence, found) = (free.sequence(), free.finding());
    if sequence.counts().len() < 2 {
        return None;
    }
    let share = |hits, tries| log_prob::largest_share(hits, tries, case.alpha());
    let picks = sequence.len();
    let most = sequence.counts().iter().map(|(_, count)| *count).max().unwrap_or(0);
    if found.algorithm().round_shares() == Some(RoundShares::Equal)
        && matches!(found.order, Some(Order::Fixed | Order::Changing))
    {
        // a round robin gives each its share exactly; others' traffic may change the order, not the share
        return Some(most as f64 / picks as f64);
    }
    let pairs = sequence.segments.iter().flat_map(|segment| segment.windows(2));
    let (mut again, mut neighbours) = (0, 0);
    for pair in pairs {
        again += usize::from(pair[0] == pair[1]);
        neighbours += 1;
    }
    Some(share(most, picks).max(share(again, neighbours)))
}
