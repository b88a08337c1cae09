//! Upgrades: a client and a replica that switch to another protocol, whose bytes the proxy passes on.

use http::{HeaderValue, Response, header::UPGRADE};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;

use crate::proxy::{record::Record, response_body::ResponseBody, upstream::InFlightRequest};

/// A client's wish to switch protocols.
pub struct Upgrade {
    /// The protocol that the client asked for.
    pub protocol: HeaderValue,
    /// The client's side of the switch.
    pub client: OnUpgrade,
}

impl Upgrade {
    /// Returns whether the answer of a replica agrees to this protocol.
    pub fn is_agreed<B>(&self, response: &Response<B>) -> bool {
        let agreed = response.headers().get(UPGRADE);
        agreed.is_some_and(|agreed| agreed.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes()))
    }
}

/// Passes the answer with status 101 on and, once both sides have switched, their bytes.
pub fn switch_protocols(
    mut response: Response<Incoming>,
    client: OnUpgrade,
    in_flight: InFlightRequest,
    mut record: Record,
) -> Response<ResponseBody> {
    let replica = hyper::upgrade::on(&mut response);
    let (parts, _) = response.into_parts();
    tokio::spawn(async move {
        let _in_flight = in_flight;
        if let Ok((client, replica)) = tokio::try_join!(client, replica) {
            let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
            if let Ok((_, to_client)) = tokio::io::copy_bidirectional(&mut client, &mut replica).await {
                record.count(to_client.try_into().unwrap_or(usize::MAX));
            }
        }
    });
    Response::from_parts(parts, ResponseBody::empty())
}
