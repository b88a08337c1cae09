//! The verdict itself, with the instances and the cookie that it names.

use crate::{
    analysis::{
        affinity::vendor::{Flaw, Vendor},
        verdict::{
            algorithm::Algorithm,
            evidence::Evidence,
            facets::{BalancesPer, Order, Stickiness, StickyBy},
            rejection::Rejection,
        },
    },
    model::trace::CookieAttributes,
};

/// The cookie that keeps a client on its instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StickyCookie {
    pub name: String,
    /// How the cookie pins, where that is known.
    pub by: Option<StickyBy>,
    /// The balancer whose cookies have this name and form.
    pub vendor: Option<Vendor>,
    /// The attributes of its `Set-Cookie` line.
    pub attributes: Option<CookieAttributes>,
    pub flaws: Vec<Flaw>,
}

/// How often an instance answered.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceHits {
    pub name: String,
    /// Answers in the series without a cookie jar.
    pub hits: usize,
    /// Its share of a round, where there are rounds.
    pub weight: Option<u32>,
    /// Between which bounds its share lies, where picks are independent.
    pub share: Option<(f64, f64)>,
    /// The least and the most hits that the pattern allows, or that chance does but for [`OUTLIER_CHANCE`](super::OUTLIER_CHANCE).
    pub expected: Option<(usize, usize)>,
}

impl InstanceHits {
    /// An instance of which only the number of answers is known.
    pub fn without_share(name: String, hits: usize) -> InstanceHits {
        InstanceHits { name, hits, weight: None, share: None, expected: None }
    }
}

/// The verdict: a pattern with everything that was proved about the balancer.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The pattern that was seen.
    pub algorithm: Algorithm,
    /// Every mechanism that would produce it, the pattern's own first.
    pub candidates: Vec<Algorithm>,
    /// The algorithms that would not produce the pattern.
    pub ruled_out: Vec<Rejection>,
    /// The chance that something was ruled out wrongly: the sum of the probabilities.
    pub chance: f64,
    /// The chance of a false verdict that was accepted.
    pub alpha: f64,
    /// The instances, and how often each answered.
    pub instances: Vec<InstanceHits>,
    /// How the order of a round changes, where there are rounds.
    pub order: Option<Order>,
    /// The names in their order, where it is fixed.
    pub cycle: Vec<String>,
    /// After how many requests the order repeats, where that was seen.
    pub repeats_after: Option<usize>,
    /// Whether the shares of independent draws may be even.
    pub even: Option<bool>,
    /// The share of the turns of a regular order that other clients took, where that is known.
    pub background_share: Option<f64>,
    /// Where picks look independent: a round robin would look so only if others took more than this share of its turns.
    pub regular_beyond: Option<f64>,
    pub stickiness: Stickiness,
    /// The cookie that keeps a client on its instance.
    pub sticky_cookie: Option<StickyCookie>,
    pub balances_per: BalancesPer,
    /// The facts, in the order in which a report tells them.
    pub evidence: Vec<Evidence>,
}
