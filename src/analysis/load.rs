//! Load: are instances that are busy avoided.
//!
//! Slow requests keep instances busy, known by their answers, and quick ones are sent meanwhile. Two hypotheses are at
//! stake: that load plays no part, so that busy instances get the share they have without load; and that load decides,
//! so that a busy one is picked at most as often as when two picks at random both meet busy ones (power of two choices).
//! Each is held against models by likelihood ratios, which may be looked at after every request (Ville 1939).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::{InstanceId, Request, Series, SeriesName};

use crate::analysis::{
    affinity::cookie,
    case::{Case, FreeSeries},
    math::independent::ln_learned,
    math::log_prob::{ln_best_independent, probability},
    pattern::cycle,
    series::sequence::Known,
    verdict::{Algorithm, Stickiness},
};

/// The part of the accepted chance of a false verdict for each of the two hypotheses.
const SHARE: f64 = 0.05;
/// A balancer may take so long to know that a request has come or gone, in microseconds.
const SETTLE: u64 = 20_000;
/// Quick requests while instances are held once, where a regular order tells each instance's share exactly,
const QUICK: u32 = 40;
/// and where the share is only known from counts.
const QUICK_IF_RANDOM: u32 = 150;
/// Why quick requests may say nothing of load.
const OTHERS_BUSY: &str = "the slow requests kept no instance busy, all of them, or others than those that are judged";

/// What quick requests show while others keep instances busy.
#[derive(Debug, Clone)]
pub struct Load {
    /// Quick requests that count.
    pub quick: usize,
    /// Those that went to a busy instance.
    pub on_busy: usize,
    /// Those that would have, if load played no part.
    pub expected: f64,
    /// What this shows.
    pub shown: Shown,
}

/// What load does.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Busy instances are avoided. Without load they would be so by chance with this probability.
    Avoided {
        p: f64,
        /// Whether one instance was seen to work on two requests at once, so that no limit of one explains it.
        two_at_once: bool,
    },
    /// Busy instances get their share. A balancer that minds load would do so with this probability.
    Ignored { p: f64 },
    /// One instance answers as long as it has fewer requests than this, then another does, too.
    Spilled { at: usize },
    /// One instance answers, however busy.
    Alone { busiest: usize },
    /// It could not be told.
    Undecided(&'static str),
}

/// A quick request, and who was busy while it was under way.
struct Pick {
    instance: InstanceId,
    busy: BTreeSet<InstanceId>,
    slow: usize,
}

