//! The judge: gathers the facts of a case, names their pattern and its candidates, and makes one verdict of them.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::{
            cookie_mechanism,
            evidence::{KeyEvidence, StayScope},
            key_facts::{self, KeyFact},
            keys::{Key, KeyEffect},
        },
        case::Case,
        facts::Facts,
        load::{LimitOfOne, LoadEffect},
        pattern::{
            evidence::{OneInstanceEvidence, OrderEvidence, PatternEvidence},
            finding::{Background, Pattern},
            near_weights::{self, NearWeights},
            unmodelled,
        },
        unseen_instances::UnseenEffect,
        verdict::{
            Algorithm, InstanceHits, Order, Reach, Rejection, Stickiness, StickyBy, StickyCookie, Test, Verdict,
            assumption::list_assumptions, candidates::PatternStages, consistency::withdraw_contradictions,
            evidence::Evidence, expected_counts, natural_order_key,
        },
    },
    model::trace::{InstanceId, SeriesName, Trace},
};

/// Judges a case. The chance of a false verdict is below the alpha of the case.
pub fn judge(case: &Case) -> Verdict {
    let facts = Facts::gather(case);
    let stages = PatternStages::derive(&facts, case.free().map(|free| free.sequence()), case.alpha());
    let ruled_out = ruled_out(&facts, &stages, case.alpha());
    let (stickiness, sticky_cookie) = stickiness(case, &facts, &stages.all.candidates);
    let by_keys = facts.deciding_keys().next().is_some();
    let finding = &facts.finding;
    // what is said of a round over a part of the instances need not hold for all
    let is_whole = facts.other_series.effect(stages.with_load.algorithm) != UnseenEffect::MoreInstances;
    let goes_round = !by_keys && is_whole;
    withdraw_contradictions(Verdict {
        chance: 0.0,
        alpha: case.alpha(),
        assumes: list_assumptions(case, stages.all.algorithm, &ruled_out),
        not_modelled: unmodelled::list_unmodelled(finding.pattern),
        near_weights: near_weights(&facts, &stages),
        ruled_out,
        instances: instances(case, &facts, &stages),
        order: if by_keys { order_of_tables(&facts) } else { finding.order.filter(|_| is_whole) },
        cycle: if goes_round { rotate_to_first(names(case.trace(), &finding.cycle)) } else { Vec::new() },
        repeats_after: finding.repeats_after.filter(|_| goes_round),
        even: finding.even,
        background_share: match finding.background {
            Some(Background::Share(share)) => Some(share),
            Some(Background::Unknown) | None => None,
        },
        regular_beyond: finding.regular_beyond,
        stickiness,
        sticky_cookie,
        balances_per: facts.connections.per,
        evidence: evidence(&facts, &stages),
        algorithm: stages.all.algorithm,
        candidates: stages.all.candidates,
    })
}

/// Returns true if one instance surely answers free requests, and no key that was varied explains it.
pub fn is_single_unexplained(case: &Case) -> bool {
    case.free().is_some_and(|free| free.finding().algorithm() == Algorithm::Single)
        && key_facts::gather_keys(case).iter().all(|fact| fact.decision.is_none())
        && match judge(case).algorithm.reach() {
            Reach::One | Reach::Unknown => true,
            Reach::Every | Reach::ByLoad | Reach::ByKey => false,
        }
}

/// The algorithms that the facts rule out, each by its test.
fn ruled_out(facts: &Facts, stages: &PatternStages, alpha: f64) -> Vec<Rejection> {
    let finding = facts.finding.ruled_out.iter();
    let mut all: Vec<Rejection> =
        finding.chain(&facts.stickiness.ruled_out).chain(&facts.connections.ruled_out).cloned().collect();
    if facts.deciding_keys().next().is_some() {
        all.retain(|out| out.test != Test::OneAlone && out.algorithm != Algorithm::Single);
        all.extend(ruled_out_by_keys(facts));
    }
    all.extend(ruled_out_by_load(facts, stages, alpha));
    match facts.other_series.effect(stages.with_load.algorithm) {
        UnseenEffect::Nothing => {}
        UnseenEffect::OthersWhenBusy => all.retain(|out| out.algorithm.reach() != Reach::Every),
        UnseenEffect::SeveralInstances => {
            all.retain(|out| out.algorithm.reach() != Reach::Every);
            all.extend(facts.other_series.rule_out_single(alpha));
        }
        UnseenEffect::MoreInstances => {
            if all.iter().all(|out| out.algorithm != Algorithm::Single) {
                all.extend(facts.other_series.rule_out_single(alpha));
            }
        }
    }
    all
}

