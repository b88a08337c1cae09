//! The case: a trace, how sure a verdict on it must be, and what the series without a cookie jar shows.
//!
//! Every question of the analysis is asked of a [`Case`]. The answers that several questions need (the picks of the *free*
//! series, which is the one without a cookie jar, and the pattern that they show) are computed when the first question
//! asks for them, and once.

use std::{cell::OnceCell, collections::BTreeMap};

use crate::{
    analysis::{
        pattern::{finding::Finding, select},
        series::sequence::Sequence,
    },
    model::trace::{InstanceId, Series, SeriesName, Trace},
};

/// The number of last picks of the free series that the picks of a single client are compared with. A larger number
/// would show little more and take long.
const RECENT: usize = 2500;

/// A trace and how sure a verdict on it must be.
pub struct Case<'t> {
    trace: &'t Trace,
    alpha: f64,
    free: Option<FreeSeries<'t>>,
}

/// The series without a cookie jar: each of its requests is free to go to any instance.
pub struct FreeSeries<'t> {
    pub series: &'t Series,
    alpha: f64,
    answers: OnceCell<BTreeMap<InstanceId, usize>>,
    sequence: OnceCell<Sequence>,
    finding: OnceCell<Finding>,
    recent: OnceCell<Option<Sequence>>,
    recent_finding: OnceCell<Finding>,
}

impl<'t> Case<'t> {
    /// `alpha` is the accepted chance of a false verdict, between 0 and 1.
    pub fn new(trace: &'t Trace, alpha: f64) -> Case<'t> {
        let free = trace.series(&SeriesName::WithoutJar).map(|series| FreeSeries {
            series,
            alpha,
            answers: OnceCell::new(),
            sequence: OnceCell::new(),
            finding: OnceCell::new(),
            recent: OnceCell::new(),
            recent_finding: OnceCell::new(),
        });
        Case { trace, alpha, free }
    }

    pub fn trace(&self) -> &'t Trace {
        self.trace
    }

    /// The accepted chance of a false verdict, between 0 and 1.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    pub fn free(&self) -> Option<&FreeSeries<'t>> {
        self.free.as_ref()
    }
}

impl FreeSeries<'_> {
    /// The number of answers of each instance that answered.
    pub fn answers(&self) -> &BTreeMap<InstanceId, usize> {
        self.answers.get_or_init(|| self.series.answers())
    }

    pub fn sequence(&self) -> &Sequence {
        self.sequence.get_or_init(|| Sequence::from_series(self.series))
    }

    pub fn finding(&self) -> &Finding {
        self.finding.get_or_init(|| select::find_pattern(self.series, self.sequence(), self.alpha))
    }

    /// The last picks, at most [`RECENT`].
    pub fn recent_sequence(&self) -> &Sequence {
        let shortened = self.recent.get_or_init(|| {
            let sequence = self.sequence();
            (sequence.len() > RECENT).then(|| sequence.clone().end(RECENT))
        });
        shortened.as_ref().unwrap_or_else(|| self.sequence())
    }

    /// The pattern of the last picks alone.
    pub fn recent_finding(&self) -> &Finding {
        let recent = self.recent_sequence();
        if recent.len() == self.sequence().len() {
            return self.finding();
        }
        self.recent_finding.get_or_init(|| select::find_pattern(self.series, recent, self.alpha))
    }
}
