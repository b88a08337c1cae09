//! The evidence: sentences that speak for a verdict.

use crate::model::trace::InstanceId;

/// One sentence. Instances stand in it by their numbers, between [`BEGIN`] and [`END`], until a report names them.
pub type Evidence = String;

pub const BEGIN: char = '\u{2}';
pub const END: char = '\u{3}';

pub fn about(instance: InstanceId, text: &str) -> Evidence {
    format!("{BEGIN}{}{END} {text}", instance.0)
}
