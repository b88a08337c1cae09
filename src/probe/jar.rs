//! The jar: the cookies of one client, and why some are not sent back.

use cookie_store::{CookieError, CookieStore, RawCookie};
use http::{HeaderMap, header};
use url::Url;

use crate::trace::Withheld;

/// The cookies of one client.
#[derive(Debug, Default)]
pub struct Jar {
    store: CookieStore,
}

/// What a `Set-Cookie` line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The cookie's name.
    pub name: String,
    /// Why it is not sent with a request for the URL it was judged by.
    pub withheld: Option<Withheld>,
}

impl Jar {
    /// The `Cookie` header for a request, and how many cookies are in it.
    pub fn header(&self, url: &Url) -> Option<(String, u16)> {
        let pairs: Vec<String> =
            self.store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| (pairs.join("; "), pairs.len() as u16))
    }

    /// The names and values of all cookies that would be sent with a request.
    pub fn cookies(&self, url: &Url) -> Vec<(String, String)> {
        self.store.get_request_values(url).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Takes the cookies of a reply to a request for `url`, and says of each whether it will be sent to `next`.
    pub fn take(&mut self, headers: &HeaderMap, url: &Url, next: &Url) -> Vec<Set> {
        let lines = headers.get_all(header::SET_COOKIE).iter();
        lines.filter_map(|line| self.take_one(&String::from_utf8_lossy(line.as_bytes()), url, next)).collect()
    }

    fn take_one(&mut self, line: &str, url: &Url, next: &Url) -> Option<Set> {
        let raw = RawCookie::parse(line.to_owned()).ok();
        let name = match &raw {
            Some(raw) => raw.name().to_owned(),
            None => line.split(['=', ';']).next().unwrap_or_default().trim().to_owned(),
        };
        if name.is_empty() {
            return None;
        }
        let Some(raw) = raw else { return Some(Set { name, withheld: Some(Withheld::Invalid) }) };
        let (secure, path, domain) =
            (raw.secure() == Some(true), raw.path().map(str::to_owned), raw.domain().map(str::to_owned));
        let refused = self.store.insert_raw(&raw, url).err();
        let sent = self.store.get_request_values(next).any(|(sent, _)| sent == name);
        let withheld = match refused {
            _ if sent => None,
            Some(CookieError::DomainMismatch | CookieError::UnspecifiedDomain) => {
                Some(Withheld::Domain(domain.unwrap_or_default()))
            }
            Some(CookieError::Expired) => Some(Withheld::Expired),
            _ if secure && next.scheme() == "http" => Some(Withheld::Secure),
            Some(_) => Some(Withheld::Invalid),
            None => match path {
                Some(path) if !next.path().starts_with(path.trim_end_matches('/')) => Some(Withheld::Path(path)),
                _ => Some(Withheld::Expired),
            },
        };
        Some(Set { name, withheld })
    }
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
        assert_eq!(set.name, "a");
        (set.withheld, jar.header(&next).map(|(header, _)| header))
    }

    #[test]
    fn a_cookie_is_sent_back() {
        assert_eq!(set("a=1; path=/"), (None, Some("a=1".to_owned())));
        assert_eq!(set("a=1; Domain=api.ch; HttpOnly"), (None, Some("a=1".to_owned())));
    }

    #[test]
    fn why_a_cookie_is_not_sent_back_is_known() {
        assert_eq!(set("a=1; Secure; path=/").0, Some(Withheld::Secure));
        assert_eq!(set("a=1; path=/admin").0, Some(Withheld::Path("/admin".to_owned())));
        assert_eq!(set("a=1; Domain=example.org").0, Some(Withheld::Domain("example.org".to_owned())));
        assert_eq!(set("a=1; Max-Age=0").0, Some(Withheld::Expired));
    }
}
