//! The verdict itself, with the instances and the cookie that it names.

use crate::{
    analysis::{
        affinity::vendor::{Flaw, Vendor},
        pattern::unmodelled::UnmodelledMechanism,
        verdict::{
            algorithm::Algorithm,
            assumption::Assumption,
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
    /// The way in which the cookie pins, where that is known.
    pub by: Option<StickyBy>,
    /// The balancer whose cookies have this name and form.
    pub vendor: Option<Vendor>,
    /// The attributes of its `Set-Cookie` line.
    pub attributes: Option<CookieAttributes>,
    pub flaws: Vec<Flaw>,
}

/// The answers of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceHits {
    pub name: String,
    /// The number of answers in the free series.
    pub hits: usize,
    /// Its share of a round, where weights are known exactly.
    pub weight: Option<u32>,
    /// The bounds of its share, from 0 to 1, where picks are independent, or where weights may be nearly the same.
    pub share: Option<(f64, f64)>,
    /// The least and the most hits that the pattern allows, or that chance allows but for
    /// [`OUTLIER_CHANCE`](super::OUTLIER_CHANCE).
    pub expected: Option<(usize, usize)>,
}

impl InstanceHits {
    /// An instance of which only the number of answers is known.
    pub fn without_share(name: String, hits: usize) -> InstanceHits {
        InstanceHits { name, hits, weight: None, share: None, expected: None }
    }
}

/// The verdict: a pattern with all statements about the balancer that were proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The pattern that was seen.
    pub algorithm: Algorithm,
    /// The mechanisms that would produce the pattern, the pattern's own first.
    pub candidates: Vec<Algorithm>,
    /// The mechanisms without a model that would produce the pattern as well.
    pub not_modelled: Vec<UnmodelledMechanism>,
    /// Weights of which the largest is at most this many times the smallest would look the same as the round robin that was
    /// seen; larger ones are excluded. `None` where no such bound is known.
    pub near_weights: Option<f64>,
    /// The algorithms that would not produce the pattern.
    pub ruled_out: Vec<Rejection>,
    /// The probability that the requests look like this under one of the algorithms that are ruled out: the sum over
    /// their tests, at most 1. It says nothing of mechanisms that are not listed.
    pub chance: f64,
    /// The accepted chance of a false verdict, between 0 and 1.
    pub alpha: f64,
    /// The claims that the verdict rests on without proof. If one of them is false, `chance` and `alpha` say nothing.
    pub assumes: Vec<Assumption>,
    /// The instances with their answers, in the order of their names.
    pub instances: Vec<InstanceHits>,
    /// The way in which the order of a round changes, where there are rounds.
    pub order: Option<Order>,
    /// The names in their order, where it is fixed.
    pub cycle: Vec<String>,
    /// The number of requests after which the order repeats, where a repetition was seen.
    pub repeats_after: Option<usize>,
    /// True if the shares of independent draws may be even; `None` where picks are no independent draws.
    pub even: Option<bool>,
    /// The share of the turns of a regular order that other clients took, where that is known.
    pub background_share: Option<f64>,
    /// The share of turns that others must have taken from a round robin to make it look like independent draws, where
    /// picks look independent.
    pub regular_beyond: Option<f64>,
    pub stickiness: Stickiness,
    /// The cookie that keeps a client on its instance.
    pub sticky_cookie: Option<StickyCookie>,
    pub balances_per: BalancesPer,
    /// The facts, in the order of a report.
    pub evidence: Vec<Evidence>,
}

impl Verdict {
    /// The claim on the condition of which alone the verdict holds; `None` for a verdict that is as sure as its alpha.
    pub fn condition(&self) -> Option<&Assumption> {
        self.assumes.iter().find(|assumption| assumption.is_condition())
    }
}
