//! The words of other programs, as this one says them.

/// With a small letter at the start, unless the first word is a name.
pub(super) fn in_small(text: &str) -> String {
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
