//! Headers: those that a proxy must take away, and those that it adds.

use std::net::SocketAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE},
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// The client, and the proxies that have passed its request on.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_SERVER: HeaderName = HeaderName::from_static("x-forwarded-server");
/// The prefix that a middleware took from the path.
pub const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
/// Headers by which a client might claim more about itself or about another proxy.
const CLIENT_CLAIMS: [&str; 5] = [
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-uri",
];
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const SET_BY_PROXY: [HeaderName; 6] =
    [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO, X_FORWARDED_SERVER, X_REAL_IP];

const DEFAULT_PORT: HeaderValue = HeaderValue::from_static("80");

/// The headers by which replicas learn of a client and of the proxy; they are made once per connection.
#[derive(Debug, Clone)]
pub struct ForwardedHeaders {
    client: HeaderValue,
    server: HeaderValue,
}

impl ForwardedHeaders {
    /// The headers for a client of the proxy called `server`.
    pub fn new(client: SocketAddr, server: &HeaderValue) -> Self {
        let client = client.ip().to_canonical().to_string();
        // an address is made of characters that a header may have
        let client = HeaderValue::from_str(&client).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        ForwardedHeaders { client, server: server.clone() }
    }

    /// Sets the headers. Those that the client sent itself are not trusted, and are removed.
    pub fn set(&self, headers: &mut HeaderMap) {
        // hardly ever there: looking through the names costs less than looking each of them up
        if headers.keys().any(is_claim) {
            let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
            claims.into_iter().for_each(|claim| _ = headers.remove(claim));
        }
        let host = headers.get(HOST).cloned();
        headers.insert(X_FORWARDED_PORT, host.as_ref().map_or(DEFAULT_PORT, port_of));
        match host {
            Some(host) => _ = headers.insert(X_FORWARDED_HOST, host),
            None => _ = headers.remove(X_FORWARDED_HOST),
        }
        headers.insert(X_FORWARDED_FOR, self.client.clone());
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
        headers.insert(X_FORWARDED_SERVER, self.server.clone());
        headers.insert(X_REAL_IP, self.client.clone());
    }

    /// The value of `X-Forwarded-For` for a client that came through these other proxies.
    pub fn client_after(&self, others: &HeaderValue) -> HeaderValue {
        let both = [others.as_bytes(), b", ", self.client.as_bytes()].concat();
        // two values in a row are one
        HeaderValue::from_bytes(&both).unwrap_or_else(|_| self.client.clone())
    }
}

/// Returns whether a replica would trust this header of a client, although only the proxy may set it. Servers that make
/// variables of headers, as PHP does, read `X_Real_Ip` as `X-Real-Ip`.
fn is_claim(name: &HeaderName) -> bool {
    let name = name.as_str();
    CLIENT_CLAIMS.contains(&name)
        || name.contains('_') && {
            let read = name.replace('_', "-");
            CLIENT_CLAIMS.contains(&read.as_str()) || SET_BY_PROXY.iter().any(|header| header.as_str() == read)
        }
}

/// Returns whether a `Host` header may stand for a host and a port, by the characters that these are made of (RFC 3986
/// §3.2.2).
pub fn is_host(host: &HeaderValue) -> bool {
    host.as_bytes().iter().all(|byte| {
        matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'_' | b'[' | b']' | b'%' | b'~'
            | b'!' | b'$' | b'&'..=b',' | b';' | b'=')
    })
}

fn port_of(host: &HeaderValue) -> HeaderValue {
    let text = host.to_str().unwrap_or_default();
    let port = text.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.is_empty() && !port.contains(']'));
    port.and_then(|port| HeaderValue::from_str(port).ok()).unwrap_or(DEFAULT_PORT)
}

/// Removes the headers that are about one connection only (RFC 9110 §7.6.1). `Te: trailers` stays, as does `Trailer`,
/// without which no trailer would be passed on; an upgrade keeps the two headers that ask for it.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let upgrade = upgrade_of(headers);
    if headers.contains_key(CONNECTION) {
        for name in connection_tokens(headers).filter_map(|token| HeaderName::try_from(token).ok()).collect::<Vec<_>>()
        {
            // these two are never about one connection, even where a client names them
            if name != TE && name != HOST {
                headers.remove(name);
            }
        }
    }
    for name in
        [CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TRANSFER_ENCODING, UPGRADE]
    {
        headers.remove(name);
    }
    if let Some(te) = headers.remove(TE)
        && te.to_str().unwrap_or_default().split(',').any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
    {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol);
    }
}

/// The protocol that a message asks to switch to.
pub fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(UPGRADE)?;
    let asked = connection_tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    asked.then(|| protocol.clone())
}

fn connection_tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|&(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v)));
        HeaderMap::from_iter(pairs)
    }

    #[test]
    fn what_speaks_of_the_connection_goes() {
        let mut all = headers(&[
            ("connection", "close, x-mine"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers, deflate"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "x"),
            ("trailer", "x-sum"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut all);
        assert_eq!(all, headers(&[("te", "trailers"), ("trailer", "x-sum"), ("accept", "*/*")]));
    }

    #[test]
    fn an_upgrade_keeps_what_asks_for_it() {
        let mut all = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        remove_hop_by_hop(&mut all);
        assert_eq!(all, headers(&[("connection", "Upgrade"), ("upgrade", "websocket")]));
    }

    #[test]
    fn the_client_cannot_say_who_it_is() {
        let mut all =
            headers(&[("host", "demo.api.ch:8080"), ("x-forwarded-for", "1.2.3.4"), ("x-real-ip", "1.2.3.4")]);
        ForwardedHeaders::new("127.0.0.9:5".parse().unwrap(), &HeaderValue::from_static("me")).set(&mut all);
        assert_eq!(
            all,
            headers(&[
                ("host", "demo.api.ch:8080"),
                ("x-forwarded-for", "127.0.0.9"),
                ("x-forwarded-host", "demo.api.ch:8080"),
                ("x-forwarded-port", "8080"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-server", "me"),
                ("x-real-ip", "127.0.0.9"),
            ])
        );
    }

    #[test]
    fn a_claim_is_one_however_a_server_may_read_it() {
        let mut all =
            headers(&[("x_forwarded_for", "lie"), ("x_real-ip", "lie"), ("x-forwarded_uri", "lie"), ("x_a", "b")]);
        ForwardedHeaders::new("127.0.0.9:5".parse().unwrap(), &HeaderValue::from_static("me")).set(&mut all);
        assert!(all.values().all(|value| value != "lie"), "{all:?}");
        assert_eq!(all["x_a"], "b");
    }

    #[test]
    fn without_a_port_it_is_80() {
        for (host, port) in [("a", "80"), ("a:", "80"), ("a:81", "81"), ("[::1]", "80"), ("[::1]:82", "82")] {
            assert_eq!(port_of(&HeaderValue::from_static(host)), port);
        }
    }
}
