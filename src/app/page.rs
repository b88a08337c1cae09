//! `web_static`: the page that shows the hostname of its server, and a login that only this server remembers.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Serialize;
use url::form_urlencoded;

use crate::model::Sessions;

use super::{
    answer::{self, Audience, ErrorResponse},
    cookie::SessionId,
    document,
    sessions::{Action, SessionStore, Snapshot},
};

/// The name of this app's service.
const SERVICE: &str = "web_static";

/// The length of the longest user name, in characters.
const MAX_USER_LENGTH: usize = 64;

/// One replica of the page.
pub(super) struct Site {
    hostname: String,
    policy: HeaderValue,
    sessions: Mutex<SessionStore>,
}

impl Site {
    pub(super) fn new(hostname: String) -> io::Result<Self> {
        let policy = document::content_security_policy()?;
        Ok(Self { hostname, policy, sessions: Mutex::new(SessionStore::new()) })
    }

    /// The number of sessions that end with this server.
    pub(super) fn census(&self) -> Sessions {
        self.with_sessions(|sessions| sessions.census(Instant::now()))
    }

    /// Opens the session of a request and applies the action, as PHP does between `session_start` and
    /// `session_write_close`. The sessions are unlocked afterwards.
    fn visit(&self, headers: &HeaderMap, action: Action) -> Visit {
        let id = SessionId::from_headers(headers);
        let session = self.with_sessions(|sessions| sessions.visit(id.id(), action, Instant::now()));
        Visit { session, cookie: id.set_cookie() }
    }

    fn with_sessions<T>(&self, work: impl FnOnce(&mut SessionStore) -> T) -> T {
        // a session is whole between any two statements, so a panic in another request left nothing broken behind
        work(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The body of `/session`.
    fn state_of(&self, session: &Snapshot) -> Response {
        answer::json(&SessionBody {
            hostname: &self.hostname,
            service: SERVICE,
            session: SessionState {
                id: &session.id,
                logged_in: session.user.is_some(),
                user: session.user.as_deref(),
                visits: session.visits,
            },
        })
    }

    /// Answers a login or logout: a browser goes on to the page, a program gets the new state of the session.
    fn change(&self, headers: &HeaderMap, action: Action) -> Response {
        let visit = self.visit(headers, action);
        let response = match Audience::by_accept(headers) {
            Audience::Program => self.state_of(&visit.session),
            Audience::Person => Redirect::to("/").into_response(),
        };
        visit.with_cookie(response)
    }
}

/// A request in a session, and the cookie of its answer if the session's id is new.
struct Visit {
    session: Snapshot,
    cookie: Option<HeaderValue>,
}

impl Visit {
    fn with_cookie(self, mut response: Response) -> Response {
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

#[derive(Serialize)]
struct SessionBody<'a> {
    hostname: &'a str,
    service: &'static str,
    session: SessionState<'a>,
}

#[derive(Serialize)]
struct SessionState<'a> {
    id: &'a str,
    logged_in: bool,
    user: Option<&'a str>,
    visits: u64,
}

pub(super) fn routes(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/session", get(session))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/health", get(answer::health))
        .with_state(site)
}

async fn page(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let visit = site.visit(&headers, Action::View);
    let html = Html(document::render(&site.hostname, &visit.session));
    visit.with_cookie(([(header::CONTENT_SECURITY_POLICY, site.policy.clone())], html).into_response())
}

async fn session(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let delay = answer::delay(&uri)?;
    let visit = site.visit(&headers, Action::View);
    answer::wait(delay).await;
    let state = site.state_of(&visit.session);
    Ok(visit.with_cookie(state))
}

async fn login(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ErrorResponse> {
    let user = form_user(&headers, &read_body(body)?)?;
    Ok(site.change(&headers, Action::LogIn(user)))
}

async fn logout(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ErrorResponse> {
    read_body(body)?;
    Ok(site.change(&headers, Action::LogOut))
}

fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ErrorResponse> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ErrorResponse { status: StatusCode::PAYLOAD_TOO_LARGE, message: "the body is too large for a form".into() }
        }
        status => ErrorResponse { status, message: "the body could not be read".into() },
    })
}

/// The form field `user`. As in PHP, the last one counts, and the body must be of the type of a form.
fn form_user(headers: &HeaderMap, body: &[u8]) -> Result<String, ErrorResponse> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let user = form_urlencoded::parse(body).filter(|(key, _)| is_form && key == "user").last();
    let user = user.map(|(_, user)| user.into_owned()).unwrap_or_default();
    let user = user.trim_matches(' ');
    if user.is_empty() {
        return Err(ErrorResponse::bad_request("who logs in? send the form field `user`"));
    }
    // the replacement character stands for bytes that are not UTF-8
    if user.chars().any(|character| character.is_control() || character == char::REPLACEMENT_CHARACTER) {
        return Err(ErrorResponse::bad_request("user must be plain text"));
    }
    if user.chars().count() > MAX_USER_LENGTH {
        return Err(ErrorResponse::bad_request(format!("user may have {MAX_USER_LENGTH} characters at most")));
    }
    Ok(user.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn user(kind: &'static str, body: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        form_user(&headers, body.as_bytes()).ok()
    }

    #[test]
    fn a_user_is_read_from_the_form_as_php_reads_it() {
        assert_eq!(user(FORM, "user=alice").as_deref(), Some("alice"));
        assert_eq!(user("Application/X-WWW-Form-URLEncoded; charset=utf-8", "user=alice").as_deref(), Some("alice"));
        assert_eq!(user(FORM, "x=1&user=a+b%20%C3%A9%26&y").as_deref(), Some("a b é&"));
        assert_eq!(user(FORM, "user=alice&user=bob").as_deref(), Some("bob"));
        assert_eq!(user(FORM, "user=+alice+").as_deref(), Some("alice"));
        assert_eq!(user(FORM, &format!("user={}", "é".repeat(64))), Some("é".repeat(64)));
    }

    #[test]
    fn an_empty_or_odd_name_does_not_log_in() {
        let long = format!("user={}", "a".repeat(65));
        for body in
            ["", "user", "user=", "user=+", "name=alice", "user[]=alice", "user=a%0Ab", "user=a%FFb", "user=%7F", &long]
        {
            assert_eq!(user(FORM, body), None, "{body}");
        }
        assert_eq!(user("text/plain", "user=alice"), None);
        assert!(form_user(&HeaderMap::new(), b"user=alice").is_err());
    }
}
