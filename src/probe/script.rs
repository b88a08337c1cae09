//! The script of a login: the request that logs in, the request that shows the session, and the condition under which
//! its reply shows a login.

use http::{Method, StatusCode};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    http::{Content, Reply},
    identity::scalar,
};

/// A request as a user writes it: `POST /login user=alice`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpec {
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The body: a form, or JSON.
    pub content: Option<Content>,
}

/// The condition under which a reply shows a login.
#[derive(Debug, Clone)]
pub enum LoginCondition {
    /// The field at a JSON pointer (RFC 6901) has this value as text.
    Json { pointer: String, value: String },
    /// The body matches.
    Pattern(Regex),
    /// The reply has this status.
    Status(StatusCode),
}

/// A login, and the check that shows whether it lasts.
#[derive(Debug, Clone)]
pub struct Script {
    pub login: RequestSpec,
    /// The request that shows the session.
    pub check: RequestSpec,
    /// The condition under which the reply to the check shows a login.
    pub logged_in: LoginCondition,
}

/// The error for a request or a condition that cannot be used. It does not repeat the text, which may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {reason}")]
pub struct SpecError {
    /// The flag with the text.
    pub flag: &'static str,
    pub reason: String,
}

impl RequestSpec {
    /// Reads `METHOD PATH [FIELD=VALUE…]` or `METHOD PATH {JSON}`. `secret` replaces values such as `env:NAME` and
    /// `file:PATH`, and returns `None` for a value that stands for itself.
    ///
    /// # Errors
    /// Fails when the text has another form, or `secret` fails.
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
                reveal_secrets(&mut body, secret).map_err(failed)?;
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
    /// Fails when the text has another form.
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

    /// Returns whether a reply shows a login; `None` where the reply does not show it, as an error page.
    pub fn is_met_by(&self, reply: &Reply) -> Option<bool> {
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
    pub fn lab_login() -> Script {
        let form = Content { media_type: "application/x-www-form-urlencoded", text: "user=alice".to_owned() };
        Script {
            login: RequestSpec { method: Method::POST, path: "/login".to_owned(), content: Some(form) },
            check: RequestSpec { method: Method::GET, path: "/session".to_owned(), content: None },
            logged_in: LoginCondition::Json { pointer: "/session/logged_in".to_owned(), value: "true".to_owned() },
        }
    }
}

/// Replaces the strings of a JSON body that stand for secrets.
fn reveal_secrets(body: &mut Value, secret: &dyn Fn(&str) -> Option<Result<String, String>>) -> Result<(), String> {
    match body {
        Value::String(text) => {
            if let Some(found) = secret(text) {
                *text = found?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| reveal_secrets(item, secret)),
        Value::Object(fields) => fields.values_mut().try_for_each(|field| reveal_secrets(field, secret)),
        _ => Ok(()),
    }
}

/// The id of the session, where a reply has it in the place in which the lab's apps give it.
pub fn session_id(reply: &Reply) -> Option<String> {
    /// The fields that are read. Every reply is parsed, so the rest of it is not stored.
    #[derive(Deserialize)]
    struct Body {
        session: Session,
    }
    #[derive(Deserialize)]
    struct Session {
        id: Value,
    }
    // most replies have none, and need not be parsed to find out
    if !reply.body.trim_ascii_start().starts_with(b"{") || !reply.text().contains("\"session\"") {
        return None;
    }
    scalar(&serde_json::from_slice::<Body>(&reply.body).ok()?.session.id)
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
    fn a_text_that_is_no_request_is_refused_without_repeating_a_secret() {
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
        let seen = |how: &str, status, body| LoginCondition::parse(how).unwrap().is_met_by(&reply(status, body));
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
