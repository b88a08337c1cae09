//! Identities as they are told: a header, a JSON field or a pattern.

use http::HeaderName;
use regex::Regex;
use serde_json::Value;

use super::{super::client::Reply, field::scalar_at};

/// A way to read an instance's name from a reply.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A header's value.
    Header(HeaderName),
    /// A field of a JSON body, as a JSON pointer (RFC 6901).
    Json(String),
    /// The first group of a pattern in the body, or all of its match.
    Pattern(Regex),
}

/// An identity that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identity: {reason}")]
pub struct IdentityError {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub reason: String,
}

impl std::str::FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let failed = |reason: String| IdentityError { text: text.escape_debug().to_string(), reason };
        match text.split_once(':') {
            Some(("header", name)) => name
                .parse()
                .map(Identity::Header)
                .map_err(|_| failed(format!("`{}` is not a header's name", name.escape_debug()))),
            Some(("json", pointer)) if pointer.starts_with('/') => Ok(Identity::Json(pointer.to_owned())),
            Some(("json", _)) => Err(failed("a JSON pointer starts with `/`".to_owned())),
            Some(("regex", pattern)) => Regex::new(pattern).map(Identity::Pattern).map_err(|error| {
                let error = error.to_string();
                failed(error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
            }),
            _ => Err(failed("it is header:NAME, json:/POINTER or regex:PATTERN".to_owned())),
        }
    }
}

impl Identity {
    /// The instance's name, if this reply has one.
    pub fn read(&self, reply: &Reply) -> Option<String> {
        match self {
            Identity::Json(pointer) => trimmed(&scalar_at(&reply.body, pointer)?),
            _ => self.read_with(reply, None),
        }
    }

    /// The same, where the body has been read as JSON before.
    pub fn read_with(&self, reply: &Reply, json: Option<&Value>) -> Option<String> {
        let name = match self {
            Identity::Header(name) => reply.headers.get(name)?.to_str().ok()?.to_owned(),
            Identity::Json(pointer) => scalar(json?.pointer(pointer)?)?,
            Identity::Pattern(pattern) => {
                let body = reply.text();
                let found = pattern.captures(&body)?;
                found.get(1).or(found.get(0))?.as_str().to_owned()
            }
        };
        trimmed(&name)
    }

    /// Whether what it reads is all in the body.
    pub fn reads_the_body(&self) -> bool {
        !matches!(self, Identity::Header(_))
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Identity::Header(name) => write!(f, "the header {name}"),
            Identity::Json(pointer) => write!(f, "the JSON field {pointer}"),
            Identity::Pattern(pattern) => write!(f, "the pattern {pattern}"),
        }
    }
}

fn trimmed(name: &str) -> Option<String> {
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The body as JSON, if it is.
pub fn json(reply: &Reply) -> Option<Value> {
    serde_json::from_slice(&reply.body).ok()
}

/// A JSON scalar as text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
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
    fn an_identity_is_told() {
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
    fn what_is_no_identity_is_said() {
        for (text, words) in [
            ("hostname", "header:NAME"),
            ("header:a b", "not a header's name"),
            ("json:a", "starts with `/`"),
            ("regex:(", "unclosed group"),
        ] {
            let error = text.parse::<Identity>().unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
