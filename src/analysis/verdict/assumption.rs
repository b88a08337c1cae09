//! The assumptions of a verdict: what it takes for granted, and which of that the trace itself tests.

use crate::{
    analysis::{
        case::Case,
        series::sequence::Visibility,
        verdict::{Algorithm, Rejection},
    },
    model::trace::{NameCertainty, Series},
};

/// The irregular pauses before which an order counts as tested: a client in step would have to keep its turn in each.
const FEWEST_PAUSES: usize = 8;

/// Something that a verdict takes for granted. If it does not hold, the verdict may be wrong, however small its chance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assumption {
    pub claim: Claim,
    /// The test that the claim has passed; `None` for an untested one.
    pub test: Option<ClaimTest>,
}

impl Assumption {
    /// Returns true if the claim is a guess, so that the verdict holds on this condition only.
    pub fn is_condition(&self) -> bool {
        self.claim == Claim::NameMeansInstance(NameCertainty::Guessed)
    }
}

/// A claim that a verdict rests on. Its name in JSON is its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Claim {
    /// The set of instances did not change during the probe.
    SameInstances,
    /// No other client sends its requests in step with those of the probe, so that it always takes the same turns.
    NoClientInStep,
    /// Each request takes one turn of the balancer: nothing asks it again for each, such as a mirror or a check of the access.
    OneTurnPerRequest,
    /// Two answers with the same name come from the same instance, and two with different names from different ones. Where
    /// it is guessed that the names are names of instances, the claim is a condition: the verdict is sure of nothing.
    NameMeansInstance(NameCertainty),
}

/// A test of a claim. Its name in JSON is its name in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ClaimTest {
    /// The balancer's own log has every turn, those of other clients included.
    BalancerLog,
    /// Random pauses between the requests did not change the order.
    RandomPauses,
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

/// The assumptions of a verdict that names an algorithm or rules one out; a verdict that does neither assumes nothing but
/// a guess about the names.
pub fn list_assumptions(case: &Case, algorithm: Algorithm, ruled_out: &[Rejection]) -> Vec<Assumption> {
    let names = case.trace().identified_by.as_ref().map(|feature| feature.certainty);
    let untested = |claim| Assumption { claim, test: None };
    let name_means_instance = names.map(|certainty| untested(Claim::NameMeansInstance(certainty)));
    if algorithm == Algorithm::Undetermined && ruled_out.is_empty() {
        return name_means_instance.into_iter().filter(Assumption::is_condition).collect();
    }
    let log = every_turn_is_known(case).then_some(ClaimTest::BalancerLog);
    let pauses = || order_survived_pauses(case).then_some(ClaimTest::RandomPauses);
    let mut all = vec![
        untested(Claim::SameInstances),
        Assumption { claim: Claim::NoClientInStep, test: log.or_else(pauses) },
        Assumption { claim: Claim::OneTurnPerRequest, test: log },
    ];
    all.extend(name_means_instance);
    all
}

/// Returns true if an order, or one instance alone, held for all requests though pauses between them were drawn by lot. A
/// client in step would have taken more turns in the longer ones.
fn order_survived_pauses(case: &Case) -> bool {
    let Some(free) = case.free() else { return false };
    let found = free.finding();
    let holds = found.background.is_none() && (found.order.is_some() || found.algorithm() == Algorithm::Single);
    holds && irregular_pauses(free.series) >= FEWEST_PAUSES
}

/// The number of pauses that differ from the usual pause by a quarter of the usual answer or more.
fn irregular_pauses(series: &Series) -> usize {
    let middle = |mut all: Vec<u64>| {
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    let pauses = series.requests.windows(2).map(|pair| pair[1].at_us.saturating_sub(pair[0].at_us + pair[0].us));
    let pauses: Vec<u64> = pauses.collect();
    let (usual_answer, usual_pause) =
        (middle(series.requests.iter().map(|request| request.us).collect()), middle(pauses.clone()));
    pauses.into_iter().filter(|pause| 4 * pause.abs_diff(usual_pause) >= usual_answer.max(1)).count()
}

fn every_turn_is_known(case: &Case) -> bool {
    case.free().is_some_and(|free| free.sequence().visibility == Visibility::EveryTurn)
}
