//! The labels of a service, which are written as a map or as a list.

use super::{
    error::{Problem, quoted},
    position::Position,
    tree::{Entry, Node, Value},
};

/// The name, the value and the position of a label.
pub(super) type LabelEntry = (String, String, Option<Position>);

/// Reads `labels` of a service, in the order of the file. Of two labels with the same name, the later one counts.
pub(super) fn read(service: &Node, path: &str) -> Result<Vec<LabelEntry>, Problem> {
    let path = format!("{path}.labels");
    let Some(node) = service.get("labels") else {
        return Ok(Vec::new());
    };
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::Map(entries) => entries.iter().map(|entry| from_entry(entry, &path)).collect(),
        Value::List(items) => items.iter().map(|item| from_item(item, &path)).collect(),
        _ => Err(node.unexpected(&path, "a map or a list of labels")),
    }
}

fn from_entry(entry: &Entry, path: &str) -> Result<LabelEntry, Problem> {
    if entry.key.is_empty() {
        return Err(Problem::new(format!("{path}: a label needs a name")).on_line_of(entry.position));
    }
    match entry.node.scalar() {
        Some(value) => Ok((entry.key.clone(), value.to_owned(), entry.node.position)),
        None => Err(entry.node.unexpected(&format!("{path}.{}", entry.key), "one value")),
    }
}

fn from_item(item: &Node, path: &str) -> Result<LabelEntry, Problem> {
    let Value::Text(text) = &item.value else {
        let problem = item.unexpected(path, "a label such as `name=value`");
        return Err(match item.value {
            Value::Map(_) => problem.hint("write `- name=value`, or leave out the dashes"),
            _ => problem,
        });
    };
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if key.is_empty() {
        return Err(
            Problem::new(format!("{path}: no name before the `=` of {}", quoted(text))).on_line_of(item.position)
        );
    }
    Ok((key.to_owned(), value.to_owned(), item.position))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{super::tree, *};
    use crate::model::Labels;

    fn labels(yaml: &str) -> Result<Vec<(String, String)>, String> {
        read(&tree::read(yaml).unwrap(), "services.s")
            .map(|labels| labels.into_iter().map(|(key, value, _)| (key, value)).collect())
            .map_err(|problem| crate::composefile::ComposeError::new("f", problem).to_string())
    }

    #[test]
    fn labels_are_a_map_or_a_list() {
        for (yaml, expected) in [
            ("labels: {a: b, n: 1, f: 1.50, t: true, y: yes, z: null, e: ''}", "a=b e= f=1.5 n=1 t=true y=yes z="),
            ("labels:\n- a=b=c\n- d\n- e=\n- \"f= g\"", "a=b=c d= e= f= g"),
            ("labels:\n- a=1\n- a=2", "a=2"),
            ("labels:\n- r.rule=Host(`a`) || Path(`/x`)", "r.rule=Host(`a`) || Path(`/x`)"),
            ("labels:", ""),
            ("image: x", ""),
        ] {
            let labels: Labels = labels(yaml).unwrap().into_iter().collect();
            let shown: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(shown.join(" "), expected, "{yaml}");
        }
    }

    #[test]
    fn mistakes_have_their_line() {
        for (yaml, expected) in [
            ("labels: 1", "f:1: services.s.labels: expected a map or a list of labels, found `1`"),
            ("labels:\n- a=1\n- b: 2", "f:3: services.s.labels: expected a label such as `name=value`, found a map"),
            ("labels:\n- 5", "f:2: services.s.labels: expected a label such as `name=value`, found `5`"),
            ("labels:\n- =5", "f:2: services.s.labels: no name before the `=` of `=5`"),
            ("labels:\n  '': 5", "f:2: services.s.labels: a label needs a name"),
            ("labels:\n  a: 1\n  b: [2]", "f:3: services.s.labels.b: expected one value, found a list"),
        ] {
            assert_eq!(labels(yaml).unwrap_err(), expected, "{yaml}");
        }
    }
}
