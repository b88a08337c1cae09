//! YAML → a tree of values with their positions, whose variables can be replaced.
//!
//! Compose replaces variables in values after it has parsed the YAML, never in keys or comments. That is why the
//! replacement works on the tree. The limits of the YAML reader are far below its defaults: a compose file is small, and
//! a file in which aliases multiply is refused.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Spanned};

use super::{
    error::{Problem, quoted},
    interpolation::{Mistake, interpolate},
    position::Position,
    yaml_error,
};

/// A value and its position; the position of an alias is that of its anchor.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) position: Option<Position>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number as text, because labels need the text. It is written as in the file, but always in base 10.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) position: Option<Position>,
    pub(super) node: Node,
}

pub(super) fn read(text: &str) -> Result<Node, Problem> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            flow_nesting_limit: 32,
            max_nodes: 100_000,
            max_events: 200_000,
            max_recorded_anchor_events: 100_000,
            max_documents: 2,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| yaml_error::problem(text, &error))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { value, position: Position::from_location(&defined) })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(Spanned { value: key, defined, .. }) = access.next_key::<Spanned<String>>()? {
            entries.push(Entry { key, position: Position::from_location(&defined), node: access.next_value()? });
        }
        Ok(Value::Map(entries))
    }
}

impl Node {
    /// The value of `key`, if the node is a map with that key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The text of a value that is neither a list nor a map.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Null => Some(""),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) | Value::Text(text) => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The entries of a map. The error calls the node `path`.
    pub(super) fn map(&self, path: &str) -> Result<&[Entry], Problem> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.unexpected(path, "a map (`name: value`)")),
        }
    }

    /// Returns whether the node has no content: `volumes:` or `volumes: []`.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            _ => false,
        }
    }

    /// The error for a value of the wrong kind.
    pub(super) fn unexpected(&self, path: &str, expected: &str) -> Problem {
        let found = match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Text(text) if text.is_empty() => "nothing".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(text) | Value::Text(text) => quoted(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        };
        Problem::new(format!("{path}: expected {expected}, found {found}")).on_line_of(self.position)
    }

    /// Replaces the variables in every text of the tree. `source` is the YAML text of the tree.
    pub(super) fn interpolate(
        &mut self,
        source: &str,
        variables: &dyn Fn(&str) -> Option<String>,
        unset: &mut BTreeSet<String>,
    ) -> Result<(), Problem> {
        let position = self.position;
        match &mut self.value {
            Value::Text(text) => match interpolate(text, variables, unset) {
                Ok(interpolated) => *text = interpolated,
                Err(mistake) => return Err(misplaced(source, position, text, mistake)),
            },
            Value::List(items) => {
                for item in items {
                    item.interpolate(source, variables, unset)?;
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    entry.node.interpolate(source, variables, unset)?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }
}

/// The [`Problem`] for a mistake in `text`, which begins at `position` in `source`.
///
/// Quotes and folding move text about, but no style of YAML drops or adds a `$`. So the wrong variable is found by
/// counting: its `$` has the same number in `text` and in `source`.
fn misplaced(source: &str, position: Option<Position>, text: &str, mistake: Mistake) -> Problem {
    let number = text[..mistake.offset].matches('$').count();
    let exact = position.and_then(|Position { line, column }| {
        let mut skip = column.unwrap_or(1).saturating_sub(1) as usize;
        let mut left = number;
        for (at, content) in (line..).zip(source.split('\n').skip(line.saturating_sub(1) as usize)) {
            for (index, c) in content.chars().enumerate().skip(std::mem::take(&mut skip)) {
                if c == '$' && left == 0 {
                    return Some(Position { line: at, column: Some(index as u64 + 1) });
                }
                left -= usize::from(c == '$');
            }
        }
        None
    });
    let problem = Problem::new(mistake.reason).at(exact.or(position));
    match mistake.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
