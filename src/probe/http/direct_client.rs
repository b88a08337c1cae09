//! The transport for plain HTTP/1.1 to the server itself, for as little CPU as a request can cost.
//!
//! The task that sends a request also drives the connection: nothing is spawned, and no other task has to be woken.
//! Between two requests no task reads from an idle connection; the client notices that the server has closed it when it
//! wants to use it again.

use std::{
    future::{Future, poll_fn},
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::{
    body::{Body as _, Frame, Incoming},
    client::conn::http1,
};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use crate::model::trace::{Connection, Failure};

use super::{
    failure::{Phase, classify, has_io_kind, request_failure, timeout_failure},
    message::{MAX_BODY, Reply},
};

/// A client of one server, with its idle connections.
#[derive(Debug, Clone)]
pub struct DirectClient {
    connector: HttpConnector,
    http: http1::Builder,
    /// Scheme, host and port to connect to.
    origin: Uri,
    timeout: Duration,
    /// The idle connections, the last used one at the end.
    #[expect(clippy::vec_box, reason = "a connection is large, and goes in and out for every request")]
    idle: Arc<Mutex<Vec<Box<HttpConnection>>>>,
}

#[derive(Debug)]
struct HttpConnection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// The part of the connection that reads and writes for the sender; `None` once the connection has ended.
    driver: Option<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>,
    server: Option<SocketAddr>,
    port: Option<u16>,
}

/// The reason why the head of an answer did not arrive.
enum NoResponse {
    /// The server had closed an idle connection, before it read the request.
    StaleConnection,
    Failed(Failure),
}

/// The use of a connection: for its first request, or for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionUse {
    First,
    Repeated,
}

/// The end of the reading of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    Complete,
    /// The client reads no more of it.
    Truncated,
}

impl DirectClient {
    /// A client of the host and port of `origin`, whose connections come from `source` where it is given.
    pub fn new(origin: Uri, source: Option<IpAddr>, timeout: Duration) -> DirectClient {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_local_address(source);
        let mut http = http1::Builder::new();
        // requests are short: to copy the parts of one together costs less than to write them one by one
        http.writev(false);
        DirectClient { connector, http, origin, timeout, idle: Arc::default() }
    }

    /// Sends the request that `request` makes. Where the server had closed an idle connection, the request is made and
    /// sent again.
    ///
    /// # Errors
    /// Fails when no head of an answer arrived.
    pub async fn exchange(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
    ) -> Result<Reply, Failure> {
        let mut reply = None;
        let exchange = self.receive(request, connection, &mut reply);
        let cut = match timeout(self.timeout, exchange).await {
            Ok(ended) => ended.err(),
            Err(_) => Some(timeout_failure()),
        };
        match (reply, cut) {
            (None, cut) => Err(cut.unwrap_or_else(timeout_failure)),
            (Some(reply), cut) => Ok(Reply { cut, ..reply }),
        }
    }

