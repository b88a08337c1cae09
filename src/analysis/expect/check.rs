//! Holding a verdict against an expectation.

use crate::analysis::{
    math::log_prob::largest_share,
    verdict::{Algorithm, BalancesPer, Reach, Stickiness, StickyBy, StickyCookie, Verdict},
};

use super::{Actual, Checked, Expectation, Outcome, Strictness, Wanted, in_lowest_terms};

impl Expectation {
    /// Holds the verdict against the expectation; `alpha` is the chance of a false outcome where counts are a sample.
    pub fn check(&self, verdict: &Verdict, strictness: Strictness, alpha: f64) -> Checked {
        let (outcome, actual) = match &self.wanted {
            Wanted::Algorithm(algorithm) => mechanism(*algorithm, verdict, strictness),
            Wanted::Order(order) => match verdict.order {
                Some(seen) => (outcome(seen == *order), Actual::Order(seen)),
                None => without_rounds(verdict),
            },
            Wanted::RepeatsAfter(period) => match verdict.repeats_after {
                Some(seen) => (outcome(seen == *period), Actual::Number(seen)),
                None => without_rounds(verdict),
            },
            Wanted::Instances(count) => instances(*count, verdict),
            // more may come, and do no harm
            Wanted::InstancesAtLeast(count) if verdict.instances.len() >= *count => {
                (Outcome::Met, Actual::Number(verdict.instances.len()))
            }
            Wanted::InstancesAtLeast(count) => instances(*count, verdict),
            Wanted::Sticky(_) if verdict.stickiness == Stickiness::Undetermined => open(Actual::Undetermined),
            Wanted::Sticky(how) => (outcome(verdict.stickiness == *how), Actual::Stickiness(verdict.stickiness)),
            Wanted::StickyCookie(name) => cookie_name(name, verdict),
            Wanted::StickyBy(how) => sticky_by(*how, verdict),
            Wanted::Per(_) if verdict.balances_per == BalancesPer::Undetermined => open(Actual::Undetermined),
            Wanted::Per(pick) => (outcome(verdict.balances_per == *pick), Actual::BalancesPer(verdict.balances_per)),
            Wanted::Weights(wanted) => weights(wanted, verdict, alpha),
            Wanted::Spread(most) => spread(*most, verdict, alpha),
        };
        Checked { expect: self.text.clone(), outcome, actual }
    }
}

fn outcome(met: bool) -> Outcome {
    if met { Outcome::Met } else { Outcome::Contradicted }
}

fn open(actual: Actual) -> (Outcome, Actual) {
    (Outcome::Undetermined, actual)
}

fn cookie_name(wanted: &str, verdict: &Verdict) -> (Outcome, Actual) {
    match (&verdict.sticky_cookie, verdict.stickiness) {
        (Some(cookie), _) => (outcome(cookie.name == *wanted), Actual::CookieName(cookie.name.clone())),
        (None, how @ (Stickiness::Cookie | Stickiness::Undetermined)) => open(Actual::NoCookieNamed(how)),
        (None, how @ (Stickiness::None | Stickiness::Source)) => (Outcome::Contradicted, Actual::Stickiness(how)),
    }
}

fn sticky_by(wanted: StickyBy, verdict: &Verdict) -> (Outcome, Actual) {
    match (&verdict.sticky_cookie, verdict.stickiness) {
        (Some(StickyCookie { by: Some(by), .. }), _) => (outcome(*by == wanted), Actual::StickyBy(*by)),
        (_, how @ (Stickiness::Cookie | Stickiness::Undetermined)) => open(Actual::MechanismUnknown(how)),
        (_, how @ (Stickiness::None | Stickiness::Source)) => (Outcome::Contradicted, Actual::Stickiness(how)),
    }
}

fn mechanism(wanted: Algorithm, verdict: &Verdict, strictness: Strictness) -> (Outcome, Actual) {
    let seen = verdict.algorithm;
    let alone = verdict.candidates.iter().all(|candidate| *candidate == wanted);
    match seen {
        Algorithm::Undetermined => open(Actual::Undetermined),
        _ if seen == wanted && (alone || strictness == Strictness::Pattern) => (Outcome::Met, Actual::Algorithm(seen)),
        _ if seen == wanted || verdict.candidates.contains(&wanted) => {
            open(Actual::Candidates(verdict.candidates.clone()))
        }
        _ => (Outcome::Contradicted, Actual::Algorithm(seen)),
    }
}

/// The answer about rounds where none were seen: there are none, unless a mechanism with rounds is still a candidate.
fn without_rounds(verdict: &Verdict) -> (Outcome, Actual) {
    let seen = verdict.algorithm;
    let may_go_round = seen.goes_round() || verdict.candidates.iter().any(|candidate| candidate.goes_round());
    if seen == Algorithm::Undetermined || may_go_round {
        return open(Actual::Undetermined);
    }
    (Outcome::Contradicted, Actual::Algorithm(seen))
}

