//! Forwarding: one request in, a replica picked, its answer streamed back.

use std::{io, net::SocketAddr, sync::Arc};

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
    header::{
        CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE, X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
    uri::PathAndQuery,
};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::SendRequest,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use crate::routing::{HostHeader, Subject, bare_host};

use super::{
    body::{Answer, Outgoing},
    headers::{self, Forwarded},
    middleware::Chain,
    path,
    record::{Events, Record},
    sticky,
    table::{Balancer, Route, Table},
    upstream::{Connected, InFlight, Upstream, WeightedUpstream},
};

/// A client's connection, and what its requests need.
pub struct Peer {
    /// The worker that has it.
    pub worker: usize,
    /// The client.
    pub client: SocketAddr,
    /// What replicas are told of the client.
    pub forwarded: Forwarded,
    /// The routes.
    pub tables: watch::Receiver<Arc<Table>>,
    /// Where events go.
    pub events: Events,
    /// Each of its requests holds a clone until it is over.
    pub under_way: Arc<()>,
}

/// The proxy's own answers, as Traefik's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    BadRequest,
    BadPath,
    NotImplemented,
    NotFound,
    Malformed,
    BadGateway,
    Unavailable,
    Timeout,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Refusal::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Refusal::BadPath => (StatusCode::BAD_REQUEST, "Bad Request\n"),
            Refusal::NotImplemented => (StatusCode::NOT_IMPLEMENTED, ""),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "404 page not found\n"),
            Refusal::Malformed => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Refusal::BadGateway => (StatusCode::BAD_GATEWAY, "Bad Gateway"),
            Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "no available server\n"),
            Refusal::Timeout => (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
        }
    }
}

/// Answers one request.
pub async fn handle(peer: &Peer, request: Request<Incoming>) -> Response<Answer> {
    let mut record = Record::start(peer, &request);
    let mut touches = Touches::default();
    let mut response = match forward(peer, request, &mut record, &mut touches).await {
        Ok(Forward { response, connection, in_flight, upgrade }) => {
            record.answered(response.status());
            match upgrade {
                Some(client) => switch_protocols(response, client, in_flight, record),
                None => response.map(|body| Answer::forwarded(body, connection, in_flight, record)),
            }
        }
        Err(refusal) => {
            let (status, text) = refusal.parts();
            record.answered(status);
            let mut response = Response::new(Answer::own(text, record));
            *response.status_mut() = status;
            // of what a replica did wrong, only the words are said
            if matches!(refusal, Refusal::BadRequest | Refusal::BadPath | Refusal::NotFound | Refusal::Unavailable) {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            }
            if matches!(refusal, Refusal::BadPath | Refusal::NotFound | Refusal::Unavailable) {
                response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            }
            response
        }
    };
    if let Some(cookie) = touches.set_cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    if let Some(chain) = touches.chain {
        chain.on_response(response.headers_mut());
    }
    response
}

/// What changes an answer on its way back, even a 502.
#[derive(Debug, Default)]
struct Touches {
    /// Of a new pick.
    set_cookie: Option<HeaderValue>,
    /// Of a router that has middlewares.
    chain: Option<Chain>,
}

/// A replica's answer and what it holds on to.
struct Forward {
    response: Response<Incoming>,
    connection: SendRequest<Outgoing>,
    in_flight: InFlight,
    /// The client's side of a switch of protocols, where it asked for one and the replica agreed.
    upgrade: Option<OnUpgrade>,
}

