//! Keys: judges if the client's address, the path, a header or a cookie decides which instance answers.
//!
//! Values of the key are sent in passes, each of which has every value once, in random order. That the value plays a
//! part is shown by a permutation test, and that the same value moves, by a test against failures.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::{InstanceId, Request, Series, SeriesName, Trace, without_query};

use crate::analysis::{
    affinity::{
        failures,
        permutation::{self, Answer, number_passes},
    },
    case::Case,
    sampling::budget::{self, Decision, is_sure},
    verdict::Algorithm,
};

/// The values beyond those that rule out a hash.
const EXTRA_VALUES: usize = 6;
/// The number of values of the user's own choice below which a rule for each of them is as likely as a hash.
const MIN_VALUES: usize = 6;
/// The probability of the answers if the value played no part, above which more passes hardly show that it does.
const NOTHING_MORE: f64 = 0.05;

/// The most answers of a key that are tested. A campaign sends fewer, unless a person names more values.
const MOST_TESTED: usize = 1000;

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
    /// One instance answers whatever the value is. A hash that sends a larger share of values than `hidden_share` to
    /// others would have shown them, but for the part of alpha.
    NoEffect { hidden_share: f64 },
    /// Each value keeps its instance; chance would do so with probability `p`.
    Decides { p: f64 },
    /// Values keep their instances but for a few moves, which failures explain; if the value played no part, this would
    /// surely not be.
    StaysMostly { p: f64, moves: usize },
    /// Values move more than failures explain, but not everywhere: each has instances of its own, `most` at most. `p` is
    /// the probability of that if the value played no part.
    OwnSets { p: f64, most: usize },
    /// The same value led to different instances, more often than failures explain, which would do so with probability
    /// `p`.
    Inconsistent { p: f64, moves: usize, further: usize },
    /// The same value led to different instances, but failures may explain it.
    MovesSometimes { moves: usize, further: usize },
    /// There are few values, or few answers that name an instance.
    TooFew,
}

/// The requests with values of one key.
#[derive(Debug, Clone)]
pub struct Values {
    /// The number of values that were sent.
    count: usize,
    /// Requests whose answer names an instance, in the order of sending.
    answers: Vec<(Answer, Request)>,
}

impl Values {
    /// The values of a key in a trace; `None` where no series varies the key.
    pub fn for_key(trace: &Trace, key: Key) -> Option<Values> {
        let requests = |series: &'_ Series| series.requests.clone();
        Values::from_requests(key.series(trace).into_iter().map(requests))
    }

    /// Collects values from the requests with each; `None` where there are no values.
    pub fn from_requests(values: impl Iterator<Item = Vec<Request>>) -> Option<Values> {
        let by_value: Vec<Vec<Request>> = values.collect();
        let count = by_value.len();
        let mut sent: Vec<(usize, Request)> = (0..)
            .zip(by_value)
            .flat_map(|(value, requests)| requests.into_iter().map(move |request| (value, request)))
            .collect();
        sent.sort_by_key(|(_, request)| request.at_us);
        // answers without a name have their place in a pass, too
        let passes = number_passes(&sent.iter().map(|(value, _)| *value).collect::<Vec<_>>());
        let named = |((value, request), pass): ((usize, Request), usize)| {
            Some((Answer { value, pass, instance: request.instance? }, request))
        };
        let answers = sent.into_iter().zip(passes).filter_map(named).collect();
        (count > 0).then_some(Values { count, answers })
    }

    /// The number of values with an answer that names an instance.
    pub fn answered(&self) -> usize {
        self.by_value().len()
    }

    /// The number of values that were sent.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of answers of each instance.
    pub fn hits(&self) -> BTreeMap<InstanceId, usize> {
        let mut hits = BTreeMap::new();
        self.answers.iter().for_each(|(answer, _)| *hits.entry(answer.instance).or_default() += 1);
        hits
    }

