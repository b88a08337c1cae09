//! The part of a verdict that an expectation is compared with, in words that follow `it is`.

use crate::analysis::VerdictPart;

use super::words::{about_count, ratio_in_words};

pub fn verdict_part(part: &VerdictPart) -> String {
    match part {
        VerdictPart::Algorithm(algorithm) => algorithm.as_str().to_owned(),
        VerdictPart::Candidates(candidates) => joined(candidates.iter().map(|candidate| candidate.as_str()), " or "),
        VerdictPart::Order(order) => order.as_str().to_owned(),
        VerdictPart::Stickiness(stickiness) => stickiness.as_str().to_owned(),
        VerdictPart::StickyBy(by) => by.as_str().to_owned(),
        VerdictPart::NoCookieNamed(stickiness) => format!("{}, none by name", stickiness.as_str()),
        VerdictPart::MechanismUnknown(stickiness) => format!("{}, how is not known", stickiness.as_str()),
        VerdictPart::CookieName(name) => name.clone(),
        VerdictPart::BalancesPer(per) => per.as_str().to_owned(),
        VerdictPart::Number(number) => number.to_string(),
        VerdictPart::Instances(count) => format!("{count} instances"),
        VerdictPart::InstancesSeen(count) => format!("{count} as far as was seen"),
        VerdictPart::Weights(weights) => joined(weights, ":"),
        VerdictPart::WeightsSoFar(weights) => joined(weights, ":") + " so far",
        VerdictPart::WeightsCloserThan(ratio) => format!("closer than {}", ratio_in_words(*ratio)),
        VerdictPart::HitsAtRandom(hits) => joined(hits, ":") + " requests at random",
        VerdictPart::OneInstanceOrNone => "one instance alone, or none".to_owned(),
        VerdictPart::UnseenInstances => "some answered in other series only".to_owned(),
        VerdictPart::Spread(spread) => per_cent(*spread),
        VerdictPart::SpreadOfRegularRounds(spread) => format!("{} here, though rounds are regular", per_cent(*spread)),
        VerdictPart::SpreadTooFew { spread, requests, decided_after } => {
            format!("{} in {requests} requests, too few to tell{}", per_cent(*spread), more(*decided_after))
        }
        VerdictPart::SpreadOfNearWeights { spread, largest, requests } => format!(
            "{} here, but weights that are nearly the same may make it {} in the long run{}",
            per_cent(*spread),
            per_cent(*largest),
            more(*requests)
        ),
        VerdictPart::SpreadSeen(spread) => format!("{} as far as was seen", per_cent(*spread)),
        VerdictPart::OnCondition(part) => {
            format!("{}, if the names are instances' names, which is a guess (--identity)", verdict_part(part))
        }
        VerdictPart::Undetermined => "undetermined".to_owned(),
    }
}

/// The number of requests that would tell.
fn more(requests: Option<usize>) -> String {
    requests.map_or(String::new(), |requests| format!(": {} would (-n)", about_count(requests)))
}

fn joined<T: ToString>(parts: impl IntoIterator<Item = T>, between: &str) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(between)
}

fn per_cent(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}