async fn forward(
    peer: &Peer,
    mut request: Request<Incoming>,
    record: &mut Record,
    touches: &mut Touches,
) -> Result<Forward, Refusal> {
    // a coding that is not undone here would be lost with the header that names it
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    if request.method() == Method::CONNECT || codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Err(Refusal::NotImplemented);
    }
    let upgrade = headers::upgrade_of(request.headers()).map(|protocol| (protocol, hyper::upgrade::on(&mut request)));
    let (mut parts, body) = request.into_parts();
    normalise(&mut parts)?;

    let table = peer.tables.borrow().clone();
    let host = parts.headers.get(HOST).map_or(Ok(""), |host| host.to_str()).map_err(|_| Refusal::BadRequest)?;
    let subject = Subject { host: bare_host(host), path: parts.uri.path() };
    let Route { router, balancer } = table.route(subject).ok_or(Refusal::NotFound)?;
    record.routed(&router.name, &balancer.service);

    let mut cookie = cookie_choice(balancer, &parts);
    headers::remove_hop_by_hop(&mut parts.headers);
    peer.forwarded.set(&mut parts.headers);
    if !router.middlewares.is_empty() {
        let chain = touches.chain.insert(Chain::new(router.middlewares.clone()));
        chain.on_request(&mut parts, &peer.forwarded).map_err(|_| Refusal::BadPath)?;
    }

    let body = Outgoing::from(body);
    if body.size_hint().exact().is_none() {
        // said in so many words, because hyper takes a GET without a length for one without a body
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if matches!(body, Outgoing::Empty) && [Method::POST, Method::PUT, Method::PATCH].contains(&parts.method) {
        // where a body is expected, that there is none is said (RFC 9110 §8.6)
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = Request::from_parts(parts, body);
    // replicas that cannot take this request: they drain, or refused it
    let mut excluded: Vec<Arc<Upstream>> = Vec::new();
    let mut refused = false;
    loop {
        let (upstream, turn) = match cookie.take() {
            Some(upstream) => (upstream, None),
            None => match pick(balancer, &excluded, peer.client) {
                Some((upstream, turn)) => (upstream, Some(turn)),
                None if refused => return Err(Refusal::BadGateway),
                None => return Err(Refusal::Unavailable),
            },
        };
        let Some(in_flight) = upstream.admit() else {
            excluded.push(upstream);
            continue;
        };
        record.picked(&upstream, turn);
        if turn.is_some() {
            touches.set_cookie = balancer.sticky.as_ref().and_then(|(name, cookie)| {
                HeaderValue::from_str(&sticky::set_cookie(cookie, name, &upstream.cookie_value)).ok()
            });
        }
        if (balancer.host == HostHeader::Replaced || !request.headers().contains_key(HOST))
            && let Ok(host) = HeaderValue::from_str(&upstream.address.to_string())
        {
            request.headers_mut().insert(HOST, host);
        }
        match send(&upstream, peer.worker, request).await {
            Ok((mut response, connection)) => {
                headers::remove_hop_by_hop(response.headers_mut());
                // a request's alone
                response.headers_mut().remove(TE);
                *response.version_mut() = Version::HTTP_11;
                let upgrade = match response.status() {
                    StatusCode::SWITCHING_PROTOCOLS => {
                        let agreed = response.headers().get(UPGRADE).cloned();
                        let same = |(asked, _): &(HeaderValue, _)| {
                            agreed.is_some_and(|agreed| agreed.as_bytes().eq_ignore_ascii_case(asked.as_bytes()))
                        };
                        Some(upgrade.filter(same).ok_or(Refusal::Malformed)?.1)
                    }
                    _ => None,
                };
                return Ok(Forward { response, connection, in_flight, upgrade });
            }
            Err(Unsent::Refused(unsent)) => {
                record.failed_over();
                refused = true;
                request = *unsent;
                excluded.push(upstream);
            }
            Err(Unsent::Failed(refusal)) => return Err(refusal),
        }
    }
}

/// One host, a normal path, HTTP/1.1 in origin form.
fn normalise(parts: &mut Parts) -> Result<(), Refusal> {
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
    let normal = path::normalise(parts.uri.path()).map_err(|_| Refusal::BadRequest)?;
    if parts.uri.authority().is_some() || normal != parts.uri.path() {
        let target = match parts.uri.query() {
            Some(query) => format!("{normal}?{query}"),
            None => normal.into_owned(),
        };
        parts.uri = Uri::from(PathAndQuery::try_from(target).map_err(|_| Refusal::BadRequest)?);
    }
    parts.version = Version::HTTP_11;
    Ok(())
}

/// The replica that the client's sticky cookie names, if it still takes requests.
fn cookie_choice(balancer: &Balancer, parts: &Parts) -> Option<Arc<Upstream>> {
    let (name, _) = balancer.sticky.as_ref()?;
    let lines = parts.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let value = lines.filter_map(|line| sticky::cookie_value(line, name)).next()?;
    let mut upstreams = balancer.available.iter().map(|server| &server.upstream);
    upstreams.find(|upstream| upstream.cookie_value == value).cloned()
}

/// The strategy's choice among those that are not excluded, and its turn.
fn pick(balancer: &Balancer, excluded: &[Arc<Upstream>], client: SocketAddr) -> Option<(Arc<Upstream>, u64)> {
    let mut cursor = balancer.cursor.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut pick_from = |candidates: &[WeightedUpstream]| {
        let index = balancer.balance.pick(&mut cursor, candidates, client.ip(), &mut rand::rng())?;
        Some((candidates[index].upstream.clone(), cursor.take_turn()))
    };
    if excluded.is_empty() {
        return pick_from(&balancer.available);
    }
    let is_excluded = |server: &WeightedUpstream| excluded.iter().any(|other| Arc::ptr_eq(other, &server.upstream));
    let rest: Vec<_> = balancer.available.iter().filter(|server| !is_excluded(server)).cloned().collect();
    pick_from(&rest)
}

/// Why a request got no answer.
enum Unsent {
    /// No connection: another replica may have it.
    Refused(Box<Request<Outgoing>>),
    /// It may have been sent, or waiting took too long.
    Failed(Refusal),
}

/// Sends a request to a replica. A kept connection may turn out to be closed: then a request that was not sent, or may
/// be sent twice, is sent once more by a fresh one (RFC 9110 §9.2.2).
async fn send(
    upstream: &Upstream,
    worker: usize,
    mut request: Request<Outgoing>,
) -> Result<(Response<Incoming>, SendRequest<Outgoing>), Unsent> {
    let fresh = match upstream.connect(worker).await {
        Ok(Connected::Fresh(connection)) => Ok(connection),
        Ok(Connected::Kept(mut connection)) => {
            let copy = copy(&request);
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut failed) => match failed.take_message().or(copy) {
                    Some(again) if !failed.error().is_parse() => {
                        request = again;
                        upstream.dial().await
                    }
                    _ => return Err(Unsent::Failed(refusal(failed.error()))),
                },
            }
        }
        Err(error) => Err(error),
    };
    let mut connection = match fresh {
        Ok(connection) => connection,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(Unsent::Failed(Refusal::Timeout)),
        Err(_) => return Err(Unsent::Refused(Box::new(request))),
    };
    match connection.try_send_request(request).await {
        Ok(response) => Ok((response, connection)),
        Err(failed) => Err(Unsent::Failed(refusal(failed.error()))),
    }
}

fn refusal(error: &hyper::Error) -> Refusal {
    if error.is_parse() { Refusal::Malformed } else { Refusal::BadGateway }
}

/// A second copy of a request that may be sent twice.
fn copy(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    if !request.method().is_idempotent() || !matches!(request.body(), Outgoing::Empty) {
        return None;
    }
    let mut copy = Request::new(Outgoing::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Passes the 101 on and, once both sides have switched, their bytes.
fn switch_protocols(
    mut response: Response<Incoming>,
    client: OnUpgrade,
    in_flight: InFlight,
    mut record: Record,
) -> Response<Answer> {
    let replica = hyper::upgrade::on(&mut response);
    let (parts, _) = response.into_parts();
    tokio::spawn(async move {
        let _in_flight = in_flight;
        if let Ok((client, replica)) = tokio::try_join!(client, replica) {
            let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
            if let Ok((_, back)) = tokio::io::copy_bidirectional(&mut client, &mut replica).await {
                record.count(back.try_into().unwrap_or(usize::MAX));
            }
        }
    });
    Response::from_parts(parts, Answer::nothing())
}
