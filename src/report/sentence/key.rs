//! The effects of keys, in words.

use crate::{
    analysis::{KeyEvidence, KeyName, OnlyInstance},
    report::odds::odds_in_words,
};

pub fn sentence(fact: &KeyEvidence) -> String {
    match fact {
        KeyEvidence::Decides { key_name, answers, values, instances, p } => format!(
            "{answers} requests with {values} {} went to {instances} instances, but each of these always to the same \
             one; if {} played no part, the chance of that would be {}",
            plural(key_name),
            singular(key_name),
            odds_in_words(*p)
        ),
        KeyEvidence::DecidesOrRules { key_name, values, p } => format!(
            "each of {values} {} has an instance of its own (by chance {}), but so few may have a rule each as well as a \
             hash",
            plural(key_name),
            odds_in_words(*p)
        ),
        KeyEvidence::DecidesTooFew { key_name, answers, values, instances, p } => format!(
            "{answers} requests with {values} {} went to {instances} instances, each of these always to the same one; but \
             they are too few: the chance of that is {}",
            plural(key_name),
            odds_in_words(*p)
        ),
        KeyEvidence::OneInstance { key_name, values, only } => {
            let which = match only {
                OnlyInstance::Same => "one instance answers, whichever it is",
                OnlyInstance::AnotherForPaths => {
                    "one instance answers, but another than here: they may be another service's"
                }
                OnlyInstance::AnotherThanFree => "one instance answers, but another than without",
            };
            let but = match key_name {
                KeyName::Address => "; that proves nothing, because something on the way may hide the address",
                KeyName::Query | KeyName::Path | KeyName::Cookie(_) | KeyName::Header(_) => "",
            };
            format!("{values} {}: {which}{but}", plural(key_name))
        }
        KeyEvidence::Inconsistent { key_name, values } => {
            format!("{values} {}: the same one led to different instances", plural(key_name))
        }
        KeyEvidence::TooFew { key_name, values, asked } => {
            format!("{values} of {asked} {} led to an instance with a name", plural(key_name))
        }
        KeyEvidence::NoUriHash { p } => format!(
            "so it is no hash of the path: the chance that one sends all these paths to the same of two instances is {}",
            odds_in_words(*p)
        ),
        KeyEvidence::PatternWithoutValue(pattern) => {
            format!("without such a value, the pattern is {}", pattern.as_str())
        }
        KeyEvidence::ClientStaysByAddress => "so a client stays on its instance as long as its address does".to_owned(),
        KeyEvidence::PlacedInTurn { key_name, p } => format!(
            "new {} were given to the instances in turn, which a hash does with a chance of {}: {}",
            plural(key_name),
            odds_in_words(*p),
            memory(key_name)
        ),
        KeyEvidence::TableLooksTheSame => {
            "what remembers each value (a table, a cache) would look the same, if it placed \
                                           new ones at random; that it placed them in turn was not seen"
                .to_owned()
        }
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
