//! Expectations: what a verdict is held against, and whether it is met, contradicted or left open.
//!
//! | expectation | holds the verdict's |
//! | --- | --- |
//! | `round-robin`, `random`, … | pattern; strictly, the mechanism that is the only candidate |
//! | `order=fixed`, `repeats-after=N` | order of the rounds |
//! | `instances=N`, `instances>=N` | instances that answered without a cookie jar |
//! | `sticky=cookie`, `sticky-cookie=NAME`, `sticky-by=hash` | stickiness |
//! | `per=request` | picks |
//! | `weights=3:1:1` | weights, in any order, without common factors |
//! | `spread<=10%` | shares, by counts: see below |
//!
//! The *spread* is how far the instance that is farthest from its share of the answers without a cookie jar is away from
//! it, in per cent of that share. A share is the even one, or where weights were found that of the weight. An instance less
//! than one request away is on its share, since requests are whole. Where picks are drawn at random, counts are a sample:
//! the spread is within the limit when every share that the counts allow is, and beyond it when an instance has none that
//! is; else it is open. Where the rounds give each its share, and the turns of others shifted what came to us, it is open.

mod check;
mod parse;

use crate::analysis::{
    math::weights::lowest_terms,
    verdict::{Algorithm, BalancesPer, Order, Stickiness, StickyBy},
};

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
    /// Without common factors, the largest first.
    Weights(Vec<u32>),
    /// As a share of the share.
    Spread(f64),
}

/// The outcome of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The verdict says so.
    Met,
    /// The verdict says otherwise.
    Contradicted,
    /// The verdict leaves it open.
    Undetermined,
}

impl Outcome {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The statement of the verdict that an expectation is compared with.
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
    /// How a client is kept on its instance is not known.
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
    /// Counts of independent draws.
    HitsAtRandom(Vec<usize>),
    OneInstanceOrNone,
    /// Some instances answered in other series only.
    UnseenInstances,
    /// A spread, as a share of the share.
    Spread(f64),
    /// A spread that the turns of others may have made.
    SpreadOfRegularRounds(f64),
    SpreadTooFew {
        spread: f64,
        requests: usize,
    },
    SpreadSeen(f64),
    Undetermined,
}

/// An expectation that was held against a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// As it was written.
    pub expect: String,
    pub outcome: Outcome,
    pub found: VerdictPart,
}

/// How an algorithm is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// As the pattern that was seen.
    Pattern,
    /// As the only mechanism that produces the pattern.
    OnlyCandidate,
}

/// Whether all expectations together are met; `None` where there are none, or where one is open and none contradicted.
pub fn passed(comparisons: &[Comparison]) -> Option<bool> {
    let any = |outcome| comparisons.iter().any(|comparison| comparison.outcome == outcome);
    if any(Outcome::Contradicted) {
        Some(false)
    } else if any(Outcome::Undetermined) || comparisons.is_empty() {
        None
    } else {
        Some(true)
    }
}

/// Weights without common factors, the largest first.
fn in_lowest_terms(weights: Vec<u32>) -> Vec<u32> {
    let mut weights = lowest_terms(&weights);
    weights.sort_unstable_by(|a, b| b.cmp(a));
    weights
}
