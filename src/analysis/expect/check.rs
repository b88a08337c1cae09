//! Compares a verdict with an expectation.

use crate::analysis::{
    math::log_prob::largest_share,
    verdict::{Algorithm, BalancesPer, Reach, RoundShares, Stickiness, StickyBy, StickyCookie, Verdict},
};

use super::{Comparison, Expectation, Outcome, Requirement, Strictness, VerdictPart, in_lowest_terms};

impl Expectation {
    /// Compares the verdict with the expectation; `alpha` is the chance of a false outcome where counts are a sample.
    pub fn check(&self, verdict: &Verdict, strictness: Strictness, alpha: f64) -> Comparison {
        let (outcome, found) = match &self.requirement {
            Requirement::Algorithm(algorithm) => mechanism(*algorithm, verdict, strictness),
            Requirement::Order(order) => match verdict.order {
                Some(seen) => (outcome(seen == *order), VerdictPart::Order(seen)),
                None => without_rounds(verdict),
            },
            Requirement::RepeatsAfter(period) => match verdict.repeats_after {
                Some(seen) => (outcome(seen == *period), VerdictPart::Number(seen)),
                None => without_rounds(verdict),
            },
            Requirement::Instances(count) => instances(*count, verdict),
            // more may come, and do no harm
            Requirement::InstancesAtLeast(count) if verdict.instances.len() >= *count => {
                (Outcome::Met, VerdictPart::Number(verdict.instances.len()))
            }
            Requirement::InstancesAtLeast(count) => instances(*count, verdict),
            Requirement::Sticky(_) if verdict.stickiness == Stickiness::Undetermined => open(VerdictPart::Undetermined),
            Requirement::Sticky(how) => {
                (outcome(verdict.stickiness == *how), VerdictPart::Stickiness(verdict.stickiness))
            }
            Requirement::StickyCookie(name) => cookie_name(name, verdict),
            Requirement::StickyBy(how) => sticky_by(*how, verdict),
            Requirement::Per(_) if verdict.balances_per == BalancesPer::Undetermined => open(VerdictPart::Undetermined),
            Requirement::Per(pick) => {
                (outcome(verdict.balances_per == *pick), VerdictPart::BalancesPer(verdict.balances_per))
            }
            Requirement::Weights(wanted) => weights(wanted, verdict, alpha),
            Requirement::Spread(most) => spread(*most, verdict, alpha),
        };
        Comparison { expectation: self.text.clone(), outcome, found }
    }
}

fn outcome(met: bool) -> Outcome {
    if met { Outcome::Met } else { Outcome::Contradicted }
}

fn open(found: VerdictPart) -> (Outcome, VerdictPart) {
    (Outcome::Undetermined, found)
}

fn cookie_name(wanted: &str, verdict: &Verdict) -> (Outcome, VerdictPart) {
    match (&verdict.sticky_cookie, verdict.stickiness) {
        (Some(cookie), _) => (outcome(cookie.name == *wanted), VerdictPart::CookieName(cookie.name.clone())),
        (None, how @ (Stickiness::Cookie | Stickiness::Undetermined)) => open(VerdictPart::NoCookieNamed(how)),
        (None, how @ (Stickiness::None | Stickiness::Source)) => (Outcome::Contradicted, VerdictPart::Stickiness(how)),
    }
}

fn sticky_by(wanted: StickyBy, verdict: &Verdict) -> (Outcome, VerdictPart) {
    match (&verdict.sticky_cookie, verdict.stickiness) {
        (Some(StickyCookie { by: Some(by), .. }), _) => (outcome(*by == wanted), VerdictPart::StickyBy(*by)),
        (_, how @ (Stickiness::Cookie | Stickiness::Undetermined)) => open(VerdictPart::MechanismUnknown(how)),
        (_, how @ (Stickiness::None | Stickiness::Source)) => (Outcome::Contradicted, VerdictPart::Stickiness(how)),
    }
}

fn mechanism(wanted: Algorithm, verdict: &Verdict, strictness: Strictness) -> (Outcome, VerdictPart) {
    let seen = verdict.algorithm;
    let alone = verdict.candidates.iter().all(|candidate| *candidate == wanted);
    match seen {
        Algorithm::Undetermined => open(VerdictPart::Undetermined),
        _ if seen == wanted && (alone || strictness == Strictness::Pattern) => {
            (Outcome::Met, VerdictPart::Algorithm(seen))
        }
        _ if seen == wanted || verdict.candidates.contains(&wanted) => {
            open(VerdictPart::Candidates(verdict.candidates.clone()))
        }
        _ => (Outcome::Contradicted, VerdictPart::Algorithm(seen)),
    }
}

