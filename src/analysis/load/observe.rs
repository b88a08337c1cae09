//! Observes load: the instances that were busy while each quick request was under way, and the effect that this shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    analysis::{
        affinity::stickiness,
        case::{Case, FreeSeries},
        load::{
            effect::{LimitOfOne, Load, LoadEffect},
            evidence::UnclearReason,
            pick::Pick,
            ratios,
        },
        math::log_prob::probability,
        pattern::cycle,
        sampling::budget::{Decision, is_sure},
        series::sequence::Visibility,
        verdict::{Algorithm, RoundShares, Stickiness},
    },
    model::trace::{InstanceId, Request, Series, SeriesName},
};

/// The time that a balancer may take to know that a request has come or gone, in microseconds.
const SETTLE_US: u64 = 20_000;
/// The number of quick requests while slow ones are under way once, where a regular order gives the share of each
/// instance exactly.
const QUICK: u32 = 40;
/// The same number where the share is only known from counts.
const QUICK_IF_RANDOM: u32 = 150;

/// The effect of load that a trace shows; `None` where no slow requests were sent. `stickiness` is that of a client with
/// a cookie jar.
pub fn observe_load(case: &Case, stickiness: Stickiness) -> Option<Load> {
    let (slow, meanwhile) = (case.trace().series(&SeriesName::Slow)?, case.trace().series(&SeriesName::Meanwhile)?);
    let free = case.free()?;
    let instances: Vec<InstanceId> = free.sequence().counts().into_iter().map(|(id, _)| id).collect();
    let picks = picks(slow, meanwhile);
    Some(match instances.as_slice() {
        _ if picks.is_empty() => unclear(UnclearReason::NoneSlow),
        [only] => with_one_instance(case, free, &picks, *only),
        _ => with_several_instances(case, free, stickiness, &picks, (slow, meanwhile)),
    })
}

fn unclear(reason: UnclearReason) -> Load {
    Load { quick: 0, on_busy: 0, expected: 0.0, effect: LoadEffect::Unclear(reason) }
}

fn with_one_instance(case: &Case, free: &FreeSeries, picks: &[Pick], only: InstanceId) -> Load {
    let on_busy: Vec<&Pick> = picks.iter().filter(|pick| pick.busy.contains(&only)).collect();
    let Some(busiest) = on_busy.iter().map(|pick| pick.slow).max() else {
        return unclear(UnclearReason::OtherInstancesBusy);
    };
    // a few requests to one of several instances show nothing of what it does when it is busy
    if free.finding().algorithm() != Algorithm::Single {
        return unclear(UnclearReason::IdleUnknown);
    }
    let is_spilled = |pick: &&&Pick| pick.instance != only;
    let Some(at) = on_busy.iter().filter(is_spilled).map(|pick| pick.slow).min() else {
        return Load { quick: on_busy.len(), on_busy: 0, expected: 0.0, effect: LoadEffect::Alone { busiest } };
    };
    let (below, filled): (Vec<&Pick>, Vec<&Pick>) = on_busy.iter().partition(|pick| pick.slow < at);
    let spilled: Vec<&Pick> = filled.iter().filter(is_spilled).copied().collect();
    let idle = free.sequence().len() + below.len();
    let p = probability(ln_all_in_part(spilled.len(), filled.len(), idle));
    if !is_sure(p, case.alpha(), Decision::Load) || !repeats(&spilled) {
        return unclear(UnclearReason::SeldomSpilled);
    }
    let expected = spilled.len() as f64 * filled.len() as f64 / (filled.len() + idle) as f64;
    Load { quick: on_busy.len(), on_busy: below.len(), expected, effect: LoadEffect::Spilled { at, p } }
}

/// The logarithm of the probability that all of `marked` requests are among the last `part` of `part + rest` by chance,
/// which is the exact test of Fisher.
fn ln_all_in_part(marked: usize, part: usize, rest: usize) -> f64 {
    (0..marked).map(|n| ((part - n) as f64 / (part + rest - n) as f64).ln()).sum()
}

/// Returns true if an instance that was busy answered a request that was sent afterwards: one that was taken out of service
/// meanwhile is avoided as well, and does not come back.
fn came_back(slow: &Series, meanwhile: &Series) -> bool {
    let all = || slow.requests.iter().chain(&meanwhile.requests);
    let busy = slow.requests.iter().filter(|request| request.instance.is_some());
    busy.into_iter().any(|busy| all().any(|later| later.instance == busy.instance && later.at_us > end_us(busy)))
}

/// Returns true if others answered in two separate rounds of slow requests: a server that goes and comes back once while
/// slow requests happen to be under way looks the same in one.
fn repeats(spilled: &[&Pick]) -> bool {
    spilled.iter().any(|pick| pick.since_us != spilled[0].since_us)
}

