//! Messages of other programs, in the form of this program's messages.

/// The text without its final full stop, and with a small first letter unless the first word is a name.
///
/// A word counts as a name when it has several capitals (`API`, `FileNotFoundError`) or is a single letter.
pub(super) fn lowercase_first(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let first = text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    let capitals = first.chars().filter(|letter| letter.is_uppercase()).count();
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) if capitals == 1 && letter.is_uppercase() && first.len() > 1 => {
            letter.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// The text as one line that begins as [`lowercase_first`] makes it.
pub(super) fn one_line(text: &str) -> String {
    lowercase_first(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
