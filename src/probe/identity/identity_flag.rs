//! The value of `--identity`: the header, the JSON field or the pattern that names the instance.

use std::net::{IpAddr, SocketAddr};

use http::HeaderName;
use regex::Regex;
use serde_json::Value;

use super::{
    super::http::Reply,
    json::{scalar, scalar_at},
};

/// The place of the name of an instance in a reply.
#[derive(Debug, Clone)]
pub enum Identity {
    /// The name is the value of a header.
    Header(HeaderName),
    /// The name is a part of a header: the first group of a pattern, or the whole match of a pattern without groups. Several
    /// lines of the header are one list.
    HeaderPart(HeaderName, Regex),
    /// The name is a field of a JSON body, by its JSON pointer (RFC 6901).
    Json(String),
    /// The name is the first group of a pattern in the body, or the whole match of a pattern without groups.
    Pattern(Regex),
}

/// The error for a text that is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identity: {reason}")]
pub struct IdentityError {
    pub text: String,
    pub reason: String,
}

impl std::str::FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let failed = |reason: String| IdentityError { text: text.escape_debug().to_string(), reason };
        match text.split_once(':') {
            Some(("header", rest)) => {
                let (name, pattern) = rest.split_once('~').map_or((rest, None), |(name, part)| (name, Some(part)));
                let not_a_name = |_| failed(format!("`{}` is not a header's name", name.escape_debug()));
                let header = name.parse().map_err(not_a_name)?;
                match pattern {
                    None => Ok(Identity::Header(header)),
                    Some(pattern) => {
                        parse_pattern(pattern).map(|pattern| Identity::HeaderPart(header, pattern)).map_err(failed)
                    }
                }
            }
            Some(("json", pointer)) if pointer.starts_with('/') => Ok(Identity::Json(pointer.to_owned())),
            Some(("json", _)) => Err(failed("a JSON pointer starts with `/`".to_owned())),
            Some(("regex", pattern)) => parse_pattern(pattern).map(Identity::Pattern).map_err(failed),
            _ => Err(failed("it is header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN".to_owned())),
        }
    }
}

