//! The `Set-Cookie` lines of a reply.

use cookie_store::RawCookie;
use http::{HeaderMap, HeaderValue, header};

use crate::model::trace::CookieAttributes;

use super::text::printable_name;

/// The content of a `Set-Cookie` line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetCookie {
    pub name: String,
    /// The value as it stands in the line, quotes included.
    pub value: String,
    pub attributes: CookieAttributes,
}

impl From<&RawCookie<'_>> for SetCookie {
    fn from(raw: &RawCookie<'_>) -> SetCookie {
        let attributes = CookieAttributes {
            secure: raw.secure() == Some(true),
            http_only: raw.http_only() == Some(true),
            same_site: raw.same_site().map(|same_site| same_site.to_string()),
            path: raw.path().map(printable_name),
            domain: raw.domain().map(printable_name),
            max_age: raw.max_age().map(|age| age.whole_seconds()),
            expires: raw.expires().is_some(),
        };
        SetCookie { name: raw.name().to_owned(), value: raw.value().to_owned(), attributes }
    }
}

/// The cookies that a reply sets, in order. A line without a name and `=` is left out, and an attribute that cannot be
/// read is ignored.
pub fn set_cookies(headers: &HeaderMap) -> impl Iterator<Item = RawCookie<'static>> + '_ {
    headers.get_all(header::SET_COOKIE).iter().filter_map(|line| RawCookie::parse(line_text(line)).ok())
}

/// The text of a line, with U+FFFD for bytes that are no UTF-8.
pub fn line_text(line: &HeaderValue) -> String {
    String::from_utf8_lossy(line.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_read_with_its_attributes() {
        let lines = |line: &str| {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
            set_cookies(&headers).map(|cookie| SetCookie::from(&cookie)).collect::<Vec<_>>()
        };
        let full = lines("a=\"1.x\"; Path=/b; Domain=api.ch; Secure; HttpOnly; SameSite=None; Max-Age=60");
        let attributes = CookieAttributes {
            secure: true,
            http_only: true,
            same_site: Some("None".to_owned()),
            path: Some("/b".to_owned()),
            domain: Some("api.ch".to_owned()),
            max_age: Some(60),
            expires: false,
        };
        assert_eq!(full, [SetCookie { name: "a".to_owned(), value: "\"1.x\"".to_owned(), attributes }]);
        assert!(lines("a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT")[0].attributes.expires);
        assert_eq!(lines("no cookie"), []);
    }
}
