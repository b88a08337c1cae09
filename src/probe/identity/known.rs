//! Known names: where servers commonly say who they are.

use http::HeaderName;
use regex::Regex;

use super::told::Identity;

/// How much a known name is worth while its value does not change. One that varies is taken in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It may as well say what software it is, which host was asked for, or which pool: constant, it says nothing.
    Weak,
    /// It names a server, but perhaps a cache in front of the instances: constant, it gives way to what varies.
    Fair,
    /// It names the instance: constant, there is one.
    Strong,
}

/// A known name.
#[derive(Debug, Clone)]
pub struct Known {
    /// Where it stands.
    pub how: Identity,
    /// What it is worth.
    pub strength: Strength,
}

use Strength::{Fair, Strong, Weak};

/// Headers, the plainest first.
const HEADERS: [(&str, Strength); 12] = [
    ("x-served-by", Fair),
    ("x-hostname", Strong),
    ("x-server-name", Fair),
    ("x-server-id", Fair),
    ("x-server", Weak),
    ("x-instance-id", Strong),
    ("x-instance", Strong),
    ("x-backend-server", Fair),
    ("x-backend", Weak),
    ("x-upstream", Weak),
    ("x-pod-name", Strong),
    ("x-node", Weak),
];
/// Fields of a JSON body likewise.
const FIELDS: [(&str, Strength); 7] = [
    ("/hostname", Strong),
    // servers echo the header of that name
    ("/host", Weak),
    ("/server", Weak),
    ("/instance", Strong),
    ("/container", Strong),
    ("/pod", Strong),
    ("/node", Weak),
];
/// Patterns likewise: a line `Hostname: NAME`, and an element with the id `hostname`.
const PATTERNS: [&str; 2] = [r"(?im)^hostname:[ \t]*(\S+)", r#"(?i)\bid="?hostname"?[^>]*>\s*([^<\s]+)"#];

/// All of them, the plainest first.
pub fn all() -> Vec<Known> {
    let known = |how, strength| Known { how, strength };
    let headers = HEADERS.map(|(name, strength)| known(Identity::Header(HeaderName::from_static(name)), strength));
    let fields = FIELDS.map(|(pointer, strength)| known(Identity::Json(pointer.to_owned()), strength));
    let patterns = PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok());
    let patterns = patterns.map(|pattern| known(Identity::Pattern(pattern), Strong));
    headers.into_iter().chain(fields).chain(patterns).collect()
}

/// Whether a header is among them.
pub fn is_known_header(name: &str) -> bool {
    HEADERS.iter().any(|(known, _)| *known == name)
}

/// Whether a field is among them.
pub fn is_known_field(pointer: &str) -> bool {
    FIELDS.iter().any(|(known, _)| *known == pointer)
}
