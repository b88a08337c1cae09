//! The configuration of a client: its target, and the settings of every request.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http::HeaderMap;
use url::Url;

#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The target as the user named it.
    pub url: Url,
    /// The address to connect to; without it, the URL's host is an address, or a proxy resolves it.
    pub connect: Option<SocketAddr>,
    /// All addresses of the URL's host, where it was resolved.
    pub addresses: Vec<IpAddr>,
    pub verify: Verification,
    /// The longest time that one request may take, from connecting to the end of the body.
    pub timeout: Duration,
    /// Headers that every request carries; they replace the client's own.
    pub headers: HeaderMap,
    /// The `User-Agent` of every request.
    pub agent: String,
    /// The shortest time between the starts of two requests.
    pub interval: Option<Duration>,
    /// True if each request adds its series and its number to the `User-Agent`, so that the probe's requests can be
    /// found in a lab's log.
    pub number_requests: bool,
}

/// The verification of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// The certificate is verified as in a browser.
    Certificate,
    /// Any certificate is accepted.
    Nothing,
}
