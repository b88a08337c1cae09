//! The client: one request sent, one reply or failure back.

use std::{
    error::Error as _,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper_util::client::legacy::connect::HttpInfo;
use url::{Host, Url};

use crate::trace::{self, Connection, Failure, FailureKind};

/// More of a body than this is not read: enough to find an instance in it.
const LONGEST_BODY: usize = 256 * 1024;

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The target as asked for.
    pub url: Url,
    /// Where to connect instead of where the URL's host is.
    pub connect: Option<SocketAddr>,
    /// Whether the server's certificate is verified.
    pub verify: Verify,
    /// How long a request may take, from connecting to the end of the body.
    pub timeout: Duration,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// What every request calls itself; the probe adds a number to it where `number_requests` says so.
    pub agent: String,
    /// How long to wait at least from one request to the next.
    pub interval: Option<Duration>,
    /// Whether requests can be told apart by their `User-Agent`, so that a lab's log tells which are the probe's.
    pub number_requests: bool,
}

/// Whether the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// As a browser does.
    Certificate,
    /// Not at all.
    Nothing,
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// GET or POST.
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    /// Its content.
    pub body: Option<&'a Content>,
    /// The `Cookie` header.
    pub cookies: Option<String>,
    /// A header beside those of every request, or instead of one of them.
    pub header: Option<&'a trace::Header>,
    /// What is added to the `User-Agent`.
    pub tag: Option<String>,
}

impl<'a> Outgoing<'a> {
    /// A plain GET.
    pub fn get(path: &'a str) -> Outgoing<'a> {
        Outgoing { method: Method::GET, path, body: None, cookies: None, header: None, tag: None }
    }
}

/// The content of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its media type.
    pub media_type: &'static str,
    /// The content.
    pub text: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or its beginning.
    pub body: Bytes,
    /// The server's address.
    pub server: Option<SocketAddr>,
    /// The connection's local port.
    pub port: Option<u16>,
    /// What went wrong after the head had come.
    pub cut: Option<Failure>,
}

/// Sends requests to one target.
#[derive(Debug, Clone)]
pub struct Client {
    fresh: reqwest::Client,
    kept: reqwest::Client,
    /// Scheme, host and port that the requests go to.
    base: String,
    /// The `Host` header where it is not the base's.
    host: Option<HeaderValue>,
    headers: HeaderMap,
    agent: String,
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// When the TLS set-up of this machine cannot be used, or the combination is impossible.
    pub fn new(setup: &Setup) -> Result<Client, Failure> {
        Client::bound_to(setup, None)
    }

    /// A client for a target, whose connections come from this address of the machine's.
    ///
    /// # Errors
    /// As [`Client::new`]. An address that is not the machine's shows when a connection is made.
    pub fn bound_to(setup: &Setup, source: Option<IpAddr>) -> Result<Client, Failure> {
        let (base, host) = base(setup)?;
        let build = |connection| {
            let mut builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .http1_only()
                .local_address(source)
                .timeout(setup.timeout)
                .tls_danger_accept_invalid_certs(setup.verify == Verify::Nothing)
                .pool_max_idle_per_host(match connection {
                    Connection::Fresh => 0,
                    Connection::Reused => usize::MAX,
                });
            if let Some(address) = setup.connect {
                builder = builder.no_proxy();
                if let Some(Host::Domain(domain)) = setup.url.host() {
                    builder = builder.resolve(domain, address);
                }
            }
            builder.build().map_err(|error| failure(&error))
        };
        Ok(Client {
            fresh: build(Connection::Fresh)?,
            kept: build(Connection::Reused)?,
            base,
            host,
            headers: setup.headers.clone(),
            agent: setup.agent.clone(),
        })
    }

    /// Sends a request by a connection of its own or a kept one.
    ///
    /// # Errors
    /// When no head of a reply came.
    pub async fn send(&self, request: Outgoing<'_>, connection: Connection) -> (Duration, Result<Reply, Failure>) {
        let started = Instant::now();
        let reply = self.exchange(request, connection).await;
        (started.elapsed(), reply)
    }

