//! The error of the compose file reader: one line with the place and the reason, and a hint.

use super::position::Position;

/// The hint for what only Compose itself can resolve: Compose makes one complete file of several.
pub(super) const RESOLVE_HINT: &str = "run `docker compose config > resolved.yml` and give lbctl resolved.yml";

/// The longest message in characters. A file can put any amount of text into a message.
const MAX_CHARS: usize = 400;

/// The reason for which a compose file, or the `.env` beside it, cannot be used.
///
/// It is displayed as one line: `lab.yml:12: services.web_static.labels: expected …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ComposeError {
    place: String,
    cause: Cause,
    reason: String,
    hint: Option<String>,
}

/// The two kinds of failure, which have different exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The file does not exist or may not be read.
    Unreadable,
    /// The file was read, and a part of it is wrong.
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
            reason: one_line(&reason),
            hint: hint.map(|hint| one_line(&hint)),
        }
    }

    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    pub fn cause(&self) -> Cause {
        self.cause
    }
}

/// A [`ComposeError`] without the name of its file. The parts of the reader do not know that name.
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

    /// Places the problem at the line of a whole value, whose column would not help.
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

/// Makes one printable line of `text`. Text from a file must not move a terminal's cursor.
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

/// Quotes a piece of the file for a message, at most 60 characters of it.
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
