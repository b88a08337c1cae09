//! Middlewares: what routers have done to their requests, and to the answers on their way back.
//!
//! Requests go through a router's middlewares in the order of its list, answers in the reverse order, as in Traefik.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};

use super::{
    headers::{self, Forwarded, X_FORWARDED_FOR, X_FORWARDED_PREFIX},
    labels::Fields,
    path::{self, Unclean},
};

/// Traefik's other kinds, which have no effect here.
const OTHER_KINDS: [&str; 23] = [
    "addprefix",
    "basicauth",
    "buffering",
    "chain",
    "circuitbreaker",
    "compress",
    "contenttype",
    "digestauth",
    "encodedcharacters",
    "errors",
    "forwardauth",
    "grpcweb",
    "inflightreq",
    "ipallowlist",
    "ipwhitelist",
    "passtlsclientcert",
    "plugin",
    "ratelimit",
    "redirectregex",
    "redirectscheme",
    "replacepath",
    "replacepathregex",
    "stripprefixregex",
];

/// What a middleware does.
#[derive(Debug, Clone)]
pub enum Middleware {
    /// Takes the first of these that a path starts with away.
    StripPrefix(Vec<(String, HeaderValue)>),
    /// Sets headers, or removes those whose value is empty.
    Headers { request: HeaderMap, response: HeaderMap },
}

/// `traefik.http.middlewares.NAME.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MiddlewareWish {
    prefixes: Vec<(String, HeaderValue)>,
    request: HeaderMap,
    response: HeaderMap,
    /// Every field as it is written, by which two definitions differ.
    fields: Fields,
}

impl MiddlewareWish {
    /// Sets a field, whose first part is the kind; returns why it has no effect here, if it has none.
    ///
    /// # Errors
    /// When there is no such field, or it cannot have this value.
    pub fn set(&mut self, field: &[&str], value: &str) -> Result<Option<String>, String> {
        let lower: Vec<String> = field.iter().map(|part| part.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        self.fields.insert(lower.join("."), value.to_owned());
        match lower[..] {
            ["stripprefix", "prefixes"] => {
                self.prefixes = list(value).map(prefix).collect::<Result<_, _>>()?;
            }
            // it does so anyway: a target begins with a slash
            ["stripprefix", "forceslash"] => {}
            ["headers", "customrequestheaders", _, ..] => return header(&mut self.request, &field[2..], value),
            ["headers", "customresponseheaders", _, ..] => return header(&mut self.response, &field[2..], value),
            ["headers", other, ..] if is_header_option(other) => {
                return Ok(Some(format!("the bundled proxy does not have headers.{other}")));
            }
            ["retry", "attempts"] => {
                _ = value.parse::<i64>().map_err(|_| format!("`{value}` is not a whole number"))?
            }
            // a request that reached no server goes to the next one here without being told
            [
                "retry",
                "initialinterval"
                | "timeout"
                | "maxrequestbodybytes"
                | "status"
                | "disableretryonnetworkerror"
                | "retrynonidempotentmethod",
            ] => {}
            ["stripprefix" | "headers" | "retry", ..] => return Err("a middleware has no such field".to_owned()),
            [kind, ..] if OTHER_KINDS.contains(&kind) => {
                return Ok(Some(format!("the bundled proxy does not have {kind}")));
            }
            _ => return Err("there is no such kind of middleware".to_owned()),
        }
        Ok(None)
    }

    /// What it does, if anything here.
    ///
    /// # Errors
    /// Why no router can use it.
    pub fn middleware(&self) -> Result<Option<Middleware>, String> {
        let mut kinds: Vec<&str> = self.fields.keys().filter_map(|field| field.split('.').next()).collect();
        kinds.dedup();
        match kinds[..] {
            ["stripprefix"] => Ok(Some(Middleware::StripPrefix(self.prefixes.clone()))),
            ["headers"] => {
                Ok(Some(Middleware::Headers { request: self.request.clone(), response: self.response.clone() }))
            }
            ["retry"] if self.fields.get("retry.attempts").is_none_or(|attempts| attempts.starts_with(['-', '0'])) => {
                Err("has no attempts".to_owned())
            }
            [_] => Ok(None),
            _ => Err(format!("is of several kinds, {}", kinds.join(" and "))),
        }
    }
}

/// The elements of a value that is a list.
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(move |_| !value.is_empty())
}

fn prefix(prefix: &str) -> Result<(String, HeaderValue), String> {
    let told = HeaderValue::from_bytes(prefix.as_bytes()).map_err(|_| format!("`{prefix}` is not a path's prefix"))?;
    Ok((prefix.to_owned(), told))
}

fn header(headers: &mut HeaderMap, name: &[&str], value: &str) -> Result<Option<String>, String> {
    // a header's name may have dots
    let name = name.join(".");
    let header = HeaderName::try_from(&name).map_err(|_| format!("`{name}` is not a header's name"))?;
    if header == CONTENT_LENGTH || header == TRANSFER_ENCODING {
        return Ok(Some(format!("{header} is what the body says")));
    }
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("`{value}` is not a header's value"))?;
    headers.insert(header, value);
    Ok(None)
}

