//! Requests at once: judges if several requests that are sent at the same moment go to different instances.
//!
//! Other clients hardly come between such requests, so a balancer that gives turns sends as many of them as there are instances to
//! one each, however busy it is with others. Independent draws do that with a chance of at most k!/k^(k-b) (k-b)!, for `b`
//! requests and `k` instances. A balancer that looks at load also sends them to different instances.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        case::{Case, FreeSeries},
        math::log_prob::{binomial_tail, ln_factorial},
        pattern::{
            evidence::{AtOnce, AtOnceEffect, DrawsEvidence, PatternEvidence},
            finding::{Finding, Pattern},
            near_weights::NearWeights,
            with_background,
        },
        sampling::budget::{Decision, is_sure},
        series::{picks::Picks, sequence::Visibility},
        verdict::{Algorithm, Rejection, Test},
    },
    model::trace::{InstanceId, Request, SeriesName},
};

/// The most requests at once.
const MOST_AT_ONCE: usize = 6;
/// The requests of all groups together. Groups of two show the least.
const REQUESTS: usize = 48;
const REQUESTS_IN_PAIRS: usize = 96;
/// The requests before draws are believed, and the chance from which on they show no sign of turns.
const FEWEST_REQUESTS: usize = 32;
const NO_SIGN: f64 = 0.5;
/// The chance below which groups are suspicious: so many different instances are hardly drawn independently.
const SUSPICIOUS: f64 = 1e-3;

/// The number of groups of requests at once, and the size of each; `None` where they would show nothing.
pub fn groups_to_send(case: &Case) -> Option<(u32, u32)> {
    let free = case.free()?;
    let finding = free.finding();
    let is_open = match finding.pattern {
        Pattern::Random(..) | Pattern::RandomOrRegular(_) | Pattern::Regular => true,
        Pattern::Open => finding.rejects_independent_draws(),
        Pattern::OneInstance | Pattern::RoundRobin(_) | Pattern::WeightedRoundRobin | Pattern::ChangingInstances => {
            false
        }
    };
    if !is_open || free.sequence().visibility != Visibility::OwnTurns {
        return None;
    }
    let size = free.answers().len().clamp(2, MOST_AT_ONCE);
    let requests = if size == 2 { REQUESTS_IN_PAIRS } else { REQUESTS };
    Some(((requests / size) as u32, size as u32))
}

/// Returns true if more groups would show nothing more: they surely differ, or are as drawn.
pub fn enough_groups(case: &Case) -> bool {
    let judged = case.free().and_then(|free| judge_at_once(case, free));
    judged.is_some_and(|groups| match groups.effect {
        AtOnceEffect::Different => true,
        AtOnceEffect::PerhapsDifferent => false,
        AtOnceEffect::AsDrawn => groups.groups * groups.size >= FEWEST_REQUESTS && groups.p > NO_SIGN,
    })
}

/// The result of the requests at once; `None` where there were none.
pub fn judge_at_once(case: &Case, free: &FreeSeries) -> Option<AtOnce> {
    let series = case.trace().series(&SeriesName::AtOnce)?;
    let size = series.conditions.concurrency as usize;
    let groups = series.requests.chunks_exact(size.max(2)).filter_map(instances_of);
    let instances: Vec<BTreeSet<InstanceId>> = groups.collect();
    let known: BTreeSet<InstanceId> =
        free.answers().keys().copied().chain(instances.iter().flatten().copied()).collect();
    let (k, groups) = (known.len(), instances.len());
    if groups == 0 || size > k {
        return None;
    }
    let different = instances.iter().filter(|group| group.len() == size).count();
    // even shares make it the likeliest
    let by_chance = (ln_factorial(k) - ln_factorial(k - size) - size as f64 * (k as f64).ln()).exp();
    let tail = binomial_tail(different, groups, by_chance);
    // one may look after each group
    let at_any_group = (tail * groups as f64).min(1.0);
    let (p, effect) = if is_sure(at_any_group, case.alpha(), Decision::RequestsAtOnce) {
        (at_any_group, AtOnceEffect::Different)
    } else if tail < SUSPICIOUS {
        (tail, AtOnceEffect::PerhapsDifferent)
    } else {
        (tail, AtOnceEffect::AsDrawn)
    };
    Some(AtOnce { size, groups, different, p, effect })
}

/// The finding of the free series with what the groups show besides.
pub fn complete_finding(groups: AtOnce, found: Finding, picks: &Picks) -> Finding {
    let seen = PatternEvidence::AtOnce(groups);
    let single = found.ruled_out.iter().find(|out| out.algorithm == Algorithm::Single).cloned();
    let random = || Rejection { algorithm: Algorithm::Random, test: Test::RequestsAtOnceDiffer, p: groups.p };
    match (groups.effect, found.pattern) {
        (AtOnceEffect::Different, Pattern::Regular | Pattern::Open) if found.rejects_independent_draws() => {
            let is_even = with_background::are_weights_equal(picks);
            let pattern = if is_even { Pattern::RoundRobin(NearWeights::Possible) } else { Pattern::Regular };
            let evidence = [found.evidence, vec![seen]].concat();
            Finding { pattern, evidence, ..found }
        }
        (AtOnceEffect::Different, Pattern::Random(..) | Pattern::RandomOrRegular(_)) => {
            let circumstances = found.evidence.into_iter().filter(|fact| !matches!(fact, PatternEvidence::Draws(_)));
            let evidence = [seen].into_iter().chain(circumstances).collect();
            Finding::new(Pattern::Regular, single.into_iter().chain([random()]).collect(), evidence)
        }
        (AtOnceEffect::PerhapsDifferent, Pattern::Random(_, spill)) => {
            let circumstances = found.evidence.into_iter().filter(|fact| !matches!(fact, PatternEvidence::Draws(_)));
            let (requests, instances) = (picks.len(), picks.k);
            let open =
                PatternEvidence::Draws(DrawsEvidence::RandomOrRegular { requests, instances, decided_after: None });
            let evidence = [open, seen].into_iter().chain(circumstances).collect();
            Finding::new(Pattern::RandomOrRegular(spill), single.into_iter().collect(), evidence)
        }
        _ => Finding { evidence: [found.evidence, vec![seen]].concat(), ..found },
    }
}

/// The instances of one group; `None` where some answer names none.
fn instances_of(group: &[Request]) -> Option<BTreeSet<InstanceId>> {
    group.iter().map(|request| request.instance).collect()
}
