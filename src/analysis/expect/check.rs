//! Holding a verdict against an expectation.

use crate::analysis::{
    math::log_prob::largest_share,
    verdict::{Stickiness, StickyCookie, Verdict},
};

use super::{Algorithm, Checked, Expectation, Outcome, Strictness, Wanted, in_lowest_terms};

impl Expectation {
    /// Holds the verdict against it; `alpha` is the chance of a false outcome where counts are a sample.
    pub fn check(&self, verdict: &Verdict, strictness: Strictness, alpha: f64) -> Checked {
        let (outcome, found) = match &self.wanted {
            Wanted::Algorithm(algorithm) => mechanism(*algorithm, verdict, strictness),
            Wanted::Order(order) => match verdict.order.map(|order| order.as_str()) {
                Some(seen) => compared(seen == order, seen),
                None => without_rounds(verdict),
            },
            Wanted::RepeatsAfter(period) => match verdict.repeats_after {
                Some(seen) => compared(seen == *period, seen),
                None => without_rounds(verdict),
            },
            Wanted::Instances(count) => instances(*count, verdict),
            Wanted::InstancesAtLeast(count) => match instances(*count, verdict) {
                // more may come, and do no harm
                _ if verdict.instances.len() >= *count => (Outcome::Met, verdict.instances.len().to_string()),
                fewer => fewer,
            },
            Wanted::Sticky(how) => named(how, verdict.stickiness.as_str()),
            Wanted::StickyCookie(name) => match (&verdict.sticky_cookie, verdict.stickiness.as_str()) {
                (Some(cookie), _) => compared(cookie.name == *name, &cookie.name),
                (None, how @ ("cookie" | "undetermined")) => (Outcome::Undetermined, format!("{how}, none by name")),
                (None, how) => (Outcome::Contradicted, how.to_owned()),
            },
            Wanted::StickyBy(how) => match (&verdict.sticky_cookie, verdict.stickiness) {
                (Some(StickyCookie { by: Some(by), .. }), _) => named(how, by.as_str()),
                (_, kept @ (Stickiness::Cookie | Stickiness::Undetermined)) => {
                    open(format!("{}, how is not known", kept.as_str()))
                }
                (None, kept) | (Some(_), kept) => (Outcome::Contradicted, kept.as_str().to_owned()),
            },
            Wanted::Per(pick) => named(pick, verdict.balances_per.as_str()),
            Wanted::Weights(wanted) => weighed(wanted, verdict, alpha),
            Wanted::Spread(most) => spread(*most, verdict, alpha),
        };
        Checked { expect: self.text.clone(), outcome, found }
    }
}

fn compared(same: bool, seen: impl ToString) -> (Outcome, String) {
    (if same { Outcome::Met } else { Outcome::Contradicted }, seen.to_string())
}

fn named(wanted: &str, seen: &str) -> (Outcome, String) {
    if seen == "undetermined" { open(seen) } else { compared(wanted == seen, seen) }
}

fn open(found: impl ToString) -> (Outcome, String) {
    (Outcome::Undetermined, found.to_string())
}

fn mechanism(wanted: Algorithm, verdict: &Verdict, strictness: Strictness) -> (Outcome, String) {
    let seen = verdict.algorithm;
    let alone = verdict.candidates.iter().all(|candidate| *candidate == wanted);
    let candidates = verdict.candidates.iter().map(|candidate| candidate.as_str()).collect::<Vec<_>>().join(" or ");
    match seen {
        Algorithm::Undetermined => open(seen.as_str()),
        _ if seen == wanted && (alone || strictness == Strictness::Pattern) => (Outcome::Met, seen.as_str().to_owned()),
        _ if seen == wanted || verdict.candidates.contains(&wanted) => open(candidates),
        _ => (Outcome::Contradicted, seen.as_str().to_owned()),
    }
}

/// What is said of rounds where none were seen: there are none, unless a mechanism with rounds is still a candidate.
fn without_rounds(verdict: &Verdict) -> (Outcome, String) {
    let rounds = |algorithm: &Algorithm| matches!(algorithm, Algorithm::RoundRobin | Algorithm::WeightedRoundRobin);
    match verdict.algorithm {
        Algorithm::Undetermined => open("undetermined"),
        seen if rounds(&seen) || verdict.candidates.iter().any(rounds) => open("undetermined"),
        seen => (Outcome::Contradicted, seen.as_str().to_owned()),
    }
}

/// Whether every instance has shown itself: not where the client, the path or the load decides who answers.
fn all_shown(verdict: &Verdict) -> bool {
    match verdict.algorithm {
        Algorithm::RoundRobin | Algorithm::WeightedRoundRobin | Algorithm::Random | Algorithm::LeastConnections => true,
        Algorithm::Single => verdict.candidates == [Algorithm::Single],
        _ => false,
    }
}

