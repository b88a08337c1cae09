//! What a verdict says where an expectation is held against it, in words that follow `it is`.

use crate::analysis::Actual;

pub fn actual(actual: &Actual) -> String {
    match actual {
        Actual::Algorithm(algorithm) => algorithm.as_str().to_owned(),
        Actual::Candidates(candidates) => joined(candidates.iter().map(|candidate| candidate.as_str()), " or "),
        Actual::Order(order) => order.as_str().to_owned(),
        Actual::Stickiness(stickiness) => stickiness.as_str().to_owned(),
        Actual::StickyBy(by) => by.as_str().to_owned(),
        Actual::NoCookieNamed(stickiness) => format!("{}, none by name", stickiness.as_str()),
        Actual::MechanismUnknown(stickiness) => format!("{}, how is not known", stickiness.as_str()),
        Actual::CookieName(name) => name.clone(),
        Actual::BalancesPer(per) => per.as_str().to_owned(),
        Actual::Number(number) => number.to_string(),
        Actual::Instances(count) => format!("{count} instances"),
        Actual::InstancesSeen(count) => format!("{count} as far as was seen"),
        Actual::Weights(weights) => joined(weights, ":"),
        Actual::WeightsSoFar(weights) => joined(weights, ":") + " so far",
        Actual::HitsAtRandom(hits) => joined(hits, ":") + " requests at random",
        Actual::OneInstanceOrNone => "one instance alone, or none".to_owned(),
        Actual::UnseenInstances => "some answered in other series only".to_owned(),
        Actual::Spread(spread) => per_cent(*spread),
        Actual::SpreadOfRegularRounds(spread) => format!("{} here, though rounds are regular", per_cent(*spread)),
        Actual::SpreadTooFew { spread, requests } => {
            format!("{} in {requests} requests, too few to tell (-n)", per_cent(*spread))
        }
        Actual::SpreadSeen(spread) => format!("{} as far as was seen", per_cent(*spread)),
        Actual::Undetermined => "undetermined".to_owned(),
    }
}

fn joined<T: ToString>(parts: impl IntoIterator<Item = T>, between: &str) -> String {
    parts.into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(between)
}

fn per_cent(share: f64) -> String {
    format!("{}%", (share * 1000.0).round() / 10.0)
}
