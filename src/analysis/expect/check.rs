//! Compares a verdict with an expectation.

use crate::analysis::{
    math::log_prob::largest_share,
    pattern::near_weights::{self, NearWeights},
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
        let (outcome, found) = match verdict.condition() {
            Some(_) => open(VerdictPart::OnCondition(Box::new(found))),
            None => (outcome, found),
        };
        Comparison { expectation: self.text.clone(), outcome, found }
    }
}

/// The most times that a sample is enlarged to find the size that would decide.
const MOST_TIMES: usize = 1000;

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
    // weights that must be nearly the same are no other mechanism than equal ones
    let near = |candidate: Algorithm| {
        wanted == Algorithm::RoundRobin && candidate == Algorithm::WeightedRoundRobin && verdict.near_weights.is_some()
    };
    let alone = verdict.candidates.iter().all(|candidate| *candidate == wanted || near(*candidate));
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
pub fn all_shown(verdict: &Verdict) -> bool {
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
        return (outcome(seen == wanted), VerdictPart::Weights(seen));
    }
    if verdict.algorithm.round_shares() == Some(RoundShares::Equal) {
        return near_weights(wanted, verdict);
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

/// The comparison with a round robin, whose weights may be nearly the same: equal ones are never sure, and those that are
/// further apart than its bound are contradicted, unless a part of their round holds each instance as often.
fn near_weights(wanted: &[u32], verdict: &Verdict) -> (Outcome, VerdictPart) {
    let Some(bound) = verdict.near_weights else {
        return open(VerdictPart::WeightsSoFar(vec![1; wanted.len()]));
    };
    let (least, most) = (wanted.iter().min().copied().unwrap_or(1), wanted.iter().max().copied().unwrap_or(1));
    let requests: usize = verdict.instances.iter().map(|instance| instance.hits).sum();
    let is_hidden = (least as usize + 1) * wanted.len() > requests;
    if f64::from(most) > bound * f64::from(least) && !is_hidden {
        (Outcome::Contradicted, VerdictPart::WeightsCloserThan(bound))
    } else {
        open(VerdictPart::WeightsCloserThan(bound))
    }
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
    if let Some(bound) = verdict.near_weights
        && seen <= most + 1e-9
    {
        return spread_of_near_weights(seen, most, hits.len(), bound);
    }
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
        let decides = |times: &usize| {
            let hits: Vec<usize> = hits.iter().map(|hits| hits * times).collect();
            let possible = || shares(&hits, alpha).zip(&even);
            possible().all(is_within) || possible().any(is_beyond)
        };
        let decided_after = (2..=MOST_TIMES).find(decides).map(|times| times * requests);
        open(VerdictPart::SpreadTooFew { spread: seen, requests, decided_after })
    }
}

/// The comparison with rounds whose weights may be nearly the same, so that their spread is larger in the long run.
fn spread_of_near_weights(spread: f64, most: f64, k: usize, bound: f64) -> (Outcome, VerdictPart) {
    let largest_below = |ratio: f64| {
        let (least, most) = near_weights::share_between(k, ratio);
        (1.0 - least * k as f64).max(most * k as f64 - 1.0)
    };
    let largest = largest_below(bound);
    if largest <= most + 1e-9 {
        return (Outcome::Met, VerdictPart::Spread(spread));
    }
    let needed = |requests: usize| match near_weights::in_ring(k, requests) {
        NearWeights::CloserThan(ratio) => largest_below(ratio) <= most,
        NearWeights::Possible => false,
    };
    let requests = (most > 0.0).then(|| (1..).map(|round| round * k).find(|&requests| needed(requests))).flatten();
    open(VerdictPart::SpreadOfNearWeights { spread, largest, requests })
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