/// The bound of the weights that the ring or the rounds of the verdict may hide; `None` where the verdict names something
/// else, or other series show instances that these rounds do not hold.
fn near_weights(facts: &Facts, stages: &PatternStages) -> Option<f64> {
    match (facts.finding.pattern, stages.all.algorithm) {
        (Pattern::RoundRobin(NearWeights::CloserThan(ratio)), Algorithm::RoundRobin)
            if facts.deciding_keys().next().is_none() && facts.other_series.unseen.is_empty() =>
        {
            Some(ratio)
        }
        _ => None,
    }
}

fn ruled_out_by_keys(facts: &Facts) -> Vec<Rejection> {
    let p = facts.deciding_keys().map(|(_, decision)| decision.p).sum();
    let blind = Rejection { algorithm: Algorithm::FirstAvailable, test: Test::EachValueHasItsInstance, p };
    let single = Rejection { algorithm: Algorithm::Single, test: Test::SeveralInstances, p };
    let mut all = vec![single, blind];
    let hashes: Vec<Algorithm> = facts.keys_without_table().map(|fact| fact.key.hash_algorithm()).collect();
    for (fact, decision) in facts.deciding_keys() {
        let (Some(placement), Some(p)) = (&decision.placement, fact.table_p()) else { continue };
        let hash = fact.key.hash_algorithm();
        // another key may be hashed by the same algorithm
        let out = Rejection { algorithm: hash, test: Test::NewValuesInTurn, p };
        all.extend(Some(out).filter(|_| !hashes.contains(&hash)));
        all.extend(placement.ruled_out.iter().filter(|out| out.algorithm == Algorithm::Random).cloned());
    }
    all
}

fn ruled_out_by_load(facts: &Facts, stages: &PatternStages, alpha: f64) -> Vec<Rejection> {
    let Some(load) = &facts.load else { return Vec::new() };
    let least_connections = |test, p| Rejection { algorithm: Algorithm::LeastConnections, test, p };
    match load.effect {
        LoadEffect::Avoided { p, limit: LimitOfOne::Excluded } => {
            let blind = stages.without_load.candidates.iter().filter(|one| **one != Algorithm::LeastConnections);
            blind.map(|&algorithm| Rejection { algorithm, test: Test::BusyAvoided, p }).collect()
        }
        LoadEffect::Ignored { p } => vec![least_connections(Test::BusyGetTheirShare, p)],
        LoadEffect::Spilled { p, .. } => {
            let blind = Rejection { algorithm: Algorithm::Single, test: Test::AnotherAnswersWhileBusy, p };
            let alone = load.least_connections_alone(alpha);
            let alone = alone.map(|p| least_connections(Test::BusyGetsEverything, p));
            [blind].into_iter().chain(alone).collect()
        }
        LoadEffect::Alone { .. } => {
            let p = load.least_connections_alone(alpha);
            p.map(|p| least_connections(Test::BusyGetsEverything, p)).into_iter().collect()
        }
        LoadEffect::Avoided { limit: LimitOfOne::Possible, .. } | LoadEffect::Unclear(_) => Vec::new(),
    }
}

/// The stickiness: the address or the cookie that decides, or else the cookie that pins. That no cookie pins is not enough
/// for "none" where one instance answered all requests of this address and a hash of it is a candidate, nor where each
/// address has instances of its own. An address that decides together with another key keeps no client for long.
fn stickiness(case: &Case, facts: &Facts, candidates: &[Algorithm]) -> (Stickiness, Option<StickyCookie>) {
    let mut sticky = (facts.stickiness.stickiness, facts.stickiness.cookie.clone());
    let by_address = candidates.contains(&Algorithm::SourceHash) && meets_one_instance(case);
    let by_set =
        facts.keys.iter().any(|fact| fact.key == Key::Source && matches!(fact.effect, KeyEffect::OwnSets { .. }));
    if sticky.0 == Stickiness::None && (by_address || by_set) {
        sticky.0 = Stickiness::Undetermined;
    }
    if facts.deciding_keys().any(|(fact, _)| fact.key == Key::Source) {
        let alone = facts.deciding_keys().count() == 1;
        sticky.0 = if alone { Stickiness::Source } else { Stickiness::Undetermined };
    }
    for (fact, decision) in facts.deciding_keys() {
        let Some(name) = fact.key.cookie(case.trace()) else { continue };
        // a table that places new values at random looks like a hash
        let by = decision.placement.as_ref().map(|_| StickyBy::Learned);
        let cookie = StickyCookie { by, ..cookie_mechanism::identify_cookie(case.trace(), name) };
        sticky = (Stickiness::Cookie, Some(cookie));
    }
    sticky
}

