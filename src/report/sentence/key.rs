//! The effects of keys, in words.

use crate::{
    analysis::{EffectEvidence, KeyEvidence, KeyName, OnlyInstance, StayScope},
    report::odds::odds_in_words,
};

use super::words::{number_of_moves, per_cent_up};

pub fn sentence(fact: &KeyEvidence) -> String {
    match fact {
        KeyEvidence::Effect { key_name, values, effect } => effect_sentence(key_name, *values, effect),
        KeyEvidence::PatternWithoutValue(pattern) => {
            format!("without such a value, the pattern is {}", pattern.as_str())
        }
        KeyEvidence::ClientStaysByAddress(StayScope::AllPaths) => {
            "so a client stays on its instance as long as its address does".to_owned()
        }
        KeyEvidence::ClientStaysByAddress(StayScope::ThisPath) => {
            "so on this path a client stays on its instance as long as its address does".to_owned()
        }
        KeyEvidence::Together(key_names) => {
            let names: Vec<String> = key_names.iter().map(singular).collect();
            format!("so {} decide together, or one where the other is missing", names.join(" and "))
        }
        KeyEvidence::PlacedInTurn { key_name, p } => format!(
            "new {} were given to the instances in turn, which a hash does with a chance of {}: {}",
            plural(key_name),
            odds_in_words(*p),
            memory(key_name)
        ),
        KeyEvidence::TableLooksTheSame { turns_beyond } => {
            let others = turns_beyond
                .map(|share| format!(" while others took more than {:.0} % of the turns", (share * 100.0).floor()));
            format!(
                "what remembers each value (a table, a cache) would look the same, if it placed new ones at random, by \
                 weights, or in turn{}",
                others.unwrap_or_default()
            )
        }
    }
}

/// The effect of the values of a key.
fn effect_sentence(key_name: &KeyName, values: usize, effect: &EffectEvidence) -> String {
    let (each, value) = (plural(key_name), singular(key_name));
    match effect {
        EffectEvidence::Decides { answers, instances, p } => format!(
            "{answers} requests with {values} {each} went to {instances} instances, but each of these always to the same \
             one; if {value} played no part, the chance of that would be {}",
            odds_in_words(*p)
        ),
        EffectEvidence::DecidesOrRules { p } => format!(
            "each of {values} {each} has an instance of its own (by chance {}), but so few may have a rule each as well as a \
             hash",
            odds_in_words(*p)
        ),
        EffectEvidence::DecidesTooFew { answers, instances, p } => format!(
            "{answers} requests with {values} {each} went to {instances} instances, each of these always to the same one; but \
             they are too few: the chance of that is {}",
            odds_in_words(*p)
        ),
        EffectEvidence::StaysMostly { moves, p } => format!(
            "each of {values} {each} stayed with its instance but for {}, by chance {}; as instances failed, came \
             or went meanwhile, what decides is open",
            number_of_moves(*moves),
            odds_in_words(*p)
        ),
        EffectEvidence::OwnSets { answers, instances, most, p } => format!(
            "{answers} requests with {values} {each} went to {instances} instances, each of these to {most} at most and to \
             some more than to others; if {value} played no part, the chance of that would be {}",
            odds_in_words(*p)
        ),
        EffectEvidence::OneInstance(only) => format!("{values} {each}: {}", only_instance(*only)),
        EffectEvidence::Inconsistent { moves, further, p } => format!(
            "{values} {each}: the same one led to different instances, {moves} of {further} times; if each had an instance of \
             its own, failures of up to 2 % would make that {}",
            odds_in_words(*p)
        ),
        EffectEvidence::MovesSometimes { moves, further } => format!(
            "{values} {each}: the same one led to another instance {moves} of {further} times, which a failover explains as \
             well"
        ),
        EffectEvidence::TooFew { asked } => format!("{values} of {asked} {each} led to an instance with a name"),
    }
}

fn only_instance(only: OnlyInstance) -> String {
    match only {
        OnlyInstance::Same { hidden_share } => format!(
            "one instance answers, whichever it is; a hash of them that sends more than {} elsewhere would have shown others",
            per_cent_up(hidden_share)
        ),
        OnlyInstance::SameForAddresses => {
            "one instance answers, whichever it is; that proves nothing, because something on \
                                           the way may hide the address"
                .to_owned()
        }
        OnlyInstance::AnotherForPaths => {
            "one instance answers, but another than here: they may be another service's".to_owned()
        }
        OnlyInstance::AnotherThanFree => "one instance answers, but another than without".to_owned(),
    }
}

/// The values of a key, in the plural.
fn plural(key_name: &KeyName) -> String {
    match key_name {
        KeyName::Address => "addresses of the client's".to_owned(),
        KeyName::Query => "query strings".to_owned(),
        KeyName::Path => "paths".to_owned(),
        KeyName::Cookie(name) => format!("values of the cookie {}", name.as_deref().unwrap_or("the cookie")),
        KeyName::Header(name) => format!("values of {}", name.as_deref().unwrap_or("the header")),
    }
}

/// The value of a key, in the singular.
fn singular(key_name: &KeyName) -> String {
    match key_name {
        KeyName::Address => "the client's address".to_owned(),
        KeyName::Query => "the query string".to_owned(),
        KeyName::Path => "the path".to_owned(),
        KeyName::Cookie(name) => format!("the value of {}", name.as_deref().unwrap_or("the cookie")),
        KeyName::Header(name) => format!("the value of {}", name.as_deref().unwrap_or("the header")),
    }
}

/// The memory that holds the instance of each value.
fn memory(key_name: &KeyName) -> &'static str {
    match key_name {
        KeyName::Address | KeyName::Header(_) | KeyName::Cookie(_) => "a table remembers whom each was given",
        KeyName::Query | KeyName::Path => "a cache or a table remembers each",
    }
}