fn instances(wanted: usize, verdict: &Verdict) -> (Outcome, String) {
    let seen = verdict.instances.len();
    // one instance that answers everything is what the pattern `single` says
    let pattern = verdict.algorithm == Algorithm::Single && seen == wanted;
    match all_shown(verdict) || pattern || seen > wanted {
        true => compared(seen == wanted, seen),
        false => open(format!("{seen} as far as was seen")),
    }
}

fn weighed(wanted: &[u32], verdict: &Verdict, alpha: f64) -> (Outcome, String) {
    let (outcome, found) = instances(wanted.len(), verdict);
    if outcome != Outcome::Met {
        return (outcome, if outcome == Outcome::Contradicted { format!("{found} instances") } else { found });
    }
    let seen: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    if let Some(seen) = seen.map(in_lowest_terms) {
        let shown: Vec<String> = seen.iter().map(u32::to_string).collect();
        let shown = shown.join(":");
        // weights that are nearly the same look even for long
        let perhaps =
            verdict.algorithm == Algorithm::RoundRobin && verdict.candidates.contains(&Algorithm::WeightedRoundRobin);
        return if seen != wanted && perhaps { open(shown + " so far") } else { compared(seen == wanted, shown) };
    }
    if !matches!(verdict.algorithm, Algorithm::Random | Algorithm::LeastConnections) {
        return open("undetermined");
    }
    // if any instances can have these shares, then the busiest can have the largest
    let mut hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    hits.sort_unstable_by(|a, b| b.cmp(a));
    let shown = hits.iter().map(usize::to_string).collect::<Vec<_>>().join(":");
    let possible = shares(&hits, alpha);
    let total: f64 = wanted.iter().copied().map(f64::from).sum();
    let fits = wanted.iter().zip(possible).all(|(weight, (least, most))| {
        let share = f64::from(*weight) / total;
        least <= share && share <= most
    });
    // draws never prove a share exactly
    (if fits { Outcome::Undetermined } else { Outcome::Contradicted }, format!("{shown} requests at random"))
}

fn spread(most: f64, verdict: &Verdict, alpha: f64) -> (Outcome, String) {
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    let requests: usize = hits.iter().sum();
    if hits.len() < 2 {
        return open("one instance alone, or none");
    }
    if hits.contains(&0) {
        return open("some answered in other series only");
    }
    let weights: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    let weights = weights.unwrap_or_else(|| vec![1; hits.len()]);
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    let even: Vec<f64> = weights.iter().map(|weight| f64::from(*weight) / total).collect();
    let away = |(hits, share): (&usize, &f64)| {
        let expected = share * requests as f64;
        let requests = (*hits as f64 - expected).abs();
        if requests < 1.0 - 1e-9 { 0.0 } else { requests / expected }
    };
    let seen = hits.iter().zip(&even).map(away).fold(0.0, f64::max);
    let shown = format!("{}%", (seen * 1000.0).round() / 10.0);
    match verdict.algorithm {
        Algorithm::RoundRobin | Algorithm::WeightedRoundRobin if seen <= most + 1e-9 => (Outcome::Met, shown),
        // each round gives each its share: what came to us was shifted by the turns of others
        Algorithm::RoundRobin | Algorithm::WeightedRoundRobin => {
            open(format!("{shown} here, though rounds are regular"))
        }
        Algorithm::Random | Algorithm::LeastConnections => {
            let possible = || shares(&hits, alpha).zip(&even);
            let within = possible()
                .all(|((least, most_of), share)| share * (1.0 - most) <= least && most_of <= share * (1.0 + most));
            let beyond = possible()
                .any(|((least, most_of), share)| most_of < share * (1.0 - most) || share * (1.0 + most) < least);
            match (within, beyond) {
                (true, _) => (Outcome::Met, shown),
                (_, true) => (Outcome::Contradicted, shown),
                _ => open(format!("{shown} in {requests} requests, too few to tell (-n)")),
            }
        }
        _ => open(format!("{shown} as far as was seen")),
    }
}

/// Between which bounds the shares lie that these counts are a sample of, all of them but for a chance of `alpha`.
fn shares(hits: &[usize], alpha: f64) -> impl Iterator<Item = (f64, f64)> {
    let requests: usize = hits.iter().sum();
    // each has two bounds
    let each = alpha / (2 * hits.len().max(1)) as f64;
    hits.iter()
        .map(move |&hits| (1.0 - largest_share(requests - hits, requests, each), largest_share(hits, requests, each)))
}
