//! The other series: the instances that they show beside the free one, and the effect of these on a pattern.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    analysis::{
        case::Case,
        pattern::stray,
        sampling::budget::{self, Decision},
        unseen_instances::evidence::{PatternScope, UnseenEvidence},
        verdict::{Algorithm, Reach, Rejection, natural_order_key},
    },
    model::trace::{Connection, InstanceId, Series, SeriesName, Trace, without_query},
};

/// Answers of some series: all of them, and those of instances that the free series has not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    pub others: usize,
    pub all: usize,
}

/// The instances of the other series.
#[derive(Debug, Clone, Default)]
pub struct OtherSeries {
    /// Answers to the same question as that of the free series.
    pub same_question: Answers,
    /// Answers while instances were busy.
    pub while_busy: Answers,
    /// The instances that the free series has not shown, each with its number of answers, in the order of their names.
    pub unseen: Vec<(InstanceId, usize)>,
    /// All answers of the one instance, and the share that an unseen one may have, where other series ask the same.
    pub one_instance: Option<(usize, f64)>,
}

/// The effect of other series on the pattern that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenEffect {
    /// Nothing: the pattern depends on what these series vary, or they show the same instances.
    Nothing,
    /// One instance answered the free series, and others the same question elsewhere.
    SeveralInstances,
    /// One instance answered the free series, and others while it was busy.
    OthersWhenBusy,
    /// There are more instances than the free series shows.
    MoreInstances,
}

impl OtherSeries {
    /// Rejects one instance alone, by the answers of others to the same question; `None` where these may be stray.
    pub fn rule_out_single(&self, alpha: f64) -> Option<Rejection> {
        let Answers { others, all } = self.same_question;
        stray::rule_out_single(&[others, all - others], alpha)
    }

    /// The effect of these series where the other facts have named this pattern.
    pub fn effect(&self, pattern: Algorithm) -> UnseenEffect {
        match pattern.reach() {
            Reach::One if self.same_question.others > 0 => UnseenEffect::SeveralInstances,
            Reach::One if self.while_busy.others > 0 => UnseenEffect::OthersWhenBusy,
            Reach::Every | Reach::ByLoad | Reach::Unknown if !self.unseen.is_empty() => UnseenEffect::MoreInstances,
            // where a key leads, the value that a series varies decides which instance answers
            Reach::One | Reach::Every | Reach::ByLoad | Reach::Unknown | Reach::ByKey => UnseenEffect::Nothing,
        }
    }

    /// The facts that show this effect.
    pub fn evidence(&self, pattern: Algorithm) -> Option<UnseenEvidence> {
        match self.effect(pattern) {
            UnseenEffect::SeveralInstances => {
                let Answers { others, all: of } = self.same_question;
                Some(UnseenEvidence::OthersAnswered { others, of })
            }
            UnseenEffect::OthersWhenBusy => {
                let Answers { others, all: of } = self.while_busy;
                Some(UnseenEvidence::OthersAnsweredWhileHeld { others, of })
            }
            UnseenEffect::MoreInstances => Some(UnseenEvidence::Unseen {
                instances: self.unseen.iter().map(|(id, _)| *id).collect(),
                answers: self.unseen.iter().map(|(_, hits)| hits).sum(),
                pattern: if pattern == Algorithm::Undetermined {
                    PatternScope::NoPattern
                } else {
                    PatternScope::SeenInstances
                },
            }),
            UnseenEffect::Nothing if pattern == Algorithm::Single => self
                .one_instance
                .map(|(answers, unseen_share)| UnseenEvidence::NoOthersAnswered { answers, unseen_share }),
            UnseenEffect::Nothing => None,
        }
    }
}

