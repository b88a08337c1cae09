//! Scripts: what a login is, which request shows the session, and how its reply shows a login.

use http::{Method, StatusCode};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    http::{Content, Reply},
    identity::scalar,
};

/// A request as a person writes it: `POST /login user=alice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpec {
    /// GET, POST, …
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Its content: a form, or JSON.
    pub content: Option<Content>,
}

/// How a reply shows a login.
#[derive(Debug, Clone)]
pub enum LoginCondition {
    /// A field of a JSON body has this value.
    Json {
        /// JSON pointer (RFC 6901).
        pointer: String,
        /// The value as text.
        value: String,
    },
    /// The body matches.
    Pattern(Regex),
    /// The status is this.
    Status(StatusCode),
}

/// A login, and how to see whether it lasts.
#[derive(Debug, Clone)]
pub struct Script {
    /// The login.
    pub login: RequestSpec,
    /// The request that shows the session.
    pub check: RequestSpec,
    /// How its reply shows a login.
    pub logged_in: LoginCondition,
}

/// A request or condition that cannot be used. The text is not repeated: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {reason}")]
pub struct SpecError {
    /// The flag that gave it.
    pub flag: &'static str,
    /// Why it cannot be used.
    pub reason: String,
}

impl RequestSpec {
    /// Reads `METHOD PATH [FIELD=VALUE…]` or `METHOD PATH {JSON}`. A value `env:NAME` or `file:PATH` stands for what
    /// `secret` finds there.
    ///
    /// # Errors
    /// When it is not of that form, or a secret cannot be had.
    pub fn parse(
        flag: &'static str,
        text: &str,
        secret: &dyn Fn(&str) -> Option<Result<String, String>>,
    ) -> Result<RequestSpec, SpecError> {
        let failed = |reason: String| SpecError { flag, reason };
        let mut words = text.trim().splitn(3, char::is_whitespace);
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(failed("expected METHOD and PATH, for example 'POST /login user=alice'".to_owned()));
        };
        let method = match method.to_ascii_uppercase().parse::<Method>() {
            Ok(method) if method.as_str().bytes().all(|b| b.is_ascii_uppercase()) => method,
            _ => return Err(failed("the method is not a word such as GET or POST".to_owned())),
        };
        if !path.starts_with('/') {
            return Err(failed("the path must start with `/`".to_owned()));
        }
        let rest = words.next().map(str::trim).filter(|rest| !rest.is_empty());
        let content = match rest {
            None => None,
            Some(json) if json.starts_with('{') => {
                let mut body = serde_json::from_str(json).map_err(|error| failed(format!("not JSON: {error}")))?;
                reveal(&mut body, secret).map_err(failed)?;
                Some(Content { media_type: "application/json", text: body.to_string() })
            }
            Some(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for field in fields.split_whitespace() {
                    let (name, value) =
                        field.split_once('=').ok_or_else(|| failed("a field is NAME=VALUE".to_owned()))?;
                    let value = match secret(value) {
                        Some(found) => found.map_err(failed)?,
                        None => value.to_owned(),
                    };
                    form.append_pair(name, &value);
                }
                Some(Content { media_type: "application/x-www-form-urlencoded", text: form.finish() })
            }
        };
        Ok(RequestSpec { method, path: path.to_owned(), content })
    }
}

impl LoginCondition {
    /// Reads `json:/POINTER=VALUE`, `regex:PATTERN` or `status:CODE`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<LoginCondition, SpecError> {
        let failed = |reason: String| SpecError { flag: "--logged-in", reason };
        match text.split_once(':') {
            Some(("json", rest)) => match rest.rsplit_once('=') {
                Some((pointer, value)) if pointer.starts_with('/') => {
                    Ok(LoginCondition::Json { pointer: pointer.to_owned(), value: value.to_owned() })
                }
                _ => Err(failed("expected json:/POINTER=VALUE, for example json:/session/logged_in=true".to_owned())),
            },
            Some(("regex", pattern)) => Regex::new(pattern)
                .map(LoginCondition::Pattern)
                .map_err(|error| failed(error.to_string().lines().last().unwrap_or_default().to_owned())),
            Some(("status", code)) => code
                .parse()
                .map(LoginCondition::Status)
                .map_err(|_| failed(format!("`{}` is not a status", code.escape_debug()))),
            _ => Err(failed("expected json:/POINTER=VALUE, regex:PATTERN or status:CODE".to_owned())),
        }
    }

    /// Whether a reply shows a login; `None` where it does not tell, as an error page does not.
    pub fn read(&self, reply: &Reply) -> Option<bool> {
        match self {
            LoginCondition::Json { pointer, value } => {
                let body: Value = serde_json::from_slice(&reply.body).ok()?;
                Some(scalar(body.pointer(pointer)?)? == *value)
            }
            LoginCondition::Pattern(_) if reply.status.is_server_error() => None,
            LoginCondition::Pattern(pattern) => Some(pattern.is_match(&reply.text())),
            LoginCondition::Status(status) if reply.status.is_server_error() && reply.status != *status => None,
            LoginCondition::Status(status) => Some(reply.status == *status),
        }
    }
}

