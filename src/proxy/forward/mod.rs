//! Forwarding: a request in, an answer out, in five phases.
//!
//! | phase | what it does |
//! | --- | --- |
//! | `normalise.rs` | brings a request into one form, and refuses what cannot be forwarded |
//! | `route.rs` | finds the router, and makes the request that replicas get |
//! | `select.rs` | selects a replica, by the client's cookie or by the strategy |
//! | `send.rs` | sends the request to the replica |
//! | `respond.rs` | makes the answer of the replica, or of the proxy itself, the client's |
//!
//! A replica that refuses the connection is failed over: the last three phases happen again with another one. Phases that
//! hand a whole request or answer on are inlined, because each copy of one would cost a percent of the request.

mod normalise;
mod refusal;
mod respond;
mod route;
mod select;
mod send;
mod upgrade;

use http::{Request, Response};
use hyper::body::Incoming;

use super::{peer::Peer, record::Record, response_body::ResponseBody};
use normalise::{NormalRequest, normalise};
use refusal::Refusal;
use respond::{Answer, ResponseChanges, accept, respond, respond_with_refusal};
use route::{make_outgoing, route, set_host};
use select::Selection;
use send::{SendError, send};

pub async fn handle(peer: &Peer, request: Request<Incoming>) -> Response<ResponseBody> {
    let mut record = Record::start(peer, &request);
    let mut changes = ResponseChanges::default();
    let mut response = match forward(peer, request, &mut record, &mut changes).await {
        Ok(answer) => respond(answer, record),
        Err(refusal) => respond_with_refusal(refusal, record),
    };
    changes.apply(response.headers_mut());
    response
}

/// Forwards one request to the first replica that takes it. `changes` becomes those of the router and of the last pick,
/// even if there is no answer.
async fn forward(
    peer: &Peer,
    request: Request<Incoming>,
    record: &mut Record,
    changes: &mut ResponseChanges,
) -> Result<Answer, Refusal> {
    let NormalRequest { parts, body, upgrade } = normalise(request)?;
    let table = peer.tables.borrow().clone();
    let route = route(&table, &parts)?;
    record.record_route(&route.router.name, &route.balancer.service);
    let mut selection = Selection::new(&route.balancer, peer.client.ip(), &parts.headers);
    let mut request = make_outgoing(parts, body, route, &peer.forwarded, &mut changes.chain)?;
    loop {
        let (in_flight, turn) = selection.select()?;
        let upstream = in_flight.upstream();
        record.record_pick(upstream, turn);
        if turn.is_some() {
            changes.set_cookie = route.balancer.set_cookie(upstream);
        }
        set_host(&mut request, route.balancer.host, upstream);
        match send(upstream, peer.worker, request).await {
            Ok(reply) => return accept(reply, upgrade, in_flight),
            Err(SendError::Refused(unsent)) => {
                record.record_failover();
                request = *unsent;
                selection.exclude(in_flight.upstream().clone());
            }
            Err(SendError::Failed(refusal)) => return Err(refusal),
        }
    }
}
