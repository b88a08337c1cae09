//! The configuration of a client: its target, and how it is asked.

use std::{net::SocketAddr, time::Duration};

use http::HeaderMap;
use url::Url;

#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The target as the user named it.
    pub url: Url,
    /// The address to connect to; without it, the URL's host is resolved.
    pub connect: Option<SocketAddr>,
    pub verify: Verification,
    /// How long one request may take, from connecting to the end of the body.
    pub timeout: Duration,
    /// Headers that every request carries; they replace the client's own.
    pub headers: HeaderMap,
    /// The `User-Agent` of every request.
    pub agent: String,
    /// The shortest time between the starts of two requests.
    pub interval: Option<Duration>,
    /// Whether each request adds its series and its number to the `User-Agent`, so that a lab's log tells which
    /// requests are the probe's.
    pub number_requests: bool,
}

/// How the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// As a browser does it.
    Certificate,
    /// Not at all.
    Nothing,
}
