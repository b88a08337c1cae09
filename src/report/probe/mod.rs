//! A probe in words: the requests, the verdict below, and the figures behind it for whoever asks.

mod counts;
mod figures;
mod names;
mod strip;
mod table;
mod verdict;

use crate::{
    analysis::{Checked, Outcome, Verdict, samples},
    model::trace::{Trace, Via},
};

use super::style::{Paint, printable, wrapped};

pub use names::{answered, short_session};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What everybody understands.
    Sentences,
    /// The figures of the statistics as well.
    Figures,
}

/// A probe, and what became of what was expected of it.
pub fn text(trace: &Trace, verdict: &Verdict, checked: &[Checked], detail: Detail, paint: Paint) -> String {
    let samples = samples(trace, verdict);
    let mut text = format!("{}\n\n{}\n", target(trace), table::side_by_side(trace, paint));
    text += &strip::of_long_series(trace, verdict, paint);
    text += &verdict::in_words(trace, verdict, &samples, paint);
    if detail == Detail::Figures {
        text += &figures::of(trace, verdict, &samples, paint);
    }
    text + &expected(checked)
}

/// Whom the requests went to.
pub fn target(trace: &Trace) -> String {
    // a trace that is replayed comes from anybody
    let to = printable(trace.target.connected_to.as_deref().unwrap_or("nowhere"));
    let why = match &trace.target.via {
        Via::Lab(project) => format!("{to}, the lab `{}`", printable(project)),
        Via::Dns => to,
        Via::Flag => format!("{to}, as --connect says"),
    };
    format!("{} at {why}", printable(&trace.target.url))
}

/// What became of what was expected, a line each.
fn expected(checked: &[Checked]) -> String {
    let line = |Checked { expect, outcome, found }: &Checked| match outcome {
        Outcome::Met => format!("as expected: {expect}"),
        Outcome::Contradicted => format!("not as expected: {expect}, it is {found}"),
        Outcome::Undetermined => format!("undecided: {expect}, it is {found}"),
    };
    checked.iter().map(|checked| wrapped(&line(checked), "", "  ") + "\n").collect()
}
