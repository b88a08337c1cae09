//! The settings of the proxy's own service: Traefik's flags, or its environment variables where there are no flags.
//!
//! As in Traefik, names are case-insensitive, a flag begins with one dash or two, and a value stands after `=` or, except
//! for yes/no flags, in the next argument. Only the settings that the lab needs are read.

use std::collections::BTreeMap;

use super::{
    error::{Problem, quoted},
    position::Position,
    tree::{Node, Value},
};
use crate::model::ExposedByDefault;

/// The default port of Traefik's API.
const API_PORT: u16 = 8080;
const EXPOSED_BY_DEFAULT: &str = "providers.docker.exposedbydefault";

/// The settings of a proxy in a compose file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProxySettings {
    pub(super) exposed_by_default: ExposedByDefault,
    /// The port of the entry point for browsers, if the flags leave no doubt.
    pub(super) entry: Option<u16>,
    pub(super) notes: Vec<String>,
}

/// TraefikSettings by their lower-case dotted names, each with its value and its position in the file.
type TraefikSettings = BTreeMap<String, (String, Option<Position>)>;

/// Reads the settings of the proxy's service. `path` is `services.NAME`.
pub(super) fn read(service: &Node, path: &str) -> Result<ProxySettings, Problem> {
    let mut arguments = Vec::new();
    for field in ["entrypoint", "command"] {
        if let Some(node) = service.get(field) {
            arguments.extend(words(node, &format!("{path}.{field}"))?);
        }
    }
    let (mut settings, mut field) = (flags(&arguments, path)?, "command");
    if settings.is_empty() {
        (settings, field) = (variables(service), "environment");
    }
    let exposed_by_default = match settings.get(EXPOSED_BY_DEFAULT) {
        None => ExposedByDefault::Yes,
        Some((value, position)) => match value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => ExposedByDefault::Yes,
            "0" | "f" | "F" | "false" | "FALSE" | "False" => ExposedByDefault::No,
            other => {
                let reason =
                    format!("{path}.{field}: expected exposedByDefault to be true or false, found {}", quoted(other));
                return Err(Problem::new(reason).on_line_of(*position));
            }
        },
    };
    let notes = settings
        .get("configfile")
        .map(|_| format!("not supported: {path}.{field}: Traefik's configuration file is not read"));
    Ok(ProxySettings { exposed_by_default, entry: entry(&settings), notes: notes.into_iter().collect() })
}

/// The settings of a Traefik that runs, from its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraefikFlags {
    pub exposed_by_default: ExposedByDefault,
    /// The port of the entry point for browsers, if the flags leave no doubt.
    pub entry: Option<u16>,
    /// The port of the API, if the API is open.
    pub api: Option<u16>,
    pub log: AccessLog,
}

/// The place to which Traefik writes its access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// The log of Traefik's container.
    ContainerLog,
    /// A file, or no place at all.
    NotInContainerLog,
}

/// Reads the command line of a Traefik that runs. As Traefik has started, its flags are right.
pub fn traefik_flags(arguments: &[String]) -> TraefikFlags {
    let arguments: Vec<_> = arguments.iter().map(|argument| (argument.clone(), None)).collect();
    let settings = flags(&arguments, "").unwrap_or_default();
    let switch =
        |name: &str| settings.get(name).map(|(value, _)| !matches!(&*value.to_lowercase(), "0" | "f" | "false"));
    let exposed_by_default = match switch(EXPOSED_BY_DEFAULT) {
        Some(false) => ExposedByDefault::No,
        _ => ExposedByDefault::Yes,
    };
    let written =
        switch("accesslog").or_else(|| settings.keys().any(|name| name.starts_with("accesslog.")).then_some(true));
    let log = match written {
        Some(true) if !settings.contains_key("accesslog.filepath") => AccessLog::ContainerLog,
        _ => AccessLog::NotInContainerLog,
    };
    let port = |address: &str| address.rsplit_once(':')?.1.parse().ok();
    let api = settings.get("entrypoints.traefik.address").and_then(|(address, _)| port(address)).unwrap_or(API_PORT);
    TraefikFlags {
        exposed_by_default,
        entry: entry(&settings),
        api: switch("api.insecure").filter(|&open| open).map(|_| api),
        log,
    }
}

