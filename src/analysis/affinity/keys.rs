//! Keys: judges if the client's address, the path, a header or a cookie decides which instance answers.
//!
//! Values of the key are sent in passes. Each pass has every value once, in random order. If the value played no part,
//! the instance that answers would depend on the moment alone, and a pass would give each value the instance that it
//! had before only as often as two shuffles agree: the exact randomisation test of Fisher (1935), which assumes nothing
//! of the balancer. The product over passes may be looked at after each (Ville 1939).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::{InstanceId, Request, Series, SeriesName, Trace, without_query};

use crate::analysis::{
    case::Case,
    math::log_prob::{ln_factorial, probability},
    sampling::budget::{self, Decision, is_sure},
    verdict::Algorithm,
};

/// The values beyond those that rule out a hash.
const EXTRA_VALUES: usize = 6;
/// The number of values of the user's own choice below which a rule for each of them is as likely as a hash.
const MIN_VALUES: usize = 6;

/// A property of a request that may decide which instance answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Key {
    Source,
    Query,
    /// The path without the query string.
    Path,
    Header,
    /// A cookie, where clients without one are all answered by one instance.
    Cookie,
}

impl Key {
    /// The number of values that must all lead to one instance before a hash of equal shares is ruled out.
    pub fn values_needed(self, alpha: f64) -> usize {
        (1.0 / budget::spend(alpha, Decision::Key)).log2().ceil() as usize + 1
    }

    /// The number of values to send: a few more, so that the order of their placement shows.
    pub fn values_to_send(self, alpha: f64) -> usize {
        self.values_needed(alpha) + EXTRA_VALUES
    }

    /// The algorithm of a balancer that takes a hash of the key.
    pub fn hash_algorithm(self) -> Algorithm {
        match self {
            Key::Source => Algorithm::SourceHash,
            Key::Query | Key::Path => Algorithm::UriHash,
            Key::Header | Key::Cookie => Algorithm::HeaderHash,
        }
    }

    /// The series that each ask for one value of this key.
    fn series(self, trace: &Trace) -> Vec<&Series> {
        trace
            .series
            .iter()
            .zip(Key::varied_keys(trace))
            .filter(|(_, key)| *key == Some(self))
            .map(|(one, _)| one)
            .collect()
    }

    /// The key that each series of the trace varies.
    pub fn varied_keys(trace: &Trace) -> Vec<Option<Key>> {
        let asked = without_query(trace.series(&SeriesName::WithoutJar).map_or("", |series| &series.conditions.path));
        let queried = |series: &&Series| matches!(&series.name, SeriesName::Path(path) if without_query(path) == asked);
        // a few of the user's own choice are one question
        let apart = trace.series.iter().filter(queried).count() >= MIN_VALUES;
        let cookie = Key::Cookie.cookie(trace);
        let key = |series: &Series| match &series.name {
            SeriesName::CookieMadeUp(value) if cookie == Some(&value.name) => Some(Key::Cookie),
            SeriesName::Source(_) => Some(Key::Source),
            SeriesName::Header(_) => Some(Key::Header),
            SeriesName::Path(_) if apart && queried(&series) => Some(Key::Query),
            SeriesName::Path(_) => Some(Key::Path),
            _ => None,
        };
        trace.series.iter().map(key).collect()
    }

    /// The cookie that was varied last, because a cookie that decides ends the search.
    pub fn cookie(self, trace: &Trace) -> Option<&String> {
        let free = trace.series(&SeriesName::WithoutJar).filter(|_| self == Key::Cookie)?;
        let mut ids = free.requests.iter().filter_map(|request| request.instance);
        let first = ids.next()?;
        let varied = trace.series.iter().rev().find_map(|series| match &series.name {
            SeriesName::CookieMadeUp(value) => Some(&value.name),
            _ => None,
        });
        varied.filter(|_| ids.all(|id| id == first))
    }
}

