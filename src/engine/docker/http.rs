//! Sends a request over a connection of its own: there are few requests, and most of them last.

use std::time::Duration;

use bollard::{BollardRequest, errors::Error as ApiError};
use http::{HeaderValue, Response, Uri, header::HOST};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// The longest time that an engine may take to answer a request, in seconds.
pub(super) const RESPONSE_TIMEOUT_SECONDS: u64 = 120;
/// The longest time that a broken connection may take to report the cause.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends the request over `stream`. `held` is dropped with the connection.
pub(super) async fn send_request(
    request: BollardRequest,
    host: &str,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    held: impl Send + 'static,
) -> Result<Response<Incoming>, ApiError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(async move {
        let ended = connection.with_upgrades().await;
        drop(held);
        ended
    });
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.headers.insert(HOST, HeaderValue::from_str(host).map_err(http::Error::from)?);
    parts.uri = path.parse::<Uri>()?;
    match sender.send_request(BollardRequest::from_parts(parts, body)).await {
        Ok(response) => Ok(response),
        // where the connection broke, its error names the cause better than the error of the request
        Err(error) => match tokio::time::timeout(READ_TIMEOUT, connection).await {
            Ok(Ok(Err(cause))) => Err(cause.into()),
            _ => Err(error.into()),
        },
    }
}
