//! The jar: the cookies of one client, and why some are not sent back.

use cookie_store::{CookieError, CookieStore, RawCookie};
use http::{HeaderMap, header};
use url::Url;

use crate::model::trace::{Attributes, Withheld};

use super::text::printable_name;

/// The cookies of one client.
#[derive(Debug, Default)]
pub struct Jar {
    store: CookieStore,
}

/// What a `Set-Cookie` line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// What it said.
    pub line: Line,
    /// Why the cookie is not sent with a request for the URL it was judged by.
    pub withheld: Option<Withheld>,
}

/// What a `Set-Cookie` line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The cookie's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The rest.
    pub attributes: Attributes,
}

/// The `Set-Cookie` lines of a reply that can be read.
pub fn lines(headers: &HeaderMap) -> impl Iterator<Item = Line> + '_ {
    let lines = headers.get_all(header::SET_COOKIE).iter();
    let raw = lines.filter_map(|line| RawCookie::parse(String::from_utf8_lossy(line.as_bytes()).into_owned()).ok());
    raw.map(|raw| Line::of(&raw))
}

impl Line {
    fn of(raw: &RawCookie<'_>) -> Line {
        let attributes = Attributes {
            secure: raw.secure() == Some(true),
            http_only: raw.http_only() == Some(true),
            same_site: raw.same_site().map(|same_site| same_site.to_string()),
            path: raw.path().map(printable_name),
            domain: raw.domain().map(printable_name),
            max_age: raw.max_age().map(|age| age.whole_seconds()),
            expires: raw.expires().is_some(),
        };
        Line { name: raw.name().to_owned(), value: raw.value().to_owned(), attributes }
    }
}

impl Jar {
    /// The `Cookie` header for a request, and how many cookies are in it.
    pub fn header(&self, url: &Url) -> Option<(String, u16)> {
        let pairs: Vec<String> =
            self.store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| (pairs.join("; "), pairs.len() as u16))
    }

    /// Takes the cookies of a reply to a request for `url`, and says of each whether it will be sent to `next`.
    pub fn take(&mut self, headers: &HeaderMap, url: &Url, next: &Url) -> Vec<Set> {
        let lines = headers.get_all(header::SET_COOKIE).iter();
        lines.filter_map(|line| self.take_one(&String::from_utf8_lossy(line.as_bytes()), url, next)).collect()
    }

    fn take_one(&mut self, line: &str, url: &Url, next: &Url) -> Option<Set> {
        let Ok(raw) = RawCookie::parse(line.to_owned()) else {
            let name = line.split(['=', ';']).next().unwrap_or_default().trim().to_owned();
            let line = Line { name, ..Line::default() };
            return (!line.name.is_empty()).then_some(Set { line, withheld: Some(Withheld::Invalid) });
        };
        let line = Line::of(&raw);
        if line.name.is_empty() {
            return None;
        }
        let Attributes { secure, path, domain, .. } = &line.attributes;
        let refused = self.store.insert_raw(&raw, url).err();
        let sent = self.store.get_request_values(next).any(|(sent, _)| sent == line.name);
        let withheld = match refused {
            _ if sent => None,
            Some(CookieError::DomainMismatch | CookieError::UnspecifiedDomain) => {
                Some(Withheld::Domain(domain.clone().unwrap_or_default()))
            }
            Some(CookieError::Expired) => Some(Withheld::Expired),
            _ if *secure && next.scheme() == "http" => Some(Withheld::Secure),
            Some(_) => Some(Withheld::Invalid),
            None => match path.as_deref().filter(|path| path.starts_with('/')).unwrap_or(default_path(url)) {
                path if !covers(path, next.path()) => Some(Withheld::Path(printable_name(path))),
                _ => Some(Withheld::Expired),
            },
        };
        Some(Set { line, withheld })
    }
}

/// The path that a cookie is for which says none (RFC 6265, 5.1.4).
fn default_path(url: &Url) -> &str {
    match url.path().rfind('/') {
        None | Some(0) => "/",
        Some(at) => &url.path()[..at],
    }
}

/// Whether a cookie for this path is sent with a request for that one (RFC 6265, 5.1.4).
fn covers(cookie: &str, request: &str) -> bool {
    request.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn set(line: &str) -> (Option<Withheld>, Option<String>) {
        let url: Url = "http://demo.api.ch/login".parse().unwrap();
        let next: Url = "http://demo.api.ch/session".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
        let mut jar = Jar::default();
        let set = jar.take(&headers, &url, &next).remove(0);
        assert_eq!(set.line.name, "a");
        (set.withheld, jar.header(&next).map(|(header, _)| header))
    }

    #[test]
    fn a_cookie_is_sent_back() {
        assert_eq!(set("a=1; path=/"), (None, Some("a=1".to_owned())));
        assert_eq!(set("a=1; Domain=api.ch; HttpOnly"), (None, Some("a=1".to_owned())));
    }

    #[test]
    fn a_line_is_read() {
        let lines = |line: &str| {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
            lines(&headers).collect::<Vec<_>>()
        };
        let full = lines("a=\"1.x\"; Path=/b; Domain=api.ch; Secure; HttpOnly; SameSite=None; Max-Age=60");
        let attributes = Attributes {
            secure: true,
            http_only: true,
            same_site: Some("None".to_owned()),
            path: Some("/b".to_owned()),
            domain: Some("api.ch".to_owned()),
            max_age: Some(60),
            expires: false,
        };
        assert_eq!(full, [Line { name: "a".to_owned(), value: "\"1.x\"".to_owned(), attributes }]);
        assert!(lines("a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT")[0].attributes.expires);
        assert_eq!(lines("no cookie"), []);
    }

    #[test]
    fn why_a_cookie_is_not_sent_back_is_known() {
        assert_eq!(set("a=1; Secure; path=/").0, Some(Withheld::Secure));
        assert_eq!(set("a=1; path=/admin").0, Some(Withheld::Path("/admin".to_owned())));
        assert_eq!(set("a=1; path=/session/").0, Some(Withheld::Path("/session/".to_owned())));
        assert_eq!(set("a=1; path=/sess").0, Some(Withheld::Path("/sess".to_owned())));
        assert_eq!(set("a=1; Domain=example.org").0, Some(Withheld::Domain("example.org".to_owned())));
        assert_eq!(set("a=1; Max-Age=0").0, Some(Withheld::Expired));
    }
}
