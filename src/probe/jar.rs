//! The jar: the cookies of one client, and the reasons why some of them are not sent back.

use cookie_store::{CookieError, CookiePath, CookieStore, RawCookie};
use http::{HeaderMap, header};
use url::Url;

use crate::model::trace::{CookieRule, WithholdReason};

use super::{
    set_cookie::{SetCookie, line_text},
    text::printable_name,
};

/// The cookies of one client.
#[derive(Debug, Default)]
pub struct Jar {
    store: CookieStore,
}

/// A cookie that a reply set, and the reason if it is not sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCookie {
    pub cookie: SetCookie,
    /// The reason why the cookie is not sent with the next request.
    pub withheld: Option<WithholdReason>,
}

impl Jar {
    /// The `Cookie` header for a request, and the number of cookies in it.
    pub fn header(&self, url: &Url) -> Option<(String, u16)> {
        let pairs: Vec<String> =
            self.store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| (pairs.join("; "), pairs.len() as u16))
    }

    /// Stores the cookies of a reply to a request for `url`, and returns each with the reason if it will not be sent to
    /// `next`.
    pub fn store(&mut self, headers: &HeaderMap, url: &Url, next: &Url) -> Vec<StoredCookie> {
        let lines = headers.get_all(header::SET_COOKIE).iter();
        lines.filter_map(|line| self.store_line(&line_text(line), url, next)).collect()
    }

    fn store_line(&mut self, line: &str, url: &Url, next: &Url) -> Option<StoredCookie> {
        let Ok(raw) = RawCookie::parse(line.to_owned()) else {
            let name = line.split(['=', ';']).next().unwrap_or_default().trim().to_owned();
            let cookie = SetCookie { name, ..SetCookie::default() };
            return (!cookie.name.is_empty())
                .then_some(StoredCookie { cookie, withheld: Some(WithholdReason::Invalid) });
        };
        let cookie = SetCookie::from(&raw);
        if let Some(rule) = broken_rule(&cookie, raw.partitioned() == Some(true)) {
            return Some(StoredCookie { cookie, withheld: Some(WithholdReason::Refused(rule)) });
        }
        let refused = self.store.insert_raw(&raw, url).err();
        let sent = self.store.get_request_values(next).any(|(sent, _)| sent == cookie.name);
        let withheld = if sent { None } else { Some(reason(&cookie, refused, url, next)) };
        Some(StoredCookie { cookie, withheld })
    }
}

/// The rule for which browsers refuse a cookie. Names are compared without regard to case, as browsers do.
fn broken_rule(cookie: &SetCookie, is_partitioned: bool) -> Option<CookieRule> {
    let attributes = &cookie.attributes;
    let name = cookie.name.to_ascii_lowercase();
    let is_for_host = attributes.secure && attributes.domain.is_none() && attributes.path.as_deref() == Some("/");
    let is_cross_site = attributes.same_site.as_deref().is_some_and(|same_site| same_site.eq_ignore_ascii_case("none"));
    if name.starts_with("__host-") && !is_for_host {
        Some(CookieRule::HostPrefix)
    } else if name.starts_with("__secure-") && !attributes.secure {
        Some(CookieRule::SecurePrefix)
    } else if is_cross_site && !attributes.secure {
        Some(CookieRule::SameSiteNone)
    } else if is_partitioned && !attributes.secure {
        Some(CookieRule::Partitioned)
    } else {
        None
    }
}