/// The port of the only entry point, or else of the one called `web` or `http`.
fn entry(settings: &TraefikSettings) -> Option<u16> {
    let entries: Vec<_> = settings
        .iter()
        .filter_map(|(name, (address, _))| {
            let name = name.strip_prefix("entrypoints.")?.strip_suffix(".address")?;
            let (address, protocol) = address.split_once('/').unwrap_or((address, "tcp"));
            let port = address.rsplit_once(':')?.1.parse::<u16>().ok()?;
            protocol.eq_ignore_ascii_case("tcp").then_some((name, port))
        })
        .collect();
    match entries.as_slice() {
        [(_, port)] => Some(*port),
        _ => ["web", "http"]
            .iter()
            .find_map(|known| entries.iter().find(|(name, _)| name == known).map(|(_, port)| *port)),
    }
}

fn flags(arguments: &[(String, Option<Position>)], path: &str) -> Result<TraefikSettings, Problem> {
    let mut settings = TraefikSettings::new();
    let mut arguments = arguments.iter().peekable();
    while let Some((argument, position)) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name.to_lowercase(), Some(value.to_owned())),
            None => (flag.to_lowercase(), None),
        };
        let value = match value {
            Some(value) => value,
            None => match arguments.next_if(|(next, _)| !next.starts_with('-')) {
                // Traefik takes the flag for `true` and stumbles over the word
                Some((next, _)) if name == EXPOSED_BY_DEFAULT => {
                    let reason =
                        format!("{path}.command: Traefik does not read {} as the value of --{flag}", quoted(next));
                    return Err(Problem::new(reason).on_line_of(*position).hint(format!("write `--{flag}={next}`")));
                }
                Some((next, _)) => next.clone(),
                None => "true".to_owned(),
            },
        };
        settings.insert(name, (value, *position));
    }
    Ok(settings)
}

/// Reads environment variables such as `TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT`. Variables that cannot be settings of
/// Traefik are left out.
fn variables(service: &Node) -> TraefikSettings {
    let pairs: Vec<(&str, &str, Option<Position>)> = match service.get("environment").map(|node| &node.value) {
        Some(Value::Map(entries)) => entries
            .iter()
            .filter_map(|entry| Some((entry.key.as_str(), entry.node.scalar()?, entry.node.position)))
            .collect(),
        Some(Value::List(items)) => items
            .iter()
            .filter_map(|item| item.scalar()?.split_once('=').map(|(name, value)| (name, value, item.position)))
            .collect(),
        _ => Vec::new(),
    };
    let setting = |name: &str| name.to_lowercase().strip_prefix("traefik_").map(|name| name.replace('_', "."));
    pairs
        .into_iter()
        .filter_map(|(name, value, position)| Some((setting(name)?, (value.to_owned(), position))))
        .collect()
}

