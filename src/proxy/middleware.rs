//! Middlewares at work: they change the requests of a router, and the answers on their way back.
//!
//! Requests pass a router's middlewares in the order of its list, answers in the reverse order, as in Traefik.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header::HOST, request::Parts, uri::PathAndQuery};

use crate::routing::Middleware;

use super::{
    headers::{self, ForwardedHeaders, X_FORWARDED_FOR, X_FORWARDED_PREFIX},
    path::{self, NotNormal},
};

/// The middlewares of a router, with the place of one request among them.
#[derive(Debug)]
pub struct Chain {
    middlewares: Arc<[Middleware]>,
    /// The number of middlewares that the request has passed.
    passed: usize,
}

impl Chain {
    /// The chain for a request that has passed no middleware yet.
    pub fn new(middlewares: Arc<[Middleware]>) -> Self {
        Chain { middlewares, passed: 0 }
    }

    /// Lets a request through the middlewares. `forwarded` are the headers by which replicas learn of its client.
    ///
    /// # Errors
    /// Fails when a middleware makes a path that is not normal. Then the request gets no further.
    pub fn on_request(&mut self, parts: &mut Parts, forwarded: &ForwardedHeaders) -> Result<(), NotNormal> {
        for middleware in &*self.middlewares {
            match middleware {
                Middleware::StripPrefix(prefixes) => strip_prefix(parts, prefixes)?,
                Middleware::Headers { request, .. } => {
                    request.iter().for_each(|(name, value)| set_header(&mut parts.headers, name, value, forwarded));
                }
            }
            self.passed += 1;
        }
        // what has just been set may speak of one connection only
        headers::remove_hop_by_hop(&mut parts.headers);
        Ok(())
    }

    /// Lets the answer through the middlewares that its request has passed.
    pub fn on_response(&self, headers: &mut HeaderMap) {
        for middleware in self.middlewares[..self.passed].iter().rev() {
            if let Middleware::Headers { response, .. } = middleware {
                for (name, value) in response {
                    if value.is_empty() {
                        headers.remove(name);
                    } else {
                        headers.insert(name, value.clone());
                    }
                }
            }
        }
    }
}

fn strip_prefix(parts: &mut Parts, prefixes: &[(String, HeaderValue)]) -> Result<(), NotNormal> {
    for (prefix, value) in prefixes {
        let Some(rest) = path::strip_prefix(parts.uri.path(), prefix) else { continue };
        let target = match (rest?, parts.uri.query()) {
            (path, Some(query)) => format!("{path}?{query}"),
            (path, None) => path,
        };
        parts.uri = Uri::from(PathAndQuery::try_from(target).map_err(|_| NotNormal)?);
        // one more for each middleware that took something away
        parts.headers.append(X_FORWARDED_PREFIX, value.clone());
        return Ok(());
    }
    Ok(())
}