fn parse_pattern(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        let error = error.to_string();
        error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// The last address where a value is nothing but a list of addresses, otherwise the value. nginx lists all servers that it
/// tried for a request, and the last one answered.
pub fn last_address(value: &str) -> &str {
    let is_address = |part: &&str| part.parse::<SocketAddr>().is_ok() || part.parse::<IpAddr>().is_ok();
    let parts = value.split(", ").flat_map(|part| part.split(" : ")).map(str::trim);
    if parts.clone().all(|part| is_address(&part)) { parts.last().unwrap_or(value) } else { value }
}

/// The first group of a pattern in a text, or the whole match of a pattern without groups.
fn first_match(pattern: &Regex, text: &str) -> Option<String> {
    let captures = pattern.captures(text)?;
    Some(captures.get(1).or(captures.get(0))?.as_str().to_owned())
}

impl Identity {
    /// The name of the instance, if the reply has one there.
    pub fn read(&self, reply: &Reply) -> Option<String> {
        match self {
            Identity::Json(pointer) => trimmed(&scalar_at(&reply.body, pointer)?),
            _ => self.read_parsed(reply, None),
        }
    }

    /// Reads the name as [`Identity::read`] does, from a body that was parsed as JSON before; `json` is `None` if the
    /// body is not JSON.
    pub fn read_parsed(&self, reply: &Reply, json: Option<&Value>) -> Option<String> {
        let name = match self {
            Identity::Header(name) => last_address(reply.headers.get(name)?.to_str().ok()?).to_owned(),
            Identity::HeaderPart(name, pattern) => {
                let lines: Vec<&str> =
                    reply.headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
                first_match(pattern, &lines.join(", "))?
            }
            Identity::Json(pointer) => scalar(json?.pointer(pointer)?)?,
            Identity::Pattern(pattern) => first_match(pattern, &reply.text())?,
        };
        trimmed(&name)
    }

    /// Returns whether the name depends on nothing but the body.
    pub fn is_in_body(&self) -> bool {
        match self {
            Identity::Header(_) | Identity::HeaderPart(..) => false,
            Identity::Json(_) | Identity::Pattern(_) => true,
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Identity::Header(name) => write!(f, "the header {name}"),
            Identity::HeaderPart(name, pattern) => write!(f, "the part {pattern} of the header {name}"),
            Identity::Json(pointer) => write!(f, "the JSON field {pointer}"),
            Identity::Pattern(pattern) => write!(f, "the pattern {pattern}"),
        }
    }
}

fn trimmed(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::{HeaderMap, HeaderValue, StatusCode};

    fn reply(header: Option<(&'static str, &'static str)>, body: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))));
        Reply { status: StatusCode::OK, headers, body: body.into(), server: None, port: None, cut: None }
    }

    #[test]
    fn an_identity_is_read_from_a_reply() {
        let served = reply(Some(("x-a", " n1 ")), r#"{"a":{"b":[7,true]}} <b>web-2</b>"#);
        let read = |how: &str, reply: &Reply| how.parse::<Identity>().unwrap().read(reply);
        assert_eq!(read("header:X-A", &served).as_deref(), Some("n1"));
        assert_eq!(read("regex:<b>([^<]+)</b>", &served).as_deref(), Some("web-2"));
        assert_eq!(read("regex:web-.", &served).as_deref(), Some("web-2"));
        let json = reply(None, r#"{"a":{"b":[7,true]}}"#);
        assert_eq!(read("json:/a/b/0", &json).as_deref(), Some("7"));
        assert_eq!(read("json:/a/b/1", &json).as_deref(), Some("true"));
        assert_eq!(read("json:/a", &json), None);
    }

    #[test]
    fn of_a_list_of_addresses_the_last_one_answered() {
        for (value, name) in [
            ("10.0.0.3:80, 10.0.0.1:80", "10.0.0.1:80"),
            ("10.0.0.3:80, 10.0.0.4:80 : [::1]:81", "[::1]:81"),
            ("10.0.0.3", "10.0.0.3"),
            ("cache-1, web-3", "cache-1, web-3"),
            ("10.0.0.3:80, web-3", "10.0.0.3:80, web-3"),
        ] {
            let served = reply(Some(("x-upstream", value)), "");
            assert_eq!("header:x-upstream".parse::<Identity>().unwrap().read(&served).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_part_of_a_header_names_an_instance() {
        let read = |how: &str, lines: &[&'static str]| {
            let mut reply = reply(None, "");
            for line in lines {
                reply.headers.append("via", HeaderValue::from_static(line));
            }
            how.parse::<Identity>().unwrap().read(&reply)
        };
        assert_eq!(read("header:Via~1\\.1 (web-\\d+)", &["1.1 x, 1.1 web-3"]).as_deref(), Some("web-3"));
        // several lines are one list, and a pattern without a group is the name itself
        assert_eq!(read("header:via~web-[0-9]+$", &["1.1 x", "1.1 web-4"]).as_deref(), Some("web-4"));
        assert_eq!(read("header:via~[^, ]+$", &["cache-1, web-3"]).as_deref(), Some("web-3"));
        assert_eq!(read("header:via~web-9", &["1.1 web-3"]), None);
        assert_eq!(read("header:via~.*", &[]), None);
    }

    #[test]
    fn a_text_that_is_no_identity_is_refused_with_its_reason() {
        for (text, words) in [
            ("hostname", "header:NAME"),
            ("header:a b", "not a header's name"),
            ("json:a", "starts with `/`"),
            ("header:a b~c", "`a b` is not a header's name"),
            ("header:via~(", "unclosed group"),
            ("regex:(", "unclosed group"),
        ] {
            let error = text.parse::<Identity>().unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