/// The comparison about rounds where none were seen: contradicted, unless a mechanism with rounds is still a candidate.
fn without_rounds(verdict: &Verdict) -> (Outcome, VerdictPart) {
    let seen = verdict.algorithm;
    let may_go_round = seen.goes_round() || verdict.candidates.iter().any(|candidate| candidate.goes_round());
    if seen == Algorithm::Undetermined || may_go_round {
        return open(VerdictPart::Undetermined);
    }
    (Outcome::Contradicted, VerdictPart::Algorithm(seen))
}

/// Returns true if every instance has shown itself. Where the client, the path or the load decides, some may not have.
fn all_shown(verdict: &Verdict) -> bool {
    match verdict.algorithm.reach() {
        Reach::Every => true,
        Reach::One => verdict.candidates == [Algorithm::Single],
        Reach::ByLoad | Reach::ByKey | Reach::Unknown => false,
    }
}

fn instances(wanted: usize, verdict: &Verdict) -> (Outcome, VerdictPart) {
    let seen = verdict.instances.len();
    // the pattern `single` means that one instance answers everything
    let pattern = verdict.algorithm == Algorithm::Single && seen == wanted;
    if all_shown(verdict) || pattern || seen > wanted {
        (outcome(seen == wanted), VerdictPart::Number(seen))
    } else {
        open(VerdictPart::InstancesSeen(seen))
    }
}

fn weights(wanted: &[u32], verdict: &Verdict, alpha: f64) -> (Outcome, VerdictPart) {
    match instances(wanted.len(), verdict) {
        (Outcome::Met, _) => {}
        (Outcome::Contradicted, _) => return (Outcome::Contradicted, VerdictPart::Instances(verdict.instances.len())),
        undetermined @ (Outcome::Undetermined, _) => return undetermined,
    }
    let seen: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    if let Some(seen) = seen.map(in_lowest_terms) {
        // weights that are nearly the same look even for long
        let perhaps = verdict.algorithm.round_shares() == Some(RoundShares::Equal)
            && verdict.candidates.contains(&Algorithm::WeightedRoundRobin);
        return if seen != wanted && perhaps {
            open(VerdictPart::WeightsSoFar(seen))
        } else {
            (outcome(seen == wanted), VerdictPart::Weights(seen))
        };
    }
    if !verdict.algorithm.counts_are_a_sample() {
        return open(VerdictPart::Undetermined);
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
    (if fits { Outcome::Undetermined } else { Outcome::Contradicted }, VerdictPart::HitsAtRandom(hits))
}

fn spread(most: f64, verdict: &Verdict, alpha: f64) -> (Outcome, VerdictPart) {
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    let requests: usize = hits.iter().sum();
    if hits.len() < 2 {
        return open(VerdictPart::OneInstanceOrNone);
    }
    if hits.contains(&0) {
        return open(VerdictPart::UnseenInstances);
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
            (Outcome::Met, VerdictPart::Spread(seen))
        } else {
            open(VerdictPart::SpreadOfRegularRounds(seen))
        };
    }
    if !verdict.algorithm.counts_are_a_sample() {
        return open(VerdictPart::SpreadSeen(seen));
    }
    let mut possible = shares(&hits, alpha).zip(&even);
    let is_within = |((least, most_of), share): ((f64, f64), &f64)| {
        share * (1.0 - most) <= least && most_of <= share * (1.0 + most)
    };
    let is_beyond =
        |((least, most_of), share): ((f64, f64), &f64)| most_of < share * (1.0 - most) || share * (1.0 + most) < least;
    if possible.all(is_within) {
        return (Outcome::Met, VerdictPart::Spread(seen));
    }
    let beyond = shares(&hits, alpha).zip(&even).any(is_beyond);
    if beyond {
        (Outcome::Contradicted, VerdictPart::Spread(seen))
    } else {
        open(VerdictPart::SpreadTooFew { spread: seen, requests })
    }
}

/// The share that each instance should have: that of its weight where weights were found, else an even one.
fn even_shares(verdict: &Verdict) -> Vec<f64> {
    let weights: Option<Vec<u32>> = verdict.instances.iter().map(|instance| instance.weight).collect();
    let weights = weights.unwrap_or_else(|| vec![1; verdict.instances.len()]);
    let total: f64 = weights.iter().copied().map(f64::from).sum();
    weights.iter().map(|weight| f64::from(*weight) / total).collect()
}

/// The bounds of the shares that these counts are a sample of, all of them but for a chance of `alpha`.
fn shares(hits: &[usize], alpha: f64) -> impl Iterator<Item = (f64, f64)> {
    let requests: usize = hits.iter().sum();
    // each has two bounds
    let each = alpha / (2 * hits.len().max(1)) as f64;
    hits.iter()
        .map(move |&hits| (1.0 - largest_share(requests - hits, requests, each), largest_share(hits, requests, each)))
}
