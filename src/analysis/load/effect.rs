//! The effect of load, and the facts that speak for it.

use crate::analysis::{
    load::evidence::{Avoidance, LoadEvidence, UnclearReason},
    math::log_prob::probability,
    sampling::budget::{Decision, is_sure},
    verdict::Algorithm,
};

/// The quick requests that were sent while slow ones made instances busy.
#[derive(Debug, Clone)]
pub struct Load {
    /// The quick requests that count.
    pub quick: usize,
    /// The quick requests that went to a busy instance.
    pub on_busy: usize,
    /// The quick requests that would have gone to a busy instance if load played no part.
    pub expected: f64,
    pub effect: LoadEffect,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoadEffect {
    /// Busy instances are avoided. If load played no part, this would happen with probability `p`.
    Avoided {
        p: f64,
        limit: LimitOfOne,
    },
    /// Busy instances get their share. A balancer that minds load would do so with probability `p`.
    Ignored {
        p: f64,
    },
    /// One instance answers until it has this many slow requests; then others do. If load played no part, others would
    /// answer only then with probability `p`.
    Spilled {
        at: usize,
        p: f64,
    },
    /// One instance answers, with up to this many slow requests at once.
    Alone {
        busiest: usize,
    },
    Unclear(UnclearReason),
}

/// A limit of one request to each instance, as another reason why busy instances are avoided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOfOne {
    Possible,
    /// Some instance worked on two requests at once.
    Excluded,
}

impl Load {
    /// The probability that a balancer with least connections leaves these `n` quick requests with one busy instance; `None`
    /// where it is not small enough to exclude least connections. It is 1/4 for each request: of two instances, two picks
    /// at random both meet the busy one once in four times.
    pub fn least_connections_alone(&self, alpha: f64) -> Option<f64> {
        let stayed = match self.effect {
            LoadEffect::Alone { .. } => self.quick,
            // `on_busy` went to it while it had fewer slow requests than those with which others answer
            LoadEffect::Spilled { .. } => self.on_busy,
            LoadEffect::Avoided { .. } | LoadEffect::Ignored { .. } | LoadEffect::Unclear(_) => return None,
        };
        let p = probability(stayed as f64 * 0.25f64.ln());
        is_sure(p, alpha, Decision::Load).then_some(p)
    }

    /// The facts that speak for this effect. `pattern` is the one that was named without load.
    pub fn evidence(&self, pattern: Algorithm) -> Vec<LoadEvidence> {
        let Load { quick, on_busy, expected, effect } = *self;
        match effect {
            LoadEffect::Avoided { p, limit } => {
                let avoidance = if on_busy == 0 { Avoidance::Always } else { Avoidance::Mostly };
                let mut facts = vec![
                    LoadEvidence::FewerOnBusy { quick, on_busy, expected, p },
                    LoadEvidence::BusyAvoided(avoidance),
                ];
                if limit == LimitOfOne::Possible {
                    facts.push(LoadEvidence::LimitLooksTheSame(pattern));
                }
                facts
            }
            LoadEffect::Ignored { p } => vec![LoadEvidence::ShareOnBusy { quick, on_busy, expected, p }],
            LoadEffect::Spilled { at: 1, p } => {
                vec![LoadEvidence::SpillsAt { requests: 1, p }, LoadEvidence::LimitOfOneOrLeastConnections]
            }
            LoadEffect::Spilled { at, p } => vec![LoadEvidence::SpillsAt { requests: at, p }],
            LoadEffect::Alone { busiest } => vec![LoadEvidence::StaysWhenBusy { quick, busiest }],
            LoadEffect::Unclear(reason) if quick > 0 => {
                vec![LoadEvidence::UnclearCounts { quick, on_busy, expected, reason }]
            }
            LoadEffect::Unclear(reason) => vec![LoadEvidence::NotSeen(reason)],
        }
    }
}
