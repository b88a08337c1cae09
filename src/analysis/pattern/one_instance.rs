//! One instance: judges if it answered so often that several instances would have shown themselves.

use crate::{
    analysis::{
        math::log_prob::{largest_share, ln_factorial, probability},
        pattern::{
            evidence::{OneInstanceEvidence, PatternEvidence, Unit},
            failing_instances,
            finding::{Finding, Pattern},
        },
        sampling::budget::{self, Decision},
        series::sequence::{Sequence, Visibility},
        verdict::{Algorithm, Rejection, Test},
    },
    model::trace::{InstanceId, Series},
};

/// The number of requests that one instance must all answer before two that are picked at random are ruled out.
pub fn requests_needed(alpha: f64) -> usize {
    (1..).find(|&picks| all_by_chance(picks) < budget::spend(alpha, Decision::IndependentDraws)).unwrap_or(0)
}

/// The probability that one of two instances with even chances gets all of `picks` picks. Two even ones are the likeliest
/// way to see one alone.
fn all_by_chance(picks: usize) -> f64 {
    probability((1.0 - picks as f64) * 2f64.ln())
}

/// Ville's test (1939) of an even coin against a coin of any other share, where all shares are equally likely
/// beforehand. It holds whenever one looks. Returns `p`: the probability that the other of the two instances gets no
/// more than the `nameless` picks, of which the instance is not known.
fn nearly_all_by_chance(picks: usize, nameless: usize) -> f64 {
    if nameless == 0 {
        return all_by_chance(picks);
    }
    if nameless >= picks {
        return 1.0;
    }
    let n = picks + nameless;
    let choose = ln_factorial(n) - ln_factorial(nameless) - ln_factorial(picks);
    probability(2f64.ln() + ((n + 1) as f64).ln() + choose - n as f64 * 2f64.ln())
}

/// The finding where one instance gave all answers that name one.
pub fn judge_one_instance(series: &Series, sequence: &Sequence, unit: Unit, alpha: f64) -> Finding {
    let alpha = budget::spend(alpha, Decision::IndependentDraws);
    let instance = sequence.picks().next().unwrap_or(InstanceId(0));
    let picks = sequence.len();
    let answered = series.requests.iter().filter(|request| request.instance.is_some()).count();
    let nameless = match unit {
        Unit::Connections => 0,
        Unit::Requests => series.requests.len() - answered,
    };
    let p = nearly_all_by_chance(picks, nameless);
    if p >= alpha && unit == Unit::Connections {
        return Finding::open(PatternEvidence::OneInstance(OneInstanceEvidence::FewConnections {
            instance,
            answered,
            connections: picks,
        }));
    }
    if failing_instances::fail_periodically(series, sequence, alpha) {
        return Finding::open(PatternEvidence::OneInstance(OneInstanceEvidence::RegularFailures { instance }));
    }
    if p >= alpha && nameless > 0 {
        return Finding::open(PatternEvidence::OneInstance(OneInstanceEvidence::ManyNameless {
            instance,
            picks,
            nameless,
        }));
    }
    if p >= alpha {
        return Finding::open(PatternEvidence::OneInstance(OneInstanceEvidence::TooFew { instance, picks, p }));
    }
    // an instance with a smaller share than this has a fair chance to stay unseen
    let unseen_share = largest_share(nameless, picks + nameless, alpha);
    Finding::new(
        Pattern::OneInstance,
        rejected_round_robin(sequence, p).into_iter().collect(),
        vec![
            PatternEvidence::OneInstance(OneInstanceEvidence::Alone { instance, picks, unit, nameless, p }),
            PatternEvidence::OneInstance(OneInstanceEvidence::OtherReasons { unit, unseen_share }),
        ],
    )
}

/// Rejects a round robin of two instances or more where every turn is known. Else others may always take the turns of the
/// other instances, such as a second request for each.
fn rejected_round_robin(sequence: &Sequence, p: f64) -> Option<Rejection> {
    let is_whole = sequence.visibility == Visibility::EveryTurn;
    is_whole.then_some(Rejection { algorithm: Algorithm::RoundRobin, test: Test::OneAlone, p })
}
