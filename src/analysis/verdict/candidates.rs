//! The candidates: the pattern that the facts name, and every mechanism that would produce it.
//!
//! Both are functions of the facts. Each step below takes what the step before it named: the order of free requests,
//! then keys that decide, then load, then instances that other series show.

use crate::analysis::{
    affinity::keys::KeyEffect,
    facts::Facts,
    load::{LimitOfOne, Load, LoadEffect},
    pattern::finding::{Pattern, Spill, Turns},
    series::sequence::{Sequence, Visibility},
    unseen_instances::UnseenEffect,
    verdict::{Algorithm, Reach, Rejection, RoundShares},
};

use Algorithm::{
    FirstAvailable, HeaderHash, LeastConnections, Random, RoundRobin, Single, SourceHash, UriHash, WeightedRoundRobin,
};

/// The most changes of instance that a mechanism which pins this client may show, because instances came or left.
const SWITCHES: usize = 3;

/// A pattern and the mechanisms that would produce it, the pattern's own first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPattern {
    pub algorithm: Algorithm,
    pub candidates: Vec<Algorithm>,
}

impl NamedPattern {
    /// The same pattern without some of its candidates.
    fn without(&self, out: &[Algorithm]) -> NamedPattern {
        let candidates = self.candidates.iter().copied().filter(|candidate| !out.contains(candidate)).collect();
        NamedPattern { algorithm: self.algorithm, candidates }
    }
}

/// The pattern after each stage, as far as the facts go.
pub struct PatternStages {
    /// The pattern by the order of free requests and the keys that decide.
    pub without_load: NamedPattern,
    /// The pattern with the effect of load.
    pub with_load: NamedPattern,
    /// The pattern with all series.
    pub all: NamedPattern,
}

impl PatternStages {
    /// Names the pattern of the facts. `sequence` is that of the free series.
    pub fn derive(facts: &Facts, sequence: Option<&Sequence>, alpha: f64) -> PatternStages {
        let without_load = name_by_keys(facts).unwrap_or_else(|| name_by_order(facts, sequence));
        let with_load = match &facts.load {
            Some(load) => name_by_load(&without_load, load, alpha),
            None => without_load.clone(),
        };
        let all = name_by_other_series(&with_load, facts, alpha);
        PatternStages { without_load, with_load, all }
    }
}

/// The mechanisms that would produce a pattern of free requests.
pub fn find_mechanisms(pattern: Pattern, sequence: Option<&Sequence>, ruled_out: &[Rejection]) -> Vec<Algorithm> {
    let spilling = |spill: Spill| match spill {
        Spill::Possible => vec![FirstAvailable],
        Spill::Excluded => Vec::new(),
    };
    let hidden_turns = |sequence: Option<&Sequence>| sequence.is_none_or(|one| one.visibility != Visibility::EveryTurn);
    let mut mechanisms = match pattern {
        Pattern::Open => sequence.map_or(Vec::new(), |sequence| remaining_mechanisms(sequence, ruled_out)),
        Pattern::OneInstance => [
            Single,
            FirstAvailable,
            SourceHash,
            UriHash,
            HeaderHash,
            // one that begins with the first of equals
            LeastConnections,
            // with other shares than even ones
            WeightedRoundRobin,
            Random,
        ]
        .into_iter()
        // with turns that others always take, such as a second request for each
        .chain(hidden_turns(sequence).then_some(RoundRobin))
        .collect(),
        // weights may be nearly the same
        Pattern::RoundRobin(_) | Pattern::ChangingInstances => vec![RoundRobin, LeastConnections, WeightedRoundRobin],
        Pattern::WeightedRoundRobin => vec![WeightedRoundRobin, LeastConnections],
        Pattern::Regular => vec![RoundRobin, WeightedRoundRobin, LeastConnections],
        Pattern::RandomOrRegular(spill) => {
            [vec![Random, LeastConnections, RoundRobin, WeightedRoundRobin], spilling(spill)].concat()
        }
        Pattern::Random(Turns::All, spill) => [vec![Random, LeastConnections], spilling(spill)].concat(),
        Pattern::Random(Turns::OursAlone, spill) => {
            [vec![Random, LeastConnections], spilling(spill), vec![RoundRobin, WeightedRoundRobin]].concat()
        }
    };
    let is_ruled_out = |algorithm: Algorithm| ruled_out.iter().any(|out| out.algorithm == algorithm);
    // the others may be stray answers, and the weights turns that were lost
    let explained = |algorithm: &Algorithm| match (pattern, algorithm) {
        (Pattern::Open | Pattern::OneInstance, _) => false,
        (Pattern::WeightedRoundRobin, RoundRobin) => true,
        (_, algorithm) => *algorithm == Single,
    };
    mechanisms.extend([RoundRobin, Single].into_iter().filter(|one| explained(one) && !is_ruled_out(*one)));
    mechanisms
}

