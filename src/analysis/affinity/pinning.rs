//! Pinning: judges if the requests of one client stay on an instance more than free picks do.

use std::collections::BTreeSet;

use crate::model::trace::InstanceId;

use crate::analysis::{
    case::{Case, FreeSeries},
    math::log_prob::{self, ln_extreme, probability},
    pattern::finding::Finding,
    sampling::budget::{self, Decision},
    series::sequence::Sequence,
    verdict::{Algorithm, Order, RoundShares},
};

/// The behaviour of the requests of one client, each of which could have been pinned.
pub enum Pinning {
    /// The requests went to several instances.
    Moves { instances: usize },
    /// The requests stayed but for a few moves; free picks would look so with probability `p`.
    Stays { p: f64, moves: usize },
    /// The requests moved too seldom for free picks and too often for pinned ones, or the requests are too few.
    Unclear { moves: usize },
    /// One instance answered without cookies as well, so there is nothing to compare with.
    NothingToCompare,
}

/// The largest share of requests in which a pinned client moves, because its instance goes.
const MOVES: f64 = 0.02;
/// The least number of requests between moves for which a move may have this reason.
const FEWEST_BETWEEN_MOVES: usize = 10;

/// Judges these picks of one client.
pub fn judge_pinning(case: &Case, picks: &[InstanceId]) -> Pinning {
    let instances = picks.iter().collect::<BTreeSet<_>>().len();
    let moves = picks.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let several = |free: &&FreeSeries| free.recent_sequence().counts().len() > 1 && !picks.is_empty();
    let Some(free) = case.free().filter(several) else {
        return if moves > 0 { Pinning::Moves { instances } } else { Pinning::NothingToCompare };
    };
    // the first pick is free; each further one stays by chance at most as often as this
    let stays = stay_chance_of_finding(free.recent_sequence(), free.recent_finding(), case.alpha());
    let further = picks.len() - 1;
    let p = probability(ln_extreme(moves, further, 1.0 - stays));
    if moves == 0 {
        return Pinning::Stays { p, moves };
    }
    let share = moves as f64 / further as f64;
    // one may look after every request, and picks the moment
    let p = if share < 1.0 - stays { (p * picks.len() as f64).min(1.0) } else { 1.0 };
    let by_failures = if share > MOVES { probability(ln_extreme(moves, further, MOVES)) } else { 1.0 };
    if p < budget::spend(case.alpha(), Decision::Stickiness) {
        Pinning::Stays { p, moves }
    } else if further < FEWEST_BETWEEN_MOVES || by_failures < 1e-3 {
        Pinning::Moves { instances }
    } else {
        Pinning::Unclear { moves }
    }
}

impl Pinning {
    /// Returns true if cookies surely pin.
    pub fn is_sure(&self, alpha: f64) -> bool {
        matches!(self, Pinning::Stays { p, .. } if *p < budget::spend(alpha, Decision::Stickiness))
    }

    /// The probability by which a cookie alone would seem to pin, where it surely does.
    pub fn p_alone(&self, alpha: f64) -> Option<f64> {
        match self {
            Pinning::Stays { p, .. } if *p < budget::spend(alpha, Decision::CookieAlone) => Some(*p),
            _ => None,
        }
    }
}

/// The largest chance with which a free client may be answered again by the instance it had before; nothing where one
/// instance answers all.
pub fn max_stay_chance(case: &Case) -> Option<f64> {
    let free = case.free()?;
    (free.sequence().counts().len() > 1).then(|| stay_chance_of_finding(free.sequence(), free.finding(), case.alpha()))
}

fn stay_chance_of_finding(sequence: &Sequence, found: &Finding, alpha: f64) -> f64 {
    stay_chance(sequence, found.algorithm(), found.order, alpha)
}

/// The largest chance with which a free client may be answered again by the instance it had before, where the pattern is
/// known.
pub fn stay_chance(sequence: &Sequence, algorithm: Algorithm, order: Option<Order>, alpha: f64) -> f64 {
    let share = |hits, tries| log_prob::largest_share(hits, tries, alpha);
    let picks = sequence.len();
    let most = sequence.counts().iter().map(|(_, count)| *count).max().unwrap_or(0);
    if algorithm.round_shares() == Some(RoundShares::Equal) && matches!(order, Some(Order::Fixed | Order::Changing)) {
        // a round robin gives each its share exactly; others' traffic may change the order, not the share
        return most as f64 / picks as f64;
    }
    let pairs = sequence.segments.iter().flat_map(|segment| segment.windows(2));
    let (mut again, mut neighbours) = (0, 0);
    for pair in pairs {
        again += usize::from(pair[0] == pair[1]);
        neighbours += 1;
    }
    share(most, picks).max(share(again, neighbours))
}
