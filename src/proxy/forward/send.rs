//! The fourth phase: sends a request to a replica.

use std::io;

use http::Request;

use crate::proxy::{
    request_body::RequestBody,
    upstream::{Connection, Reply, Upstream},
};

use super::refusal::Refusal;

/// The error for a request that got no answer.
pub enum SendError {
    /// No connection could be made: another replica may have the request.
    Refused(Box<Request<RequestBody>>),
    /// The request may have been sent, or waiting took too long.
    Failed(Refusal),
}

/// Sends a request to a replica. A connection that has served before may turn out to be closed: then a request that was
/// not sent, or may be sent twice, is sent once more by a new one (RFC 9110 §9.2.2).
pub async fn send(upstream: &Upstream, worker: usize, mut request: Request<RequestBody>) -> Result<Reply, SendError> {
    let connection = match upstream.connect(worker).await {
        Ok(Connection::New(connection)) => Ok(connection),
        Ok(Connection::Reused(connection)) => {
            let copy = copy_if_idempotent(&request);
            match upstream.send(connection, request).await {
                Ok(reply) => return Ok(reply),
                Err(mut failed) => match failed.take_message().or(copy) {
                    Some(again) if !failed.error().is_parse() => {
                        request = again;
                        upstream.dial().await
                    }
                    _ => return Err(SendError::Failed(refusal_for(failed.error()))),
                },
            }
        }
        Err(error) => Err(error),
    };
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(SendError::Failed(Refusal::Timeout)),
        Err(_) => return Err(SendError::Refused(Box::new(request))),
    };
    upstream.send(connection, request).await.map_err(|failed| SendError::Failed(refusal_for(failed.error())))
}

fn refusal_for(error: &hyper::Error) -> Refusal {
    if error.is_parse() { Refusal::Malformed } else { Refusal::BadGateway }
}

/// A copy of a request that may be sent twice.
fn copy_if_idempotent(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() || !matches!(request.body(), RequestBody::Empty) {
        return None;
    }
    let mut copy = Request::new(RequestBody::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
