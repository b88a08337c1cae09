//! Text from outside, such as the name of an instance, in a form that is safe to show.

/// Returns true if a terminal obeys a character, or a reader does not see it. Such a character may reverse the rest of
/// a line.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with U+FFFD in place of each hidden character.
pub fn without_hidden(text: &str) -> String {
    text.replace(is_hidden, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_shown_as_such() {
        assert_eq!(without_hidden("a\u{1b}[2Jb\u{202e}c\u{200d}d\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}");
        assert_eq!(without_hidden("web-1 é 東京 🦀"), "web-1 é 東京 🦀");
    }
}
