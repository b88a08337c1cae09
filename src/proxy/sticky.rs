//! Sticky cookies, with Traefik's default name, value and attribute order.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// `sticky.cookie.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookie {
    /// Its name; by default made of the service's.
    pub name: Option<String>,
    /// `Path`, `/` by default.
    pub path: Option<String>,
    /// `Domain`
    pub domain: Option<String>,
    /// `Max-Age` in seconds; 0 leaves it out, less deletes the cookie at once.
    pub max_age: i64,
    /// `HttpOnly`
    pub http_only: bool,
    /// `Secure`
    pub secure: bool,
    /// `SameSite`
    pub same_site: Option<&'static str>,
}

impl Cookie {
    /// The name it has for the service `service`: by default `_` and the first 5 hex digits of
    /// `sha1("_TRAEFIK_BACKEND_<service>@docker")`.
    pub fn name_for(&self, service: &str) -> String {
        self.name.clone().unwrap_or_else(|| {
            let digest = Sha1::digest(format!("_TRAEFIK_BACKEND_{service}@docker"));
            format!("_{}", &hex(&digest)[..5])
        })
    }

    /// The `Set-Cookie` header's value.
    pub fn header(&self, name: &str, value: &str) -> String {
        let mut header = format!("{name}={value}; Path={}", self.path.as_deref().unwrap_or("/"));
        if let Some(domain) = &self.domain {
            header += &format!("; Domain={domain}");
        }
        if self.max_age != 0 {
            header += &format!("; Max-Age={}", self.max_age.max(0));
        }
        if self.http_only {
            header += "; HttpOnly";
        }
        if self.secure {
            header += "; Secure";
        }
        if let Some(same_site) = self.same_site {
            header += &format!("; SameSite={same_site}");
        }
        header
    }
}

/// What stands for the server at `url` in the cookie: the first 16 hex digits of `sha256(url)`.
pub fn value_for(url: &str) -> String {
    hex(&Sha256::digest(url))[..16].to_owned()
}

/// The value of the first cookie called `name` in a `Cookie` header.
pub fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_value_are_traefiks() {
        // seen on Traefik 3.7.15
        assert_eq!(
            Cookie::default().name_for("web"),
            format!("_{}", &hex(&Sha1::digest("_TRAEFIK_BACKEND_web@docker"))[..5])
        );
        assert_eq!(value_for("http://10.0.0.1:80").len(), 16);
    }

    #[test]
    fn attributes_come_in_traefiks_order() {
        let cookie = Cookie {
            domain: Some("api.ch".into()),
            max_age: 60,
            http_only: true,
            secure: true,
            same_site: Some("Lax"),
            ..Cookie::default()
        };
        assert_eq!(cookie.header("a", "b"), "a=b; Path=/; Domain=api.ch; Max-Age=60; HttpOnly; Secure; SameSite=Lax");
        assert_eq!(Cookie::default().header("a", "b"), "a=b; Path=/");
    }

    #[test]
    fn the_cookie_is_found_by_its_whole_name() {
        assert_eq!(find("x=1; srv=abc; y=2", "srv"), Some("abc"));
        assert_eq!(find("xsrv=1;srvx=2", "srv"), None);
        assert_eq!(find("srv=a; srv=b", "srv"), Some("a"));
        assert_eq!(find("", "srv"), None);
    }
}