/// The arguments of `command: [a, b]`, or of `command: a b`, which is split as a POSIX shell would split it.
///
/// Compose splits a text with the Go package `go-shellwords`, which differs in three ways. None of them matters to the
/// flags of Traefik that the lab needs:
/// - A `#` at the beginning of a word is an ordinary character to Compose. Here, as in a shell, a comment begins, and the
///   rest of the line is left out.
/// - A backslash in double quotes disappears for Compose before any character, and `\n` and `\t` become a line break and
///   a tab, outside of quotes too. Here, as in a shell, it stays in double quotes unless `$`, a backtick, `"`, a backslash
///   or a line break follows, and `\n` outside of quotes is an `n`.
/// - Compose ends the command before a `;`, `&`, `|`, `<` or `>` outside of quotes, and refuses parentheses there. Here
///   they are ordinary characters.
fn words(node: &Node, path: &str) -> Result<Vec<(String, Option<Position>)>, Problem> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .map(|item| match item.scalar() {
                Some(text) => Ok((text.to_owned(), item.position)),
                None => Err(item.unexpected(path, "a list of arguments")),
            })
            .collect(),
        Value::Map(_) => Err(node.unexpected(path, "a text or a list of arguments")),
        _ => {
            let words = shell_words::split(node.scalar().unwrap_or_default())
                .map_err(|_| Problem::new(format!("{path}: a quote is not closed")).on_line_of(node.position))?;
            Ok(words.into_iter().map(|word| (word, node.position)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{super::tree, *};

    fn proxy(yaml: &str) -> Result<ProxySettings, String> {
        read(&tree::read(yaml).unwrap(), "services.p")
            .map_err(|problem| crate::composefile::ComposeError::new("f", problem).to_string())
    }

    #[test]
    fn exposure_is_read_from_flags_or_variables() {
        use ExposedByDefault::{No, Yes};
        for (yaml, expected) in [
            ("image: traefik", Yes),
            ("command: [--providers.docker.exposedByDefault=false]", No),
            ("command: [--providers.docker.exposedbydefault=False]", No),
            ("command: [-providers.docker.EXPOSEDBYDEFAULT=0]", No),
            ("command: [--providers.docker.exposedByDefault]", Yes),
            ("command: [--providers.docker.exposedByDefault=false, --providers.docker.exposedByDefault=true]", Yes),
            ("command: --providers.docker --providers.docker.exposedByDefault=false", No),
            ("command: --log.format json '--providers.docker.exposedByDefault=false'", No),
            ("entrypoint: [traefik, --providers.docker.exposedByDefault=false]", No),
            ("environment: {TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT: false}", No),
            ("environment: [TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT=false, OTHER]", No),
            // Traefik reads one or the other
            ("command: [--api]\nenvironment: [TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT=false]", Yes),
        ] {
            assert_eq!(proxy(yaml).unwrap().exposed_by_default, expected, "{yaml}");
        }
    }

    #[test]
    fn the_entry_point_is_the_only_one_or_the_one_for_the_web() {
        for (flags, expected) in [
            ("--api", None),
            ("--entrypoints.main.address=:8000", Some(8000)),
            ("--entryPoints.Main.Address=0.0.0.0:8000/tcp", Some(8000)),
            ("--entrypoints.main.address :8000", Some(8000)),
            ("--entrypoints.main.address=[::]:8000", Some(8000)),
            ("--entrypoints.a.address=:1 --entrypoints.web.address=:2 --entrypoints.http.address=:3", Some(2)),
            ("--entrypoints.a.address=:1 --entrypoints.http.address=:3", Some(3)),
            ("--entrypoints.a.address=:1 --entrypoints.b.address=:2", None),
            ("--entrypoints.a.address=:1 --entrypoints.b.address=:2/udp", Some(1)),
            ("--entrypoints.a.address=nowhere", None),
        ] {
            assert_eq!(proxy(&format!("command: \"{flags}\"")).unwrap().entry, expected, "{flags}");
        }
    }

    #[test]
    fn mistakes_and_notes() {
        for (yaml, expected) in [
            (
                "command:\n- --api\n- --providers.docker.exposedByDefault=no",
                "f:3: services.p.command: expected exposedByDefault to be true or false, found `no`",
            ),
            (
                "command: --providers.docker.exposedByDefault false",
                "f:1: services.p.command: Traefik does not read `false` as the value of --providers.docker.exposedByDefault",
            ),
            ("command: --a 'b", "f:1: services.p.command: a quote is not closed"),
            ("command: {a: b}", "f:1: services.p.command: expected a text or a list of arguments, found a map"),
            ("command: [[a]]", "f:1: services.p.command: expected a list of arguments, found a list"),
        ] {
            assert_eq!(proxy(yaml).unwrap_err(), expected);
        }
        assert_eq!(
            proxy("command: [--configFile=/t.yml]").unwrap().notes,
            ["not supported: services.p.command: Traefik's configuration file is not read"]
        );
    }

    #[test]
    fn a_backslash_and_a_number_sign_mean_what_they_mean_in_a_shell() {
        for (yaml, expected) in [
            // Compose would keep the `#` and the words after it
            ("--a #b --c", vec!["--a"]),
            ("--a#b --c=#d", vec!["--a#b", "--c=#d"]),
            // Compose would take away each backslash, and make a tab of `\t`
            (r#""a\tb""#, vec![r"a\tb"]),
            (r"a\tb", vec!["atb"]),
            (r#""a\"b" 'a\tb'"#, vec![r#"a"b"#, r"a\tb"]),
        ] {
            let node = tree::read(&serde_json::to_string(yaml).unwrap()).unwrap();
            let read: Vec<String> =
                words(&node, "services.p.command").unwrap().into_iter().map(|(word, _)| word).collect();
            assert_eq!(read, expected, "{yaml}");
        }
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (line, expected) in [
            ("", Some(vec![])),
            (" a  b ", Some(vec!["a", "b"])),
            ("a'b c'd \"e 'f'\" ''", Some(vec!["ab cd", "e 'f'", ""])),
            (r#"a\ b "c\"d" 'e\f'"#, Some(vec!["a b", "c\"d", "e\\f"])),
            ("a 'b", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(shell_words::split(line).ok(), expected, "{line}");
        }
    }
}
