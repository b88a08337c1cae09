//! The mechanisms that no model follows, in words that can stand in a list.

use crate::analysis::UnmodelledMechanism;

pub fn unmodelled(mechanism: UnmodelledMechanism) -> &'static str {
    match mechanism {
        UnmodelledMechanism::LeastTotalRequests => "the fewest requests in total",
        UnmodelledMechanism::LowDiscrepancySequence => "evenly spaced numbers",
        UnmodelledMechanism::LongWeightedRounds => "large weights that are used up one after the other",
        UnmodelledMechanism::Clock => "the clock",
        UnmodelledMechanism::PolledLoad => "load that is asked for now and then",
        UnmodelledMechanism::ResponseTime => "the fastest answer",
        UnmodelledMechanism::NextAfterError => "the next instance after an error",
    }
}
