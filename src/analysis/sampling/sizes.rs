//! Sample sizes: the number of requests of each experiment, and the number with which it can be as sure as it was asked
//! to be.

use crate::model::trace::{SeriesName, Trace};

use crate::analysis::{
    affinity::comparison::Comparison,
    affinity::keys::Key,
    pattern::one_instance,
    pattern::random,
    pattern::strict_order,
    sampling::budget::{self, Decision},
    series::sequence::Sequence,
    verdict::{Algorithm, Order, RoundShares, Verdict},
};

/// The purpose of a sample of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SamplePurpose {
    /// The order of requests without cookies.
    Order,
    /// A client that keeps its cookies.
    Jar,
    /// Groups of requests of new clients, those of a group at once.
    AtOnce,
    /// Requests of new clients, in an order drawn by lot.
    Control,
    /// The same client, in an order drawn by lot.
    JarByLot,
    /// One cookie alone, in an order drawn by lot.
    Cookie(String),
    /// A number of values of cookies, issued and made up.
    CookieValues(usize),
    Connection,
    /// The same connection, in an order drawn by lot.
    ConnectionByLot,
    /// A number of values of a key.
    Values(Key, usize),
    /// Slow requests that keep instances busy, and quick requests meanwhile.
    Load,
}

/// The requests of one experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The purpose of these requests.
    pub purpose: SamplePurpose,
    /// The places of their series in [`Trace::series`].
    pub series: Vec<usize>,
    /// The number of requests with which the question can be decided at the earliest: with a cookie or over one connection by
    /// lot, if they stay on one instance; over values, if all lead to one. `None` where that depends on the answers.
    pub needed: Option<usize>,
}

impl Sample {
    /// The number of requests that were sent.
    pub fn request_count(&self, trace: &Trace) -> usize {
        self.series.iter().map(|&index| trace.series[index].requests.len()).sum()
    }
}

/// The number of requests with which the order of `instances` instances can be named at the earliest.
pub fn fewest_requests(instances: usize, alpha: f64) -> usize {
    match instances {
        0 | 1 => one_instance::requests_needed(alpha),
        k => strict_order::ring_requests_needed(k, alpha),
    }
}

/// The samples of a trace, in the order in which they were taken.
pub fn samples(trace: &Trace, verdict: &Verdict) -> Vec<Sample> {
    let alpha = verdict.alpha;
    let sequence = trace.series(&SeriesName::WithoutJar).map(Sequence::from_series);
    // the number that must stay on one instance, among others that do not
    let stays = |decision: Decision| {
        let instances = sequence.as_ref()?.counts().len();
        (instances > 1).then(|| Comparison::requests_needed(instances, budget::spend(alpha, decision)))
    };
    let keys = Key::varied_keys(trace);
    let cookie_values = trace.series.iter().filter(|series| series.name.cookie_value().is_some()).count();
    let mut samples: Vec<Sample> = Vec::new();
    for (index, (series, key)) in trace.series.iter().zip(&keys).enumerate() {
        let (purpose, needed) = match (&series.name, key) {
            (name, None) if name.cookie_value().is_some() => (SamplePurpose::CookieValues(cookie_values), None),
            (_, Some(key)) => {
                let values = keys.iter().flatten().filter(|one| *one == key).count();
                (SamplePurpose::Values(*key, values), Some(key.values_needed(alpha)))
            }
            (SeriesName::WithJar, _) => (SamplePurpose::Jar, None),
            (SeriesName::AtOnce, _) => (SamplePurpose::AtOnce, None),
            (SeriesName::Control, _) => (SamplePurpose::Control, None),
            (SeriesName::JarByLot, _) => (SamplePurpose::JarByLot, stays(Decision::Stickiness)),
            (SeriesName::ConnectionByLot, _) => (SamplePurpose::ConnectionByLot, stays(Decision::Connection)),
            (SeriesName::CookieAlone(name), _) => (SamplePurpose::Cookie(name.clone()), stays(Decision::CookieAlone)),
            (SeriesName::OneConnection, _) => (SamplePurpose::Connection, None),
            (SeriesName::Slow | SeriesName::Meanwhile, _) => (SamplePurpose::Load, None),
            (SeriesName::WithoutJar, None) => {
                (SamplePurpose::Order, sequence.as_ref().and_then(|one| order_requests_needed(one, verdict)))
            }
            (
                SeriesName::Source(_)
                | SeriesName::Path(_)
                | SeriesName::Header(_)
                | SeriesName::CookieIssued(_)
                | SeriesName::CookieMadeUp(_)
                | SeriesName::CookieHead(_)
                | SeriesName::CookieTail(_),
                None,
            ) => continue,
        };
        match samples.iter_mut().find(|sample| sample.purpose == purpose) {
            Some(sample) => sample.series.push(index),
            None => samples.push(Sample { purpose, series: vec![index], needed }),
        }
    }
    samples
}

/// The number of requests with which the pattern that was named shows.
fn order_requests_needed(sequence: &Sequence, verdict: &Verdict) -> Option<usize> {
    let k = sequence.counts().len();
    let even = verdict.algorithm.round_shares() == Some(RoundShares::Equal);
    match (verdict.order, verdict.repeats_after) {
        _ if k < 2 => Some(fewest_requests(k, verdict.alpha)),
        _ if verdict.regular_beyond.is_some() => Some(random::FEWEST_DRAWS.max(2 * k)),
        // turns of others make it longer by an unknown number
        _ if verdict.background_share.is_some() => None,
        (Some(Order::Changing), _) if even => Some(strict_order::rounds_requests_needed(k, verdict.alpha)),
        (Some(Order::Fixed | Order::Interleaved), _) if even => Some(fewest_requests(k, verdict.alpha)),
        (_, Some(period)) if verdict.algorithm.round_shares() == Some(RoundShares::Weighted) => {
            Some(strict_order::weights_requests_needed(period))
        }
        // no order would have stayed hidden for so long, so there is none, or one with background traffic
        _ if verdict.algorithm == Algorithm::Undetermined => {
            let sizes = [fewest_requests(k, verdict.alpha), random::FEWEST_DRAWS.max(2 * k)];
            sizes.into_iter().find(|&size| sequence.len() < size)
        }
        (Some(Order::Fixed | Order::Changing | Order::Interleaved) | None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_instances_and_surer_verdicts_take_more() {
        // 2^-22 is the first power below 4e-7
        assert_eq!(fewest_requests(1, 1e-6), 23);
        assert_eq!(
            (fewest_requests(2, 1e-6), fewest_requests(5, 1e-6), fewest_requests(10, 1e-6), fewest_requests(100, 1e-6)),
            (46, 30, 60, 300)
        );
        assert!(fewest_requests(1, 1e-9) > fewest_requests(1, 1e-6) && fewest_requests(1, 0.05) < 10);
        // eight rounds of three hold each once by chance in (2/9)^7 of all cases, at one of three offsets
        assert_eq!(strict_order::rounds_requests_needed(3, 0.05), 8 * 3 + 2);
        assert!(strict_order::rounds_requests_needed(3, 1e-6) > 30);
    }
}
