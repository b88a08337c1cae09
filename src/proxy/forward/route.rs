//! The second phase: finds the router for a request, and makes the request that replicas get.

use http::{
    HeaderValue, Method, Request,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    request::Parts,
};
use hyper::body::{Body, Incoming};

use crate::{
    proxy::{
        headers::{self, ForwardedHeaders},
        middleware::Chain,
        request_body::RequestBody,
        table::{Route, Table},
        upstream::Upstream,
    },
    routing::{HostHeader, Subject, bare_host},
};

use super::refusal::Refusal;

#[inline]
pub fn route<'a>(table: &'a Table, parts: &Parts) -> Result<&'a Route, Refusal> {
    let host = parts.headers.get(HOST).map_or(Ok(""), |host| host.to_str()).map_err(|_| Refusal::BadRequest)?;
    table.route(Subject { host: bare_host(host), path: parts.uri.path() }).ok_or(Refusal::NotFound)
}

/// The request that replicas get: with what they learn of the client, and as the middlewares of the router make it. The
/// chain of these middlewares, if there are any, is left in `chain`, for the answer.
#[inline]
pub fn make_outgoing(
    mut parts: Parts,
    body: Incoming,
    route: &Route,
    forwarded: &ForwardedHeaders,
    chain: &mut Option<Chain>,
) -> Result<Request<RequestBody>, Refusal> {
    headers::remove_hop_by_hop(&mut parts.headers);
    forwarded.set(&mut parts.headers);
    let middlewares = &route.router.middlewares;
    if !middlewares.is_empty() {
        let chain = chain.insert(Chain::new(middlewares.clone()));
        chain.on_request(&mut parts, forwarded).map_err(|_| Refusal::BadPath)?;
    }
    let body = RequestBody::from(body);
    if body.size_hint().exact().is_none() {
        // written out, because hyper takes a GET without a length for one without a body
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if matches!(body, RequestBody::Empty) && [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method) {
        // where a body is expected, the header says that there is none (RFC 9110 §8.6)
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(Request::from_parts(parts, body))
}

/// Gives a request the host that its service asks for.
pub fn set_host(request: &mut Request<RequestBody>, host: HostHeader, upstream: &Upstream) {
    if (host == HostHeader::Replaced || !request.headers().contains_key(HOST))
        && let Ok(host) = HeaderValue::from_str(&upstream.address.to_string())
    {
        request.headers_mut().insert(HOST, host);
    }
}
