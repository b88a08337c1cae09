//! Interpolation: replaces the variables in one text, by the rules of the Compose specification: `$VAR`, `${VAR}`,
//! `${VAR:-default}`, `${VAR-default}`, `${VAR:?message}`, `${VAR?message}`, `${VAR:+replacement}`,
//! `${VAR+replacement}`, nested, and `$$` for `$`.
//!
//! A text is parsed as a whole before it is evaluated. So a mistake in a default is found even if the variable is set, and
//! an unset variable that stands only in an unused default is no problem.

use std::collections::BTreeSet;

use super::error::quoted;

/// The deepest nesting of `${A:-${B:-…}}`. The parser recurses, and no real file nests deeper.
const MAX_DEPTH: usize = 32;

/// A mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The index of the byte at which the wrong variable begins, which is always a `$`.
    pub(super) offset: usize,
    /// The reason without the place.
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

/// Replaces the variables in `text`. A variable that is unset and has no default becomes empty, and its name is added to
/// `unset`.
pub(super) fn interpolate(
    text: &str,
    variables: &dyn Fn(&str) -> Option<String>,
    unset: &mut BTreeSet<String>,
) -> Result<String, Mistake> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    let pieces = Parser { text, at: 0 }.pieces(None, 0)?;
    evaluate(&pieces, variables, unset)
}

enum Piece<'a> {
    Text(&'a str),
    Variable { offset: usize, name: &'a str, rule: Substitution<'a> },
}

/// The rule by which a variable is replaced.
enum Substitution<'a> {
    Plain,
    Default(EmptyVariable, Vec<Piece<'a>>),
    Required(EmptyVariable, Vec<Piece<'a>>),
    Replacement(EmptyVariable, Vec<Piece<'a>>),
}

/// The meaning of an empty variable: it counts as set or as unset.
#[derive(Clone, Copy)]
enum EmptyVariable {
    /// `${VAR-…}`: an empty variable counts as set.
    Set,
    /// `${VAR:-…}`: an empty variable counts as unset.
    Unset,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Parses to the end of the text, or to the brace that closes the one at `opened`.
    fn pieces(&mut self, opened: Option<usize>, depth: usize) -> Result<Vec<Piece<'a>>, Mistake> {
        if depth > MAX_DEPTH {
            return Err(mistake(opened.unwrap_or(0), "variables are nested too deeply", None));
        }
        let mut pieces = Vec::new();
        let mut start = self.at;
        // braces that belong to the text, as in `${RULE:-a{2}}`
        let mut braces = 0usize;
        while let Some(c) = self.rest().chars().next() {
            match c {
                '$' => {
                    pieces.push(Piece::Text(&self.text[start..self.at]));
                    pieces.push(self.variable(depth)?);
                    start = self.at;
                    continue;
                }
                '{' if opened.is_some() => braces += 1,
                '}' if opened.is_some() && braces == 0 => break,
                '}' if opened.is_some() => braces -= 1,
                _ => {}
            }
            self.at += c.len_utf8();
        }
        pieces.push(Piece::Text(&self.text[start..self.at]));
        if let Some(offset) = opened {
            if self.rest().is_empty() {
                let reason = format!("{} has no closing brace", quoted(&self.text[offset..]));
                return Err(mistake(offset, reason, Some("close it with `}`, or write `$$` for a plain `$`")));
            }
            self.at += 1;
        }
        Ok(pieces)
    }

    /// Parses the variable whose `$` is the next character.
    fn variable(&mut self, depth: usize) -> Result<Piece<'a>, Mistake> {
        let offset = self.at;
        self.at += 1;
        match self.rest().chars().next() {
            Some('$') => {
                self.at += 1;
                Ok(Piece::Text("$"))
            }
            Some('{') => {
                self.at += 1;
                let name = self.name().ok_or_else(|| invalid(self.text, offset))?;
                let rule = self.rule(offset, depth)?;
                Ok(Piece::Variable { offset, name, rule })
            }
            _ => {
                let name = self.name().ok_or_else(|| invalid(self.text, offset))?;
                Ok(Piece::Variable { offset, name, rule: Substitution::Plain })
            }
        }
    }

    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.at += end;
        Some(name)
    }

    /// Parses the rest of `${NAME…}` after the name, with the closing brace.
    fn rule(&mut self, offset: usize, depth: usize) -> Result<Substitution<'a>, Mistake> {
        if self.rest().starts_with('}') {
            self.at += 1;
            return Ok(Substitution::Plain);
        }
        let mut empty = EmptyVariable::Set;
        if self.rest().starts_with(':') {
            self.at += 1;
            empty = EmptyVariable::Unset;
        }
        let operator = self.rest().chars().next();
        if !matches!(operator, Some('-' | '?' | '+')) {
            return Err(invalid(self.text, offset));
        }
        self.at += 1;
        let pieces = self.pieces(Some(offset), depth + 1)?;
        Ok(match operator {
            Some('-') => Substitution::Default(empty, pieces),
            Some('?') => Substitution::Required(empty, pieces),
            _ => Substitution::Replacement(empty, pieces),
        })
    }
}

