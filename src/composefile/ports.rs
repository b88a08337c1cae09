//! The ports that the proxy's own service publishes, in Compose's short or long syntax → the port of the lab.

use std::net::IpAddr;

use super::{
    error::Problem,
    tree::{Node, Value},
};

/// A published port, or the first port of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mapping {
    target: u16,
    /// The port on the host; `None` if Docker takes any free port.
    published: Option<u16>,
    protocol: Protocol,
    width: Width,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Other,
}

/// The number of ports in an entry: one, or a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Single,
    Range,
}

/// The port on the host at which the lab answers, and perhaps a note.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LabPort {
    pub(super) port: Option<u16>,
    pub(super) note: Option<String>,
}

/// Reads `ports` of the service at `path`: the host port that is published for `entry`, else for 80, else the first.
pub(super) fn read(service: &Node, path: &str, entry: Option<u16>) -> Result<LabPort, Problem> {
    let path = format!("{path}.ports");
    let Some(node) = service.get("ports") else {
        return Ok(LabPort::default());
    };
    let items = match &node.value {
        Value::Null => return Ok(LabPort::default()),
        Value::List(items) => items,
        _ => return Err(node.unexpected(&path, "a list of ports (`- \"80:80\"`)")),
    };
    let mut mappings = Vec::with_capacity(items.len());
    for item in items {
        let mapping = mapping(item, &path)?;
        if mapping.protocol == Protocol::Tcp {
            mappings.push(mapping);
        }
    }
    let for_target = |target: u16| mappings.iter().find(|mapping| mapping.target == target);
    let chosen = entry
        .and_then(for_target)
        .or_else(|| for_target(80))
        .or_else(|| mappings.iter().find(|mapping| mapping.published.is_some()));
    let Some(Mapping { published, width, .. }) = chosen else {
        return Ok(LabPort::default());
    };
    let note = match (width, published) {
        (Width::Range, Some(port)) => {
            Some(format!("not supported: {path}: of a range of ports, the first one is taken: {port}"))
        }
        _ => None,
    };
    Ok(LabPort { port: *published, note })
}

fn mapping(node: &Node, path: &str) -> Result<Mapping, Problem> {
    match &node.value {
        Value::Number(text) | Value::Text(text) => {
            short(text).ok_or_else(|| node.unexpected(path, "a port such as `80:80` or `127.0.0.1:8080:80`"))
        }
        Value::Map(_) => long(node, path),
        _ => Err(node.unexpected(path, "a port such as `80:80`")),
    }
}

/// Parses `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]`, where each port may be a range.
fn short(text: &str) -> Option<Mapping> {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (host, target) = match text.rsplit_once(':') {
        Some((host, target)) => (Some(host), target),
        None => (None, text),
    };
    let published = match host.map(|host| host.rsplit_once(':').map_or((None, host), |(ip, port)| (Some(ip), port))) {
        None => None,
        Some((ip, port)) => {
            if let Some(ip) = ip {
                ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip).parse::<IpAddr>().ok()?;
            }
            // `127.0.0.1::80` or `:80`: any free port
            if port.is_empty() { None } else { Some(range(port)?) }
        }
    };
    let (target, target_width) = range(target)?;
    build(target, target_width, published, protocol)
}

/// Reads a map such as `{target: 80, published: "8080"}`.
fn long(node: &Node, path: &str) -> Result<Mapping, Problem> {
    let port = |key: &str| match node.get(key) {
        None => Ok(None),
        Some(value) => match value.scalar() {
            Some("") => Ok(None),
            Some(text) => match range(text) {
                Some(range) => Ok(Some(range)),
                None => Err(value.unexpected(&format!("{path}.{key}"), "a port from 0 to 65535")),
            },
            None => Err(value.unexpected(&format!("{path}.{key}"), "a port from 0 to 65535")),
        },
    };
    let protocol = node.get("protocol").and_then(Node::scalar).unwrap_or("tcp");
    let published = port("published")?;
    port("target")?
        .and_then(|(target, width)| build(target, width, published, protocol))
        .ok_or_else(|| Problem::new(format!("{path}: a port needs a target (`target: 80`)")).on_line_of(node.position))
}

