//! The evidence: what speaks for a verdict, as typed facts with their figures. Each room has an enum of its own for what it
//! finds; `report` puts them into words.

use crate::model::trace::InstanceId;

/// One fact that speaks for a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Words, until every fact is typed. An instance stands in them by its number, between [`BEGIN`] and [`END`].
    Sentence(String),
}

pub const BEGIN: char = '\u{2}';
pub const END: char = '\u{3}';

pub fn about(instance: InstanceId, text: &str) -> String {
    format!("{BEGIN}{}{END} {text}", instance.0)
}