/// What else Traefik's kind `headers` has.
fn is_header_option(name: &str) -> bool {
    const OTHERS: [&str; 24] = [
        "addvaryheader",
        "allowedhosts",
        "browserxssfilter",
        "contentsecuritypolicy",
        "contentsecuritypolicyreportonly",
        "contenttypenosniff",
        "custombrowserxssvalue",
        "customframeoptionsvalue",
        "featurepolicy",
        "forcestsheader",
        "framedeny",
        "hostsproxyheaders",
        "isdevelopment",
        "permissionspolicy",
        "publickey",
        "referrerpolicy",
        "sslforcehost",
        "sslhost",
        "sslproxyheaders",
        "sslredirect",
        "ssltemporaryredirect",
        "stsincludesubdomains",
        "stspreload",
        "stsseconds",
    ];
    name.starts_with("accesscontrol") || OTHERS.contains(&name)
}

/// One request's way through the middlewares of its router, which its answer goes back.
#[derive(Debug)]
pub struct Way {
    middlewares: Arc<[Middleware]>,
    passed: usize,
}

impl Way {
    /// The way that begins before the first of them.
    pub fn new(middlewares: Arc<[Middleware]>) -> Self {
        Way { middlewares, passed: 0 }
    }

    /// What they do to a request, of which replicas are told `forwarded`.
    ///
    /// # Errors
    /// When they make a path of it that no normal request has. Then it gets no further.
    pub fn there(&mut self, parts: &mut Parts, forwarded: &Forwarded) -> Result<(), Unclean> {
        for middleware in &*self.middlewares {
            match middleware {
                Middleware::StripPrefix(prefixes) => strip(parts, prefixes)?,
                Middleware::Headers { request, .. } => {
                    request.iter().for_each(|(name, value)| set(&mut parts.headers, name, value, forwarded));
                }
            }
            self.passed += 1;
        }
        // what has just been set may speak of one connection only
        headers::remove_hop_by_hop(&mut parts.headers);
        Ok(())
    }

    /// What those that the request passed do to its answer.
    pub fn back(&self, headers: &mut HeaderMap) {
        for middleware in self.middlewares[..self.passed].iter().rev() {
            if let Middleware::Headers { response, .. } = middleware {
                for (name, value) in response {
                    match value.is_empty() {
                        true => _ = headers.remove(name),
                        false => _ = headers.insert(name, value.clone()),
                    }
                }
            }
        }
    }
}

fn strip(parts: &mut Parts, prefixes: &[(String, HeaderValue)]) -> Result<(), Unclean> {
    for (prefix, told) in prefixes {
        let Some(rest) = path::strip(parts.uri.path(), prefix) else { continue };
        let target = match (rest?, parts.uri.query()) {
            (path, Some(query)) => format!("{path}?{query}"),
            (path, None) => path,
        };
        parts.uri = Uri::from(PathAndQuery::try_from(target).map_err(|_| Unclean)?);
        // one more for each middleware that took something away
        parts.headers.append(X_FORWARDED_PREFIX, told.clone());
        return Ok(());
    }
    Ok(())
}

