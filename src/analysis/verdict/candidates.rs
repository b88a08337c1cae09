//! The candidates: which pattern the facts name, and every mechanism that would produce it.
//!
//! Both are functions of the facts. Each step below takes what the step before it named: the order of free requests,
//! then keys that decide, then load, then instances that other series show.

use crate::analysis::{
    affinity::keys::KeyEffect,
    facts::Facts,
    load::{Load, LoadEffect, OneAtATime},
    pattern::finding::{NearWeights, Pattern, Spill, Turns},
    series::sequence::{Known, Sequence},
    unseen_instances::Meaning,
    verdict::{Algorithm, RuledOut},
};

use Algorithm::{
    FirstAvailable, HeaderHash, LeastConnections, Random, RoundRobin, Single, SourceHash, UriHash, WeightedRoundRobin,
};

/// The ways to spread requests over several instances, whichever client asks and whatever it asks for.
pub const SPREADING: [Algorithm; 4] = [RoundRobin, WeightedRoundRobin, Random, LeastConnections];
/// The changes of instance up to which a mechanism that keeps this client on one instance may have changed its mind,
/// because instances came or left.
const SWITCHES: usize = 3;

/// A pattern and the mechanisms that would produce it, the pattern's own first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub pattern: Algorithm,
    pub candidates: Vec<Algorithm>,
}

impl Named {
    /// The same pattern without some of its candidates.
    fn without(&self, out: &[Algorithm]) -> Named {
        let candidates = self.candidates.iter().copied().filter(|candidate| !out.contains(candidate)).collect();
        Named { pattern: self.pattern, candidates }
    }
}

/// The pattern after each step, as far as the facts go.
pub struct Steps {
    /// By the order of free requests and the keys that decide.
    pub without_load: Named,
    /// With the effect of load.
    pub with_load: Named,
    /// With all series.
    pub all: Named,
    /// The probability that a hash of the path would look so, where it is no candidate for that reason.
    pub no_uri_hash: Option<f64>,
}

impl Steps {
    /// Names the pattern of the facts. `sequence` is that of the free series.
    pub fn take(facts: &Facts, sequence: Option<&Sequence>, alpha: f64) -> Steps {
        let order = by_order(facts, sequence);
        let no_uri_hash = facts.no_uri_hash.filter(|_| order.candidates.contains(&UriHash));
        let without_load = by_keys(facts).unwrap_or_else(|| match no_uri_hash {
            Some(_) => order.without(&[UriHash]),
            None => order,
        });
        let with_load = match &facts.load {
            Some(load) => by_load(&without_load, load, alpha),
            None => without_load.clone(),
        };
        let all = by_other_series(&with_load, facts);
        Steps { without_load, with_load, all, no_uri_hash }
    }
}

/// The mechanisms that would produce a pattern of free requests.
pub fn producing(pattern: Pattern, sequence: Option<&Sequence>, ruled_out: &[RuledOut]) -> Vec<Algorithm> {
    let spilling = |spill: Spill| match spill {
        Spill::Possible => vec![FirstAvailable],
        Spill::Excluded => Vec::new(),
    };
    match pattern {
        Pattern::Open => sequence.map_or(Vec::new(), |sequence| not_ruled_out(sequence, ruled_out)),
        Pattern::OneInstance => vec![
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
        ],
        Pattern::RoundRobin(NearWeights::Excluded) => vec![RoundRobin, LeastConnections],
        Pattern::RoundRobin(NearWeights::Possible) | Pattern::ChangingInstances => {
            vec![RoundRobin, LeastConnections, WeightedRoundRobin]
        }
        Pattern::WeightedRoundRobin => vec![WeightedRoundRobin, LeastConnections],
        Pattern::Regular => vec![RoundRobin, WeightedRoundRobin, LeastConnections],
        Pattern::RandomOrRegular(spill) => {
            [vec![Random, LeastConnections, RoundRobin, WeightedRoundRobin], spilling(spill)].concat()
        }
        Pattern::Random(Turns::All, spill) => [vec![Random, LeastConnections], spilling(spill)].concat(),
        Pattern::Random(Turns::OursAlone, spill) => {
            [vec![Random, LeastConnections], spilling(spill), vec![RoundRobin, WeightedRoundRobin]].concat()
        }
    }
}

