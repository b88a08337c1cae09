//! The cookies that a reply sets.

use http::HeaderMap;

use super::super::super::set_cookie;

/// Names and values of the cookies; quotes around a value are left out, and so are cookies without a value.
pub fn cookie_values(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = set_cookie::set_cookies(headers);
    let pairs = pairs.map(|cookie| (cookie.name().to_owned(), cookie.value().trim_matches('"').to_owned()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::{HeaderValue, header};

    #[test]
    fn cookies_are_read_as_servers_write_them() {
        for (line, expected) in [
            (&b"SRV=s1; path=/"[..], Some(("SRV", "s1"))),
            (b" SRV = s1 ;path=/", Some(("SRV", "s1"))),
            (b"SRV=\"s1\"; HttpOnly", Some(("SRV", "s1"))),
            (b"SRV=a=b==; path=/", Some(("SRV", "a=b=="))),
            (b"SRV=s%201; Expires=Wed, 21-Oct-2065 07:28:00 GMT", Some(("SRV", "s%201"))),
            (b"SRV=s1; Expires=never; Max-Age=x; SameSite=odd; Path", Some(("SRV", "s1"))),
            (b"SRV=\xff1", Some(("SRV", "\u{fffd}1"))),
            (b"SRV=\"\"", None),
            (b"SRV=", None),
            (b"=s1", None),
            (b"SRV; path=/", None),
            (b"", None),
        ] {
            let value = HeaderValue::from_bytes(line).unwrap();
            let found = cookie_values(&HeaderMap::from_iter([(header::SET_COOKIE, value)]));
            let expected: Vec<_> =
                expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
            assert_eq!(found, expected, "{}", line.escape_ascii());
        }
    }
}
