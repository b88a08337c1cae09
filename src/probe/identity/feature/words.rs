//! The words of a body, and the attributes of HTML in it.

use std::ops::Range;

use super::{
    super::vocabulary::{self, NameMeaning},
    slot::Anchor,
};

/// A word of a text, or the name of a tag (`<h1`, `</h1`, `<!--`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    /// The index of the first byte of the word.
    pub at: usize,
}

/// The words of a text. Hostnames, addresses and numbers are one word each, with the punctuation in them.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let at = rest + text[rest..].find(|c: char| is_letter(c) || c == '<')?;
            let length = match text[at..].strip_prefix('<') {
                Some(tag) => {
                    1 + tag.find(|c: char| !(c.is_ascii_alphanumeric() || "/!-".contains(c))).unwrap_or(tag.len())
                }
                None => word_length(&text[at..]),
            };
            rest = at + length;
            let found = text[at..rest].trim_end_matches(['-', '.', '@']);
            if found.len() > 1 || found.starts_with(is_letter) {
                return Some(Word { text: found, at });
            }
        }
    })
}

/// The ranges of bytes in which the values of attributes stand in an HTML text, in order. Attributes whose own name
/// means an instance (`data-host="web-1"`) are left out.
pub fn attributes(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let until = |from: usize, is_end: &dyn Fn(u8) -> bool| {
        bytes[from..].iter().position(|byte| is_end(*byte)).map_or(bytes.len(), |length| from + length)
    };
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = bytes[at..].iter().position(|byte| *byte == b'<') {
        at += open + 1;
        let mut name = at;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        while let Some(byte) = bytes.get(at).filter(|byte| !b"<>".contains(byte)) {
            at += 1;
            if *byte == b'=' {
                let named = text[name..at - 1].to_ascii_lowercase();
                let names_instance =
                    named != "id" && matches!(vocabulary::meaning_of_name(&named), NameMeaning::Instance(_));
                let (from, to) = match bytes.get(at) {
                    Some(quote @ (b'"' | b'\'')) => (at + 1, until(at + 1, &|byte| byte == *quote)),
                    _ => (at, until(at, &|byte| byte == b'>' || byte.is_ascii_whitespace())),
                };
                if !names_instance {
                    found.push(from..to);
                }
                at = if from > at { (to + 1).min(bytes.len()) } else { to };
                name = at;
            } else if byte.is_ascii_whitespace() {
                name = at;
            }
        }
    }
    found
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the first word of a text that begins with one, in bytes.
fn word_length(text: &str) -> usize {
    let mut last = '\0';
    for (at, c) in text.char_indices() {
        let inside = match c {
            '-' | '.' | '@' => true,
            // between an address and its port, or in a time
            ':' => last.is_ascii_digit() && text[at + 1..].starts_with(|next: char| next.is_ascii_digit()),
            c => is_letter(c),
        };
        if !inside {
            return at;
        }
        last = c;
    }
    text.len()
}

/// The word that stands `steps` words after the anchor, or before it.
pub fn word_at<'a>(text: &'a str, anchor: &Anchor<String>, steps: i8) -> Option<Word<'a>> {
    let words: Vec<Word<'a>> = words(text).collect();
    let from = match anchor {
        Anchor::Start => -1,
        Anchor::End => words.len() as isize,
        Anchor::Word(word) => {
            let mut places = words.iter().enumerate().filter(|(_, other)| other.text == word);
            let (place, _) = places.next()?;
            if places.next().is_some() {
                return None;
            }
            place as isize
        }
    };
    words.get(usize::try_from(from + isize::from(steps)).ok()?).copied().filter(|word| !word.text.starts_with('<'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn a_name_is_one_word() {
        assert_eq!(texts("served by web-1.example.org."), ["served", "by", "web-1.example.org"]);
        assert_eq!(texts("<h1 id=\"hostname\">a_1</h1>"), ["<h1", "id", "hostname", "a_1", "</h1"]);
        assert_eq!(texts("IP:10.0.0.3:80, at 12:30:45"), ["IP", "10.0.0.3:80", "at", "12:30:45"]);
        assert_eq!(texts("{\"a\":\"b\",\"n\":-1}"), ["a", "b", "n", "1"]);
        assert_eq!(texts("1 < 2 -- <!-- é"), ["1", "2", "<!--".trim_end_matches('-'), "é"]);
        assert_eq!(texts("... - <"), Vec::<&str>::new());
    }

    #[test]
    fn attributes_are_found() {
        let text = "1 < 2 <p>a=b</p> <img src=\"/a>b.jpg\" alt='x y' width=3><b data-host=\"web-1\" class=\"é";
        let found: Vec<&str> = attributes(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["/a>b.jpg", "x y", "3", "é"]);
        for text in ["<a b=", "<a b='", "<a b=\"", "<a =", "<é=", "<", "<a b=c"] {
            assert!(attributes(text).len() < 2);
        }
    }

    #[test]
    fn a_word_is_found_by_its_place() {
        let body = "<p>8fa3</p> on <b>web-1</b> in 3 ms";
        let at = |anchor, steps| word_at(body, &anchor, steps).map(|word| word.text);
        assert_eq!(at(Anchor::Word("on".to_owned()), 2), Some("web-1"));
        assert_eq!(at(Anchor::Word("in".to_owned()), -2), Some("web-1"));
        assert_eq!(at(Anchor::Start, 2), Some("8fa3"));
        assert_eq!(at(Anchor::End, -1), Some("ms"));
        assert_eq!(at(Anchor::Word("on".to_owned()), 1), None, "a tag is no name");
        assert_eq!(at(Anchor::Word("none".to_owned()), 1), None);
        assert_eq!(at(Anchor::End, 1), None);
    }
}
