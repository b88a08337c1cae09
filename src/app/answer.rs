//! Parts of both apps: error responses in the form that their reader wants, the delay, and the health check.

use std::time::Duration;

use axum::{
    Extension, Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use url::form_urlencoded;

/// The longest `?delay=`, in milliseconds.
const MAX_DELAY_MS: u64 = 10_000;

/// The reader of an error message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// A program gets JSON: the path belongs to an API, or the client accepts JSON.
    Program,
    /// A person gets plain text.
    Person,
}

impl Audience {
    pub(super) fn of_request(uri: &Uri, headers: &HeaderMap) -> Self {
        if uri.path() == "/session" || uri.path().starts_with("/api/") {
            Self::Program
        } else {
            Self::by_accept(headers)
        }
    }

    /// The reader, by the Accept header alone.
    pub(super) fn by_accept(headers: &HeaderMap) -> Self {
        let json = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains("application/json"));
        if json { Self::Program } else { Self::Person }
    }
}

/// An error response. Its form is decided last, by [`spell_out`], which knows the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl ErrorResponse {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        (self.status, Extension(self)).into_response()
    }
}

/// Gives an error response the form for its reader. Any other response stays as it is.
pub(super) fn spell_out(mut response: Response, audience: Audience) -> Response {
    let Some(error) = response.extensions_mut().remove::<ErrorResponse>() else {
        return response;
    };
    let worded = match audience {
        Audience::Program => Json(json!({ "error": error.message })).into_response(),
        Audience::Person => format!("{}\n", error.message).into_response(),
    };
    // only the body and its type change: Allow and other headers stay, except the length, which was that of an empty body
    response.headers_mut().remove(header::CONTENT_LENGTH);
    if let Some(kind) = worded.headers().get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response.map(|_: Body| worded.into_body())
}

pub(super) async fn not_found(uri: Uri) -> ErrorResponse {
    ErrorResponse { status: StatusCode::NOT_FOUND, message: format!("nothing at {}", uri.path()) }
}

/// The response to a method that the path does not have. The router adds the Allow header.
pub(super) async fn method_not_allowed(method: axum::http::Method, uri: Uri) -> ErrorResponse {
    ErrorResponse {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!("{method} is not allowed at {}", uri.path()),
    }
}

/// The health check. It is not counted and opens no session.
pub(super) async fn health() -> &'static str {
    "ok"
}

/// The delay that `?delay=MS` asks for. As in PHP, the last such parameter counts.
pub(super) fn delay(uri: &Uri) -> Result<Duration, ErrorResponse> {
    let query = uri.query().unwrap_or_default();
    let Some((_, value)) = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "delay").last() else {
        return Ok(Duration::ZERO);
    };
    // only digits: the number parsers of Rust, PHP and JavaScript differ in what else they take (`+5`, ` 5`, `5e1`)
    Some(value.as_ref())
        .filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|value| value.parse().ok())
        .filter(|ms| *ms <= MAX_DELAY_MS)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            ErrorResponse::bad_request(format!("delay must be a whole number of milliseconds up to {MAX_DELAY_MS}"))
        })
}

/// Waits for the delay. No delay costs nothing, not even the millisecond that a timer takes.
pub(super) async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// A JSON response, with the fields in the order of the type.
pub(super) fn json(body: &impl serde::Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
        Err(error) => {
            ErrorResponse { status: StatusCode::INTERNAL_SERVER_ERROR, message: error.to_string() }.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn delay_of(query: &str) -> Option<u64> {
        let uri: Uri = format!("/session{query}").parse().unwrap();
        delay(&uri).ok().map(|delay| delay.as_millis().try_into().unwrap())
    }

    #[test]
    fn a_delay_is_a_whole_number_of_milliseconds() {
        assert_eq!(delay_of(""), Some(0));
        assert_eq!(delay_of("?other=1"), Some(0));
        assert_eq!(delay_of("?delay=250"), Some(250));
        assert_eq!(delay_of("?delay=007"), Some(7));
        assert_eq!(delay_of("?delay=1&delay=2"), Some(2));
        assert_eq!(delay_of("?delay=10000"), Some(10_000));
    }

    #[test]
    fn any_other_delay_is_refused() {
        for query in ["10001", "99999999999999999999", "-1", "+1", "%2B1", "1.5", "1e3", "", "soon", "%201", "１"] {
            let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let query = if query.is_ascii() { query } else { &encoded };
            assert_eq!(delay_of(&format!("?delay={query}")), None, "{query}");
        }
    }

    #[test]
    fn json_is_for_api_paths_and_for_clients_that_ask_for_it() {
        let plain = HeaderMap::new();
        let mut json = HeaderMap::new();
        json.insert(header::ACCEPT, HeaderValue::from_static("text/html, Application/JSON;q=0.9"));
        let audience = |path: &'static str, headers: &HeaderMap| Audience::of_request(&Uri::from_static(path), headers);
        assert_eq!(audience("/session?delay=x", &plain), Audience::Program);
        assert_eq!(audience("/api/?delay=x", &plain), Audience::Program);
        assert_eq!(audience("/login", &plain), Audience::Person);
        assert_eq!(audience("/login", &json), Audience::Program);
    }
}