    /// The number of times that a value went to another instance than the time before, and the number of times that it
    /// could have.
    pub fn moves(&self) -> (usize, usize) {
        let by_value = self.by_value();
        let pairs = by_value.values().flat_map(|instances| instances.windows(2));
        (pairs.clone().filter(|pair| pair[0] != pair[1]).count(), pairs.count())
    }

    /// The first request of each value, in the order of sending.
    pub fn first_requests(&self) -> Vec<Request> {
        let mut known = BTreeSet::new();
        self.answers
            .iter()
            .filter(|(answer, _)| known.insert(answer.value))
            .map(|(_, request)| request.clone())
            .collect()
    }

    /// The instances of each value, in the order of its answers.
    fn by_value(&self) -> BTreeMap<usize, Vec<InstanceId>> {
        let mut by_value: BTreeMap<usize, Vec<InstanceId>> = BTreeMap::new();
        self.answers.iter().for_each(|(answer, _)| by_value.entry(answer.value).or_default().push(answer.instance));
        by_value
    }

    /// The answers that are tested: the first ones, because a test of very many takes long and shows no more.
    fn tested_answers(&self) -> Vec<Answer> {
        self.answers.iter().map(|(answer, _)| *answer).take(MOST_TESTED).collect()
    }

    /// The effect of the values. What it says of moves is sure: its chance is in the decision's part of alpha. The value
    /// plays no part, or it decides, so that one of the two tests alone can be wrong.
    pub fn effect(&self, alpha: f64, decision: Decision) -> KeyEffect {
        if self.hits().len() < 2 {
            // the first value is free
            return match self.answered() {
                0 | 1 => KeyEffect::TooFew,
                named => KeyEffect::NoEffect { hidden_share: hidden_share(named - 1, alpha, decision) },
            };
        }
        let answers = self.tested_answers();
        let p = permutation::no_part_p(&answers);
        let (moves, further) = self.moves();
        if moves == 0 {
            return KeyEffect::Decides { p };
        }
        let moved = failures::own_instance_p(&answers);
        match (is_sure(p, alpha, decision), is_sure(moved, alpha, decision)) {
            (true, true) => KeyEffect::OwnSets { p, most: self.most_instances() },
            (true, false) => KeyEffect::StaysMostly { p, moves },
            (false, true) => KeyEffect::Inconsistent { p: moved, moves, further },
            (false, false) => KeyEffect::MovesSometimes { moves, further },
        }
    }

    /// The largest number of instances that answered one value.
    fn most_instances(&self) -> usize {
        let each = self.by_value().into_values().map(|instances| instances.into_iter().collect::<BTreeSet<_>>().len());
        each.max().unwrap_or(0)
    }

    /// Returns true if there are enough values: a hash then explains them better than a rule for each value does.
    pub fn are_many(&self) -> bool {
        self.answered() >= MIN_VALUES
    }

    /// Returns true if another pass over the values would show nothing more about their effect.
    pub fn are_enough(&self, alpha: f64, decision: Decision) -> bool {
        match self.effect(alpha, decision) {
            KeyEffect::Decides { p } => is_sure(p, alpha, decision),
            // a set of instances for each value shows later than that values move
            KeyEffect::Inconsistent { .. } => permutation::no_part_p(&self.tested_answers()) > NOTHING_MORE,
            KeyEffect::MovesSometimes { .. } | KeyEffect::StaysMostly { .. } => false,
            KeyEffect::NoEffect { .. } | KeyEffect::OwnSets { .. } | KeyEffect::TooFew => true,
        }
    }
}

/// The largest share of values that a hash may send to other instances though `values` values all led to one, but for
/// the decision's part of alpha.
fn hidden_share(values: usize, alpha: f64, decision: Decision) -> f64 {
    1.0 - budget::spend(alpha, decision).powf(1.0 / values as f64)
}

/// Returns true if another pass over the values of a key would show nothing more.
pub fn enough_values(case: &Case, key: Key) -> bool {
    Values::for_key(case.trace(), key).is_none_or(|values| values.are_enough(case.alpha(), Decision::Key))
}
