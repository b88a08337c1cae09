//! The last phase: makes the answer of a replica, or of the proxy itself, the client's.

use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Version,
    header::{SET_COOKIE, TE},
};
use hyper::{body::Incoming, client::conn::http1::SendRequest, upgrade::OnUpgrade};

use crate::proxy::{
    headers,
    middleware::Chain,
    record::Record,
    request_body::RequestBody,
    response_body::ResponseBody,
    upstream::{InFlightRequest, Reply},
};

use super::{
    refusal::Refusal,
    upgrade::{Upgrade, switch_protocols},
};

/// The answer of a replica, with the connection and the count that it holds until its end.
pub struct Answer {
    response: Response<Incoming>,
    connection: SendRequest<RequestBody>,
    in_flight: InFlightRequest,
    /// The client's side of a switch of protocols, where the client asked for one and the replica agreed.
    upgrade: Option<OnUpgrade>,
}

/// The changes of an answer on its way back, even of a 502.
#[derive(Debug, Default)]
pub struct ResponseChanges {
    /// The sticky cookie of a new pick.
    pub set_cookie: Option<HeaderValue>,
    /// The middlewares of the router, if it has any.
    pub chain: Option<Chain>,
}

impl ResponseChanges {
    pub fn apply(self, headers: &mut HeaderMap) {
        if let Some(cookie) = self.set_cookie {
            headers.append(SET_COOKIE, cookie);
        }
        if let Some(chain) = self.chain {
            chain.on_response(headers);
        }
    }
}

/// Takes a reply as the answer, unless it switches to a protocol that the client did not ask for.
#[inline]
pub fn accept(reply: Reply, upgrade: Option<Upgrade>, in_flight: InFlightRequest) -> Result<Answer, Refusal> {
    let Reply { mut response, connection } = reply;
    headers::remove_hop_by_hop(response.headers_mut());
    // only a request may have it
    response.headers_mut().remove(TE);
    *response.version_mut() = Version::HTTP_11;
    let upgrade = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let agreed = upgrade.filter(|upgrade| upgrade.is_agreed(&response)).ok_or(Refusal::Malformed)?;
        Some(agreed.client)
    } else {
        None
    };
    Ok(Answer { response, connection, in_flight, upgrade })
}

/// The response with the answer of a replica.
#[inline]
pub fn respond(answer: Answer, mut record: Record) -> Response<ResponseBody> {
    let Answer { response, connection, in_flight, upgrade } = answer;
    record.record_status(response.status());
    match upgrade {
        Some(client) => switch_protocols(response, client, in_flight, record),
        None => response.map(|body| ResponseBody::forwarded(body, connection, in_flight, record)),
    }
}

/// The response with the proxy's own answer.
pub fn respond_with_refusal(refusal: Refusal, mut record: Record) -> Response<ResponseBody> {
    record.record_status(refusal.status());
    let mut response = Response::new(ResponseBody::own(refusal.text(), record));
    refusal.mark(&mut response);
    response
}
