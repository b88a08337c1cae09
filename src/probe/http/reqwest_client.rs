//! The transport for TLS, and for the proxy that the environment names: reqwest.

use std::{error::Error as _, net::IpAddr};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use hyper_util::client::legacy::connect::HttpInfo;
use url::Host;

use crate::model::trace::{Connection, Failure};

use super::{
    config::{ClientConfig, Verification},
    failure::{Phase, classify, dns_failure, request_failure, timeout_failure},
    message::{MAX_BODY, Reply},
};

#[derive(Debug, Clone)]
pub struct ReqwestClient {
    /// Opens a connection for every request.
    fresh: reqwest::Client,
    /// Keeps its connections.
    reused: reqwest::Client,
}

impl ReqwestClient {
    /// A client whose connections come from `source` where it is given.
    ///
    /// # Errors
    /// Fails when the TLS configuration of this machine cannot be used.
    pub fn new(config: &ClientConfig, source: Option<IpAddr>) -> Result<ReqwestClient, Failure> {
        let client = |connection| build(config, source, connection);
        Ok(ReqwestClient { fresh: client(Connection::Fresh)?, reused: client(Connection::Reused)? })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Fails when no head of an answer arrived.
    pub async fn exchange(
        &self,
        (method, url): (Method, String),
        headers: HeaderMap,
        body: Option<Bytes>,
        connection: Connection,
    ) -> Result<Reply, Failure> {
        let client = match connection {
            Connection::Fresh => &self.fresh,
            Connection::Reused => &self.reused,
        };
        let builder = client.request(method, url).headers(headers);
        let builder = match body {
            Some(body) => builder.body(body),
            None => builder,
        };
        let mut response = builder.send().await.map_err(|error| failure(&error))?;
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
        while body.len() < MAX_BODY {
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

fn build(config: &ClientConfig, source: Option<IpAddr>, connection: Connection) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .http1_only()
        .local_address(source)
        .timeout(config.timeout)
        .tls_danger_accept_invalid_certs(config.verify == Verification::Nothing)
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

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return timeout_failure();
    }
    if error.is_dns() {
        return dns_failure();
    }
    let phase = if error.is_connect() { Phase::Connect } else { Phase::Exchange };
    // reqwest's own words name the URL, which the reader knows
    error.source().map_or_else(|| request_failure("the request failed".to_owned()), |cause| classify(phase, cause))
}