/// The mechanisms that may pick like that, without those that are ruled out.
fn remaining_mechanisms(sequence: &Sequence, ruled_out: &[Rejection]) -> Vec<Algorithm> {
    if sequence.len() == 0 {
        return Vec::new();
    }
    let pairs = sequence.segments.iter().flat_map(|segment| segment.windows(2));
    let changes = pairs.filter(|pair| pair[0] != pair[1]).count();
    let may_be_constant = sequence.visibility == Visibility::CountsOnly || changes <= SWITCHES;
    let fits = |algorithm: &Algorithm| match algorithm.reach() {
        // one instance alone, unless the answers of others are too many to be stray
        Reach::Every | Reach::ByLoad | Reach::One => true,
        Reach::ByKey => may_be_constant,
        Reach::Unknown => false,
    };
    Algorithm::all().filter(fits).filter(|one| ruled_out.iter().all(|out| out.algorithm != *one)).collect()
}

fn name_by_order(facts: &Facts, sequence: Option<&Sequence>) -> NamedPattern {
    let finding = &facts.finding;
    let candidates = find_mechanisms(finding.pattern, sequence, &finding.ruled_out);
    NamedPattern { algorithm: finding.pattern.algorithm(), candidates }
}

/// The pattern that deciding keys name. Where a table was seen, it is the order in which the last table placed new values,
/// whatever else decides. Otherwise it is the hash of the only key that decides. Of several keys that decide a hash may be
/// taken together, which has no name.
///
/// Something that remembers each value in front of a round robin looks like a hash, if others took turns meanwhile or
/// there are more instances than new values.
fn name_by_keys(facts: &Facts) -> Option<NamedPattern> {
    let mut hashes: Vec<Algorithm> = Vec::new();
    for hash in facts.keys_without_table().map(|fact| fact.key.hash_algorithm()) {
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
    }
    let tables = facts.deciding_keys().filter_map(|(_, decision)| decision.placement.as_ref());
    if let Some(placement) = tables.last() {
        let order = find_mechanisms(placement.pattern, None, &placement.ruled_out);
        return Some(NamedPattern { algorithm: placement.pattern.algorithm(), candidates: [order, hashes].concat() });
    }
    let algorithm = match hashes.as_slice() {
        [] => return None,
        [only] => *only,
        _ => Algorithm::Undetermined,
    };
    hashes.extend([Random, LeastConnections, RoundRobin, WeightedRoundRobin]);
    Some(NamedPattern { algorithm, candidates: hashes })
}

fn name_by_load(named: &NamedPattern, load: &Load, alpha: f64) -> NamedPattern {
    let others = |out: &[Algorithm]| named.without(out).candidates;
    let (algorithm, candidates) = match load.effect {
        LoadEffect::Avoided { limit: LimitOfOne::Excluded, .. } => (LeastConnections, vec![LeastConnections]),
        LoadEffect::Avoided { limit: LimitOfOne::Possible, .. } => {
            (LeastConnections, [vec![LeastConnections], others(&[LeastConnections])].concat())
        }
        LoadEffect::Ignored { .. } => (named.algorithm, others(&[LeastConnections])),
        LoadEffect::Spilled { .. } => {
            let helping = match load.least_connections_alone(alpha) {
                Some(_) => vec![FirstAvailable],
                None => vec![FirstAvailable, LeastConnections],
            };
            (FirstAvailable, [helping, others(&[Single, FirstAvailable, LeastConnections])].concat())
        }
        LoadEffect::Alone { .. } if load.least_connections_alone(alpha).is_some() => {
            (named.algorithm, others(&[LeastConnections]))
        }
        LoadEffect::Alone { .. } | LoadEffect::Unclear(_) => (named.algorithm, named.candidates.clone()),
    };
    NamedPattern { algorithm, candidates }
}

fn name_by_other_series(named: &NamedPattern, facts: &Facts, alpha: f64) -> NamedPattern {
    let mut candidates = named.candidates.clone();
    let spread = |candidates: &mut Vec<Algorithm>| {
        let missing: Vec<Algorithm> = Algorithm::spreading().filter(|way| !candidates.contains(way)).collect();
        candidates.extend(missing);
    };
    // the answers of others may be stray
    let is_single_left = facts.other_series.rule_out_single(alpha).is_none();
    match facts.other_series.effect(named.algorithm) {
        UnseenEffect::Nothing => named.clone(),
        UnseenEffect::SeveralInstances => {
            let inconsistent = facts.keys.iter().filter(|fact| matches!(fact.effect, KeyEffect::Inconsistent { .. }));
            let no_hashes: Vec<Algorithm> = inconsistent.map(|fact| fact.key.hash_algorithm()).collect();
            candidates.retain(|candidate| !no_hashes.contains(candidate));
            spread(&mut candidates);
            candidates.retain(|candidate| *candidate != Single || is_single_left);
            NamedPattern { algorithm: Algorithm::Undetermined, candidates }
        }
        UnseenEffect::OthersWhenBusy => {
            spread(&mut candidates);
            NamedPattern { algorithm: Algorithm::Undetermined, candidates }
        }
        UnseenEffect::MoreInstances => {
            // their turn may come in a later part of a long round
            if named.algorithm.round_shares() == Some(RoundShares::Equal) && !candidates.contains(&WeightedRoundRobin) {
                candidates.push(WeightedRoundRobin);
            }
            candidates.retain(|candidate| *candidate != Single || is_single_left);
            // a round over a part of the instances may be what a client in step has left of a longer one
            let algorithm = if named.algorithm.goes_round() { Algorithm::Undetermined } else { named.algorithm };
            NamedPattern { algorithm, candidates }
        }
    }
}
