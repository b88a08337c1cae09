//! The first phase: brings a request into one form, and refuses what cannot be forwarded.

use http::{
    HeaderMap, HeaderValue, Method, Request, Uri, Version,
    header::{HOST, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};
use hyper::body::Incoming;

use crate::proxy::{headers, path};

use super::{refusal::Refusal, upgrade::Upgrade};

/// A request in one form: one host, a normal path, HTTP/1.1 in origin form.
pub struct NormalRequest {
    pub parts: Parts,
    pub body: Incoming,
    /// The client's wish to switch protocols, if it has one.
    pub upgrade: Option<Upgrade>,
}

#[inline]
pub fn normalise(mut request: Request<Incoming>) -> Result<NormalRequest, Refusal> {
    if request.method() == Method::CONNECT || !is_chunked_at_most(request.headers()) {
        return Err(Refusal::NotImplemented);
    }
    let upgrade = headers::upgrade_of(request.headers())
        .map(|protocol| Upgrade { protocol, client: hyper::upgrade::on(&mut request) });
    let (mut parts, body) = request.into_parts();
    normalise_host(&mut parts)?;
    normalise_target(&mut parts)?;
    parts.version = Version::HTTP_11;
    Ok(NormalRequest { parts, body, upgrade })
}

/// Returns whether a body has no other transfer coding than chunks. The proxy undoes no other one, so the coding would
/// be lost with the header that names it.
fn is_chunked_at_most(headers: &HeaderMap) -> bool {
    headers.get_all(TRANSFER_ENCODING).iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Leaves one `Host` header, or none in a request of HTTP/1.0.
fn normalise_host(parts: &mut Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        // as good as none
        (Some(host), None) if host.is_empty() => _ = parts.headers.remove(HOST),
        (Some(host), None) if headers::is_host(host) => {}
        (None, None) if parts.version == Version::HTTP_10 => {}
        _ => return Err(Refusal::BadRequest),
    }
    if let Some(authority) = parts.uri.authority() {
        // absolute form: its authority counts (RFC 9112 §3.2.2), but not a user that it names (RFC 9110 §4.2.4)
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        parts.headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| Refusal::BadRequest)?);
    }
    Ok(())
}

/// Leaves a normal path and the query as the target.
fn normalise_target(parts: &mut Parts) -> Result<(), Refusal> {
    let normal = path::normalise(parts.uri.path()).map_err(|_| Refusal::BadRequest)?;
    if parts.uri.authority().is_some() || normal != parts.uri.path() {
        let target = match parts.uri.query() {
            Some(query) => format!("{normal}?{query}"),
            None => normal.into_owned(),
        };
        parts.uri = Uri::from(PathAndQuery::try_from(target).map_err(|_| Refusal::BadRequest)?);
    }
    Ok(())
}