fn with_several_instances(
    case: &Case,
    free: &FreeSeries,
    stickiness: Stickiness,
    picks: &[Pick],
    (slow, meanwhile): (&Series, &Series),
) -> Load {
    let round = exact_round(free);
    let quiet = quiet_shares(case, free, stickiness, round.as_ref());
    let is_judged = |pick: &&Pick| pick.busy.iter().all(|id| quiet.contains_key(id)) && pick.busy.len() < quiet.len();
    let picks: Vec<&Pick> = picks.iter().filter(is_judged).collect();
    if picks.is_empty() {
        return unclear(UnclearReason::OtherInstancesBusy);
    }
    if picks.iter().any(|pick| !quiet.contains_key(&pick.instance)) {
        return unclear(UnclearReason::UnseenInstances);
    }
    let total: usize = quiet.values().sum();
    let share = |pick: &Pick| pick.busy.iter().map(|id| quiet[id]).sum::<usize>() as f64 / total as f64;
    let (avoided, ignored) = match &round {
        Some(round) => {
            let order = ratios::ln_kept_order(&picks, &share, round.repeats_after, quiet.len());
            (ratios::ln_avoided_share(&picks, &share), ratios::ln_kept_share(&picks, &share).max(order))
        }
        None => (ratios::ln_avoided_counts(&picks, &quiet), ratios::ln_kept_counts(&picks, &quiet, total)),
    };
    // requests of others keep instances busy as well, and may hide that ours do
    let ours_alone = round.is_some_and(|round| round.every_pick)
        || (free.sequence().visibility == Visibility::EveryTurn
            && free.series.others.is_empty()
            && meanwhile.others.is_empty());
    // two models were tried for the second where one could have done
    let (avoided, ignored) = (probability(-avoided), probability(2f64.ln() - ignored));
    let effect = if is_sure(avoided, case.alpha(), Decision::Load) && came_back(slow, meanwhile) {
        LoadEffect::Avoided { p: avoided, limit: one_at_a_time(slow) }
    } else if is_sure(avoided, case.alpha(), Decision::Load) {
        LoadEffect::Unclear(UnclearReason::NotComeBack)
    } else if !is_sure(ignored, case.alpha(), Decision::Load) {
        LoadEffect::Unclear(UnclearReason::TooFew)
    } else if avoided_afterwards(slow, meanwhile, quiet.len()) {
        LoadEffect::Unclear(UnclearReason::AvoidedAfterwards)
    } else if ours_alone {
        LoadEffect::Ignored { p: ignored }
    } else {
        LoadEffect::Unclear(UnclearReason::OthersBusy)
    };
    Load {
        quick: picks.len(),
        on_busy: picks.iter().filter(|pick| pick.busy.contains(&pick.instance)).count(),
        expected: picks.iter().map(|pick| share(pick)).sum(),
        effect,
    }
}

/// The weights with which instances are picked without load.
fn quiet_shares(
    case: &Case,
    free: &FreeSeries,
    stickiness: Stickiness,
    round: Option<&Round>,
) -> BTreeMap<InstanceId, usize> {
    if let Some(round) = round {
        return round.weights.clone();
    }
    let mut quiet: BTreeMap<InstanceId, usize> = free.sequence().counts().into_iter().collect();
    // where no cookie pins, a client with a jar is one more without load
    if stickiness == Stickiness::None {
        let with_jar = case.trace().series(&SeriesName::WithJar).into_iter().flat_map(|series| &series.requests);
        for id in with_jar.filter_map(|request| request.instance) {
            quiet.entry(id).and_modify(|count| *count += 1);
        }
    }
    quiet
}

/// The effect of load while requests are still being sent.
fn observe_load_so_far(case: &Case) -> Option<Load> {
    observe_load(case, stickiness::find_stickiness(case).stickiness)
}

/// Returns true if another round of slow requests would show nothing more.
pub fn enough_load(case: &Case) -> bool {
    observe_load_so_far(case).is_some_and(|load| match load.effect {
        LoadEffect::Avoided { .. } | LoadEffect::Ignored { .. } | LoadEffect::Spilled { .. } => true,
        LoadEffect::Unclear(reason) => reason == UnclearReason::NotComeBack,
        LoadEffect::Alone { .. } => false,
    })
}

/// Returns true if busy instances are avoided, but perhaps only because each takes one request at a time.
pub fn limit_may_explain(case: &Case) -> bool {
    let limit = |load: &Load| matches!(load.effect, LoadEffect::Avoided { limit: LimitOfOne::Possible, .. });
    observe_load_so_far(case).is_some_and(|load| limit(&load))
}

