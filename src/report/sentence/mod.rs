//! Evidence in words: one sentence for each fact, the same in tables and in JSON. No other place makes sentences of facts.

mod addresses;
mod assumption;
mod connection;
mod cookie;
mod expectation;
mod key;
mod load;
mod pattern;
mod session;
mod unmodelled;
mod unseen;
mod words;

use crate::{analysis::Evidence, model::trace::Trace};

pub use self::unmodelled::unmodelled;
pub use addresses::{address_comparison, asked_address, list_addresses};
pub use assumption::{assumption, condition};
pub use cookie::flaw;
pub use expectation::verdict_part;
pub use session::{session_cause, session_sentences};
pub use words::ratio_in_words;

/// One sentence for each fact.
pub fn sentences(trace: &Trace, evidence: &[Evidence]) -> Vec<String> {
    evidence.iter().map(|fact| sentence(trace, fact)).collect()
}

fn sentence(trace: &Trace, fact: &Evidence) -> String {
    match fact {
        Evidence::Pattern(fact) => pattern::sentence(trace, fact),
        Evidence::Cookie(fact) => cookie::sentence(fact),
        Evidence::Connection(fact) => connection::sentence(fact),
        Evidence::Key(fact) => key::sentence(fact),
        Evidence::Load(fact) => load::sentence(fact),
        Evidence::Unseen(fact) => unseen::sentence(trace, fact),
    }
}
