//! A probe as text: the requests, the verdict, and on demand the figures behind it.
//!
//! ```text
//! table    the first requests of the series without and with a cookie jar, side by side
//! strip    a long series, with one sign for each request
//! verdict  the verdict in sentences; `counts` is its part about the answers of each instance
//! figures  the statistics behind the verdict
//! names    names of instances in few columns
//! ```

mod counts;
mod figures;
mod names;
mod strip;
mod table;
mod verdict;

use serde::Serialize;

use crate::{
    analysis::{Comparison, Outcome, Verdict, samples},
    model::trace::{Trace, Via},
};

use super::{
    Report, json,
    sentence::verdict_part,
    style::Paint,
    text::{printable, wrapped},
};

pub use names::{answer_cell, short_session_id};

/// The amount of detail in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The sentences of the verdict, which need no statistics.
    Sentences,
    /// Also the figures of the statistics.
    Figures,
}

/// A probe with its verdict, and the outcome of each expectation.
pub struct ProbeReport<'t> {
    pub trace: &'t Trace,
    pub verdict: &'t Verdict,
    pub comparisons: &'t [Comparison],
    pub detail: Detail,
}

impl Report for ProbeReport<'_> {
    fn table(&self, paint: Paint) -> String {
        let ProbeReport { trace, verdict, .. } = *self;
        let mut text = format!("{}\n\n{}\n", target(trace), table::render_table(trace, paint));
        text += &strip::render_long_series(trace, verdict, paint);
        text + &self.render_judgement(paint)
    }

    fn json(&self) -> impl Serialize {
        json::probe(self.trace, self.verdict, self.comparisons)
    }
}

impl ProbeReport<'_> {
    /// The verdict and the outcomes, without the requests.
    pub fn render_judgement(&self, paint: Paint) -> String {
        let ProbeReport { trace, verdict, comparisons, detail } = *self;
        let samples = samples(trace, verdict);
        let mut text = verdict::render_verdict(trace, verdict, &samples, paint);
        if detail == Detail::Figures {
            text += &figures::render_figures(trace, verdict, &samples, paint);
        }
        text + &outcome_lines(comparisons)
    }
}

/// The line that names the target of the requests.
pub fn target(trace: &Trace) -> String {
    // a replayed trace is text from outside
    let to = printable(trace.target.connected_to.as_deref().unwrap_or("nowhere"));
    let why = match &trace.target.via {
        Via::Lab(project) => format!("{to}, the lab `{}`", printable(project)),
        Via::Dns => to,
        Via::Flag => format!("{to}, as --connect says"),
    };
    format!("{} at {why}", printable(&trace.target.url))
}

/// One line for the outcome of each expectation.
fn outcome_lines(comparisons: &[Comparison]) -> String {
    let line = |Comparison { expectation, outcome, found }: &Comparison| match outcome {
        Outcome::Met => format!("as expected: {expectation}"),
        Outcome::Contradicted => format!("not as expected: {expectation}, it is {}", verdict_part(found)),
        Outcome::Undetermined => format!("undecided: {expectation}, it is {}", verdict_part(found)),
    };
    comparisons.iter().map(|comparison| wrapped(&line(comparison), "", "  ") + "\n").collect()
}
