//! The session that a request names, read exactly as PHP reads it, and the cookie of a new session.
//!
//! Checked against PHP 8.2 (`php -n -S`, so without a php.ini, as in its Docker image): the first cookie of the name
//! counts, its value is percent-decoded (`+` stays `+`) and ends at a NUL; `PHPSESSID[…]` makes an array of it, which
//! names no session. PHP adopts an id of letters, digits, `,` and `-`, known or not, and sends no cookie then. It
//! quietly replaces one that is empty or holds blanks, quotes or angle brackets; of others `session_start()` says
//! that it failed, and the page's front controller starts again with a new id. Here both are one: replaced.

use axum::http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode;

/// PHP's default `session.name`.
const NAME: &str = "PHPSESSID";

/// The longest id that PHP can use. It allows 256 characters, but keeps a session in a file that is called `sess_` and the
/// id, and the name of a file has at most 255 bytes.
const MAX_ID_LENGTH: usize = 250;

/// The id of the session that a request belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SessionId {
    /// The id that the client sent.
    FromClient(String),
    /// A new id, for a client that sent none, or one that PHP refuses.
    New(String),
}

impl SessionId {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        // PHP's servers join several Cookie headers with a comma, as any list; that breaks the pairs beside the comma
        let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        adopted_id(&cookies.join(&b", "[..])).map_or_else(|| Self::New(new_id()), Self::FromClient)
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::FromClient(id) | Self::New(id) => id,
        }
    }

    /// The cookie that gives the client its new id. PHP sends none for an id that came from the client.
    pub(super) fn set_cookie(&self) -> Option<HeaderValue> {
        match self {
            Self::FromClient(_) => None,
            Self::New(id) => HeaderValue::from_str(&format!("{NAME}={id}; path=/")).ok(),
        }
    }
}

/// The id in a Cookie header, if PHP adopts it.
fn adopted_id(cookies: &[u8]) -> Option<String> {
    let pairs = || {
        cookies.split(|byte| *byte == b';').map(|pair| {
            let pair = pair.trim_ascii_start();
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (&pair[..end], pair.get(end + 1..).unwrap_or_default())
        })
    };
    if pairs().any(|(name, _)| is_array(name)) {
        return None;
    }
    let (_, value) = pairs().find(|(name, _)| *name == NAME.as_bytes())?;
    let decoded: Vec<u8> = percent_decode(value).take_while(|byte| *byte != 0).collect();
    let valid = (1..=MAX_ID_LENGTH).contains(&decoded.len())
        && decoded.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b',' | b'-'));
    valid.then(|| String::from_utf8(decoded).ok()).flatten()
}

fn is_array(name: &[u8]) -> bool {
    name.strip_prefix(NAME.as_bytes()).is_some_and(|rest| rest.starts_with(b"[") && rest.contains(&b']'))
}

/// A new id as PHP makes it by default: 32 hexadecimal digits, from a generator that cannot be predicted.
fn new_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn adopted(cookies: &str) -> Option<String> {
        adopted_id(cookies.as_bytes())
    }

    #[test]
    fn an_id_that_php_takes_is_adopted() {
        for (cookies, id) in [
            ("PHPSESSID=d759710451823e0ca7b80cd1bbba9bea", "d759710451823e0ca7b80cd1bbba9bea"),
            ("PHPSESSID=abc", "abc"),
            ("PHPSESSID=unknown-id,1", "unknown-id,1"),
            ("PHPSESSID=-", "-"),
            ("PHPSESSID=a%2Cb", "a,b"),
            ("PHPSESSID=a%41b", "aAb"),
            ("PHPSESSID=a%00b", "a"),
            ("theme=dark;PHPSESSID=close", "close"),
            ("theme=dark;;; \tPHPSESSID=far", "far"),
            ("=x; PHPSESSID=nameless", "nameless"),
            ("PHPSESSID.=1; phpsessid=2; PHPSESSID=exact", "exact"),
            ("PHPSESSID=first; PHPSESSID=second", "first"),
            ("PHPSESSID=first; PHPSESSID=se cond", "first"),
        ] {
            assert_eq!(adopted(cookies).as_deref(), Some(id), "{cookies}");
        }
    }

    #[test]
    fn an_id_that_php_refuses_is_not() {
        for cookies in [
            "",
            "theme=dark",
            "PHPSESSID",
            "PHPSESSID=",
            "PHPSESSID=; PHPSESSID=second",
            "PHPSESSID=fir!st; PHPSESSID=second",
            "PHPSESSID=a b",
            "PHPSESSID= a",
            "PHPSESSID=a%20b",
            "PHPSESSID=a+b",
            "PHPSESSID=a%2Fb",
            "PHPSESSID=a%zz",
            "PHPSESSID=a%4",
            "PHPSESSID=%00b",
            "PHPSESSID=a=b",
            "PHPSESSID=\"quoted\"",
            "PHPSESSID=é",
            "PHPSESSID =a",
            "PHP%53ESSID=a",
            "phpsessid=a",
            "theme=dark, PHPSESSID=a",
            "PHPSESSID[a]=b; PHPSESSID=c",
            "PHPSESSID=c; PHPSESSID[a]=b",
            "PHPSESSID[=b",
        ] {
            assert_eq!(adopted(cookies), None, "{cookies}");
        }
    }

    #[test]
    fn an_id_is_as_long_as_a_file_name_allows() {
        let id = "a".repeat(MAX_ID_LENGTH);
        assert_eq!(adopted(&format!("PHPSESSID={id}")), Some(id.clone()));
        assert_eq!(adopted(&format!("PHPSESSID={id}a")), None);
    }

    #[test]
    fn several_cookie_headers_are_read_as_php_reads_them() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("PHPSESSID=one"));
        assert_eq!(SessionId::from_headers(&headers), SessionId::FromClient("one".into()));
        headers.append(header::COOKIE, HeaderValue::from_static("PHPSESSID=two"));
        assert!(matches!(SessionId::from_headers(&headers), SessionId::New(_)));
    }

    #[test]
    fn only_a_new_id_is_sent_to_the_client() {
        assert_eq!(SessionId::FromClient("known".into()).set_cookie(), None);
        let cookie = SessionId::New("fresh".into()).set_cookie().unwrap();
        assert_eq!(cookie, "PHPSESSID=fresh; path=/");
    }

    #[test]
    fn new_ids_are_32_hexadecimal_digits_and_differ() {
        let (one, other) = (new_id(), new_id());
        assert_ne!(one, other);
        for id in [one, other] {
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        }
    }
}