fn build(target: u16, width: Width, published: Option<(u16, Width)>, protocol: &str) -> Option<Mapping> {
    if target == 0 {
        return None;
    }
    let width = if width == Width::Range || matches!(published, Some((_, Width::Range))) {
        Width::Range
    } else {
        Width::Single
    };
    let protocol =
        if protocol.is_empty() || protocol.eq_ignore_ascii_case("tcp") { Protocol::Tcp } else { Protocol::Other };
    // port 0 asks Docker for any free port
    Some(Mapping { target, published: published.map(|(port, _)| port).filter(|port| *port != 0), protocol, width })
}

/// Parses `80` or `80-90`, and returns the first port.
fn range(text: &str) -> Option<(u16, Width)> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    match text.split_once('-') {
        None => Some((number(text)?, Width::Single)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, Width::Range))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{super::tree, *};

    fn published(yaml: &str, entry: Option<u16>) -> Result<LabPort, String> {
        read(&tree::read(yaml).unwrap(), "services.p", entry)
            .map_err(|problem| crate::composefile::ComposeError::new("f", problem).to_string())
    }

    #[test]
    fn each_syntax_names_a_port() {
        for (item, expected) in [
            ("\"81:80\"", Some(81)),
            ("81:80", Some(81)),
            ("\"127.0.0.1:81:80\"", Some(81)),
            ("\"[::1]:81:80\"", Some(81)),
            ("\"::1:81:80\"", Some(81)),
            ("\"81:80/tcp\"", Some(81)),
            ("\"81:80/udp\"", None),
            ("\"80\"", None),
            ("80", None),
            ("\"127.0.0.1::80\"", None),
            ("\":80\"", None),
            ("\"0:80\"", None),
            ("{target: 80, published: 81}", Some(81)),
            ("{target: \"80\", published: \"81\", host_ip: 127.0.0.1, mode: host}", Some(81)),
            ("{target: 80, published: 81, protocol: udp}", None),
            ("{target: 80}", None),
        ] {
            assert_eq!(published(&format!("ports: [{item}]"), None).unwrap().port, expected, "{item}");
        }
    }

    #[test]
    fn the_entry_point_chooses_then_80_then_the_first() {
        let ports = "ports: [\"9:443\", \"81:80\", \"82:8000\"]";
        for (yaml, entry, expected) in [
            (ports, Some(8000), Some(82)),
            (ports, Some(1), Some(81)),
            (ports, None, Some(81)),
            ("ports: [\"7\", \"9:443\", \"82:8000\"]", None, Some(9)),
            ("ports: [\"80\", \"9:443\"]", None, None),
            ("ports: []", None, None),
            ("ports:", None, None),
            ("image: x", None, None),
        ] {
            assert_eq!(published(yaml, entry).unwrap(), LabPort { port: expected, note: None }, "{yaml}");
        }
    }

    #[test]
    fn of_a_range_the_first_is_taken_and_said() {
        for yaml in ["ports: [\"81-83:80\"]", "ports: [\"81-82:80-81\"]", "ports: [{target: 80, published: 81-82}]"] {
            let note = "not supported: services.p.ports: of a range of ports, the first one is taken: 81".to_owned();
            assert_eq!(published(yaml, None).unwrap(), LabPort { port: Some(81), note: Some(note) }, "{yaml}");
        }
    }

    #[test]
    fn mistakes_have_their_line() {
        for (yaml, expected) in [
            ("ports: 80", "f:1: services.p.ports: expected a list of ports (`- \"80:80\"`), found `80`"),
            (
                "ports:\n- a:80",
                "f:2: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `a:80`",
            ),
            (
                "ports: [\"80:\"]",
                "f:1: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `80:`",
            ),
            (
                "ports: [\"99999:80\"]",
                "f:1: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `99999:80`",
            ),
            (
                "ports: [\"x:80:80\"]",
                "f:1: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `x:80:80`",
            ),
            (
                "ports: [\"9-8:80\"]",
                "f:1: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `9-8:80`",
            ),
            (
                "ports: [80.5]",
                "f:1: services.p.ports: expected a port such as `80:80` or `127.0.0.1:8080:80`, found `80.5`",
            ),
            ("ports: [[]]", "f:1: services.p.ports: expected a port such as `80:80`, found a list"),
            ("ports: [{published: 80}]", "f:1: services.p.ports: a port needs a target (`target: 80`)"),
            ("ports: [{target: x}]", "f:1: services.p.ports.target: expected a port from 0 to 65535, found `x`"),
            (
                "ports: [{target: 80, published: []}]",
                "f:1: services.p.ports.published: expected a port from 0 to 65535, found a list",
            ),
        ] {
            assert_eq!(published(yaml, None).unwrap_err(), expected);
        }
    }
}
