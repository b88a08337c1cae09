//! Evidence in words: one sentence for each fact, the same in tables and in JSON. No other place makes sentences of facts.

mod connection;
mod cookie;
mod expectation;
mod key;
mod load;
mod pattern;
mod session;
mod unseen;

use crate::{
    analysis::Evidence,
    model::trace::{InstanceId, Trace},
};

pub use cookie::flaw;
pub use expectation::actual;
pub use session::{session_cause, session_sentences};

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

fn name(trace: &Trace, instance: InstanceId) -> &str {
    trace.instances.get(usize::from(instance.0)).map_or("", |instance| &instance.name)
}

/// A share in words, such as `about 12 %`.
fn about(share: f64) -> String {
    if share < 0.005 { "less than 1 %".to_owned() } else { format!("about {:.0} %", share * 100.0) }
}

/// A share in per cent, rounded up.
fn per_cent_up(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).ceil())
}

/// Weights in words, such as `in the proportion 3:1`.
fn in_proportion(weights: &[u32]) -> String {
    const MOST: usize = 20;
    let each: Vec<String> = weights.iter().map(u32::to_string).collect();
    match (weights.iter().min(), weights.iter().max()) {
        (Some(least), Some(most)) if weights.len() > MOST => format!("in proportions from {least} to {most}"),
        _ => format!("in the proportion {}", each.join(":")),
    }
}