/// What a trace shows of load; `None` where nobody was kept busy.
pub fn find(case: &Case) -> Option<Load> {
    let (slow, meanwhile) = (case.trace().series(&SeriesName::Slow)?, case.trace().series(&SeriesName::Meanwhile)?);
    let free = case.free()?;
    let sequence = free.sequence();
    let mut quiet: BTreeMap<InstanceId, usize> = sequence.counts().into_iter().collect();
    let picks = picks(slow, meanwhile);
    let undecided = |why| Some(Load { quick: 0, on_busy: 0, expected: 0.0, shown: Shown::Undecided(why) });
    if picks.is_empty() {
        return undecided("no request was under way long enough to keep an instance busy meanwhile");
    }
    if let [only] = quiet.keys().copied().collect::<Vec<_>>()[..] {
        let told: Vec<&Pick> = picks.iter().filter(|pick| pick.busy.contains(&only)).collect();
        let Some(busiest) = told.iter().map(|pick| pick.slow).max() else { return undecided(OTHERS_BUSY) };
        let shown = match told.iter().filter(|pick| pick.instance != only).map(|pick| pick.slow).min() {
            Some(at) => Shown::Spilled { at },
            None => Shown::Alone { busiest },
        };
        return Some(Load { quick: told.len(), on_busy: 0, expected: 0.0, shown });
    }
    let told: Vec<&Pick> = picks
        .iter()
        .filter(|pick| pick.busy.iter().all(|id| quiet.contains_key(id)) && pick.busy.len() < quiet.len())
        .collect();
    if told.is_empty() {
        return undecided(OTHERS_BUSY);
    }
    let on_busy = told.iter().filter(|pick| pick.busy.contains(&pick.instance)).count();
    let exact = exactly(free);
    match &exact {
        Some(round) => quiet.clone_from(&round.weights),
        None if cookie::find(case).stickiness == Stickiness::None => {
            // where no cookie pins, a client with a jar is one more without load
            let with_jar = case.trace().series(&SeriesName::WithJar).into_iter().flat_map(|series| &series.requests);
            for id in with_jar.filter_map(|request| request.instance) {
                quiet.entry(id).and_modify(|count| *count += 1);
            }
        }
        None => {}
    }
    let total: usize = quiet.values().sum();
    let share = |pick: &Pick| pick.busy.iter().map(|id| quiet[id]).sum::<usize>() as f64 / total as f64;
    let (avoided, ignored) = match &exact {
        Some(round) => {
            let repeats = repeats(&told, &share, round.repeats_after, quiet.len());
            (avoids_its_share(&told, &share), keeps_its_share(&told, &share).max(repeats))
        }
        None => (foretold(&told, &quiet), keeps_its_counts(&told, &quiet, total)),
    };
    // two models were tried where one could have done
    let (avoided, ignored) = (probability(-avoided), probability(2f64.ln() - ignored));
    // others' requests keep instances busy as well, and may hide that ours does
    let ours_alone = exact.is_some_and(|round| round.every_pick)
        || (sequence.known == Known::EveryTurn && free.series.others.is_empty() && meanwhile.others.is_empty());
    let shunned = shunned_afterwards(slow, meanwhile, quiet.len());
    let shown = if is_sure(avoided, case.alpha()) {
        Shown::Avoided { p: avoided, two_at_once: two_at_once(slow) }
    } else if is_sure(ignored, case.alpha()) && shunned {
        Shown::Undecided("one that had been busy was avoided afterwards, so response times may count")
    } else if is_sure(ignored, case.alpha()) && ours_alone {
        Shown::Ignored { p: ignored }
    } else if is_sure(ignored, case.alpha()) {
        Shown::Undecided("others' requests may have kept the other instances as busy")
    } else {
        Shown::Undecided("that is too few to tell")
    };
    Some(Load { quick: told.len(), on_busy, expected: told.iter().map(|pick| share(pick)).sum(), shown })
}

/// Whether a probability is small enough for a statement about load.
pub fn is_sure(p: f64, alpha: f64) -> bool {
    p < alpha * SHARE
}

/// Whether more quick requests would tell nothing more.
pub fn enough_load(case: &Case) -> bool {
    find(case).is_some_and(|load| !matches!(load.shown, Shown::Undecided(_) | Shown::Alone { .. }))
}

/// Whether busy instances are avoided, but perhaps only because each takes one request at a time.
pub fn perhaps_a_limit(case: &Case) -> bool {
    find(case).is_some_and(|load| matches!(load.shown, Shown::Avoided { two_at_once: false, .. }))
}

/// Whether busy instances get their share, as far as that shows while they are busy.
pub fn gets_its_share(case: &Case) -> bool {
    find(case).is_some_and(|load| matches!(load.shown, Shown::Ignored { .. }))
}

/// How many quick requests to send while instances are held once.
pub fn quick_requests(case: &Case) -> u32 {
    let several = |free: &&FreeSeries| free.sequence().counts().len() > 1;
    match case.free().filter(several) {
        Some(free) if exactly(free).is_none() => QUICK_IF_RANDOM,
        _ => QUICK,
    }
}

/// Rounds that give each instance its share exactly.
struct Round {
    weights: BTreeMap<InstanceId, usize>,
    repeats_after: Option<usize>,
    /// Whether every pick of ours follows it, so that nobody else takes turns.
    every_pick: bool,
}

/// The round that was seen without load, if it holds each instance exactly so many times.
fn exactly(free: &FreeSeries) -> Option<Round> {
    let (sequence, found) = (free.sequence(), free.finding());
    let every_pick = match found.algorithm {
        Algorithm::RoundRobin => cycle::fixed_cycle(sequence).is_some() || cycle::rounds(sequence).is_some(),
        Algorithm::WeightedRoundRobin => found.disturbed.is_none() && !found.weights.is_empty(),
        _ => false,
    };
    let known =
        found.algorithm == Algorithm::RoundRobin && sequence.known == Known::EveryTurn && found.disturbed.is_none();
    let weights = match found.algorithm {
        Algorithm::WeightedRoundRobin => found.weights.iter().map(|&(id, weight)| (id, weight as usize)).collect(),
        _ => sequence.counts().into_iter().collect(),
    };
    (every_pick || known).then_some(Round { weights, repeats_after: found.repeats_after, every_pick })
}

