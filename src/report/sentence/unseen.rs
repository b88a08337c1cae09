//! The instances that only other series show, in words.

use crate::{
    analysis::{PatternScope, UnseenEvidence},
    model::trace::Trace,
};

use super::words::per_cent_up;

pub fn sentence(trace: &Trace, fact: &UnseenEvidence) -> String {
    match fact {
        UnseenEvidence::OthersAnswered { others, of } => format!(
            "but others answered {others} of {of} such requests in other series: instances with much smaller shares, one \
             that took over, a cookie that leads there, or a cache that answered for them"
        ),
        UnseenEvidence::OthersAnsweredWhileHeld { others, of } => format!(
            "but others answered {others} of {of} requests while some were held: instances that are asked when this one is \
             busy, or those of another service"
        ),
        UnseenEvidence::NoOthersAnswered { answers, unseen_share } => format!(
            "with the other series it answered {answers} such requests, in which one that gets more than {} would have \
             shown itself",
            per_cent_up(*unseen_share)
        ),
        UnseenEvidence::Unseen { instances, answers, pattern } => {
            let names: Vec<&str> = instances.iter().map(|id| trace.instance_name(*id)).collect();
            let but = match pattern {
                PatternScope::NoPattern => "",
                PatternScope::SeenInstances => {
                    ": what is said of the order and of shares holds for those that answered"
                }
            };
            format!(
                "but {} answered {answers} {} in other series and none in this one{but}",
                listed(&names),
                if *answers == 1 { "request" } else { "requests" },
            )
        }
    }
}

/// A few names, or the number of many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 4;
    match names.len() {
        0..=MOST => names.join(", "),
        more => format!("{more} other instances"),
    }
}
