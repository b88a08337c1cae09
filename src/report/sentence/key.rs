//! The effects of keys, in words.

use crate::{
    analysis::{KeyEvidence, OnlyInstance, Subject},
    report::odds::odds_in_words,
};

pub fn sentence(fact: &KeyEvidence) -> String {
    match fact {
        KeyEvidence::Decides { subject, answers, values, instances, p } => format!(
            "{answers} requests with {values} {} went to {instances} instances, but each of these always to the same \
             one; if {} played no part, the chance of that would be {}",
            plural(subject),
            singular(subject),
            odds_in_words(*p)
        ),
        KeyEvidence::DecidesOrRules { subject, values, p } => format!(
            "each of {values} {} has an instance of its own (by chance {}), but so few may have a rule each as well as a \
             hash",
            plural(subject),
            odds_in_words(*p)
        ),
        KeyEvidence::DecidesTooFew { subject, answers, values, instances, p } => format!(
            "{answers} requests with {values} {} went to {instances} instances, each of these always to the same one; but \
             they are too few: the chance of that is {}",
            plural(subject),
            odds_in_words(*p)
        ),
        KeyEvidence::OneInstance { subject, values, only } => {
            let which = match only {
                OnlyInstance::Same => "one instance answers, whichever it is",
                OnlyInstance::AnotherForPaths => {
                    "one instance answers, but another than here: they may be another service's"
                }
                OnlyInstance::AnotherThanFree => "one instance answers, but another than without",
            };
            let but = match subject {
                Subject::Address => "; that proves nothing, because something on the way may hide the address",
                Subject::Query | Subject::Path | Subject::Cookie(_) | Subject::Header(_) => "",
            };
            format!("{values} {}: {which}{but}", plural(subject))
        }
        KeyEvidence::Inconsistent { subject, values } => {
            format!("{values} {}: the same one led to different instances", plural(subject))
        }
        KeyEvidence::TooFew { subject, values, asked } => {
            format!("{values} of {asked} {} led to an instance with a name", plural(subject))
        }
        KeyEvidence::NoUriHash { p } => format!(
            "so it is no hash of the path: the chance that one sends all these paths to the same of two instances is {}",
            odds_in_words(*p)
        ),
        KeyEvidence::PatternWithoutValue(pattern) => {
            format!("without such a value, the pattern is {}", pattern.as_str())
        }
        KeyEvidence::ClientStaysByAddress => "so a client stays on its instance as long as its address does".to_owned(),
        KeyEvidence::PlacedInTurn { subject, p } => format!(
            "new {} were given to the instances in turn, which a hash does with a chance of {}: {}",
            plural(subject),
            odds_in_words(*p),
            memory(subject)
        ),
        KeyEvidence::TableLooksTheSame => {
            "what remembers each value (a table, a cache) would look the same, if it placed \
                                           new ones at random; that it placed them in turn was not seen"
                .to_owned()
        }
    }
}

/// The values of a key, in the plural.
fn plural(subject: &Subject) -> String {
    match subject {
        Subject::Address => "addresses of the client's".to_owned(),
        Subject::Query => "query strings".to_owned(),
        Subject::Path => "paths".to_owned(),
        Subject::Cookie(name) => format!("values of the cookie {}", name.as_deref().unwrap_or("the cookie")),
        Subject::Header(name) => format!("values of {}", name.as_deref().unwrap_or("the header")),
    }
}

/// The value of a key, in the singular.
fn singular(subject: &Subject) -> String {
    match subject {
        Subject::Address => "the client's address".to_owned(),
        Subject::Query => "the query string".to_owned(),
        Subject::Path => "the path".to_owned(),
        Subject::Cookie(name) => format!("the value of {}", name.as_deref().unwrap_or("the cookie")),
        Subject::Header(name) => format!("the value of {}", name.as_deref().unwrap_or("the header")),
    }
}

/// The memory that holds the instance of each value.
fn memory(subject: &Subject) -> &'static str {
    match subject {
        Subject::Address | Subject::Header(_) | Subject::Cookie(_) => "a table remembers whom each was given",
        Subject::Query | Subject::Path => "a cache or a table remembers each",
    }
}
