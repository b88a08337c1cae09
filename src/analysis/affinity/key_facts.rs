//! Key facts: the effect of varying each key, and the decision that it makes about the instance.

use std::collections::BTreeMap;

use strum::VariantArray as _;

use crate::{
    analysis::{
        affinity::{
            evidence::{KeyEvidence, KeyName, OnlyInstance},
            keys::{Key, KeyEffect, Values},
            placement,
        },
        case::Case,
        pattern::finding::Finding,
        sampling::budget::{Decision, is_sure},
        verdict::Algorithm,
    },
    model::trace::{InstanceId, Trace, without_query},
};

/// The finding from varying one key.
pub struct KeyFact {
    pub key: Key,
    pub effect: KeyEffect,
    /// The decision, if the value of the key decides which instance answers.
    pub decision: Option<KeyDecision>,
    /// The number of answers of each instance.
    pub hits: BTreeMap<InstanceId, usize>,
    pub key_name: KeyName,
    pub evidence: KeyEvidence,
}

/// The decision of a key about the instance.
pub struct KeyDecision {
    /// The probability of what was seen if the value played no part.
    pub p: f64,
    /// The round robin that placed new values, where there is one: then a table remembers them, and no hash is taken.
    pub placement: Option<Finding>,
}

impl KeyFact {
    /// The probability that a hash of the key would have placed new values in turn; `None` where a hash decides.
    pub fn table_p(&self) -> Option<f64> {
        let placement = self.decision.as_ref()?.placement.as_ref()?;
        let by_chance = placement.ruled_out.iter().filter(|out| out.algorithm == Algorithm::Random).map(|out| out.p);
        Some(by_chance.fold(0.0, f64::max))
    }
}

/// The facts of every key that was varied.
pub fn gather_keys(case: &Case) -> Vec<KeyFact> {
    Key::VARIANTS.iter().filter_map(|key| observe_key(case, *key)).collect()
}

fn observe_key(case: &Case, key: Key) -> Option<KeyFact> {
    let values = Values::for_key(case.trace(), key)?;
    let effect = values.effect();
    let hits = values.hits();
    let key_name = key_name(case.trace(), key);
    let named = values.answered();
    let (answers, instances) = (hits.values().sum(), hits.len());
    let sure = |p: f64| is_sure(p, case.alpha(), Decision::Key);
    let decision = match effect {
        KeyEffect::Decides { p } if sure(p) && (values.are_many() || key == Key::Source) => {
            Some(KeyDecision { p, placement: placement::find_round_robin(case, &values, Decision::KeyPlacement) })
        }
        _ => None,
    };
    let for_evidence = key_name.clone();
    let evidence = match effect {
        KeyEffect::Decides { p } if decision.is_some() => {
            KeyEvidence::Decides { key_name: for_evidence, answers, values: named, instances, p }
        }
        KeyEffect::Decides { p } if sure(p) => KeyEvidence::DecidesOrRules { key_name: for_evidence, values: named, p },
        KeyEffect::Decides { p } => {
            KeyEvidence::DecidesTooFew { key_name: for_evidence, answers, values: named, instances, p }
        }
        KeyEffect::NoEffect { .. } => {
            KeyEvidence::OneInstance { key_name: for_evidence, values: named, only: only_instance(case, key, &hits) }
        }
        KeyEffect::Inconsistent => KeyEvidence::Inconsistent { key_name: for_evidence, values: named },
        KeyEffect::TooFew => KeyEvidence::TooFew { key_name: for_evidence, values: named, asked: values.count() },
    };
    Some(KeyFact { key, effect, decision, hits, key_name, evidence })
}

fn only_instance(case: &Case, key: Key, hits: &BTreeMap<InstanceId, usize>) -> OnlyInstance {
    let free = case.free().into_iter().flat_map(|free| &free.series.requests);
    let here: Vec<InstanceId> = free.filter_map(|request| request.instance).collect();
    if here.is_empty() || hits.keys().any(|id| here.contains(id)) {
        OnlyInstance::Same
    } else if key == Key::Path {
        OnlyInstance::AnotherForPaths
    } else {
        OnlyInstance::AnotherThanFree
    }
}

fn key_name(trace: &Trace, key: Key) -> KeyName {
    match key {
        Key::Source => KeyName::Address,
        Key::Query => KeyName::Query,
        Key::Path => KeyName::Path,
        Key::Cookie => KeyName::Cookie(key.cookie(trace).cloned()),
        Key::Header => {
            KeyName::Header(trace.series.iter().find_map(|series| Some(series.name.header()?.name.as_str().to_owned())))
        }
    }
}

/// The probability that a hash of the path would send all queries and all paths to one of two instances, where neither
/// makes a difference. `None` where that is not surely so, or if a balancer may hash only the prefix that the paths
/// share.
pub fn rule_out_uri_hash(case: &Case, keys: &[KeyFact]) -> Option<f64> {
    let free = case.free()?.series;
    let here = free.requests.iter().find_map(|request| request.instance);
    let same = |key: Key| {
        let fact = keys.iter().find(|fact| fact.key == key)?;
        match fact.effect {
            // paths that another service answers show nothing of this service
            KeyEffect::NoEffect { p }
                if fact.hits.keys().eq(here.iter()) && is_sure(p, case.alpha(), Decision::Key) =>
            {
                Some(p)
            }
            _ => None,
        }
    };
    let at_the_root = without_query(&free.conditions.path) == "/";
    let p = same(Key::Query)? + same(Key::Path)?;
    at_the_root.then_some(p)
}
