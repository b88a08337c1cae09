//! The error of the compose file reader: one line that says where and why, and a hint.

use super::tree::Position;

/// Why a compose file, or the `.env` beside it, could not be used.
///
/// Displayed as one line: `lab.yml:12: services.web_static.labels: expected …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ComposeError {
    place: String,
    cause: Cause,
    line: Option<u64>,
    reason: String,
    hint: Option<String>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file is not there or may not be read.
    Unreadable,
    /// The file was read, and something in it is wrong.
    Broken,
}

impl ComposeError {
    pub(super) fn new(file: &str, problem: Problem) -> ComposeError {
        let Problem { cause, position, reason, hint } = problem;
        let mut place = file.to_owned();
        if let Some(Position { line, column }) = position {
            place.push_str(&format!(":{line}"));
            if let Some(column) = column {
                place.push_str(&format!(":{column}"));
            }
        }
        ComposeError {
            place: one_line(&place),
            cause,
            line: position.map(|position| position.line),
            reason: one_line(&reason),
            hint: hint.map(|hint| one_line(&hint)),
        }
    }

    /// What can be done about it, where something can.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    /// The line, from 1, where one is to blame.
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// Whether the file could not be read or is wrong.
    pub fn cause(&self) -> Cause {
        self.cause
    }
}

/// A [`ComposeError`] before it knows the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    cause: Cause,
    position: Option<Position>,
    reason: String,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn new(reason: impl Into<String>) -> Problem {
        Problem { cause: Cause::Broken, position: None, reason: reason.into(), hint: None }
    }

    pub(super) fn unreadable(reason: impl Into<String>) -> Problem {
        Problem { cause: Cause::Unreadable, ..Problem::new(reason) }
    }

    pub(super) fn at(self, position: Option<Position>) -> Problem {
        Problem { position, ..self }
    }

    /// At a value: its line alone, as the column of a whole value helps nobody.
    pub(super) fn on_line_of(self, position: Option<Position>) -> Problem {
        self.at(position.map(|position| Position { column: None, ..position }))
    }

    pub(super) fn at_line(self, line: u64) -> Problem {
        self.at(Some(Position { line, column: None }))
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }
}

/// The longest message: a file can quote any amount of text at its reader.
const MAX_CHARS: usize = 400;

/// Makes one printable line of `text`: what a file says must not move a terminal's cursor.
pub(super) fn one_line(text: &str) -> String {
    let joined = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let mut line = String::with_capacity(joined.len());
    for (count, c) in joined.chars().enumerate() {
        if count == MAX_CHARS {
            line.push('…');
            break;
        }
        match c {
            '\t' => line.push(' '),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                line.extend(c.escape_unicode());
            }
            c => line.push(c),
        }
    }
    line
}

/// A piece of the file, quoted for a message: short, whatever the file says.
pub(super) fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(60).collect();
    format!("`{}{}`", one_line(&short), if chars.next().is_some() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn place_and_reason_stand_on_one_line() {
        let at = |line, column| Problem::new("a\n  reason\u{1b}[2J").at(Some(Position { line, column }));
        for (problem, expected) in [
            (at(12, None), "lab.yml:12: a reason\\u{1b}[2J"),
            (at(12, Some(7)), "lab.yml:12:7: a reason\\u{1b}[2J"),
            (Problem::unreadable("no such file"), "lab.yml: no such file"),
        ] {
            assert_eq!(ComposeError::new("lab.yml", problem).to_string(), expected);
        }
    }

    #[test]
    fn what_is_quoted_is_short() {
        assert_eq!(quoted("a\tb"), "`a b`");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
    }

    proptest! {
        #[test]
        fn a_line_is_a_line(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(line.lines().count() <= 1);
        }
    }
}
