//! Text that fits: measured in the columns of a terminal, shortened, padded, wrapped, set in columns.
//!
//! A character is not a column: 東 takes two, and an accent that is a character of its own takes none. Terminals disagree
//! about emoji that consist of several characters; here a text is as wide as the terminal that gives it the most columns
//! makes it.

use textwrap::{core::Fragment, wrap_algorithms::wrap_first_fit};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::trace::without_hidden;

/// The columns of a line.
pub const LINE_WIDTH: usize = 80;
/// The characters of a text from outside that are shown.
const MAX_CHARACTERS: usize = 200;
/// The blanks between two cells of [`columns`].
const GAP: usize = 2;

/// The number of columns that a text without colours takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(letter_width).sum() }
}

/// The columns of a letter with its accents, or of an emoji: together, or character by character where that is more.
fn letter_width(letter: &str) -> usize {
    let apart: usize = letter.chars().filter_map(UnicodeWidthChar::width).sum();
    letter.width().max(apart)
}

/// The longest start of a text that fits into `columns`. It ends between two letters.
fn start(text: &str, columns: usize) -> &str {
    let mut left = columns;
    let mut end = 0;
    for (at, letter) in text.grapheme_indices(true) {
        match left.checked_sub(letter_width(letter)) {
            Some(rest) => (left, end) = (rest, at + letter.len()),
            None => break,
        }
    }
    &text[..end]
}

/// A text from outside, such as a hostname, in a form that may be shown: without hidden characters, and not endless.
pub fn printable(text: &str) -> String {
    let mut printable = without_hidden(&text.chars().take(MAX_CHARACTERS).collect::<String>());
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        printable.push('…');
    }
    printable
}

/// A text from outside in at most `columns`. A longer text is cut, and ends with `…`.
pub fn shorten(text: &str, columns: usize) -> String {
    let text = printable(text);
    if width(&text) <= columns { text } else { format!("{}…", start(&text, columns.saturating_sub(1))) }
}