impl Script {
    /// The login of the lab's own apps.
    pub fn of_the_lab() -> Script {
        let form = Content { media_type: "application/x-www-form-urlencoded", text: "user=alice".to_owned() };
        Script {
            login: RequestSpec { method: Method::POST, path: "/login".to_owned(), content: Some(form) },
            check: RequestSpec { method: Method::GET, path: "/session".to_owned(), content: None },
            logged_in: LoginCondition::Json { pointer: "/session/logged_in".to_owned(), value: "true".to_owned() },
        }
    }
}

/// Puts in the secrets that strings of a JSON body stand for.
fn reveal(body: &mut Value, secret: &dyn Fn(&str) -> Option<Result<String, String>>) -> Result<(), String> {
    match body {
        Value::String(text) => {
            if let Some(found) = secret(text) {
                *text = found?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| reveal(item, secret)),
        Value::Object(fields) => fields.values_mut().try_for_each(|field| reveal(field, secret)),
        _ => Ok(()),
    }
}

/// The session's id, where a reply tells it as the lab's apps do.
pub fn session_id(reply: &Reply) -> Option<String> {
    /// No more of a body is kept than is looked at: every reply is.
    #[derive(Deserialize)]
    struct Shown {
        session: Session,
    }
    #[derive(Deserialize)]
    struct Session {
        id: Value,
    }
    // most have none, and need not be parsed for it
    if !reply.body.trim_ascii_start().starts_with(b"{") || !reply.text().contains("\"session\"") {
        return None;
    }
    scalar(&serde_json::from_slice::<Shown>(&reply.body).ok()?.session.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderMap;

    fn parse(text: &str) -> Result<RequestSpec, SpecError> {
        RequestSpec::parse("--login", text, &|value| {
            value.strip_prefix("env:").map(|name| match name {
                "PW" => Ok("s3 cret&".to_owned()),
                _ => Err(format!("the environment has no {name}")),
            })
        })
    }

    #[test]
    fn a_request_is_read() {
        let login = parse("post /login user=alice password=env:PW").unwrap();
        assert_eq!((login.method, login.path.as_str()), (Method::POST, "/login"));
        assert_eq!(login.content.unwrap().text, "user=alice&password=s3+cret%26");
        assert_eq!(parse("GET /session").unwrap().content, None);
        assert_eq!(parse(r#"POST /l {"a": 1}"#).unwrap().content.unwrap().media_type, "application/json");
        let json = parse(r#"POST /l {"a": ["env:PW"]}"#).unwrap().content.unwrap();
        assert_eq!(json.text, r#"{"a":["s3 cret&"]}"#);
    }

    #[test]
    fn what_is_no_request_is_said_and_no_secret_repeated() {
        for (text, words) in [
            ("", "METHOD and PATH"),
            ("/login", "METHOD and PATH"),
            ("POST login", "must start with"),
            ("PO:ST /login", "not a word"),
            ("POST /login alice", "NAME=VALUE"),
            ("POST /login {user}", "not JSON"),
            ("POST /login password=env:NO", "the environment has no NO"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_login_is_seen() {
        let reply = |status: u16, body: &'static str| Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
            server: None,
            port: None,
            cut: None,
        };
        let seen = |how: &str, status, body| LoginCondition::parse(how).unwrap().read(&reply(status, body));
        assert_eq!(seen("json:/a/b=true", 200, r#"{"a":{"b":true}}"#), Some(true));
        assert_eq!(seen("json:/a/b=true", 200, r#"{"a":{"b":false}}"#), Some(false));
        assert_eq!(seen("json:/a/b=true", 200, "no JSON"), None);
        assert_eq!(seen("regex:Hello, alice", 200, "… Hello, alice"), Some(true));
        assert_eq!(seen("regex:alice", 502, "Bad Gateway"), None);
        assert_eq!(seen("status:200", 302, ""), Some(false));
        assert_eq!(seen("status:200", 200, ""), Some(true));
        assert_eq!(seen("status:200", 503, ""), None);
        assert!(LoginCondition::parse("json:a=1").is_err());
        assert!(LoginCondition::parse("status:xx").is_err());
        assert!(LoginCondition::parse("yes").is_err());
    }
}
