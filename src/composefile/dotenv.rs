//! The `.env` file, by Compose's rules.
//!
//! These rules differ from a shell's: an unquoted value may contain spaces and ends at the end of its line or before ` #`, single
//! quotes keep every character, double quotes know `\n`, and both may span lines. Variables are replaced in all values
//! except those in single quotes, as in the compose file itself; the environment wins over the lines above.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::{Problem, quoted},
    interpolation::interpolate,
};

/// The variables that `text` sets, and one note for each variable that it uses and that is not set.
pub(super) fn read(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(BTreeMap<String, String>, Vec<String>), Problem> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut variables = BTreeMap::new();
    let mut unset = BTreeSet::new();
    while let Some(statement) = reader.statement()? {
        let Statement { line, name, value } = statement;
        let value = match value {
            // a name alone stands for the variable of the environment, which wins anyway
            Value::None => continue,
            Value::Literal(value) => value,
            Value::Template(template) => {
                let known = |name: &str| environment(name).or_else(|| variables.get(name).cloned());
                interpolate(&template, &known, &mut unset).map_err(|mistake| {
                    let problem = Problem::new(format!("{name}: {}", mistake.reason)).at_line(line);
                    match mistake.hint {
                        Some(hint) => problem.hint(format!("{hint}, or put the value in single quotes")),
                        None => problem,
                    }
                })?
            }
        };
        variables.insert(name.to_owned(), value);
    }
    let notes =
        unset.into_iter().map(|name| format!(".env: variable {name} is not set and has no default: it is empty"));
    Ok((variables, notes.collect()))
}

struct Statement<'a> {
    line: u64,
    name: &'a str,
    value: Value,
}

enum Value {
    None,
    Literal(String),
    Template(String),
}

struct Reader<'a> {
    rest: &'a str,
    line: u64,
}

impl<'a> Reader<'a> {
    /// Parses the next statement, after blank lines and comments.
    fn statement(&mut self) -> Result<Option<Statement<'a>>, Problem> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            let line = self.line;
            let text = self.rest.split('\n').next().unwrap_or_default();
            let trimmed = text.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                self.skip(text.len() + 1);
                continue;
            }
            let statement = trimmed.strip_prefix("export ").map_or(trimmed, str::trim_start);
            let Some(end) = statement.find(['=', ':']) else {
                self.skip(text.len() + 1);
                return Ok(Some(Statement { line, name: checked_name(statement, line)?, value: Value::None }));
            };
            let name = checked_name(statement[..end].trim_end(), line)?;
            // from the whole rest again: a value in quotes may go on in the next line
            let offset = text.find(['=', ':']).unwrap_or(0) + 1;
            self.skip(offset);
            let value = self.value(name, line)?;
            return Ok(Some(Statement { line, name, value }));
        }
    }

    fn value(&mut self, name: &str, line: u64) -> Result<Value, Problem> {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        self.skip(blank);
        let quote = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => {
                let text = self.rest.split('\n').next().unwrap_or_default();
                self.skip(text.len() + 1);
                return Ok(Value::Template(without_comment(text).trim().to_owned()));
            }
        };
        self.skip(1);
        let end = closing(self.rest, quote)
            .ok_or_else(|| Problem::new(format!("{name}: the quote {quote} is not closed")).at_line(line))?;
        let inner = &self.rest[..end];
        self.skip(end + 1);
        let after = self.rest.split('\n').next().unwrap_or_default();
        let trailing = after.trim();
        if !trailing.is_empty() && !trailing.starts_with('#') {
            let reason = format!("{name}: {} follows the closing quote", quoted(trailing));
            return Err(Problem::new(reason).at_line(self.line));
        }
        self.skip(after.len() + 1);
        Ok(match quote {
            '"' => Value::Template(unescaped(inner)),
            _ => Value::Literal(inner.to_owned()),
        })
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.line += skipped.matches('\n').count() as u64;
        self.rest = rest;
    }
}

fn checked_name(name: &str, line: u64) -> Result<&str, Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !name.is_empty() && name.chars().all(good) {
        return Ok(name);
    }
    Err(Problem::new(format!("{} is not the name of a variable", quoted(name)))
        .at_line(line)
        .hint("each line of .env is `NAME=value`, a comment (`# …`) or blank"))
}

/// An unquoted value without its comment. A comment begins with a `#` after a blank.
fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let end = [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min();
    &text[..end.unwrap_or(text.len())]
}

/// The index of the closing quote. In double quotes, a backslash hides the quote after it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut hidden = false;
    for (index, c) in text.char_indices() {
        if hidden {
            hidden = false;
        } else if c == '\\' && quote == '"' {
            hidden = true;
        } else if c == quote {
            return Some(index);
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(c @ ('"' | '\\')) => out.push(c),
            // `\$` is a plain dollar, which interpolation knows as two
            Some('$') => out.push_str("$$"),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::{super::error::ComposeError, *};

    fn environment(name: &str) -> Option<String> {
        (name == "OUTER").then(|| "outer".to_owned())
    }

    #[test]
    fn values_are_read_as_compose_reads_them() {
        for (text, expected) in [
            ("A=1", "1"),
            ("A=1\r\n", "1"),
            ("\u{feff}A=1\n", "1"),
            ("# comment\n\n  A = 1  \n", "1"),
            ("export A=1", "1"),
            ("A: 1", "1"),
            ("A=", ""),
            ("A=# comment", ""),
            ("A=hello world # comment", "hello world"),
            ("A=a#b", "a#b"),
            ("A=it's", "it's"),
            ("A='$X # \\n'  # comment", "$X # \\n"),
            ("A=\"a \\\"b\\\" \\$c\\n\"", "a \"b\" $c\n"),
            ("A=\"two\nlines\"\n", "two\nlines"),
            ("A=$OUTER-${OUTER:+in}", "outer-in"),
            ("B_C=x\nA=${B_C}$B_C", "xx"),
            ("OUTER=inner\nA=$OUTER", "outer"),
            ("A=${NO:-d}", "d"),
            ("A=a$$b", "a$b"),
            ("A=1\nA=2", "2"),
            ("A==x=", "=x="),
        ] {
            let (variables, notes) = read(text, &environment).unwrap();
            assert_eq!((variables["A"].as_str(), notes), (expected, Vec::new()), "{text}");
        }
    }

    #[test]
    fn a_bare_name_sets_nothing_and_a_missing_variable_is_noted() {
        let (variables, notes) = read("A\nB=$NO", &environment).unwrap();
        assert_eq!(variables.into_iter().collect::<Vec<_>>(), [("B".to_owned(), String::new())]);
        assert_eq!(notes, [".env: variable NO is not set and has no default: it is empty"]);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (text, expected) in [
            ("A=1\n\nhello world\n", ".env:3: `hello world` is not the name of a variable"),
            ("=x", ".env:1: `` is not the name of a variable"),
            ("A=\"x\n\ny\nB=1", ".env:1: A: the quote \" is not closed"),
            ("A='x' y", ".env:1: A: `y` follows the closing quote"),
            ("A=\"1\n2\"\nB=${", ".env:3: B: `${` is not a variable"),
            ("A=${NO:?why}", ".env:1: A: variable NO is required: why"),
        ] {
            let problem = read(text, &environment).unwrap_err();
            assert_eq!(ComposeError::new(".env", problem).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "([$]|[{]|[}]|=|\"|'|#|A|\n|\\\\|ä| |.){0,60}") {
            let _ = read(&text, &environment);
        }
    }
}
