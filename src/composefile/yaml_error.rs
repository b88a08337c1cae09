//! The YAML reader's messages about broken YAML → messages that help the author of a compose file.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::{
    error::{Problem, RESOLVE_HINT, quoted},
    position::Position,
};

const TOO_MUCH: &str = "too much for a compose file: nested too deeply, or its aliases multiply";

/// Translates an error that the YAML reader has found in `text`.
pub(super) fn problem(text: &str, error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let position = error.location().and_then(|location| Position::from_location(&location));
    let (reason, hint) = match error {
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => (TOO_MUCH.to_owned(), "write out what the aliases stand for"),
        Error::MultipleDocuments { .. } => {
            ("more than one YAML document".to_owned(), "keep one of the documents that `---` divides")
        }
        Error::UnknownAnchor { .. } => {
            let alias = position.and_then(|position| word_at(text, position));
            let reason = match alias {
                Some(alias) => format!("{} has no anchor above it", quoted(alias)),
                None => "an alias has no anchor above it".to_owned(),
            };
            (reason, "mark the value it stands for with `&name`")
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("{} stands here twice", quoted(key)), "leave out one of the two")
        }
        Error::UnsupportedTag { .. } => (UserMessageFormatter.format_message(error).into_owned(), RESOLVE_HINT),
        _ => {
            let message = UserMessageFormatter.format_message(error);
            match SYNTAX.iter().find(|(part, _, _)| message.contains(part)) {
                Some((_, "", hint)) => (lowercase_first(&message), *hint),
                Some((_, reason, hint)) => ((*reason).to_owned(), *hint),
                None => {
                    (lowercase_first(&message), "check the quotes and the indentation of this line and the one above")
                }
            }
        }
    };
    Problem::new(reason).at(position).hint(hint)
}

/// The usual mistakes: a part of the YAML reader's message, the message that replaces it (the reader's own if empty), and
/// the hint.
const SYNTAX: &[(&str, &str, &str)] = &[
    ("tabs disallowed", "a tab indents this line", "indent with spaces: YAML takes no tabs"),
    ("mapping values are not allowed", "a second `: ` in one line", "put a value that contains `: ` in quotes"),
    ("unexpected character: ``", "a value may not begin with a backtick", "put the value in quotes"),
    ("unexpected character: `@", "a value may not begin with `@`", "put the value in quotes"),
    ("limits breached", TOO_MUCH, "write out what the aliases stand for"),
    ("recursion limit", "nested too deeply for a compose file", "write `[` and `{` in quotes where they are text"),
    (
        "did not find expected key",
        "this line is indented neither as the one above nor as its parent",
        "give the fields of one map the same indentation",
    ),
    ("unclosed quote", "", "close the quote that opens here"),
    ("unclosed bracket", "", "close the bracket that opens here, or put the value in quotes"),
    ("unknown escape", "", "in double quotes write `\\\\` for a backslash, or take single quotes"),
];

/// The word at `position`, up to the next blank or bracket.
fn word_at(text: &str, Position { line, column }: Position) -> Option<&str> {
    let content = text.lines().nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
    let (start, _) = content.char_indices().nth(usize::try_from(column?.checked_sub(1)?).ok()?)?;
    content[start..].split([' ', ',', ']', '}']).next()
}

/// Gives a message a lower-case beginning, unless its first word is an abbreviation such as `YAML`.
fn lowercase_first(message: &str) -> String {
    let mut chars = message.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => message.to_owned(),
    }
}