/// The effect of the values of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyEffect {
    /// One instance answers whatever the value is; a hash over two equal instances would do so with probability `p`.
    NoEffect { p: f64 },
    /// Each value keeps its instance; chance would do so with probability `p`.
    Decides { p: f64 },
    /// The same value led to different instances.
    Inconsistent,
    /// There are few values, or few answers that name an instance.
    TooFew,
}

/// The requests with values of one key.
#[derive(Debug, Clone)]
pub struct Values {
    /// Answers that name an instance, by value, in the order of sending.
    answers: Vec<Vec<(Request, InstanceId)>>,
}

impl Values {
    /// The values of a key in a trace; `None` where no series varies the key.
    pub fn for_key(trace: &Trace, key: Key) -> Option<Values> {
        let requests = |series: &'_ Series| series.requests.clone();
        Values::from_requests(key.series(trace).into_iter().map(requests))
    }

    /// Collects values from the requests with each; `None` where there are no values.
    pub fn from_requests(values: impl Iterator<Item = Vec<Request>>) -> Option<Values> {
        let named = |requests: Vec<Request>| {
            requests.into_iter().filter_map(|request| request.instance.map(|id| (request, id))).collect()
        };
        let answers: Vec<_> = values.map(named).collect();
        (!answers.is_empty()).then_some(Values { answers })
    }

    /// The number of values with an answer that names an instance.
    pub fn answered(&self) -> usize {
        self.answers.iter().filter(|answers| !answers.is_empty()).count()
    }

    /// The number of values that were sent.
    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// The number of answers of each instance.
    pub fn hits(&self) -> BTreeMap<InstanceId, usize> {
        let mut hits = BTreeMap::new();
        self.answers.iter().flatten().for_each(|(_, id)| *hits.entry(*id).or_default() += 1);
        hits
    }

    /// The number of times that a value went to another instance than the time before, and the number of times that it
    /// could have.
    pub fn moves(&self) -> (usize, usize) {
        let pairs = self.answers.iter().flat_map(|answers| answers.windows(2));
        (pairs.clone().filter(|pair| pair[0].1 != pair[1].1).count(), pairs.count())
    }

    /// The first request of each value, in the order of sending.
    pub fn first_requests(&self) -> Vec<Request> {
        let mut first: Vec<Request> =
            self.answers.iter().filter_map(|answers| answers.first()).map(|(request, _)| request.clone()).collect();
        first.sort_by_key(|request| request.at_us);
        first
    }

    pub fn effect(&self) -> KeyEffect {
        let instances: BTreeSet<InstanceId> = self.answers.iter().flatten().map(|(_, id)| *id).collect();
        if instances.len() < 2 {
            // the first value is free
            return match self.answered() {
                0 | 1 => KeyEffect::TooFew,
                named => KeyEffect::NoEffect { p: 0.5f64.powi(named as i32 - 1) },
            };
        }
        if self.answers.iter().any(|answers| answers.iter().any(|(_, id)| *id != answers[0].1)) {
            return KeyEffect::Inconsistent;
        }
        let passes = self.answers.iter().map(Vec::len).max().unwrap_or(0);
        // each pass after the first is a shuffle of the same instances, as far as their values were answered
        let ln_pass = |pass: usize| {
            let mut counts: BTreeMap<InstanceId, usize> = BTreeMap::new();
            let there = self.answers.iter().filter(|answers| answers.len() > pass);
            there.for_each(|answers| *counts.entry(answers[pass].1).or_default() += 1);
            counts.values().map(|&count| ln_factorial(count)).sum::<f64>() - ln_factorial(counts.values().sum())
        };
        KeyEffect::Decides { p: probability((1..passes).map(ln_pass).sum()) }
    }

    /// Returns true if there are enough values: a hash then explains them better than a rule for each value does.
    pub fn are_many(&self) -> bool {
        self.answered() >= MIN_VALUES
    }
}

/// Returns true if another pass over the values of a key would show nothing more.
pub fn enough_values(case: &Case, key: Key) -> bool {
    match Values::for_key(case.trace(), key).map(|values| values.effect()) {
        Some(KeyEffect::Decides { p }) => is_sure(p, case.alpha(), Decision::Key),
        _ => true,
    }
}
