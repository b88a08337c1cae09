//! Sticky cookies in headers, with Traefik's value and its order of attributes.

use sha2::{Digest, Sha256};

use crate::routing::StickyCookieConfig;

/// The value of the `Set-Cookie` header for a cookie with this name and value.
pub fn set_cookie(cookie: &StickyCookieConfig, name: &str, value: &str) -> String {
    let mut header = format!("{name}={value}; Path={}", cookie.path.as_deref().unwrap_or("/"));
    if let Some(domain) = &cookie.domain {
        header += &format!("; Domain={domain}");
    }
    if cookie.max_age != 0 {
        header += &format!("; Max-Age={}", cookie.max_age.max(0));
    }
    if cookie.http_only {
        header += "; HttpOnly";
    }
    if cookie.secure {
        header += "; Secure";
    }
    if let Some(same_site) = cookie.same_site {
        header += &format!("; SameSite={same_site}");
    }
    header
}

/// The cookie's value for the server at `url`: the first 16 hexadecimal digits of `sha256(url)`.
pub fn server_value(url: &str) -> String {
    hex::encode(Sha256::digest(url))[..16].to_owned()
}

/// The value of the first cookie called `name` in a `Cookie` header.
pub fn cookie_value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::SameSite;

    #[test]
    fn name_and_value_are_traefiks() {
        // seen on Traefik 3.7.15 with its Docker provider
        for (service, url, name, value) in [
            ("web", "http://172.17.0.2:3000", "_d1570", "2dd29c14d71b4568"),
            ("web-static-lab", "http://172.17.0.3:80", "_feb6a", "aa46e2b153bf0108"),
        ] {
            assert_eq!(StickyCookieConfig::default().name_for(service), name);
            assert_eq!(server_value(url), value);
        }
    }

    #[test]
    fn attributes_come_in_traefiks_order() {
        let cookie = StickyCookieConfig {
            domain: Some("api.ch".into()),
            max_age: 60,
            http_only: true,
            secure: true,
            same_site: Some(SameSite::Lax),
            ..StickyCookieConfig::default()
        };
        assert_eq!(
            set_cookie(&cookie, "a", "b"),
            "a=b; Path=/; Domain=api.ch; Max-Age=60; HttpOnly; Secure; SameSite=Lax"
        );
        assert_eq!(set_cookie(&StickyCookieConfig::default(), "a", "b"), "a=b; Path=/");
    }

    #[test]
    fn the_cookie_is_found_by_its_whole_name() {
        assert_eq!(cookie_value("x=1; srv=abc; y=2", "srv"), Some("abc"));
        assert_eq!(cookie_value("xsrv=1;srvx=2", "srv"), None);
        assert_eq!(cookie_value("srv=a; srv=b", "srv"), Some("a"));
        assert_eq!(cookie_value("", "srv"), None);
    }
}