fn evaluate(
    pieces: &[Piece<'_>],
    variables: &dyn Fn(&str) -> Option<String>,
    unset: &mut BTreeSet<String>,
) -> Result<String, Mistake> {
    let mut out = String::new();
    for piece in pieces {
        let (offset, name, rule) = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Variable { offset, name, rule } => (*offset, *name, rule),
        };
        let value = |empty: &EmptyVariable| {
            variables(name).filter(|value| matches!(empty, EmptyVariable::Set) || !value.is_empty())
        };
        match rule {
            Substitution::Plain => match variables(name) {
                Some(value) => out.push_str(&value),
                None => {
                    unset.insert(name.to_owned());
                }
            },
            Substitution::Default(empty, default) => match value(empty) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&evaluate(default, variables, unset)?),
            },
            Substitution::Replacement(empty, replacement) => {
                if value(empty).is_some() {
                    out.push_str(&evaluate(replacement, variables, unset)?);
                }
            }
            Substitution::Required(empty, message) => match value(empty) {
                Some(value) => out.push_str(&value),
                None => {
                    let message = evaluate(message, variables, unset)?;
                    let reason = match (variables(name).is_some(), message.is_empty()) {
                        (_, false) => format!("variable {name} is required: {message}"),
                        (true, true) => format!("variable {name} is required and is empty"),
                        (false, true) => format!("variable {name} is required and is not set"),
                    };
                    let hint = format!("set {name} in the environment or in the .env beside the file");
                    return Err(mistake(offset, reason, Some(&hint)));
                }
            },
        }
    }
    Ok(out)
}

fn mistake(offset: usize, reason: impl Into<String>, hint: Option<&str>) -> Mistake {
    Mistake { offset, reason: reason.into(), hint: hint.map(str::to_owned) }
}