/// The reason why a cookie that a reply to a request for `url` has set is not sent to `next`; `refused` is the error of
/// the store that did not take it.
fn reason(cookie: &SetCookie, refused: Option<CookieError>, url: &Url, next: &Url) -> WithholdReason {
    let attributes = &cookie.attributes;
    match refused {
        Some(CookieError::DomainMismatch | CookieError::UnspecifiedDomain) => {
            WithholdReason::Domain(attributes.domain.clone().unwrap_or_default())
        }
        Some(CookieError::Expired) => WithholdReason::Expired,
        _ if attributes.secure && next.scheme() == "http" => WithholdReason::Secure,
        Some(_) => WithholdReason::Invalid,
        None => {
            let path = CookiePath::new(attributes.path.as_deref().unwrap_or_default(), url);
            if path.matches(next) { WithholdReason::Expired } else { WithholdReason::Path(printable_name(&path)) }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn set(line: &str) -> (Option<WithholdReason>, Option<String>) {
        let url: Url = "http://demo.api.ch/login".parse().unwrap();
        let next: Url = "http://demo.api.ch/session".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
        let mut jar = Jar::default();
        let stored = jar.store(&headers, &url, &next).remove(0);
        assert_eq!(stored.cookie.name, "a");
        (stored.withheld, jar.header(&next).map(|(header, _)| header))
    }

    #[test]
    fn a_cookie_is_sent_back() {
        assert_eq!(set("a=1; path=/"), (None, Some("a=1".to_owned())));
        assert_eq!(set("a=1; Domain=api.ch; HttpOnly"), (None, Some("a=1".to_owned())));
    }

    #[test]
    fn why_a_cookie_is_not_sent_back_is_known() {
        assert_eq!(set("a=1; Secure; path=/").0, Some(WithholdReason::Secure));
        assert_eq!(set("a=1; path=/admin").0, Some(WithholdReason::Path("/admin".to_owned())));
        assert_eq!(set("a=1; path=/session/").0, Some(WithholdReason::Path("/session/".to_owned())));
        assert_eq!(set("a=1; path=/sess").0, Some(WithholdReason::Path("/sess".to_owned())));
        assert_eq!(set("a=1; Domain=example.org").0, Some(WithholdReason::Domain("example.org".to_owned())));
        assert_eq!(set("a=1; Max-Age=0").0, Some(WithholdReason::Expired));
    }

    #[test]
    fn a_cookie_that_browsers_refuse_is_not_kept() {
        let url: Url = "https://h/".parse().unwrap();
        for (line, rule) in [
            ("a=1; SameSite=None", Some(CookieRule::SameSiteNone)),
            ("a=1; SameSite=none; path=/", Some(CookieRule::SameSiteNone)),
            ("a=1; SameSite=None; Secure", None),
            ("a=1; SameSite=Lax", None),
            ("a=1; Partitioned", Some(CookieRule::Partitioned)),
            ("a=1; Partitioned; Secure", None),
            ("__Secure-a=1", Some(CookieRule::SecurePrefix)),
            ("__secure-a=1; Path=/", Some(CookieRule::SecurePrefix)),
            ("__Secure-a=1; Secure", None),
            ("__Host-a=1; Path=/", Some(CookieRule::HostPrefix)),
            ("__Host-a=1; Secure", Some(CookieRule::HostPrefix)),
            ("__Host-a=1; Secure; Path=/x", Some(CookieRule::HostPrefix)),
            ("__Host-a=1; Secure; Path=/; Domain=h", Some(CookieRule::HostPrefix)),
            ("__Host-a=1; Secure; Path=/", None),
        ] {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
            let mut jar = Jar::default();
            assert_eq!(jar.store(&headers, &url, &url)[0].withheld, rule.map(WithholdReason::Refused), "{line}");
            assert_eq!(jar.header(&url).is_some(), rule.is_none(), "{line}");
        }
    }

    #[test]
    fn a_cookie_without_a_path_is_for_the_directory_of_the_request() {
        let withheld = |line: &str, url: &str, next: &str| {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_str(line).unwrap())]);
            Jar::default().store(&headers, &url.parse().unwrap(), &next.parse().unwrap()).remove(0).withheld
        };
        assert_eq!(withheld("a=1", "http://h/x/login", "http://h/x/session"), None);
        assert_eq!(withheld("a=1", "http://h/x/login", "http://h/"), Some(WithholdReason::Path("/x".to_owned())));
        assert_eq!(
            withheld("a=1; path=relative", "http://h/x/y/", "http://h/x/z"),
            Some(WithholdReason::Path("/x/y".to_owned()))
        );
        assert_eq!(withheld("a=1; path=", "http://h/login", "http://h/any"), None);
    }

    #[test]
    fn a_line_that_is_no_cookie_is_invalid() {
        let url: Url = "http://h/".parse().unwrap();
        for (line, expected) in
            [(&b"a"[..], Some("a")), (b"a; path=/", Some("a")), (b"=1", None), (b"", None), (b"\xff", Some("\u{fffd}"))]
        {
            let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_bytes(line).unwrap())]);
            let stored = Jar::default().store(&headers, &url, &url);
            let names: Vec<&str> = stored.iter().map(|stored| stored.cookie.name.as_str()).collect();
            assert_eq!(names, expected.into_iter().collect::<Vec<_>>(), "{}", line.escape_ascii());
            assert!(stored.iter().all(|stored| stored.withheld == Some(WithholdReason::Invalid)));
        }
    }
}
