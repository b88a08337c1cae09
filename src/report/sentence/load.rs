//! The effect of load, in words.

use crate::{
    analysis::{Avoidance, LoadEvidence, UnclearReason},
    report::odds::odds_in_words,
};

pub fn sentence(fact: &LoadEvidence) -> String {
    match *fact {
        LoadEvidence::FewerOnBusy { quick, on_busy, expected, p } => {
            format!("{}: the chance of such a difference is {}", counts(quick, on_busy, expected), odds_in_words(p))
        }
        LoadEvidence::BusyAvoided(strictly) => {
            let strictly = match strictly {
                Avoidance::Always => "strictly",
                Avoidance::Mostly => "mostly",
            };
            format!("so busy instances are {strictly} avoided")
        }
        LoadEvidence::LimitLooksTheSame(pattern) => {
            format!("but {} with a limit of one request to each instance would look the same", pattern.as_str())
        }
        LoadEvidence::ShareOnBusy { quick, on_busy, expected, p } => format!(
            "{}: busy instances get their share, so it is not least-connections, which does that with a chance of {}",
            counts(quick, on_busy, expected),
            odds_in_words(p)
        ),
        LoadEvidence::SpillsAt { requests, p } => format!(
            "one instance answers everything until it has {requests} slow {}; then others answer, which they would do by \
             chance {}",
            if requests == 1 { "request" } else { "requests" },
            odds_in_words(p)
        ),
        LoadEvidence::LimitOfOneOrLeastConnections => {
            "a limit of one request to each would do that, or least-connections that begins with the first of equals"
                .to_owned()
        }
        LoadEvidence::StaysWhenBusy { quick, busiest } => {
            format!("{quick} requests went to the same instance while up to {busiest} slow ones kept it busy")
        }
        LoadEvidence::UnclearCounts { quick, on_busy, expected, reason } => {
            format!("{}: {}", counts(quick, on_busy, expected), because(reason))
        }
        LoadEvidence::NotSeen(reason) => format!("whether load matters was not seen: {}", because(reason)),
    }
}

fn counts(quick: usize, on_busy: usize, expected: f64) -> String {
    format!(
        "while slow requests kept instances busy, {on_busy} of {quick} others went to a busy one; if load played no part, \
         about {expected:.0} would"
    )
}

fn because(reason: UnclearReason) -> &'static str {
    match reason {
        UnclearReason::NoneSlow => "no request was under way long enough to keep an instance busy meanwhile",
        UnclearReason::OtherInstancesBusy => {
            "the slow requests kept no instance busy, all of them, or others than those that are judged"
        }
        UnclearReason::NotComeBack => {
            "those that were busy have answered nothing since, so they may have been taken out of service"
        }
        UnclearReason::AvoidedAfterwards => {
            "one that had been busy was avoided afterwards, so response times may count"
        }
        UnclearReason::OthersBusy => "others' requests may have kept the other instances as busy",
        UnclearReason::UnseenInstances => {
            "instances answered that the series without a cookie jar has not shown, so their share is not known"
        }
        UnclearReason::SeldomSpilled => "others answered while it was busy, too seldom to tell that from chance",
        UnclearReason::IdleUnknown => "too few requests came before to know where they go while nothing is busy",
        UnclearReason::TooFew => "that is too few to tell",
    }
}