/// Every mechanism that may pick like that as long as nothing speaks against it.
fn not_ruled_out(sequence: &Sequence, ruled_out: &[RuledOut]) -> Vec<Algorithm> {
    if sequence.len() == 0 {
        return Vec::new();
    }
    let pairs = sequence.segments.iter().flat_map(|segment| segment.windows(2));
    let changes = pairs.filter(|pair| pair[0] != pair[1]).count();
    let may_be_constant = sequence.known == Known::CountsOnly || changes <= SWITCHES;
    let mut all = SPREADING.to_vec();
    all.push(FirstAvailable);
    if may_be_constant {
        all.extend([SourceHash, UriHash, HeaderHash]);
    }
    if sequence.counts().len() == 1 {
        all.insert(0, Single);
    }
    all.retain(|one| ruled_out.iter().all(|out| out.algorithm != *one));
    all
}

fn by_order(facts: &Facts, sequence: Option<&Sequence>) -> Named {
    let finding = &facts.finding;
    let candidates = producing(finding.pattern, sequence, &finding.ruled_out);
    Named { pattern: finding.pattern.algorithm(), candidates }
}

/// The pattern that deciding keys name: a hash of the first that has no table, or else the order in which the last table
/// placed new values.
fn by_keys(facts: &Facts) -> Option<Named> {
    let mut hashes: Vec<Algorithm> = Vec::new();
    let mut by_table = None;
    for (fact, decision) in facts.deciding() {
        let hash = fact.key.hash();
        match &decision.placement {
            Some(placement) => by_table = Some(placement),
            None if hashes.contains(&hash) => {}
            None => hashes.push(hash),
        }
    }
    if let Some(first) = hashes.first().copied() {
        hashes.extend([Random, LeastConnections]);
        return Some(Named { pattern: first, candidates: hashes });
    }
    let placement = by_table?;
    let candidates = producing(placement.pattern, None, &placement.ruled_out);
    Some(Named { pattern: placement.pattern.algorithm(), candidates })
}

fn by_load(named: &Named, load: &Load, alpha: f64) -> Named {
    let others = |out: &[Algorithm]| named.without(out).candidates;
    let (pattern, candidates) = match load.effect {
        LoadEffect::Avoided { limit: OneAtATime::Excluded, .. } => (LeastConnections, vec![LeastConnections]),
        LoadEffect::Avoided { limit: OneAtATime::Possible, .. } => {
            (LeastConnections, [vec![LeastConnections], others(&[LeastConnections])].concat())
        }
        LoadEffect::Ignored { .. } => (named.pattern, others(&[LeastConnections])),
        LoadEffect::Spilled { at } => {
            let helping = if at == 1 { vec![FirstAvailable, LeastConnections] } else { vec![FirstAvailable] };
            (FirstAvailable, [helping, others(&[Single, FirstAvailable, LeastConnections])].concat())
        }
        LoadEffect::Alone { .. } if load.least_connections_alone(alpha).is_some() => {
            (named.pattern, others(&[LeastConnections]))
        }
        LoadEffect::Alone { .. } | LoadEffect::Unclear(_) => (named.pattern, named.candidates.clone()),
    };
    Named { pattern, candidates }
}

fn by_other_series(named: &Named, facts: &Facts) -> Named {
    let mut candidates = named.candidates.clone();
    let spread = |candidates: &mut Vec<Algorithm>, ways: &[Algorithm]| {
        let missing: Vec<Algorithm> = ways.iter().copied().filter(|way| !candidates.contains(way)).collect();
        candidates.extend(missing);
    };
    match facts.other_series.meaning(named.pattern) {
        Meaning::Nothing => named.clone(),
        Meaning::SeveralInstances => {
            let inconsistent = facts.keys.iter().filter(|fact| fact.effect == KeyEffect::Inconsistent);
            let no_hashes: Vec<Algorithm> = inconsistent.map(|fact| fact.key.hash()).collect();
            candidates.retain(|candidate| !no_hashes.contains(candidate));
            spread(&mut candidates, &SPREADING);
            candidates.retain(|candidate| *candidate != Single);
            Named { pattern: Algorithm::Undetermined, candidates }
        }
        Meaning::OthersWhenBusy => {
            spread(&mut candidates, &SPREADING);
            Named { pattern: Algorithm::Undetermined, candidates }
        }
        Meaning::MoreInstances => {
            // their turn may come in a later part of a long round
            if named.pattern == RoundRobin {
                spread(&mut candidates, &[WeightedRoundRobin]);
            }
            candidates.retain(|candidate| *candidate != Single);
            Named { pattern: named.pattern, candidates }
        }
    }
}
