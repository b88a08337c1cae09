//! Text from outside, in the form in which a trace stores it.

use crate::model::trace;

/// The length of the longest name in a trace, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A name that a server chose, in a form that is safe to show: without hidden characters, and not endless.
pub fn printable_name(name: &str) -> String {
    trace::without_hidden(&name.chars().take(MAX_NAME_CHARS).collect::<String>())
}