fn set(headers: &mut HeaderMap, name: &HeaderName, value: &HeaderValue, forwarded: &Forwarded) {
    match value.is_empty() {
        // a request has a host
        true if name == HOST => {}
        true => _ = headers.remove(name),
        // as if the value had come with the request, from one that is trusted
        false if name == X_FORWARDED_FOR => _ = headers.insert(name, forwarded.after(value)),
        false => _ = headers.insert(name, value.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::Request;

    use super::*;

    fn wish(fields: &[(&str, &str)]) -> MiddlewareWish {
        let mut wish = MiddlewareWish::default();
        for (field, value) in fields {
            let note = wish.set(&field.split('.').collect::<Vec<_>>(), value).unwrap();
            assert_eq!(note, None, "{field}");
        }
        wish
    }

    /// A request through these middlewares: its target and headers, and those of an answer with `x-own` and `set-cookie`.
    fn way(target: &str, wishes: &[MiddlewareWish]) -> (Result<(), Unclean>, Parts, HeaderMap) {
        let middlewares = wishes.iter().map(|wish| wish.middleware().unwrap().unwrap());
        let mut way = Way::new(middlewares.collect());
        let request = Request::get(target).header("host", "a").header("user-agent", "test").header("x-real-ip", "me");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let forwarded = Forwarded::new("127.0.0.9:5".parse().unwrap(), &HeaderValue::from_static("proxy"));
        let there = way.there(&mut parts, &forwarded);
        let mut answer = HeaderMap::new();
        answer.insert("x-own", HeaderValue::from_static("own"));
        answer.append("set-cookie", HeaderValue::from_static("a=1"));
        answer.append("set-cookie", HeaderValue::from_static("b=2"));
        way.back(&mut answer);
        (there, parts, answer)
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn headers_are_set_and_removed_both_ways() {
        let headers = wish(&[
            ("headers.customRequestHeaders.X-One", "1"),
            ("headers.customrequestheaders.x_under.dot", "d"),
            ("headers.customrequestheaders.User-Agent", ""),
            ("headers.customrequestheaders.X-Forwarded-For", "9.9.9.9"),
            ("headers.customrequestheaders.Host", "other"),
            ("headers.customrequestheaders.X-Real-Ip", "you"),
            ("headers.customresponseheaders.X-Own", ""),
            ("headers.customresponseheaders.Set-Cookie", "c=3"),
        ]);
        let (there, parts, answer) = way("/x?y", &[headers]);
        assert_eq!((there, parts.uri.to_string().as_str()), (Ok(()), "/x?y"));
        let expected =
            ["host: other", "x-forwarded-for: 9.9.9.9, 127.0.0.9", "x-one: 1", "x-real-ip: you", "x_under.dot: d"];
        assert_eq!(lines(&parts.headers), expected);
        assert_eq!(lines(&answer), ["set-cookie: c=3"]);
    }

    #[test]
    fn a_host_cannot_be_removed_and_what_is_of_one_connection_is() {
        let headers = wish(&[
            ("headers.customrequestheaders.host", ""),
            ("headers.customrequestheaders.connection", "user-agent"),
            ("headers.customrequestheaders.keep-alive", "1"),
        ]);
        assert_eq!(lines(&way("/", &[headers]).1.headers), ["host: a", "x-real-ip: me"]);
    }

    #[test]
    fn the_last_one_has_the_last_word_on_a_request_and_the_first_on_an_answer() {
        let one = wish(&[("headers.customrequestheaders.x", "1"), ("headers.customresponseheaders.x", "1")]);
        let two = wish(&[("headers.customrequestheaders.x", "2"), ("headers.customresponseheaders.x", "2")]);
        let (_, parts, answer) = way("/", &[one, two]);
        assert_eq!((&parts.headers["x"], &answer["x"]), (&HeaderValue::from(2), &HeaderValue::from(1)));
    }

    #[test]
    fn each_strip_is_told_of_and_one_that_makes_nonsense_ends_the_way() {
        let strip = |prefixes| wish(&[("stripprefix.prefixes", prefixes)]);
        let (there, parts, _) = way("/a/b/c?d", &[strip("/x, /a/,/a"), strip("/b")]);
        assert_eq!((there, parts.uri.to_string().as_str()), (Ok(()), "/c?d"));
        let told: Vec<_> = parts.headers.get_all("x-forwarded-prefix").iter().collect();
        assert_eq!(told, ["/a/", "/b"]);
        let (there, parts, _) = way("/b?", &[strip("/a"), strip("b")]);
        assert_eq!((there, parts.uri.to_string().as_str()), (Ok(()), "/b?"));
        assert!(!parts.headers.contains_key("x-forwarded-prefix"));

        let set = |value| wish(&[("headers.customresponseheaders.x", value)]);
        let (there, _, answer) = way("/a../b", &[set("before"), strip("/a"), set("after")]);
        assert_eq!((there, &answer["x"]), (Err(Unclean), &HeaderValue::from_static("before")));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let mut wish = MiddlewareWish::default();
        for (field, words) in [
            ("stripprefix", "no such field"),
            ("stripprefix.oops", "no such field"),
            ("headers.oops", "no such field"),
            ("headers.customrequestheaders", "no such field"),
            ("headers.customrequestheaders.a b", "not a header's name"),
            ("retry", "no such field"),
            ("retry.attempts", "not a whole number"),
            ("nosuch.kind", "no such kind"),
        ] {
            let error = wish.set(&field.split('.').collect::<Vec<_>>(), "x").unwrap_err();
            assert!(error.contains(words), "{field}: {error}");
        }
        for field in ["compress.x", "headers.stsSeconds", "headers.customresponseheaders.Content-Length"] {
            let note = MiddlewareWish::default().set(&field.split('.').collect::<Vec<_>>(), "1").unwrap();
            assert!(note.is_some(), "{field}");
        }
    }

    #[test]
    fn a_middleware_is_of_one_kind() {
        let usable = |fields| wish(fields).middleware().map(|middleware| middleware.is_some());
        assert_eq!(usable(&[("retry.attempts", "3"), ("retry.status", "502")]), Ok(false));
        assert_eq!(usable(&[("retry.attempts", "0")]), Err("has no attempts".to_owned()));
        let both = [("stripprefix.prefixes", "/a"), ("headers.customrequestheaders.x", "1")];
        assert_eq!(usable(&both), Err("is of several kinds, headers and stripprefix".to_owned()));
    }
}
