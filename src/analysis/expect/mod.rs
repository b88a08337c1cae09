//! Expectations that a verdict is compared with. Each is met, contradicted or undetermined.
//!
//! | expectation | is compared with the verdict's |
//! | --- | --- |
//! | `round-robin`, `random`, … | pattern; strictly, the mechanism that is the only candidate |
//! | `order=fixed`, `repeats-after=N` | order of the rounds |
//! | `instances=N`, `instances>=N` | instances that answered without a cookie jar |
//! | `sticky=cookie`, `sticky-cookie=NAME`, `sticky-by=hash` | stickiness |
//! | `per=request` | picks |
//! | `weights=3:1:1` | weights, in any order, without common factors |
//! | `spread<=10%` | shares, by counts: see below |
//!
//! The *spread* is the distance of the answers without a cookie jar from the share of an instance, in per cent of that
//! share, for the instance that is farthest away. The share is even, or in proportion to the weight where weights were
//! found. An instance less than one request away is on its share, because requests are whole. Where picks are drawn at
//! random, counts are a sample: the spread is within the limit when every share that the counts allow is, and beyond
//! it when an instance has no such share that is; else it is undetermined. Where the rounds give each instance its
//! share, and the turns of others shifted the answers that came to us, it is undetermined; so it is where weights that are
//! nearly the same would look the same and have a larger spread in the long run.
//!
//! Where it is a guess that the names are names of instances, every expectation is undetermined.

mod check;
mod parse;

use crate::analysis::{
    math::weights::lowest_terms,
    verdict::{Algorithm, BalancesPer, Order, Stickiness, StickyBy},
};

pub use check::all_shown;
pub use parse::ExpectError;

/// A statement that a verdict is expected to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    text: String,
    requirement: Requirement,
}

#[derive(Debug, Clone, PartialEq)]
enum Requirement {
    Algorithm(Algorithm),
    Order(Order),
    Instances(usize),
    InstancesAtLeast(usize),
    Sticky(Stickiness),
    StickyCookie(String),
    StickyBy(StickyBy),
    Per(BalancesPer),
    RepeatsAfter(usize),
    /// Weights without common factors, the largest first.
    Weights(Vec<u32>),
    /// The largest spread, as a fraction of the share.
    Spread(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The verdict agrees.
    Met,
    /// The verdict disagrees.
    Contradicted,
    /// The verdict does not decide it.
    Undetermined,
}

impl Outcome {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The part of a verdict that an expectation is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum VerdictPart {
    Algorithm(Algorithm),
    /// Every mechanism that the verdict leaves open.
    Candidates(Vec<Algorithm>),
    Order(Order),
    Stickiness(Stickiness),
    StickyBy(StickyBy),
    /// A cookie keeps the client, or may do so, but which cookie is not known.
    NoCookieNamed(Stickiness),
    /// The mechanism that keeps a client on its instance is not known.
    MechanismUnknown(Stickiness),
    CookieName(String),
    BalancesPer(BalancesPer),
    Number(usize),
    Instances(usize),
    /// There may be more instances.
    InstancesSeen(usize),
    Weights(Vec<u32>),
    /// Weights that are nearly the same may look like these for long.
    WeightsSoFar(Vec<u32>),
    /// Weights of which the largest is at most this many times the smallest.
    WeightsCloserThan(f64),
    /// Counts of independent draws.
    HitsAtRandom(Vec<usize>),
    OneInstanceOrNone,
    /// Some instances answered in other series only.
    UnseenInstances,
    /// A spread, as a fraction of the share.
    Spread(f64),
    /// A spread of rounds whose weights may be nearly the same, so that it is at most `largest` in the long run; and the
    /// number of requests in a row that would show less, where any does.
    SpreadOfNearWeights {
        spread: f64,
        largest: f64,
        requests: Option<usize>,
    },
    /// A spread that the turns of others may have made.
    SpreadOfRegularRounds(f64),
    /// A spread that is a sample, and the number of requests that would decide about it, where such shares do.
    SpreadTooFew {
        spread: f64,
        requests: usize,
        decided_after: Option<usize>,
    },
    SpreadSeen(f64),
    /// A part that holds only if the guess is right that the names are names of instances.
    OnCondition(Box<VerdictPart>),
    Undetermined,
}

/// The comparison of a verdict with an expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The expectation, as the user wrote it.
    pub expectation: String,
    pub outcome: Outcome,
    pub found: VerdictPart,
}

/// The strictness of an expected algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// The algorithm is the pattern that was seen.
    Pattern,
    /// The algorithm is the only mechanism that produces the pattern. To a round robin, weights that are nearly the same are
    /// no other mechanism where the verdict tells how near they must be.
    OnlyCandidate,
}

/// The outcome of all expectations together: met if each is, contradicted if one is. Undetermined where there are none.
pub fn combined_outcome(comparisons: &[Comparison]) -> Outcome {
    let any = |outcome| comparisons.iter().any(|comparison| comparison.outcome == outcome);
    if any(Outcome::Contradicted) {
        Outcome::Contradicted
    } else if any(Outcome::Undetermined) || comparisons.is_empty() {
        Outcome::Undetermined
    } else {
        Outcome::Met
    }
}

/// Weights without common factors, the largest first.
fn in_lowest_terms(weights: Vec<u32>) -> Vec<u32> {
    let mut weights = lowest_terms(&weights);
    weights.sort_unstable_by(|a, b| b.cmp(a));
    weights
}
