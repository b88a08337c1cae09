//! The client of one target: completes requests and gives them to a transport.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use http_body_util::Full;
use tracing::debug;
use url::{Host, Position, Url};

use crate::model::trace::{Connection, Failure, Header};

use super::{
    addresses::is_proxied,
    config::ClientConfig,
    direct_client::DirectClient,
    failure::request_failure,
    message::{OutgoingRequest, Reply},
    reqwest_client::ReqwestClient,
};

/// Sends requests to one target.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
    /// Scheme, host and port of every request.
    base: String,
    /// The headers of every request, with the `User-Agent` that a request may add to.
    headers: HeaderMap,
    agent: String,
    /// The path of the last request, and its escaped form: nearly all requests ask for the path of the one before.
    last_path: Arc<Mutex<Option<(String, Uri)>>>,
}

/// The way in which requests reach the server.
#[derive(Debug, Clone)]
enum Transport {
    /// Over plain connections to the server itself.
    Direct(DirectClient),
    /// Over TLS, or through the proxy that the environment names.
    Reqwest(ReqwestClient),
}

impl Client {
    /// A client for a target.
    ///
    /// # Errors
    /// Fails when the TLS configuration of this machine cannot be used, or the combination of URL and address is
    /// impossible.
    pub fn new(config: &ClientConfig) -> Result<Client, Failure> {
        Client::bound_to(config, None)
    }

    /// A client for a target, whose connections come from the address `source` of this machine.
    ///
    /// # Errors
    /// Fails as [`Client::new`] does. An address that is not this machine's fails later, when a connection is made.
    pub fn bound_to(config: &ClientConfig, source: Option<IpAddr>) -> Result<Client, Failure> {
        let (base, host) = base_and_host(config)?;
        let origin: Uri = base.parse().map_err(|_| request_failure(format!("`{base}` cannot be asked")))?;
        let goes_through_proxy = config.connect.is_none() && is_proxied(&origin);
        let transport = if config.url.scheme() == "https" || goes_through_proxy {
            Transport::Reqwest(ReqwestClient::new(config, source)?)
        } else {
            Transport::Direct(DirectClient::new(origin, source, config.timeout))
        };
        let (headers, agent) = (common_headers(config, &host)?, config.agent.clone());
        Ok(Client { transport, base, headers, agent, last_path: Arc::default() })
    }

    /// Sends a request over a connection of its own or over an idle one, and measures the time until the answer is
    /// complete.
    ///
    /// # Errors
    /// Fails when no head of an answer arrived.
    pub async fn send(
        &self,
        request: OutgoingRequest<'_>,
        connection: Connection,
    ) -> (Duration, Result<Reply, Failure>) {
        let (method, path) = (request.method.clone(), request.path);
        let started = Instant::now();
        let reply = self.exchange(request, connection).await;
        let elapsed = started.elapsed();
        match &reply {
            Ok(Reply { status, server, port, .. }) => {
                debug!(%method, path, status = status.as_u16(), ?elapsed, ?server, port, "request");
            }
            Err(failure) => debug!(%method, path, ?elapsed, kind = ?failure.kind, failure.message, "request failed"),
        }
        (elapsed, reply)
    }

    async fn exchange(&self, request: OutgoingRequest<'_>, connection: Connection) -> Result<Reply, Failure> {
        let body = || request.body.map(|content| Bytes::from(content.text.clone()));
        match &self.transport {
            Transport::Direct(client) => {
                let path = self.path(request.path)?;
                let outgoing = || {
                    let mut outgoing = http::Request::new(Full::new(body().unwrap_or_default()));
                    *outgoing.method_mut() = request.method.clone();
                    *outgoing.uri_mut() = path.clone();
                    *outgoing.headers_mut() = self.headers(&request)?;
                    Ok(outgoing)
                };
                client.exchange(outgoing, connection).await
            }
            Transport::Reqwest(client) => {
                let url = format!("{}{}", self.base, request.path);
                let headers = self.headers(&request)?;
                client.exchange((request.method.clone(), url), headers, body(), connection).await
            }
        }
    }

    fn headers(&self, request: &OutgoingRequest<'_>) -> Result<HeaderMap, Failure> {
        let mut headers = self.headers.clone();
        if let Some(tag) = &request.tag {
            headers.insert(header::USER_AGENT, header_value(&format!("{} {tag}", self.agent))?);
        }
        if let Some(Header { name, value }) = request.header {
            let invalid = || request_failure(format!("`{name}: {value}` cannot be a header"));
            let name = name.parse::<HeaderName>().map_err(|_| invalid())?;
            headers.insert(name, value.parse().map_err(|_| invalid())?);
        }
        if let Some(cookies) = &request.cookies {
            // the user's own cookies and those of the jar go side by side, and neither hide the others
            let own = headers.get(header::COOKIE).and_then(|own| own.to_str().ok());
            let all = own.map_or_else(|| cookies.clone(), |own| format!("{own}; {cookies}"));
            headers.insert(header::COOKIE, header_value(&all)?);
        }
        if let Some(content) = request.body {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content.media_type));
        }
        Ok(headers)
    }

    /// A path and its query, escaped where necessary.
    fn path(&self, path: &str) -> Result<Uri, Failure> {
        let mut last = self.last_path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, escaped)) = last.as_ref().filter(|(last, _)| last == path) {
            return Ok(escaped.clone());
        }
        let invalid = || request_failure(format!("`{path}` cannot be a path"));
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(|_| invalid())?;
        let escaped: Uri = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| invalid())?;
        *last = Some((path.to_owned(), escaped.clone()));
        Ok(escaped)
    }
}

/// The headers that every request carries: the user's replace the client's.
fn common_headers(config: &ClientConfig, host: &str) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, header_value(host)?);
    headers.insert(header::USER_AGENT, header_value(&config.agent)?);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/html;q=0.9, */*;q=0.8"));
    for name in config.headers.keys() {
        headers.remove(name);
        for value in config.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    Ok(headers)
}

fn header_value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text)
        .map_err(|_| request_failure(format!("`{}` cannot stand in a header", text.escape_debug())))
}

/// The part of every URL before its path, and the `Host` header.
fn base_and_host(config: &ClientConfig) -> Result<(String, String), Failure> {
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
        _ => Err(request_failure(format!("a certificate for {host} cannot be asked of {address}"))),
    }
}