/// Whether every instance has shown itself: not where the client, the path or the load decides which one answers.
fn all_shown(verdict: &Verdict) -> bool {
    match verdict.algorithm.reach() {
        Reach::Every => true,
        Reach::One => verdict.candidates == [Algorithm::Single],
        Reach::Some => false,
    }
}

fn instances(wanted: usize, verdict: &Verdict) -> (Outcome, Actual) {
    let seen = verdict.instances.len();
    // one instance that answers everything is what the pattern `single` says
    let pattern = verdict.algorithm == Algorithm::Single && seen == wanted;
    if all_shown(verdict) || pattern || seen > wanted {
        (outcome(seen == wanted), Actual::Number(seen))
    } else {
        open(Actual::InstancesSeen(seen))
    }
}

fn weights(wanted: &[u32], verdict: &Verdict, alpha: f64) -> (Outcome, Actual) {
    match instances(wanted.len(), verdict) {
        (Outcome::Met, _) => {}
        (Outcome::Contradicted, _) => return (Outcome::Contradicted, Actual::Instances(verdict.instances.len())),
        undetermined @ (Outcome::Undetermined, _) => return undetermined,
    }
    let seen: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    if let Some(seen) = seen.map(in_lowest_terms) {
        // weights that are nearly the same look even for long
        let perhaps =
            verdict.algorithm == Algorithm::RoundRobin && verdict.candidates.contains(&Algorithm::WeightedRoundRobin);
        return if seen != wanted && perhaps {
            open(Actual::WeightsSoFar(seen))
        } else {
            (outcome(seen == wanted), Actual::Weights(seen))
        };
    }
    if !matches!(verdict.algorithm, Algorithm::Random | Algorithm::LeastConnections) {
        return open(Actual::Undetermined);
    }
    // if any instances can have these shares, then the busiest can have the largest
    let mut hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    hits.sort_unstable_by(|a, b| b.cmp(a));
    let total: f64 = wanted.iter().copied().map(f64::from).sum();
    let fits = wanted.iter().zip(shares(&hits, alpha)).all(|(weight, (least, most))| {
        let share = f64::from(*weight) / total;
        least <= share && share <= most
    });
    // draws never prove a share exactly
    (if fits { Outcome::Undetermined } else { Outcome::Contradicted }, Actual::HitsAtRandom(hits))
}

fn spread(most: f64, verdict: &Verdict, alpha: f64) -> (Outcome, Actual) {
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    let requests: usize = hits.iter().sum();
    if hits.len() < 2 {
        return open(Actual::OneInstanceOrNone);
    }
    if hits.contains(&0) {
        return open(Actual::UnseenInstances);
    }
    let even = even_shares(verdict);
    let away = |(hits, share): (&usize, &f64)| {
        let expected = share * requests as f64;
        let requests = (*hits as f64 - expected).abs();
        if requests < 1.0 - 1e-9 { 0.0 } else { requests / expected }
    };
    let seen = hits.iter().zip(&even).map(away).fold(0.0, f64::max);
    if verdict.algorithm.goes_round() {
        // each round gives each its share: the turns of others shifted the answers that came to us
        return if seen <= most + 1e-9 {
            (Outcome::Met, Actual::Spread(seen))
        } else {
            open(Actual::SpreadOfRegularRounds(seen))
        };
    }
    if !matches!(verdict.algorithm, Algorithm::Random | Algorithm::LeastConnections) {
        return open(Actual::SpreadSeen(seen));
    }
    let mut possible = shares(&hits, alpha).zip(&even);
    let is_within = |((least, most_of), share): ((f64, f64), &f64)| {
        share * (1.0 - most) <= least && most_of <= share * (1.0 + most)
    };
    let is_beyond =
        |((least, most_of), share): ((f64, f64), &f64)| most_of < share * (1.0 - most) || share * (1.0 + most) < least;
    if possible.all(is_within) {
        return (Outcome::Met, Actual::Spread(seen));
    }
    let beyond = shares(&hits, alpha).zip(&even).any(is_beyond);
    if beyond {
        (Outcome::Contradicted, Actual::Spread(seen))
    } else {
        open(Actual::SpreadTooFew { spread: seen, requests })
    }
}

/// The share that each instance should have: that of its weight where weights were found, else an even one.
fn even_shares(verdict: &Verdict) -> Vec<f64> {
    let weights: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    let weights = weights.unwrap_or_else(|| vec![1; verdict.instances.len()]);
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    weights.iter().map(|weight| f64::from(*weight) / total).collect()
}

/// Between which bounds the shares lie that these counts are a sample of, all of them but for a chance of `alpha`.
fn shares(hits: &[usize], alpha: f64) -> impl Iterator<Item = (f64, f64)> {
    let requests: usize = hits.iter().sum();
    // each has two bounds
    let each = alpha / (2 * hits.len().max(1)) as f64;
    hits.iter()
        .map(move |&hits| (1.0 - largest_share(requests - hits, requests, each), largest_share(hits, requests, each)))
}