fn invalid(text: &str, offset: usize) -> Mistake {
    let end = text[offset..].find('}').map_or(text.len(), |end| offset + end + 1);
    mistake(
        offset,
        format!("{} is not a variable", quoted(&text[offset..end])),
        Some("write `$NAME`, `${NAME}` or `${NAME:-default}`, and `$$` for a plain `$`"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn variables(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".to_owned()),
            "_b1" => Some("b".to_owned()),
            "DOLLAR" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_the_specification() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$A", "a"),
            ("$A.$_b1-$A", "a.b-a"),
            ("${A}B", "aB"),
            ("$AB", ""),
            ("${A:-d}${A-d}", "aa"),
            ("${EMPTY:-d}|${EMPTY-d}", "d|"),
            ("${NO:-d}|${NO-d}|${NO:-}|${NO-}", "d|d||"),
            ("${A:?e}${A?e}${EMPTY?e}", "aa"),
            ("${A:+r}|${A+r}|${EMPTY:+r}|${EMPTY+r}|${NO:+r}|${NO+r}", "r|r||r||"),
            ("${NO:-${NOR:-c}}", "c"),
            ("${NO:-${A:-c}}-${NO:-x${A}y$A}", "a-xaya"),
            ("${A:+${NO:-${A}}}", "a"),
            ("$$A $$$A $${A}", "$A $a ${A}"),
            ("${NO:-$$x}", "$x"),
            ("Host(`a`) && Path(`^/x{2}$$`)", "Host(`a`) && Path(`^/x{2}$`)"),
            ("${NO:-x{2}}", "x{2}"),
            ("${NO:-a:b-c?d+e}", "a:b-c?d+e"),
            ("${DOLLAR}", "${A}"),
            ("${NO:-ä€}ö", "ä€ö"),
            ("}{", "}{"),
        ] {
            assert_eq!(interpolate(text, &variables, &mut BTreeSet::new()).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_say_where_and_why() {
        for (text, offset, reason) in [
            ("ab $", 3, "`$` is not a variable"),
            ("$1", 0, "`$1` is not a variable"),
            ("ä$-", 2, "`$-` is not a variable"),
            ("${}", 0, "`${}` is not a variable"),
            ("x${1A}y", 1, "`${1A}` is not a variable"),
            ("${A", 0, "`${A` is not a variable"),
            ("${A:", 0, "`${A:` is not a variable"),
            ("${A:}", 0, "`${A:}` is not a variable"),
            ("${A:=x}", 0, "`${A:=x}` is not a variable"),
            ("${A B}", 0, "`${A B}` is not a variable"),
            ("${A:-b", 0, "`${A:-b` has no closing brace"),
            ("${A:-${B:-c}", 0, "`${A:-${B:-c}` has no closing brace"),
            ("${A:-$}", 5, "`$}` is not a variable"),
            ("-${NO:?}", 1, "variable NO is required and is not set"),
            ("-${EMPTY:?}", 1, "variable EMPTY is required and is empty"),
            ("-${NO?say $A}", 1, "variable NO is required: say a"),
        ] {
            let mistake = interpolate(text, &variables, &mut BTreeSet::new()).unwrap_err();
            assert_eq!((mistake.offset, mistake.reason.as_str()), (offset, reason), "{text}");
            assert!(mistake.hint.is_some(), "{text}");
        }
    }

    #[test]
    fn only_what_is_used_is_missed() {
        let mut unset = BTreeSet::new();
        interpolate("$X ${Y} ${A:-$UNUSED} ${NO:-$Z} ${NO+r}", &variables, &mut unset).unwrap();
        assert_eq!(unset.into_iter().collect::<Vec<_>>(), ["X", "Y", "Z"]);
    }

    #[test]
    fn depth_is_bounded() {
        let text = format!("{}{}", "${A:-".repeat(100_000), "}".repeat(100_000));
        let mistake = interpolate(&text, &variables, &mut BTreeSet::new()).unwrap_err();
        assert_eq!(mistake.reason, "variables are nested too deeply");
    }

    proptest! {
        #[test]
        fn text_without_dollars_is_unchanged(text in "[^$]*") {
            prop_assert_eq!(interpolate(&text, &variables, &mut BTreeSet::new()).unwrap(), text);
        }

        #[test]
        fn doubled_dollars_are_dollars(text in any::<String>()) {
            let doubled = text.replace('$', "$$");
            prop_assert_eq!(interpolate(&doubled, &variables, &mut BTreeSet::new()).unwrap(), text);
        }

        #[test]
        fn never_panics(text in "([$]|[{]|[}]|:|-|[?]|[+]|A|ä|.){0,40}") {
            if let Err(mistake) = interpolate(&text, &variables, &mut BTreeSet::new()) {
                prop_assert!(text[mistake.offset..].starts_with('$'));
            }
        }
    }
}