/// The quick requests that were under way while slow ones were, from their beginning to their end.
fn picks(slow: &Series, meanwhile: &Series) -> Vec<Pick> {
    let ends = |request: &Request| request.at_us + request.us;
    let during =
        |slow: &Request, quick: &Request| slow.at_us + SETTLE <= quick.at_us && ends(quick) + SETTLE <= ends(slow);
    let overlap = |slow: &Request, quick: &Request| slow.at_us <= ends(quick) && quick.at_us <= ends(slow);
    let pick = |quick: &Request| {
        let instance = quick.instance?;
        let around: Vec<&Request> = slow.requests.iter().filter(|slow| overlap(slow, quick)).collect();
        // of one that just comes or goes, or failed, nobody knows whom it kept busy
        let known = around.iter().all(|slow| slow.instance.is_some() && during(slow, quick));
        let busy: BTreeSet<InstanceId> = around.iter().filter_map(|slow| slow.instance).collect();
        (known && !busy.is_empty()).then_some(Pick { instance, busy, slow: around.len() })
    };
    meanwhile.requests.iter().filter_map(pick).collect()
}

/// Whether an instance worked on two slow requests at once: the later did not have to wait for the earlier to end.
fn two_at_once(slow: &Series) -> bool {
    let answered: Vec<&Request> = slow.requests.iter().filter(|request| request.instance.is_some()).collect();
    let shortest = answered.iter().map(|request| request.us).min().unwrap_or(0);
    let ends = |request: &Request| request.at_us + request.us;
    answered.iter().enumerate().any(|(index, one)| {
        answered[index + 1..]
            .iter()
            .any(|other| one.instance == other.instance && ends(one).abs_diff(ends(other)) < shortest / 2)
    })
}

/// Whether an instance that was kept busy got nothing of several rounds after all slow requests were answered.
fn shunned_afterwards(slow: &Series, meanwhile: &Series, instances: usize) -> bool {
    let over = slow.requests.iter().map(|request| request.at_us + request.us).max().unwrap_or(0);
    let after: Vec<InstanceId> =
        meanwhile.requests.iter().filter(|quick| quick.at_us > over).filter_map(|quick| quick.instance).collect();
    let mut kept_busy = slow.requests.iter().filter_map(|request| request.instance);
    after.len() >= 2 * instances && kept_busy.any(|id| !after.contains(&id))
}

/// How much better (ln) than their exact share without load a fraction of it explains the busy instances' picks.
fn avoids_its_share(picks: &[&Pick], share: &impl Fn(&Pick) -> f64) -> f64 {
    let with = |fraction: f64| {
        let each = |pick: &&Pick| match (share(pick), pick.busy.contains(&pick.instance)) {
            (_, true) => fraction.ln(),
            (share, false) => ((1.0 - fraction * share) / (1.0 - share)).ln(),
        };
        picks.iter().map(each).sum::<f64>()
    };
    mean(&[0.02, 0.2, 0.5].map(with))
}

/// How much better (ln) than any balancer that minds load their exact share explains the busy instances' picks.
fn keeps_its_share(picks: &[&Pick], share: &impl Fn(&Pick) -> f64) -> f64 {
    // at most the square of the share, whatever came before
    let each = |pick: &&Pick| match (share(pick), pick.busy.contains(&pick.instance)) {
        (share, true) => -share.ln(),
        (share, false) => -(1.0 + share).ln(),
    };
    picks.iter().map(each).sum()
}

