//! Unmodelled mechanisms: ways to pick that make the same requests as a pattern, and that no model follows.

use crate::analysis::pattern::finding::Pattern;

/// A mechanism that no model follows. Its name in JSON is its name in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum UnmodelledMechanism {
    /// The instance that has served the fewest requests since the start is picked.
    LeastTotalRequests,
    /// Picks follow a low-discrepancy sequence, such as multiples of the golden ratio.
    LowDiscrepancySequence,
    /// Rounds serve all instances until the smaller of long weights are used up.
    LongWeightedRounds,
    /// The time decides, in slices.
    Clock,
    /// The load that decides is that of one worker, or is asked for now and then.
    PolledLoad,
    /// The instance that answered the fastest is picked.
    ResponseTime,
    /// The next instance gets the request that another failed to answer.
    NextAfterError,
}

use UnmodelledMechanism::{
    Clock, LeastTotalRequests, LongWeightedRounds, LowDiscrepancySequence, NextAfterError, PolledLoad, ResponseTime,
};

impl UnmodelledMechanism {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The mechanisms without a model that may produce a pattern.
pub fn list_unmodelled(pattern: Pattern) -> Vec<UnmodelledMechanism> {
    match pattern {
        Pattern::OneInstance => vec![LeastTotalRequests, Clock, PolledLoad, ResponseTime, NextAfterError],
        Pattern::RoundRobin(_) => {
            vec![LeastTotalRequests, LowDiscrepancySequence, LongWeightedRounds, Clock, PolledLoad, ResponseTime]
        }
        Pattern::WeightedRoundRobin => {
            vec![LeastTotalRequests, LowDiscrepancySequence, Clock, PolledLoad, ResponseTime, NextAfterError]
        }
        Pattern::Random(..) => vec![LowDiscrepancySequence, PolledLoad, ResponseTime],
        Pattern::Open | Pattern::Regular | Pattern::ChangingInstances | Pattern::RandomOrRegular(_) => vec![
            LeastTotalRequests,
            LowDiscrepancySequence,
            LongWeightedRounds,
            Clock,
            PolledLoad,
            ResponseTime,
            NextAfterError,
        ],
    }
}
