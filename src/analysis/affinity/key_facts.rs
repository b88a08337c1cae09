//! Key facts: the effect of varying each key, and the decision that it makes about the instance.

use std::collections::BTreeMap;

use strum::VariantArray as _;

use crate::{
    analysis::{
        affinity::{
            evidence::{EffectEvidence, KeyEvidence, KeyName, OnlyInstance},
            keys::{Key, KeyEffect, Values},
            placement,
        },
        case::Case,
        pattern::finding::Finding,
        sampling::budget::{Decision, is_sure},
        verdict::Algorithm,
    },
    model::trace::{InstanceId, Trace},
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
    /// The share of turns that others must have taken, if a round robin placed new values in turn and a table remembers
    /// them; `None` where that is not known, or a table was seen.
    pub turns_beyond: Option<f64>,
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

    /// Returns true if all values led to the one instance that answers requests without a value.
    pub fn shows_one_instance_as_without(&self) -> bool {
        matches!(
            self.evidence,
            KeyEvidence::Effect {
                effect: EffectEvidence::OneInstance(OnlyInstance::Same { .. } | OnlyInstance::SameForAddresses),
                ..
            }
        )
    }
}

/// The facts of every key that was varied.
pub fn gather_keys(case: &Case) -> Vec<KeyFact> {
    Key::VARIANTS.iter().filter_map(|key| observe_key(case, *key)).collect()
}

fn observe_key(case: &Case, key: Key) -> Option<KeyFact> {
    let values = Values::for_key(case.trace(), key)?;
    let effect = values.effect(case.alpha(), Decision::Key);
    let hits = values.hits();
    let sure = |p: f64| is_sure(p, case.alpha(), Decision::Key);
    let decision = match effect {
        KeyEffect::Decides { p } if sure(p) && (values.are_many() || key == Key::Source) => {
            Some(KeyDecision { p, placement: placement::find_round_robin(case, &values, Decision::KeyPlacement) })
        }
        _ => None,
    };
    let key_name = key_name(case.trace(), key);
    let answered = values.answered();
    let (answers, instances) = (hits.values().sum(), hits.len());
    let effect_evidence = match effect {
        KeyEffect::Decides { p } if decision.is_some() => EffectEvidence::Decides { answers, instances, p },
        KeyEffect::Decides { p } if sure(p) => EffectEvidence::DecidesOrRules { p },
        KeyEffect::Decides { p } => EffectEvidence::DecidesTooFew { answers, instances, p },
        KeyEffect::StaysMostly { p, moves } => EffectEvidence::StaysMostly { moves, p },
        KeyEffect::OwnSets { p, most } => EffectEvidence::OwnSets { answers, instances, most, p },
        KeyEffect::NoEffect { hidden_share } => {
            EffectEvidence::OneInstance(only_instance(case, key, &hits, hidden_share))
        }
        KeyEffect::Inconsistent { p, moves, further } => EffectEvidence::Inconsistent { moves, further, p },
        KeyEffect::MovesSometimes { moves, further } => EffectEvidence::MovesSometimes { moves, further },
        KeyEffect::TooFew => EffectEvidence::TooFew { asked: values.count() },
    };
    let evidence = KeyEvidence::Effect { key_name: key_name.clone(), values: answered, effect: effect_evidence };
    let turns_beyond = match &decision {
        Some(KeyDecision { placement: None, .. }) => placement::others_in_turn(case, &values, Decision::Key),
        _ => None,
    };
    Some(KeyFact { key, effect, decision, hits, key_name, turns_beyond, evidence })
}

fn only_instance(case: &Case, key: Key, hits: &BTreeMap<InstanceId, usize>, hidden_share: f64) -> OnlyInstance {
    let free = case.free().into_iter().flat_map(|free| &free.series.requests);
    let here: Vec<InstanceId> = free.filter_map(|request| request.instance).collect();
    if here.is_empty() || hits.keys().any(|id| here.contains(id)) {
        match key {
            // something on the way may hide it
            Key::Source => OnlyInstance::SameForAddresses,
            Key::Query | Key::Path | Key::Header | Key::Cookie => OnlyInstance::Same { hidden_share },
        }
    } else if key == Key::Path {
        OnlyInstance::AnotherForPaths
    } else {
        OnlyInstance::AnotherThanFree
    }
}

/// Returns true if the value of a key decides which instance answers.
pub fn key_decides(case: &Case, key: Key) -> bool {
    observe_key(case, key).is_some_and(|fact| fact.decision.is_some())
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
