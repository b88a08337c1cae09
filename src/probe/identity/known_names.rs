//! Known names: headers, JSON fields and patterns in which servers commonly give their names.

use http::HeaderName;
use regex::Regex;

use super::identity_flag::Identity;

/// The strength of a known name as evidence while its value does not change. A known name that varies is taken in any
/// case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The value proves nothing: it may just as well be the server's software, the host of the request, or a pool.
    Weak,
    /// The value names a server, which may be a cache in front of the instances: a feature that varies is preferred if its
    /// name means an instance.
    Fair,
    /// The value names the instance, so that there is one instance.
    Strong,
}

#[derive(Debug, Clone)]
pub struct KnownName {
    pub identity: Identity,
    pub strength: Strength,
}

use Strength::{Fair, Strong, Weak};

/// The known headers, the most explicit first.
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
/// Known fields of a JSON body, as JSON pointers, the most explicit first.
const FIELDS: [(&str, Strength); 7] = [
    ("/hostname", Strong),
    // servers echo the request's Host header under this name
    ("/host", Weak),
    ("/server", Weak),
    ("/instance", Strong),
    ("/container", Strong),
    ("/pod", Strong),
    ("/node", Weak),
];
/// Known patterns: a line `Hostname: NAME`, and an HTML element with the id `hostname`.
const PATTERNS: [&str; 2] = [r"(?im)^hostname:[ \t]*(\S+)", r#"(?i)\bid="?hostname"?[^>]*>\s*([^<\s]+)"#];

/// All known names: headers, then fields, then patterns.
pub fn known_names() -> Vec<KnownName> {
    let known = |identity, strength| KnownName { identity, strength };
    let headers = HEADERS.map(|(name, strength)| known(Identity::Header(HeaderName::from_static(name)), strength));
    let fields = FIELDS.map(|(pointer, strength)| known(Identity::Json(pointer.to_owned()), strength));
    let patterns = PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok());
    let patterns = patterns.map(|pattern| known(Identity::Pattern(pattern), Strong));
    headers.into_iter().chain(fields).chain(patterns).collect()
}

/// Returns whether a header is a known name.
pub fn is_known_header(name: &str) -> bool {
    HEADERS.iter().any(|(known, _)| *known == name)
}

/// Returns whether a JSON pointer is a known name.
pub fn is_known_field(pointer: &str) -> bool {
    FIELDS.iter().any(|(known, _)| *known == pointer)
}