/// The text, with blanks behind it up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `1 replica`, `2 replicas`.
pub fn count(n: impl Into<u64>, noun: &str) -> String {
    match n.into() {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// Microseconds as milliseconds, with one decimal below 100 ms and none above.
pub fn millis(us: u64) -> String {
    let ms = us as f64 / 1000.0;
    match us {
        0..100_000 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// A sentence on lines of at most 80 columns, the first of which begins with `first`, and the others with `rest`.
pub fn wrapped(sentence: &str, first: &str, rest: &str) -> String {
    wrapped_at(LINE_WIDTH, sentence, first, rest)
}

fn wrapped_at(columns: usize, sentence: &str, first: &str, rest: &str) -> String {
    // names in a sentence come from outside
    let sentence = without_hidden(sentence);
    let room = [first, rest].map(|indent| columns.saturating_sub(width(indent)).max(1));
    // a word that fits on no line, such as a long name, is broken
    let longest = room[0].min(room[1]);
    let words: Vec<Word> = sentence.split_whitespace().flat_map(|word| pieces(word, longest)).collect();
    let lines = wrap_first_fit(&words, &room.map(|columns| columns as f64));
    let lines = lines.into_iter().map(|words| words.iter().map(|word| word.0).collect::<Vec<_>>().join(" "));
    first.to_owned() + &lines.collect::<Vec<_>>().join(&format!("\n{rest}"))
}

/// A word, or a piece of one, that is measured by [`width`].
#[derive(Debug)]
struct Word<'a>(&'a str);

impl Fragment for Word<'_> {
    fn width(&self) -> f64 {
        width(self.0) as f64
    }

    fn whitespace_width(&self) -> f64 {
        1.0
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

/// Breaks a word into pieces of at most `columns`.
fn pieces(word: &str, columns: usize) -> Vec<Word<'_>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let one = rest.chars().next().map_or(0, char::len_utf8);
        // a letter that is wider than a line, as one of a hundred characters is, is broken too
        let (piece, others) = rest.split_at(start(rest, columns).len().max(one));
        pieces.push(Word(piece));
        rest = others;
    }
    pieces
}

/// Cells in columns, on lines of at most 80 columns, all but the first of which begin with `indent`. A cell is the number
/// of its columns and its text, which may be coloured.
pub fn columns(cells: &[(usize, String)], indent: &str) -> String {
    let widest = cells.iter().map(|(width, _)| *width).max().unwrap_or(0);
    let cells_a_line = ((LINE_WIDTH - indent.len() + GAP) / (widest + GAP)).max(1);
    let line = |cells: &[(usize, String)]| {
        let padded = cells.iter().map(|(width, text)| format!("{text}{}", " ".repeat(widest - width)));
        padded.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    cells.chunks(cells_a_line).map(line).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hostnames in which a character is not a column: wide, accented, emoji that are one, two and several characters.
    const NAMES: [&str; 5] = ["東京サーバー-1", "cafe\u{301}-1", "🦀🦀🦀-1", "❤\u{fe0f}-👋🏽-🇨🇭", "web-1"];

    /// The columns that a terminal gives a text, if it gives a joined emoji the columns of its characters.
    fn widest(line: &str) -> usize {
        line.width().max(line.chars().filter_map(UnicodeWidthChar::width).sum())
    }

    #[test]
    fn a_text_is_as_wide_as_a_terminal_shows_it() {
        for (text, columns) in [
            ("web-1", 5),
            ("é → …", 5),
            ("東京", 4),
            ("e\u{301}", 1),
            ("🦀", 2),
            ("❤\u{fe0f}", 2),
            ("👋🏽", 4),
            ("🇨🇭", 2),
            ("\u{fffd}", 1),
        ] {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn a_sentence_with_wide_names_keeps_to_its_columns() {
        for columns in [80, 60] {
            for name in NAMES {
                let sentence = vec![format!("{name} answered {name}{name}, as {name} did:"); 12].join(" ");
                let text = wrapped_at(columns, &sentence, "  - ", "    ");
                let lines: Vec<&str> = text.lines().collect();
                assert!(lines.iter().all(|line| widest(line) <= columns), "{text}");
                let next = |line: &str| width(line.split_whitespace().next().unwrap_or_default());
                let full = lines.windows(2).all(|pair| width(pair[0]) + 1 + next(pair[1]) > columns);
                assert!(full, "a word went to the next line too early:\n{text}");
                assert_eq!(text.split_whitespace().skip(1).collect::<Vec<_>>().join(" "), sentence);
            }
        }
    }

    #[test]
    fn a_name_that_is_wider_than_a_line_is_broken_between_letters() {
        for columns in [80, 60] {
            let text = wrapped_at(columns, &"東e\u{301}".repeat(60), "", "  ");
            assert!(text.lines().all(|line| widest(line) <= columns), "{text}");
            assert!(text.lines().all(|line| !line.trim_start().starts_with('\u{301}')), "{text}");
            assert_eq!(text.lines().map(str::trim_start).collect::<String>(), "東e\u{301}".repeat(60));
        }
        // Unicode takes all of these for one letter
        let jamo = wrapped_at(60, &"ᄀ".repeat(100), "", "  ");
        assert!(jamo.lines().all(|line| widest(line) <= 60), "{jamo}");
    }

    #[test]
    fn names_are_cut_and_padded_by_columns() {
        assert_eq!(shorten("東京サーバー", 12), "東京サーバー");
        assert_eq!(shorten("東京サーバー", 11), "東京サーバ…");
        assert_eq!(shorten("東京サーバー", 10), "東京サー…");
        assert_eq!(shorten("cafe\u{301}s", 5), "cafe\u{301}s");
        assert_eq!(shorten("cafe\u{301}ss", 5), "cafe\u{301}…");
        for name in NAMES {
            assert!(width(&shorten(name, 6)) <= 6, "{name}");
            assert_eq!(width(&pad(name, 20)), 20, "{name}");
        }
    }

    #[test]
    fn cells_of_wide_names_stand_below_one_another() {
        let cells: Vec<(usize, String)> =
            NAMES.iter().cycle().take(20).map(|name| (width(name), (*name).to_owned())).collect();
        let text = columns(&cells, "    ");
        assert!(text.lines().count() > 3 && text.lines().all(|line| width(line) <= LINE_WIDTH), "{text}");
    }
}