fn set_header(headers: &mut HeaderMap, name: &HeaderName, value: &HeaderValue, forwarded: &ForwardedHeaders) {
    if !value.is_empty() {
        // as if the value had come with the request, from a client that is trusted
        let value = if name == X_FORWARDED_FOR { forwarded.client_after(value) } else { value.clone() };
        headers.insert(name, value);
    } else if name != HOST {
        // a request must keep its host
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::Request;

    use super::*;
    use crate::{
        model::{ExposedByDefault, State},
        routing::{Routes, Subject, check, fixtures::replica},
    };

    /// Fields of one middleware, without the beginning of the labels, and their values.
    type Fields = Vec<(&'static str, &'static str)>;

    /// A request through these middlewares: its target and headers, and those of an answer with `x-own` and
    /// `set-cookie`.
    fn pass(target: &str, middlewares: &[Fields]) -> (Result<(), NotNormal>, Parts, HeaderMap) {
        let mut chain = Chain::new(made_of(middlewares));
        let request = Request::get(target).header("host", "a").header("user-agent", "test").header("x-real-ip", "me");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let forwarded = ForwardedHeaders::new("127.0.0.9:5".parse().unwrap(), &HeaderValue::from_static("proxy"));
        let passed = chain.on_request(&mut parts, &forwarded);
        let mut answer = HeaderMap::new();
        answer.insert("x-own", HeaderValue::from_static("own"));
        answer.append("set-cookie", HeaderValue::from_static("a=1"));
        answer.append("set-cookie", HeaderValue::from_static("b=2"));
        chain.on_response(&mut answer);
        (passed, parts, answer)
    }

    /// The middlewares that labels with these fields define.
    fn made_of(middlewares: &[Fields]) -> Arc<[Middleware]> {
        let names: Vec<String> = (0..middlewares.len()).map(|index| format!("m{index}")).collect();
        let mut labels = vec![("traefik.http.routers.web.middlewares".to_owned(), names.join(","))];
        for (name, fields) in names.iter().zip(middlewares) {
            let label = |field| format!("traefik.http.middlewares.{name}.{field}");
            labels.extend(fields.iter().map(|&(field, value)| (label(field), value.to_owned())));
        }
        let labels: Vec<(&str, &str)> = labels.iter().map(|(label, value)| (&**label, &**value)).collect();
        let replica = replica("web", 1, State::Ready, &labels);
        let replicas = std::slice::from_ref(&replica);
        assert!(check(&replica.base, &replica.labels, ExposedByDefault::Yes).unwrap().notes.is_empty());
        let routes = Routes::new(replicas, ExposedByDefault::Yes);
        routes.route(Subject { host: "web-lab", path: "/" }).unwrap().middlewares.clone()
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn headers_are_set_and_removed_both_ways() {
        let headers = vec![
            ("headers.customRequestHeaders.X-One", "1"),
            ("headers.customrequestheaders.x_under.dot", "d"),
            ("headers.customrequestheaders.User-Agent", ""),
            ("headers.customrequestheaders.X-Forwarded-For", "9.9.9.9"),
            ("headers.customrequestheaders.Host", "other"),
            ("headers.customrequestheaders.X-Real-Ip", "you"),
            ("headers.customresponseheaders.X-Own", ""),
            ("headers.customresponseheaders.Set-Cookie", "c=3"),
        ];
        let (passed, parts, answer) = pass("/x?y", &[headers]);
        assert_eq!((passed, parts.uri.to_string().as_str()), (Ok(()), "/x?y"));
        let expected =
            ["host: other", "x-forwarded-for: 9.9.9.9, 127.0.0.9", "x-one: 1", "x-real-ip: you", "x_under.dot: d"];
        assert_eq!(lines(&parts.headers), expected);
        assert_eq!(lines(&answer), ["set-cookie: c=3"]);
    }

    #[test]
    fn a_host_cannot_be_removed_and_what_is_of_one_connection_is() {
        let headers = vec![
            ("headers.customrequestheaders.host", ""),
            ("headers.customrequestheaders.connection", "user-agent"),
            ("headers.customrequestheaders.keep-alive", "1"),
        ];
        assert_eq!(lines(&pass("/", &[headers]).1.headers), ["host: a", "x-real-ip: me"]);
    }

    #[test]
    fn the_last_one_has_the_last_word_on_a_request_and_the_first_on_an_answer() {
        let one = vec![("headers.customrequestheaders.x", "1"), ("headers.customresponseheaders.x", "1")];
        let two = vec![("headers.customrequestheaders.x", "2"), ("headers.customresponseheaders.x", "2")];
        let (_, parts, answer) = pass("/", &[one, two]);
        assert_eq!((&parts.headers["x"], &answer["x"]), (&HeaderValue::from(2), &HeaderValue::from(1)));
    }

    #[test]
    fn each_strip_is_told_of_and_one_that_makes_nonsense_ends_the_way() {
        let strip = |prefixes| vec![("stripprefix.prefixes", prefixes)];
        let (passed, parts, _) = pass("/a/b/c?d", &[strip("/x, /a/,/a"), strip("/b")]);
        assert_eq!((passed, parts.uri.to_string().as_str()), (Ok(()), "/c?d"));
        let told: Vec<_> = parts.headers.get_all("x-forwarded-prefix").iter().collect();
        assert_eq!(told, ["/a/", "/b"]);
        let (passed, parts, _) = pass("/b?", &[strip("/a"), strip("b")]);
        assert_eq!((passed, parts.uri.to_string().as_str()), (Ok(()), "/b?"));
        assert!(!parts.headers.contains_key("x-forwarded-prefix"));

        let set = |value| vec![("headers.customresponseheaders.x", value)];
        let (passed, _, answer) = pass("/a../b", &[set("before"), strip("/a"), set("after")]);
        assert_eq!((passed, &answer["x"]), (Err(NotNormal), &HeaderValue::from_static("before")));
    }
}
