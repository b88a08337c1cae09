//! The assumptions of a verdict: what it takes for granted, and which of that the trace itself tests.

use crate::analysis::{
    case::Case,
    series::sequence::Visibility,
    verdict::{Algorithm, Rejection},
};

/// Something that a verdict takes for granted. If it does not hold, the verdict may be wrong, however small its chance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumption {
    pub claim: Claim,
    /// The test that the claim has passed; `None` for an untested one.
    pub test: Option<ClaimTest>,
}

/// A claim that a verdict rests on. Its name in JSON is its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Claim {
    /// The set of instances did not change during the probe.
    SameInstances,
    /// No other client sends its requests in step with those of the probe, so that it always takes the same turns.
    NoClientInStep,
    /// Two answers with the same name come from the same instance, and two with different names from different ones.
    NameMeansInstance,
}

/// A test of a claim. Its name in JSON is its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ClaimTest {
    /// The balancer's own log has every turn, those of other clients included.
    BalancerLog,
}

impl Claim {
    /// The name of the claim in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl ClaimTest {
    /// The name of the test in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The assumptions of a verdict that names an algorithm or rules one out; a verdict that does neither assumes nothing.
pub fn list_assumptions(case: &Case, algorithm: Algorithm, ruled_out: &[Rejection]) -> Vec<Assumption> {
    if algorithm == Algorithm::Undetermined && ruled_out.is_empty() {
        return Vec::new();
    }
    let log = every_turn_is_known(case).then_some(ClaimTest::BalancerLog);
    let untested = |claim| Assumption { claim, test: None };
    let mut all = vec![untested(Claim::SameInstances), Assumption { claim: Claim::NoClientInStep, test: log }];
    if case.trace().identified_by.is_some() {
        all.push(untested(Claim::NameMeansInstance));
    }
    all
}

fn every_turn_is_known(case: &Case) -> bool {
    case.free().is_some_and(|free| free.sequence().visibility == Visibility::EveryTurn)
}
