//! The request that a client sends, and the reply.

use std::{borrow::Cow, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::model::trace::{Failure, Header};

/// The part of a body that a client reads, in bytes: enough to find an instance's name in it.
pub const MAX_BODY: usize = 256 * 1024;

/// A request without what all requests of a client have in common.
#[derive(Debug, Clone)]
pub struct OutgoingRequest<'a> {
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    pub body: Option<&'a Content>,
    /// The value of the `Cookie` header.
    pub cookies: Option<String>,
    /// One more header; it replaces a header of the same name that every request carries.
    pub header: Option<&'a Header>,
    /// Text that is appended to the `User-Agent`.
    pub tag: Option<String>,
}

impl<'a> OutgoingRequest<'a> {
    /// A GET without cookies, body or further headers.
    pub fn get(path: &'a str) -> OutgoingRequest<'a> {
        OutgoingRequest { method: Method::GET, path, body: None, cookies: None, header: None, tag: None }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub media_type: &'static str,
    pub text: String,
}

/// The answer to a request, as far as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; of a long one, [`MAX_BODY`] bytes and the rest of the last frame.
    pub body: Bytes,
    /// The address of the server.
    pub server: Option<SocketAddr>,
    /// The local port of the connection.
    pub port: Option<u16>,
    /// The failure that ended the reply after its head had arrived.
    pub cut: Option<Failure>,
}

impl Reply {
    /// The body as text, with U+FFFD for bytes that are no UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        // nearly all bodies are UTF-8, and this check looks at more than one byte at a time
        std::str::from_utf8(&self.body).map_or_else(|_| String::from_utf8_lossy(&self.body), Cow::Borrowed)
    }
}
