//! The client: one request sent, one reply or failure back.

use std::{
    borrow::Cow,
    error::Error as _,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::client::{legacy::connect::HttpInfo, proxy::matcher::Matcher};
use url::{Host, Position, Url};

use crate::model::trace::{self, Connection, Failure};

use super::{
    failure::{Doing, classify, impossible, timed_out},
    wire::Wire,
};

/// More of a body than this is not read: enough to find an instance in it.
pub const LONGEST_BODY: usize = 256 * 1024;

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub struct ClientConfig {
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

impl Reply {
    /// The body as text; what is none is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        // nearly all is, and this looks at more than a byte at a time
        std::str::from_utf8(&self.body).map_or_else(|_| String::from_utf8_lossy(&self.body), Cow::Borrowed)
    }
}

/// Sends requests to one target.
#[derive(Debug, Clone)]
pub struct Client {
    way: Way,
    /// Scheme, host and port that the requests go to.
    base: String,
    /// The headers of every request, but for what is added to the `User-Agent`.
    headers: HeaderMap,
    agent: String,
    /// The last path that was asked for, as it is sent.
    path: Arc<Mutex<Option<(String, Uri)>>>,
}

/// How requests get there.
#[derive(Debug, Clone)]
enum Way {
    /// Over plain connections to the server itself.
    Plain(Wire),
    /// Through TLS, or the proxy that the environment names.
    Through { fresh: reqwest::Client, kept: reqwest::Client },
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// When the TLS set-up of this machine cannot be used, or the combination is impossible.
    pub fn new(config: &ClientConfig) -> Result<Client, Failure> {
        Client::bound_to(config, None)
    }

    /// A client for a target, whose connections come from this address of the machine's.
    ///
    /// # Errors
    /// As [`Client::new`]. An address that is not the machine's shows when a connection is made.
    pub fn bound_to(config: &ClientConfig, source: Option<IpAddr>) -> Result<Client, Failure> {
        let (base, host) = base(config)?;
        let to: Uri = base.parse().map_err(|_| impossible(format!("`{base}` cannot be asked")))?;
        let proxied = || Matcher::from_env().intercept(&to).is_some();
        let way = if config.url.scheme() == "https" || (config.connect.is_none() && proxied()) {
            Way::Through {
                fresh: through(config, source, Connection::Fresh)?,
                kept: through(config, source, Connection::Reused)?,
            }
        } else {
            Way::Plain(Wire::new(to, source, config.timeout))
        };
        let (headers, agent) = (headers(config, &host)?, config.agent.clone());
        Ok(Client { way, base, headers, agent, path: Arc::default() })
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
        let body = || request.body.map_or(Bytes::new(), |content| content.text.clone().into());
        match &self.way {
            Way::Plain(wire) => {
                let path = self.path(request.path)?;
                let outgoing = || {
                    let mut outgoing = http::Request::new(Full::new(body()));
                    *outgoing.method_mut() = request.method.clone();
                    *outgoing.uri_mut() = path.clone();
                    *outgoing.headers_mut() = self.headers_of(&request)?;
                    Ok(outgoing)
                };
                wire.exchange(outgoing, connection).await
            }
            Way::Through { fresh, kept } => {
                let client = match connection {
                    Connection::Fresh => fresh,
                    Connection::Reused => kept,
                };
                let url = format!("{}{}", self.base, request.path);
                let builder = client.request(request.method.clone(), url).headers(self.headers_of(&request)?);
                exchange(if request.body.is_some() { builder.body(body()) } else { builder }).await
            }
        }
    }

    fn headers_of(&self, request: &Outgoing<'_>) -> Result<HeaderMap, Failure> {
        let mut headers = self.headers.clone();
        if let Some(tag) = &request.tag {
            headers.insert(header::USER_AGENT, value(&format!("{} {tag}", self.agent))?);
        }
        if let Some(trace::Header { name, value }) = request.header {
            let invalid = || impossible(format!("`{name}: {value}` cannot be a header"));
            let name = name.parse::<HeaderName>().map_err(|_| invalid())?;
            headers.insert(name, value.parse().map_err(|_| invalid())?);
        }
        if let Some(cookies) = &request.cookies {
            // cookies of the caller's go beside those of the jar, and neither hides the other
            let told = headers.get(header::COOKIE).and_then(|told| told.to_str().ok());
            let all = told.map_or_else(|| cookies.clone(), |told| format!("{told}; {cookies}"));
            headers.insert(header::COOKIE, value(&all)?);
        }
        if let Some(content) = request.body {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content.media_type));
        }
        Ok(headers)
    }

    /// A path and its query as they are sent, escaped where that is needed.
    fn path(&self, path: &str) -> Result<Uri, Failure> {
        let mut last = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sent)) = last.as_ref().filter(|(asked, _)| asked == path) {
            return Ok(sent.clone());
        }
        let invalid = || impossible(format!("`{path}` cannot be a path"));
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(|_| invalid())?;
        let sent: Uri = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| invalid())?;
        *last = Some((path.to_owned(), sent.clone()));
        Ok(sent)
    }
}

/// A client for TLS and proxies.
fn through(config: &ClientConfig, source: Option<IpAddr>, connection: Connection) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .http1_only()
        .local_address(source)
        .timeout(config.timeout)
        .tls_danger_accept_invalid_certs(config.verify == Verify::Nothing)
        .pool_max_idle_per_host(match connection {
            Connection::Fresh => 0,
            Connection::Reused => usize::MAX,
        });
    if let Some(address) = config.connect {
        builder = builder.no_proxy();
        if let Some(Host::Domain(domain)) = config.url.host() {
            builder = builder.resolve(domain, address);
        }
    }
    builder.build().map_err(|error| failure(&error))
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Reply, Failure> {
    let mut response = request.send().await.map_err(|error| failure(&error))?;
    let local = response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr);
    let mut reply = Reply {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
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

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return timed_out();
    }
    let doing = if error.is_connect() { Doing::Connecting } else { Doing::Talking };
    // what reqwest itself says names the URL, which the reader knows
    error.source().map_or_else(|| impossible("the request failed".to_owned()), |cause| classify(doing, cause))
}

/// The headers of every request: the caller's own replace ours.
fn headers(config: &ClientConfig, host: &str) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, value(host)?);
    headers.insert(header::USER_AGENT, value(&config.agent)?);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/html;q=0.9, */*;q=0.8"));
    for name in config.headers.keys() {
        headers.remove(name);
        for value in config.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| impossible(format!("`{}` cannot stand in a header", text.escape_debug())))
}

/// What stands before the path, and the `Host` header.
fn base(config: &ClientConfig) -> Result<(String, String), Failure> {
    let url = &config.url;
    let scheme = url.scheme();
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let Some(address) = config.connect else { return Ok((format!("{scheme}://{host}"), host)) };
    match (scheme, url.host()) {
        ("http", _) => Ok((format!("http://{address}"), host)),
        // without a port in the URL, the connection goes to the port of the address that the name is resolved to
        (_, Some(Host::Domain(domain))) => Ok((format!("https://{domain}"), host)),
        _ if url.host_str().and_then(|host| host.parse::<IpAddr>().ok()) == Some(address.ip()) => {
            Ok((format!("https://{address}"), host))
        }
        _ => Err(impossible(format!("a certificate for {host} cannot be asked of {address}"))),
    }
}
