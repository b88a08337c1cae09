//! The wire: HTTP/1.1 over plain TCP, for as little CPU as a request can cost.
//!
//! A connection is driven by the request that uses it, in the same task: nothing is spawned and nobody has to be woken
//! but who waits for the answer. Between requests nobody reads from it; whether the server closed it meanwhile is seen
//! when it is used again.

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
    client::{LONGEST_BODY, Reply},
    failure::{Doing, classify, impossible, io_kind, timed_out},
};

/// Connections to one place.
#[derive(Debug, Clone)]
pub struct Wire {
    connector: HttpConnector,
    http: http1::Builder,
    /// Scheme, host and port to connect to.
    to: Uri,
    timeout: Duration,
    /// Those that were kept, the last used last.
    #[expect(clippy::vec_box, reason = "a line is large, and goes in and out for every request")]
    idle: Arc<Mutex<Vec<Box<Line>>>>,
}

/// A connection.
#[derive(Debug)]
struct Line {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` when it has ended.
    connection: Option<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>,
    server: Option<SocketAddr>,
    port: Option<u16>,
}

/// Why no head of an answer came.
enum Unanswered {
    /// A kept connection had ended, before the request or when it came.
    Stale,
    Failed(Failure),
}

impl Wire {
    /// Connections to the host and port of `to`, from `source` where it is given.
    pub fn new(to: Uri, source: Option<IpAddr>, timeout: Duration) -> Wire {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_local_address(source);
        let mut http = http1::Builder::new();
        // requests are short: to copy one together costs less than to write its parts
        http.writev(false);
        Wire { connector, http, to, timeout, idle: Arc::default() }
    }

    /// Sends the request that `request` makes, once more where a kept connection had ended.
    ///
    /// # Errors
    /// When no head of an answer came.
    pub async fn exchange(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
    ) -> Result<Reply, Failure> {
        let mut reply = None;
        let whole = self.converse(request, connection, &mut reply);
        let cut = match timeout(self.timeout, whole).await {
            Ok(ended) => ended.err(),
            Err(_) => Some(timed_out()),
        };
        match (reply, cut) {
            (None, cut) => Err(cut.unwrap_or_else(timed_out)),
            (Some(reply), cut) => Ok(Reply { cut, ..reply }),
        }
    }

    /// Fills in the reply as far as it comes.
    async fn converse(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
        reply: &mut Option<Reply>,
    ) -> Result<(), Failure> {
        let (mut line, response) = self.head(request, connection).await?;
        let (head, body) = response.into_parts();
        let (server, port) = (line.server, line.port);
        let reply = reply.insert(Reply {
            status: head.status,
            headers: head.headers,
            body: Bytes::new(),
            server,
            port,
            cut: None,
        });
        let ended = line.read(body, &mut reply.body).await?;
        if ended == Ended::Whole && connection == Connection::Reused {
            self.keep(line);
        }
        Ok(())
    }

    /// The head of an answer, and the connection that it came by.
    async fn head(
        &self,
        request: impl Fn() -> Result<Request<Full<Bytes>>, Failure>,
        connection: Connection,
    ) -> Result<(Box<Line>, Response<Incoming>), Failure> {
        while let Some(mut line) = self.kept(connection) {
            match line.ask(request()?, Used::Before).await {
                Ok(response) => return Ok((line, response)),
                Err(Unanswered::Stale) => {}
                Err(Unanswered::Failed(failure)) => return Err(failure),
            }
        }
        let mut line = self.connect().await?;
        match line.ask(request()?, Used::Never).await {
            Ok(response) => Ok((line, response)),
            Err(Unanswered::Failed(failure)) => Err(failure),
            Err(Unanswered::Stale) => Err(impossible("the connection took no request".to_owned())),
        }
    }
}

impl Wire {
    /// A kept connection, the one that was used last.
    fn kept(&self, connection: Connection) -> Option<Box<Line>> {
        match connection {
            Connection::Fresh => None,
            Connection::Reused => self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop(),
        }
    }

    fn keep(&self, line: Box<Line>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    async fn connect(&self) -> Result<Box<Line>, Failure> {
        let connected = self.connector.clone().call(self.to.clone()).await;
        let io = connected.map_err(|error| classify(Doing::Connecting, &error))?;
        let stream = io.inner();
        let (server, port) = (stream.peer_addr().ok(), stream.local_addr().ok().map(|local| local.port()));
        let (sender, connection) = self.http.handshake(io).await.map_err(|error| classify(Doing::Talking, &error))?;
        Ok(Box::new(Line { sender, connection: Some(connection), server, port }))
    }
}

/// Whether a connection has served a request before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Used {
    Before,
    Never,
}

/// How the reading of a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    /// More of it is not read.
    LongEnough,
}

impl Line {
    async fn ask(&mut self, request: Request<Full<Bytes>>, used: Used) -> Result<Response<Incoming>, Unanswered> {
        if used == Used::Before && !self.is_open().await {
            return Err(Unanswered::Stale);
        }
        let safe = request.method().is_safe();
        let mut answer = pin!(self.sender.try_send_request(request));
        let answered = poll_fn(|cx| {
            self.drive(cx);
            answer.as_mut().poll(cx)
        });
        answered.await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            let error = error.into_error();
            // as browsers do: who closes a connection that has nothing to do crosses the next request on its way
            match used == Used::Before && (unsent || (safe && ended(&error))) {
                true => Unanswered::Stale,
                false => Unanswered::Failed(classify(Doing::Talking, &error)),
            }
        })
    }

    /// Reads a body, as far as it comes.
    async fn read(&mut self, mut body: Incoming, read: &mut Bytes) -> Result<Ended, Failure> {
        let mut parts = BytesMut::new();
        let ended = loop {
            if body.is_end_stream() {
                break Ok(Ended::Whole);
            }
            if parts.len() >= LONGEST_BODY {
                break Ok(Ended::LongEnough);
            }
            let frame = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Pending => {
                    self.drive(cx);
                    Pin::new(&mut body).poll_frame(cx)
                }
                ready => ready,
            });
            match frame.await.map(|frame| frame.map(Frame::into_data)) {
                // all of it, mostly
                Some(Ok(Ok(data))) if parts.is_empty() && body.is_end_stream() => {
                    *read = data;
                    return Ok(Ended::Whole);
                }
                Some(Ok(Ok(data))) => parts.extend_from_slice(&data),
                // trailers
                Some(Ok(Err(_))) => {}
                Some(Err(error)) => break Err(classify(Doing::Talking, &error)),
                None => break Ok(Ended::Whole),
            }
        };
        *read = parts.freeze();
        ended
    }

    /// Whether the server still takes requests.
    async fn is_open(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            let ready = matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(())));
            Poll::Ready(self.connection.is_some() && ready)
        })
        .await
    }

    /// Writes and reads what can be. A connection that ends is dropped, which tells whoever waits for an answer.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }
}

/// Whether a connection ended before an answer began, as far as it shows.
fn ended(error: &hyper::Error) -> bool {
    let gone = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionAborted];
    error.is_incomplete_message() || io_kind(error).is_some_and(|kind| gone.contains(&kind))
}
