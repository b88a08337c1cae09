//! Refusals: the proxy's own answers, as Traefik's.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

/// The reasons for which a request gets no answer of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request is not one that can be forwarded.
    BadRequest,
    /// A middleware made a path that is not normal.
    BadPath,
    /// The proxy does not have the method or the transfer coding.
    NotImplemented,
    /// No router matches.
    NotFound,
    /// The answer of the replica is not HTTP.
    Malformed,
    /// The replica gave no answer.
    BadGateway,
    /// No replica takes requests.
    Unavailable,
    /// No connection could be made in time.
    Timeout,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::BadRequest | Refusal::BadPath => StatusCode::BAD_REQUEST,
            Refusal::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Malformed => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::BadGateway => StatusCode::BAD_GATEWAY,
            Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Refusal::BadRequest => "Bad Request",
            Refusal::BadPath => "Bad Request\n",
            Refusal::NotImplemented => "",
            Refusal::NotFound => "404 page not found\n",
            Refusal::Malformed => "Internal Server Error",
            Refusal::BadGateway => "Bad Gateway",
            Refusal::Unavailable => "no available server\n",
            Refusal::Timeout => "Gateway Timeout",
        }
    }

    /// Gives a response the status and the headers of this refusal. As in Traefik, a refusal for what a replica did
    /// wrong has its text alone.
    pub fn mark<B>(self, response: &mut Response<B>) {
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        if matches!(self, Refusal::BadRequest | Refusal::BadPath | Refusal::NotFound | Refusal::Unavailable) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        if matches!(self, Refusal::BadPath | Refusal::NotFound | Refusal::Unavailable) {
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
    }
}