/// Returns true if quick requests after the slow ones decide: busy instances get their share, as far as that shows while they
/// are busy, or are avoided and may be out of service.
pub fn need_requests_afterwards(case: &Case) -> bool {
    observe_load_so_far(case).is_some_and(|load| match load.effect {
        LoadEffect::Ignored { .. } => true,
        LoadEffect::Unclear(reason) => reason == UnclearReason::NotComeBack,
        LoadEffect::Avoided { .. } | LoadEffect::Spilled { .. } | LoadEffect::Alone { .. } => false,
    })
}

/// The number of quick requests to send while slow ones are under way once.
pub fn quick_requests(case: &Case) -> u32 {
    let several = |free: &&FreeSeries| free.sequence().counts().len() > 1;
    match case.free().filter(several) {
        Some(free) if exact_round(free).is_none() => QUICK_IF_RANDOM,
        _ => QUICK,
    }
}

/// Rounds that give each instance its share exactly.
struct Round {
    weights: BTreeMap<InstanceId, usize>,
    repeats_after: Option<usize>,
    /// True if every pick of the probe's follows the round, so that no other client takes turns.
    every_pick: bool,
}

/// The round that was seen without load, if it holds each instance an exact number of times.
fn exact_round(free: &FreeSeries) -> Option<Round> {
    let (sequence, found) = (free.sequence(), free.finding());
    let without_background = found.background.is_none();
    let shares = found.algorithm().round_shares()?;
    let (every_pick, known) = match shares {
        RoundShares::Equal => {
            let strict = cycle::fixed_cycle(sequence).is_some() || cycle::rounds(sequence).is_some();
            (strict, sequence.visibility == Visibility::EveryTurn && without_background)
        }
        RoundShares::Weighted => (without_background && !found.weights.is_empty(), false),
    };
    let weights = match shares {
        RoundShares::Equal => sequence.counts().into_iter().collect(),
        RoundShares::Weighted => found.weights.iter().map(|&(id, weight)| (id, weight as usize)).collect(),
    };
    (every_pick || known).then_some(Round { weights, repeats_after: found.repeats_after, every_pick })
}

/// The quick requests that were under way while the same slow ones were, from their beginning to their end.
fn picks(slow: &Series, meanwhile: &Series) -> Vec<Pick> {
    meanwhile.requests.iter().filter_map(|quick| pick(slow, quick)).collect()
}

fn pick(slow: &Series, quick: &Request) -> Option<Pick> {
    let instance = quick.instance?;
    let overlap = |slow: &&Request| slow.at_us <= end_us(quick) && quick.at_us <= end_us(slow);
    let lasts = |slow: &Request| slow.at_us + SETTLE_US <= quick.at_us && end_us(quick) + SETTLE_US <= end_us(slow);
    let around: Vec<&Request> = slow.requests.iter().filter(overlap).collect();
    // of a slow request that just comes or goes, or failed, the busy instance is not known
    let known = around.iter().all(|slow| slow.instance.is_some() && lasts(slow));
    let busy: BTreeSet<InstanceId> = around.iter().filter_map(|slow| slow.instance).collect();
    let since_us = around.iter().map(|slow| slow.at_us).min()?;
    (known && !busy.is_empty()).then_some(Pick { instance, busy, slow: around.len(), since_us })
}

fn end_us(request: &Request) -> u64 {
    request.at_us + request.us
}

/// The limit of one request to each instance. It is excluded where an instance worked on two at once: the later of two
/// slow requests did not wait for the earlier one to end.
fn one_at_a_time(slow: &Series) -> LimitOfOne {
    let answered: Vec<&Request> = slow.requests.iter().filter(|request| request.instance.is_some()).collect();
    let shortest = answered.iter().map(|request| request.us).min().unwrap_or(0);
    let together = |one: &Request, other: &Request| {
        one.instance == other.instance && end_us(one).abs_diff(end_us(other)) < shortest / 2
    };
    let two_at_once =
        answered.iter().enumerate().any(|(index, one)| answered[index + 1..].iter().any(|other| together(one, other)));
    if two_at_once { LimitOfOne::Excluded } else { LimitOfOne::Possible }
}

/// Returns true if an instance that had been busy got nothing of several rounds after all slow requests were answered.
fn avoided_afterwards(slow: &Series, meanwhile: &Series, instances: usize) -> bool {
    let over = slow.requests.iter().map(end_us).max().unwrap_or(0);
    let after: Vec<InstanceId> =
        meanwhile.requests.iter().filter(|quick| quick.at_us > over).filter_map(|quick| quick.instance).collect();
    let mut kept_busy = slow.requests.iter().filter_map(|request| request.instance);
    after.len() >= 2 * instances && kept_busy.any(|id| !after.contains(&id))
}
