//! A body as one value.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::trace;

use super::super::super::http::Reply;

/// The longest body that is taken for a name, in characters.
const MAX_NAME_CHARS: usize = 40;
/// The first character of the value of a body that is no name; the rest is a hash.
pub const BODY_MARK: char = '\u{1}';

/// The value of a reply's body: itself where it is short and may be shown, otherwise its hash.
pub fn body_value(reply: &Reply) -> String {
    value_of_text(&reply.text(), body_hash(reply))
}

/// The same as [`body_value`], of a body whose text and hash are at hand.
pub fn value_of_text(text: &str, hash: u64) -> String {
    let short = text.trim();
    let is_name = !short.is_empty()
        && short.chars().count() <= MAX_NAME_CHARS
        && !short.chars().any(|c| trace::is_hidden(c) || c == '<');
    if is_name { short.to_owned() } else { format!("{BODY_MARK}{hash:016x}") }
}

pub fn body_hash(reply: &Reply) -> u64 {
    let mut hasher = DefaultHasher::new();
    reply.body.hash(&mut hasher);
    hasher.finish()
}