/// Returns true if one instance answered all requests of this client, with and without cookies.
fn meets_one_instance(case: &Case) -> bool {
    let series = [SeriesName::WithoutJar, SeriesName::WithJar];
    let instances = series.iter().filter_map(|name| case.trace().series(name)).flat_map(|series| series.instances());
    instances.collect::<BTreeSet<_>>().len() <= 1
}

/// The order in which the last table placed new values.
fn order_of_tables(facts: &Facts) -> Option<Order> {
    let placements = facts.deciding_keys().filter_map(|(_, decision)| decision.placement.as_ref());
    placements.last().and_then(|placement| placement.order)
}

/// The instances with their counts of answers. Where keys decide, the instances show themselves in the series of the
/// keys.
fn instances(case: &Case, facts: &Facts, stages: &PatternStages) -> Vec<InstanceHits> {
    let trace = case.trace();
    let mut instances = free_instances(case, facts);
    if let Some(share) = instances.first().map(|first| first.share)
        && facts.deciding_keys().next().is_some()
    {
        instances.iter_mut().for_each(|instance| (instance.weight, instance.expected) = (None, None));
        for (fact, _) in facts.deciding_keys() {
            for (&id, &hits) in &fact.hits {
                let name = trace.instance_name(id);
                match instances.iter_mut().find(|instance| instance.name == name) {
                    Some(instance) => instance.hits += hits,
                    None => {
                        instances.push(InstanceHits { share, ..InstanceHits::without_share(name.to_owned(), hits) })
                    }
                }
            }
        }
    }
    if facts.load.as_ref().is_some_and(|load| matches!(load.effect, LoadEffect::Avoided { .. })) {
        instances.iter_mut().for_each(|instance| instance.expected = None);
    }
    match facts.other_series.effect(stages.with_load.algorithm) {
        UnseenEffect::SeveralInstances | UnseenEffect::MoreInstances => {
            instances.iter_mut().for_each(|instance| (instance.weight, instance.expected) = (None, None));
            let unseen = facts.other_series.unseen.iter().map(|(id, _)| *id);
            instances.extend(unseen.map(|id| InstanceHits::without_share(trace.instance_name(id).to_owned(), 0)));
        }
        UnseenEffect::OthersWhenBusy | UnseenEffect::Nothing => {}
    }
    instances.sort_by_key(|instance| natural_order_key(&instance.name));
    instances
}

/// The instances that answered the free series, in the order of their names.
fn free_instances(case: &Case, facts: &Facts) -> Vec<InstanceHits> {
    let Some(free) = case.free() else { return Vec::new() };
    let finding = &facts.finding;
    let expected = expected_counts::bound_counts(finding, free.series, free.sequence());
    let k = free.answers().len();
    // equal shares of rounds are never exact
    let (weights, near) = match finding.pattern {
        Pattern::RoundRobin(NearWeights::CloserThan(ratio)) => (&[][..], Some(near_weights::share_between(k, ratio))),
        Pattern::RoundRobin(NearWeights::Possible) => (&[][..], None),
        _ => (finding.weights.as_slice(), None),
    };
    let hits = |(&id, &hits): (&InstanceId, &usize)| InstanceHits {
        weight: weights.iter().find(|(one, _)| *one == id).map(|(_, weight)| *weight),
        share: finding.shares.iter().find(|(one, _)| *one == id).map(|(_, share)| *share).or(near),
        expected: expected.get(&id).copied(),
        ..InstanceHits::without_share(case.trace().instance_name(id).to_owned(), hits)
    };
    let mut instances: Vec<InstanceHits> = free.answers().iter().map(hits).collect();
    instances.sort_by_key(|instance| natural_order_key(&instance.name));
    instances
}

