//! The assumptions of a verdict, in words.

use crate::{
    analysis::{Assumption, Claim, ClaimTest},
    model::trace::{NameCertainty, Trace},
    report::text::{printable, shorten},
};

/// The most columns of the text that tells what names instances.
const NAME_WIDTH: usize = 120;

/// An assumption as a clause that can stand in a list.
pub fn assumption(trace: &Trace, assumption: &Assumption) -> String {
    let claim = claim(trace, assumption.claim);
    match assumption.test {
        None => claim,
        Some(ClaimTest::RandomPauses) => format!("{claim} (random pauses changed nothing)"),
        Some(ClaimTest::BalancerLog) => format!("{claim} (the balancer's log shows every turn)"),
    }
}

fn claim(trace: &Trace, claim: Claim) -> String {
    match claim {
        Claim::SameInstances => "the set of servers did not change".to_owned(),
        Claim::NoClientInStep => "no other client was in step with this one".to_owned(),
        Claim::OneTurnPerRequest => "each request took one turn".to_owned(),
        Claim::NameMeansInstance(NameCertainty::Known) => format!("{} names the server", name(trace)),
        Claim::NameMeansInstance(NameCertainty::Guessed) => {
            format!("{} names the server, which is a guess (--identity says it)", name(trace))
        }
    }
}

/// The condition of a verdict as a clause that stands before it.
pub fn condition(trace: &Trace) -> String {
    format!("if {} names instances", name(trace))
}

fn name(trace: &Trace) -> String {
    let name = trace.identified_by.as_ref().map_or("the name in the answers", |feature| &feature.words);
    shorten(&printable(name), NAME_WIDTH)
}