    async fn exchange(&self, request: Outgoing<'_>, connection: Connection) -> Result<Reply, Failure> {
        let client = match connection {
            Connection::Fresh => &self.fresh,
            Connection::Reused => &self.kept,
        };
        let agent = match &request.tag {
            Some(tag) => format!("{} {tag}", self.agent),
            None => self.agent.clone(),
        };
        let mut builder = client
            .request(request.method, format!("{}{}", self.base, request.path))
            .header(header::USER_AGENT, agent)
            .header(header::ACCEPT, "application/json, text/html;q=0.9, */*;q=0.8");
        if let Some(host) = &self.host {
            builder = builder.header(header::HOST, host);
        }
        let mut own = self.headers.clone();
        if let Some(trace::Header { name, value }) = request.header {
            let invalid =
                || Failure { kind: FailureKind::Other, message: format!("`{name}: {value}` cannot be a header") };
            let name = name.parse::<HeaderName>().map_err(|_| invalid())?;
            own.insert(name, value.parse().map_err(|_| invalid())?);
        }
        // cookies of the caller's go beside those of the jar, and neither hides the other
        let told = own.remove(header::COOKIE).and_then(|cookies| cookies.to_str().map(str::to_owned).ok());
        let cookies: Vec<String> = told.into_iter().chain(request.cookies).collect();
        if !cookies.is_empty() {
            builder = builder.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(content) = request.body {
            builder = builder.header(header::CONTENT_TYPE, content.media_type).body(content.text.clone());
        }
        // the caller's own headers replace ours
        let mut response = builder.headers(own).send().await.map_err(|error| failure(&error))?;
        let local = response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr);
        let mut reply = Reply {
            status: response.status(),
            headers: response.headers().clone(),
            body: Bytes::new(),
            server: response.remote_addr(),
            port: local.map(|address| address.port()),
            cut: None,
        };
        let mut body = BytesMut::new();
        while body.len() < LONGEST_BODY {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    reply.cut = Some(failure(&error));
                    break;
                }
            }
        }
        reply.body = body.freeze();
        Ok(reply)
    }
}

/// What stands before the path, and the `Host` header where `--connect` makes it another one.
fn base(setup: &Setup) -> Result<(String, Option<HeaderValue>), Failure> {
    let url = &setup.url;
    let scheme = url.scheme();
    let authority = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let Some(address) = setup.connect else { return Ok((format!("{scheme}://{authority}"), None)) };
    let host = HeaderValue::from_str(&authority)
        .map_err(|_| Failure { kind: FailureKind::Other, message: format!("`{authority}` cannot be a Host header") })?;
    match (scheme, url.host()) {
        ("http", _) => Ok((format!("http://{address}"), Some(host))),
        // without a port in the URL, the connection goes to the port of the address that the name is resolved to
        (_, Some(Host::Domain(domain))) => Ok((format!("https://{domain}"), Some(host))),
        _ if url.host_str().and_then(|host| host.parse::<IpAddr>().ok()) == Some(address.ip()) => {
            Ok((format!("https://{address}"), Some(host)))
        }
        _ => Err(Failure {
            kind: FailureKind::Other,
            message: format!("a certificate for {authority} cannot be asked of {address}"),
        }),
    }
}

/// A failure's sort, and its innermost cause in words.
fn failure(error: &reqwest::Error) -> Failure {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let said = |words: &[&str]| causes.iter().any(|cause| words.iter().any(|word| cause.contains(word)));
    let io = io_kind(error);
    let (kind, message) = if error.is_timeout() {
        (FailureKind::Timeout, "timed out".to_owned())
    } else if said(&["dns error", "failed to lookup address"]) {
        (FailureKind::Dns, "the name does not resolve".to_owned())
    } else if said(&[
        "certificate",
        "Certificate",
        "TLS",
        "tls",
        "invalid peer",
        "HandshakeFailure",
        "InvalidContentType",
    ]) {
        (FailureKind::Tls, last(&causes))
    } else if error.is_connect() {
        (FailureKind::Connect, last(&causes))
    } else if io.is_some_and(|kind| kind == std::io::ErrorKind::ConnectionReset)
        || said(&["connection closed", "unexpected EOF", "end of file", "reset by peer"])
    {
        (FailureKind::Closed, "the connection ended before the answer did".to_owned())
    } else if said(&["invalid HTTP", "parse", "invalid chunk", "message head is too large"]) {
        (FailureKind::Protocol, format!("not an HTTP answer: {}", last(&causes)))
    } else {
        (FailureKind::Other, last(&causes))
    };
    Failure { kind, message: message.replace(['\n', '\r'], " ") }
}

fn last(causes: &[String]) -> String {
    causes.last().cloned().unwrap_or_else(|| "the request failed".to_owned())
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    None
}
