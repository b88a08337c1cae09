//! Consistency: the last look at a verdict. Where two of its statements cannot hold together, the stronger claim is withdrawn.

use std::collections::BTreeSet;

use crate::analysis::verdict::{Algorithm, BalancesPer, Reach, Stickiness, StickyBy, Verdict};

/// Two statements of a verdict that cannot hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// An algorithm is ruled out and still a candidate.
    RuledOutCandidate(Algorithm),
    /// One instance answers every request, and something keeps clients apart.
    KeptByNothing,
    /// An order is told of instances that have not answered.
    OrderOfOthers,
    /// The balancer learns or hashes a cookie that keeps no client.
    MechanismWithoutCookie,
}

/// The contradictions of a verdict.
pub fn find_contradictions(verdict: &Verdict) -> Vec<Contradiction> {
    let ruled_out = verdict.ruled_out.iter().map(|out| out.algorithm);
    let still_listed = ruled_out.filter(|algorithm| verdict.candidates.contains(algorithm));
    let mut all: Vec<Contradiction> = still_listed.map(Contradiction::RuledOutCandidate).collect();
    let is_kept = verdict.stickiness == Stickiness::Cookie || verdict.balances_per == BalancesPer::Connection;
    if verdict.algorithm.reach() == Reach::One && is_kept {
        all.push(Contradiction::KeptByNothing);
    }
    let answered = verdict.instances.iter().filter(|instance| instance.hits > 0);
    let answered: BTreeSet<&str> = answered.map(|instance| instance.name.as_str()).collect();
    if verdict.cycle.iter().any(|name| !answered.contains(name.as_str())) {
        all.push(Contradiction::OrderOfOthers);
    }
    let by = verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.by);
    if matches!(by, Some(StickyBy::Learned | StickyBy::Hash)) && verdict.stickiness != Stickiness::Cookie {
        all.push(Contradiction::MechanismWithoutCookie);
    }
    all
}

/// Withdraws the stronger claim of each contradiction.
pub fn withdraw_contradictions(mut verdict: Verdict) -> Verdict {
    for contradiction in find_contradictions(&verdict) {
        match contradiction {
            Contradiction::RuledOutCandidate(algorithm) => verdict.ruled_out.retain(|out| out.algorithm != algorithm),
            Contradiction::KeptByNothing => {
                verdict.stickiness = Stickiness::Undetermined;
                verdict.sticky_cookie = None;
                verdict.balances_per = BalancesPer::Undetermined;
            }
            Contradiction::OrderOfOthers => {
                verdict.order = None;
                verdict.cycle = Vec::new();
                verdict.repeats_after = None;
            }
            Contradiction::MechanismWithoutCookie => verdict.sticky_cookie = None,
        }
    }
    verdict.chance = sum_of_chances(&verdict);
    verdict
}

/// The sum of the probabilities of the rejections, at most 1.
fn sum_of_chances(verdict: &Verdict) -> f64 {
    // the sum of nothing is -0
    (0.0 + verdict.ruled_out.iter().map(|out| out.p).sum::<f64>()).min(1.0)
}
