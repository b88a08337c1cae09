//! Text from outside, as a trace keeps it.

use crate::model::trace;

/// The longest name that a trace keeps, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A name that a server chose, in a form that is safe to show: without hidden characters, and not endless.
pub fn printable_name(name: &str) -> String {
    trace::without_hidden(&name.chars().take(MAX_NAME_CHARS).collect::<String>())
}