/// Gathers the instances of the series besides the free one. `counted` are the names of the instances that the verdict
/// counts already.
pub fn gather_other_series(case: &Case, counted: &BTreeSet<&str>) -> OtherSeries {
    let Some(free) = case.free() else { return OtherSeries::default() };
    let (trace, seen, free) = (case.trace(), free.answers(), free.series);
    let count = |answers: &AnswerCounts| Answers {
        others: answers.iter().filter(|(id, _)| !seen.contains_key(id)).map(|(_, count)| count).sum(),
        all: answers.values().sum(),
    };
    // slow requests may go to another service
    let mut busy = answers_of(trace, |series| series.name == SeriesName::Slow);
    if !busy.keys().any(|id| seen.contains_key(id)) {
        busy.clear();
    }
    for (id, count) in answers_of(trace, |series| series.name == SeriesName::Meanwhile) {
        *busy.entry(id).or_default() += count;
    }
    let here = answers_of(trace, |series| asks_here(series, free));
    OtherSeries {
        same_question: count(&here),
        while_busy: count(&busy),
        unseen: unseen(trace, &here, counted),
        one_instance: one_instance(case, free),
    }
}

/// The number of answers of each instance.
type AnswerCounts = BTreeMap<InstanceId, usize>;

/// The answers to the series that `accept` takes.
fn answers_of(trace: &Trace, accept: impl Fn(&Series) -> bool) -> AnswerCounts {
    let mut answers = AnswerCounts::new();
    for (id, count) in trace.series.iter().filter(|series| accept(series)).flat_map(Series::answers) {
        *answers.entry(id).or_default() += count;
    }
    answers
}

/// The instances that the verdict does not count yet, with the number of their answers.
fn unseen(trace: &Trace, answers: &AnswerCounts, counted: &BTreeSet<&str>) -> Vec<(InstanceId, usize)> {
    let name = |id: &InstanceId| trace.instance_name(*id);
    let hits = answers.iter().filter(|(id, _)| !counted.contains(name(id)));
    let mut unseen: Vec<(InstanceId, usize)> = hits.map(|(id, count)| (*id, *count)).collect();
    unseen.sort_by_key(|(id, _)| natural_order_key(name(id)));
    unseen
}

/// All answers of the one instance, and the share, from 0 to 1, that another may have without having shown itself.
/// Connections that may each have been one pick give no such share.
fn one_instance(case: &Case, free: &Series) -> Option<(usize, f64)> {
    if free.conditions.connection == Connection::Reused || free.requests.iter().any(|one| one.instance.is_none()) {
        return None;
    }
    let asks_same = |series: &Series| asks_the_same(series, free) && series.conditions.connection == Connection::Fresh;
    let others = answers_of(case.trace(), asks_same);
    if others.is_empty() {
        return None;
    }
    let answers = others.values().sum::<usize>() + free.requests.len();
    Some((answers, 1.0 - (budget::spend(case.alpha(), Decision::IndependentDraws)).powf(1.0 / answers as f64)))
}

/// Returns true if a series asked for the same page, from any client.
fn asks_here(series: &Series, free: &Series) -> bool {
    series.conditions.path == free.conditions.path || asks_the_same(series, free)
}

/// Returns true if a series asks the same as the free series, for a balancer without a hash.
fn asks_the_same(series: &Series, free: &Series) -> bool {
    match &series.name {
        SeriesName::WithJar
        | SeriesName::Control
        | SeriesName::AtOnce
        | SeriesName::JarByLot
        | SeriesName::Source(_)
        | SeriesName::Header(_) => series.conditions.path == free.conditions.path,
        SeriesName::OneConnection | SeriesName::ConnectionByLot => series.conditions.connection == Connection::Reused,
        SeriesName::Path(path) => without_query(path) == without_query(&free.conditions.path),
        SeriesName::WithoutJar
        | SeriesName::CookieAlone(_)
        | SeriesName::CookieIssued(_)
        | SeriesName::CookieMadeUp(_)
        | SeriesName::CookieHead(_)
        | SeriesName::CookieTail(_)
        | SeriesName::Slow
        | SeriesName::Meanwhile => false,
    }
}
