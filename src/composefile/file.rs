//! The YAML tree of a compose file → the definition of a lab.

use std::collections::BTreeSet;

use super::{
    definition::{Definition, Origin, Role},
    error::{Problem, RESOLVE_HINT, one_line},
    fields::{self, Strictness},
    ports, service, traefik,
    tree::{self, Entry, Node, Value},
};
use crate::model::ExposedByDefault;

/// The hint for a file without services.
const NO_SERVICES_HINT: &str =
    "a compose file has its services under `services:`; `lbctl export DIR` writes one to start from";

/// Reads the text of a compose file, with the values that `variables` gives to its variables.
pub(super) fn read(
    text: &str,
    origin: Origin,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Definition, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let empty = |line: &str| matches!(line.trim(), "" | "---" | "...") || line.trim_start().starts_with('#');
    if text.lines().all(empty) {
        return Err(Problem::new("the file is empty").hint(NO_SERVICES_HINT));
    }
    let mut tree = tree::read(text)?;
    let mut unset = BTreeSet::new();
    tree.interpolate(text, variables, &mut unset)?;

    let mut notes = Vec::new();
    let strictness = if origin == Origin::Resolved { Strictness::Lenient } else { Strictness::Strict };
    let entries = services(&tree, strictness)?;
    let mut services = Vec::with_capacity(entries.len());
    let mut proxies = Vec::new();
    for entry in entries {
        let service = service::read(entry, strictness, &mut notes)?;
        if service.role == Role::Proxy {
            proxies.push(entry);
        }
        services.push(service);
    }
    let (port, exposed_by_default) = match proxies.split_first() {
        Some((proxy, others)) => {
            for other in others {
                notes.push(format!("service {}: there is one proxy, service {}", other.key, proxy.key));
            }
            proxy_settings(proxy, &mut notes)?
        }
        None => (None, ExposedByDefault::Yes),
    };
    notes.extend(unset.into_iter().map(|name| format!("variable {name} is not set and has no default: it is empty")));
    let notes = notes.iter().map(|note| one_line(note)).collect();
    Ok(Definition { origin, services, port, exposed_by_default, notes })
}

/// Reads the lab's port and exposedByDefault from the proxy's own service.
fn proxy_settings(entry: &Entry, notes: &mut Vec<String>) -> Result<(Option<u16>, ExposedByDefault), Problem> {
    let path = format!("services.{}", entry.key);
    let proxy = traefik::read(&entry.node, &path)?;
    notes.extend(proxy.notes);
    let published = ports::read(&entry.node, &path, proxy.entry)?;
    notes.extend(published.note);
    Ok((published.port, proxy.exposed_by_default))
}

/// The entries of `services`, at least one.
fn services(tree: &Node, strictness: Strictness) -> Result<&[Entry], Problem> {
    let Value::Map(fields) = &tree.value else {
        return Err(tree.unexpected("the file", "a map with `services:`").hint(NO_SERVICES_HINT));
    };
    for field in fields.iter().filter(|_| strictness == Strictness::Strict) {
        if field.key == "include" {
            let problem = Problem::new("`include` is not supported").on_line_of(field.position);
            return Err(problem.hint(RESOLVE_HINT));
        }
        fields::check_top(field).map_err(|problem| {
            // the format before 2016, or a forgotten first line
            let forgotten = tree.get("services").is_none()
                && fields::nearest(&field.key, ["services"].into_iter()).is_none()
                && (field.node.get("image").is_some() || field.node.get("build").is_some());
            if forgotten { problem.hint(NO_SERVICES_HINT) } else { problem }
        })?;
    }
    let Some(services) = tree.get("services") else {
        return Err(Problem::new("no `services`").hint(NO_SERVICES_HINT));
    };
    if services.is_empty() {
        return Err(Problem::new("services: there is none").on_line_of(services.position).hint(NO_SERVICES_HINT));
    }
    services.map("services")
}
