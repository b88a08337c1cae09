//! The finding: the pattern that one sequence of picks shows, what it rules out, and the facts that speak for it.

use crate::{
    analysis::{
        pattern::{evidence::PatternEvidence, near_weights::NearWeights},
        series::picks::Picks,
        verdict::{Algorithm, Order, Rejection, Test},
    },
    model::trace::InstanceId,
};

/// The pattern that one sequence shows, as far as it decides which mechanisms would produce it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pattern {
    /// Nothing is known of the order.
    Open,
    OneInstance,
    /// Rounds of which each instance has the same share.
    RoundRobin(NearWeights),
    WeightedRoundRobin,
    /// Picks are more regular than chance makes them, in an order that has no name.
    Regular,
    /// Rounds hold every pick, but the instances of a round change.
    ChangingInstances,
    /// Picks may be independent draws, or an order of which others take turns.
    RandomOrRegular(Spill),
    Random(Turns, Spill),
}

/// A first instance that answers nearly everything, so that the others may only help when it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spill {
    Possible,
    Excluded,
}

/// The turns that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    All,
    OursAlone,
}

impl Pattern {
    /// The name that the pattern has in a verdict.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Pattern::OneInstance => Algorithm::Single,
            Pattern::RoundRobin(_) => Algorithm::RoundRobin,
            Pattern::WeightedRoundRobin => Algorithm::WeightedRoundRobin,
            Pattern::Random(..) => Algorithm::Random,
            Pattern::Open | Pattern::Regular | Pattern::ChangingInstances | Pattern::RandomOrRegular(_) => {
                Algorithm::Undetermined
            }
        }
    }

    /// Returns true if instances are picked in rounds, with or without weights.
    pub fn goes_round(self) -> bool {
        self.algorithm().goes_round()
    }
}

/// The reason why an order does not hold for every pick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Background {
    /// Other clients take about this share of the turns.
    Share(f64),
    /// Several counters, instances that come and go, requests without an answer, or other clients: which of these is not
    /// known.
    Unknown,
}

/// The finding from one sequence of picks.
#[derive(Debug, Clone)]
pub struct Finding {
    pub pattern: Pattern,
    pub ruled_out: Vec<Rejection>,
    pub order: Option<Order>,
    /// The instances in their order, where it is fixed.
    pub cycle: Vec<InstanceId>,
    /// The number of requests after which the order repeats.
    pub repeats_after: Option<usize>,
    /// The weight of each instance: the number of times that it comes in a round. Empty where it is not known.
    pub weights: Vec<(InstanceId, u32)>,
    /// The bounds between which the share of each instance lies, where picks are independent.
    pub shares: Vec<(InstanceId, (f64, f64))>,
    /// True if the shares of independent draws may be even; `None` where picks are no independent draws.
    pub even: Option<bool>,
    /// The reason why not every pick follows a regular order.
    pub background: Option<Background>,
    /// A round robin would look like these picks only if others took more than this share of its turns.
    pub regular_beyond: Option<f64>,
    pub evidence: Vec<PatternEvidence>,
}

impl Finding {
    pub fn new(pattern: Pattern, ruled_out: Vec<Rejection>, evidence: Vec<PatternEvidence>) -> Finding {
        Finding {
            pattern,
            ruled_out,
            order: None,
            cycle: Vec::new(),
            repeats_after: None,
            weights: Vec::new(),
            shares: Vec::new(),
            even: None,
            background: None,
            regular_beyond: None,
            evidence,
        }
    }

    /// A finding without a named pattern, with its reason.
    pub fn open(reason: PatternEvidence) -> Finding {
        Finding::new(Pattern::Open, Vec::new(), vec![reason])
    }

    /// A round robin, whatever its order; `p` is the probability of the picks if they were drawn at random.
    pub fn round_robin(picks: &Picks, near_weights: NearWeights, test: Test, p: f64) -> Finding {
        let ruled_out = vec![Rejection { algorithm: Algorithm::Random, test, p }];
        Finding {
            weights: picks.ids.iter().map(|&id| (id, 1)).collect(),
            ..Finding::new(Pattern::RoundRobin(near_weights), ruled_out, Vec::new())
        }
    }

    /// A weighted round robin, whatever its order; `p` is the probability of the picks if they were drawn at random, and
    /// `equal_p` that under rounds of equal shares.
    pub fn weighted_round_robin(picks: &Picks, weights: &[u32], test: Test, p: f64, equal_p: f64) -> Finding {
        let ruled_out = vec![
            Rejection { algorithm: Algorithm::Random, test, p },
            Rejection { algorithm: Algorithm::RoundRobin, test: Test::UnequalRounds, p: equal_p },
        ];
        Finding {
            weights: picks.ids.iter().copied().zip(weights.iter().copied()).collect(),
            ..Finding::new(Pattern::WeightedRoundRobin, ruled_out, Vec::new())
        }
    }

    /// The name that the pattern has in a verdict.
    pub fn algorithm(&self) -> Algorithm {
        self.pattern.algorithm()
    }

    /// Returns true if the picks are surely no independent draws.
    pub fn rejects_independent_draws(&self) -> bool {
        self.ruled_out.iter().any(|out| out.algorithm == Algorithm::Random)
    }
}