    /// Sends a request and fills in `reply` as far as it arrives.
    async fn receive(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
        reply: &mut Option<Reply>,
    ) -> Result<(), Failure> {
        let (mut conn, response) = self.response(request, connection).await?;
        let (head, body) = response.into_parts();
        let reply = reply.insert(Reply {
            status: head.status,
            headers: head.headers,
            body: Bytes::new(),
            server: conn.server,
            port: conn.port,
            cut: None,
        });
        let end = conn.read_body(body, &mut reply.body).await?;
        if end == BodyEnd::Complete && connection == Connection::Reused {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
        Ok(())
    }

    /// The head of an answer, and the connection that it came by.
    async fn response(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
    ) -> Result<(Box<HttpConnection>, Response<Incoming>), Failure> {
        while let Some(mut conn) = self.idle_connection(connection) {
            match conn.send(request()?, ConnectionUse::Repeated).await {
                Ok(response) => return Ok((conn, response)),
                Err(NoResponse::StaleConnection) => {}
                Err(NoResponse::Failed(failure)) => return Err(failure),
            }
        }
        let mut conn = self.connect().await?;
        match conn.send(request()?, ConnectionUse::First).await {
            Ok(response) => Ok((conn, response)),
            Err(NoResponse::Failed(failure)) => Err(failure),
            Err(NoResponse::StaleConnection) => Err(request_failure("the connection took no request".to_owned())),
        }
    }

    /// The idle connection that was used last, where connections are to be reused.
    fn idle_connection(&self, connection: Connection) -> Option<Box<HttpConnection>> {
        match connection {
            Connection::Fresh => None,
            Connection::Reused => self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop(),
        }
    }

    async fn connect(&self) -> Result<Box<HttpConnection>, Failure> {
        let connected = self.connector.clone().call(self.origin.clone()).await;
        let io = connected.map_err(|error| classify(Phase::Connect, &error))?;
        let stream = io.inner();
        let (server, port) = (stream.peer_addr().ok(), stream.local_addr().ok().map(|local| local.port()));
        tracing::debug!(?server, port, "connection");
        let (sender, driver) = self.http.handshake(io).await.map_err(|error| classify(Phase::Exchange, &error))?;
        Ok(Box::new(HttpConnection { sender, driver: Some(driver), server, port }))
    }
}

impl HttpConnection {
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        usage: ConnectionUse,
    ) -> Result<Response<Incoming>, NoResponse> {
        if usage == ConnectionUse::Repeated && !self.is_open().await {
            return Err(NoResponse::StaleConnection);
        }
        let safe = request.method().is_safe();
        let mut answer = pin!(self.sender.try_send_request(request));
        let answered = poll_fn(|cx| {
            drive(&mut self.driver, cx);
            answer.as_mut().poll(cx)
        });
        answered.await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            let error = error.into_error();
            // as browsers do: a server that closes an idle connection may cross the next request on its way
            if usage == ConnectionUse::Repeated && (unsent || (safe && ended_unanswered(&error))) {
                NoResponse::StaleConnection
            } else {
                NoResponse::Failed(classify(Phase::Exchange, &error))
            }
        })
    }

    /// Reads a body into `read`, as far as it arrives.
    async fn read_body(&mut self, mut body: Incoming, read: &mut Bytes) -> Result<BodyEnd, Failure> {
        let mut parts = BytesMut::new();
        let end = loop {
            if body.is_end_stream() {
                break Ok(BodyEnd::Complete);
            }
            if parts.len() >= MAX_BODY {
                break Ok(BodyEnd::Truncated);
            }
            let frame = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Pending => {
                    drive(&mut self.driver, cx);
                    Pin::new(&mut body).poll_frame(cx)
                }
                ready => ready,
            });
            match frame.await.map(|frame| frame.map(Frame::into_data)) {
                // most bodies are one frame, which needs no copy
                Some(Ok(Ok(data))) if parts.is_empty() && body.is_end_stream() => {
                    *read = data;
                    return Ok(BodyEnd::Complete);
                }
                Some(Ok(Ok(data))) => parts.extend_from_slice(&data),
                // trailers
                Some(Ok(Err(_))) => {}
                Some(Err(error)) => break Err(classify(Phase::Exchange, &error)),
                None => break Ok(BodyEnd::Complete),
            }
        };
        *read = parts.freeze();
        end
    }

    /// Returns whether the server still takes requests on this connection.
    async fn is_open(&mut self) -> bool {
        poll_fn(|cx| {
            drive(&mut self.driver, cx);
            let ready = matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(())));
            Poll::Ready(self.driver.is_some() && ready)
        })
        .await
    }
}

/// Writes and reads what can be written and read now. A connection that ends is dropped, which wakes the task that
/// waits for an answer.
fn drive(driver: &mut Option<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>, cx: &mut Context<'_>) {
    if let Some(connection) = driver
        && Pin::new(connection).poll(cx).is_ready()
    {
        *driver = None;
    }
}

/// Returns whether the connection ended before an answer began, as far as the error shows.
fn ended_unanswered(error: &hyper::Error) -> bool {
    let gone = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionAborted];
    error.is_incomplete_message() || has_io_kind(error, &gone)
}