/// The same for an order that repeats as it did without load.
fn repeats(picks: &[&Pick], share: &impl Fn(&Pick) -> f64, period: Option<usize>, k: usize) -> f64 {
    const FOLLOWED: f64 = 0.98;
    let Some(period) = period else { return f64::NEG_INFINITY };
    let each = |window: &[&Pick]| {
        let (before, pick) = (window[0], window[period]);
        // a slow request in between took a turn
        if window.iter().any(|one| one.busy != pick.busy) {
            return 0.0;
        }
        let model = if before.instance == pick.instance { FOLLOWED } else { (1.0 - FOLLOWED) / (k - 1) as f64 };
        // an idle one may be certain, for all that is known
        model.ln() - if pick.busy.contains(&pick.instance) { 2.0 * share(pick).ln() } else { 0.0 }
    };
    picks.windows(period + 1).map(each).sum()
}

/// How much better (ln) than the shares that fit all requests best, with load and without, shares that are learned
/// without load or are even explain them, of which a busy instance gets a fraction.
fn foretold(picks: &[&Pick], quiet: &BTreeMap<InstanceId, usize>) -> f64 {
    let counts: Vec<usize> = quiet.values().copied().collect();
    let mut all = quiet.clone();
    picks.iter().for_each(|pick| *all.entry(pick.instance).or_default() += 1);
    let same = ln_best_independent(&all.values().copied().collect::<Vec<_>>());
    let (k, n) = (counts.len() as f64, counts.iter().sum::<usize>() as f64);
    let learned = |id: &InstanceId| (quiet.get(id).copied().unwrap_or(0) as f64 + 0.5) / (n + 0.5 * k);
    let with = |share: &dyn Fn(&InstanceId) -> f64, fraction: f64| {
        let each = |pick: &&Pick| {
            let busy: f64 = pick.busy.iter().map(share).sum();
            let own = share(&pick.instance);
            match pick.busy.contains(&pick.instance) {
                true => (fraction * own).ln(),
                false => (own * (1.0 - fraction * busy) / (1.0 - busy)).ln(),
            }
        };
        picks.iter().map(each).sum::<f64>()
    };
    let models = [0.02, 0.1, 0.2, 0.35, 0.5].map(|fraction| {
        mean(&[ln_learned(&counts) + with(&learned, fraction), -n * k.ln() + with(&|_| 1.0 / k, fraction)])
    });
    mean(&models) - same
}

/// How much better (ln) than any balancer that minds load the share that was counted without load explains the busy
/// instances' picks: the mean over the sets of busy instances.
fn keeps_its_counts(picks: &[&Pick], quiet: &BTreeMap<InstanceId, usize>, total: usize) -> f64 {
    let mut sets: BTreeMap<&BTreeSet<InstanceId>, (usize, usize)> = BTreeMap::new();
    for pick in picks {
        let (on_busy, all) = sets.entry(&pick.busy).or_default();
        *on_busy += usize::from(pick.busy.contains(&pick.instance));
        *all += 1;
    }
    let each = |(busy, (hits, all)): (&&BTreeSet<InstanceId>, &(usize, usize))| {
        let (hits, all) = (*hits, *all);
        let before: usize = busy.iter().map(|id| quiet[id]).sum();
        let ln_coin =
            |hits: usize, all: usize, share: f64| hits as f64 * share.ln() + (all - hits) as f64 * (1.0 - share).ln();
        let minded = best(|share| ln_coin(before, total, share) + ln_coin(hits, all, share * share));
        ln_estimated(before + hits, total + all) - minded
    };
    mean(&sets.iter().map(each).collect::<Vec<_>>())
}

/// The largest value of a concave function of a share.
fn best(of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (1e-9, 1.0 - 1e-9);
    for _ in 0..100 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if of(left) < of(right) { low = left } else { high = right }
    }
    of((low + high) / 2.0)
}

/// The log-probability of a coin's throws with Krichevsky and Trofimov's estimates.
fn ln_estimated(hits: usize, all: usize) -> f64 {
    let half = |n: usize| (0..n).map(|i| (i as f64 + 0.5).ln()).sum::<f64>();
    half(hits) + half(all - hits) - (1..=all).map(|i| (i as f64).ln()).sum::<f64>()
}

/// The logarithm of the mean of values given by their logarithms.
fn mean(lns: &[f64]) -> f64 {
    let best = lns.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match best == f64::NEG_INFINITY {
        true => best,
        false => best + (lns.iter().map(|ln| (ln - best).exp()).sum::<f64>() / lns.len() as f64).ln(),
    }
}
