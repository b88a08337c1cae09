//! What the YAML reader says of broken YAML → what someone who wrote a compose file can use.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::{
    error::{Problem, quoted},
    fields::RESOLVE,
    tree::{Position, position},
};

const TOO_MUCH: &str = "too much for a compose file: nested too deeply, or its aliases multiply";

/// The [`Problem`] for an error of the YAML reader in `text`.
pub(super) fn problem(text: &str, error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let position = error.location().and_then(|location| position(&location));
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
        Error::UnsupportedTag { .. } => (UserMessageFormatter.format_message(error).into_owned(), RESOLVE),
        _ => {
            let message = UserMessageFormatter.format_message(error);
            match SYNTAX.iter().find(|(part, _, _)| message.contains(part)) {
                Some((_, "", hint)) => (lowercase(&message), *hint),
                Some((_, reason, hint)) => ((*reason).to_owned(), *hint),
                None => (lowercase(&message), "check the quotes and the indentation of this line and the one above"),
            }
        }
    };
    Problem::new(reason).at(position).hint(hint)
}

/// The usual slips: part of the YAML reader's message, what to say instead (if anything), and what to do.
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

/// What stands at `position`, up to the next blank.
fn word_at(text: &str, Position { line, column }: Position) -> Option<&str> {
    let content = text.lines().nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
    let (start, _) = content.char_indices().nth(usize::try_from(column?.checked_sub(1)?).ok()?)?;
    content[start..].split([' ', ',', ']', '}']).next()
}

/// Messages begin in lower case; what is all capitals (`YAML`) is a name.
fn lowercase(message: &str) -> String {
    let mut chars = message.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => message.to_owned(),
    }
}