/// The facts that speak for the verdict, without those that other facts replace.
fn evidence(facts: &Facts, stages: &PatternStages) -> Vec<Evidence> {
    let pattern = facts.finding.evidence.iter().filter(|fact| !is_replaced(fact, facts, stages));
    let pattern = pattern.cloned().map(Evidence::Pattern);
    let load = facts.load.iter().flat_map(|load| load.evidence(stages.without_load.algorithm));
    let others = facts.other_series.evidence(stages.with_load.algorithm);
    pattern
        .chain(facts.stickiness.evidence.iter().cloned().map(Evidence::Cookie))
        .chain(facts.connections.evidence.iter().cloned().map(Evidence::Connection))
        .chain(key_evidence(facts).into_iter().map(Evidence::Key))
        .chain(load.map(Evidence::Load))
        .chain(others.map(Evidence::Unseen))
        .collect()
}

/// Returns true if a fact about the free series is out of date, because other series show more.
fn is_replaced(fact: &PatternEvidence, facts: &Facts, stages: &PatternStages) -> bool {
    match fact {
        PatternEvidence::OneInstance(OneInstanceEvidence::OtherReasons { .. }) => {
            facts.deciding_keys().next().is_some()
                || facts.other_series.effect(stages.with_load.algorithm) == UnseenEffect::SeveralInstances
        }
        PatternEvidence::Order(OrderEvidence::LeastConnectionsLooksTheSame) => facts
            .load
            .as_ref()
            .is_some_and(|load| matches!(load.effect, LoadEffect::Avoided { .. } | LoadEffect::Ignored { .. })),
        _ => false,
    }
}

fn key_evidence(facts: &Facts) -> Vec<KeyEvidence> {
    let mut all: Vec<KeyEvidence> = facts.keys.iter().map(|fact| fact.evidence.clone()).collect();
    if facts.deciding_keys().next().is_none() {
        return all;
    }
    let free = facts.finding.algorithm();
    if free != Algorithm::Single {
        all.push(KeyEvidence::PatternWithoutValue(free));
    }
    let deciding: Vec<&KeyFact> = facts.deciding_keys().map(|(fact, _)| fact).collect();
    match deciding.as_slice() {
        [only] if only.key == Key::Source => all.push(KeyEvidence::ClientStaysByAddress(stay_scope(facts))),
        [_] => {}
        several => all.push(KeyEvidence::Together(several.iter().map(|fact| fact.key_name.clone()).collect())),
    }
    for (fact, _) in facts.deciding_keys() {
        all.extend(fact.table_p().map(|p| KeyEvidence::PlacedInTurn { key_name: fact.key_name.clone(), p }));
    }
    if facts.keys_without_table().next().is_some() {
        let beyond = facts.keys_without_table().map(|fact| fact.turns_beyond);
        // the least of them holds for all
        let least = beyond.reduce(|one, other| Some(one?.min(other?))).flatten();
        all.push(KeyEvidence::TableLooksTheSame { turns_beyond: least });
    }
    all
}

/// The requests for which a client stays on its instance, where its address decides: those to all paths, if other queries
/// and other paths went to the same instance.
fn stay_scope(facts: &Facts) -> StayScope {
    let plays_no_part = |key: Key| {
        let fact = facts.keys.iter().find(|fact| fact.key == key);
        fact.is_some_and(|fact| fact.shows_one_instance_as_without())
    };
    if plays_no_part(Key::Query) && plays_no_part(Key::Path) { StayScope::AllPaths } else { StayScope::ThisPath }
}

fn names(trace: &Trace, ids: &[InstanceId]) -> Vec<String> {
    ids.iter().map(|id| trace.instance_name(*id).to_owned()).collect()
}

/// Rotates a cycle, which has no beginning, so that it begins with the first name in natural order.
fn rotate_to_first(mut cycle: Vec<String>) -> Vec<String> {
    if let Some(first) = (0..cycle.len()).min_by_key(|&index| natural_order_key(&cycle[index])) {
        cycle.rotate_left(first);
    }
    cycle
}
