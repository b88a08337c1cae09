//! Failures: the kind of failure that an error is, and its innermost cause in words.
//!
//! The types of the error and of its causes decide the kind. Their words are only shown.

use std::{error::Error, io};

use crate::model::trace::{Failure, FailureKind};

/// The phase of an exchange in which an error occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The client was making a connection, which includes the TLS handshake.
    Connect,
    /// The client was sending a request or receiving the answer.
    Exchange,
}

/// A request took longer than it may.
pub fn timeout_failure() -> Failure {
    Failure { kind: FailureKind::Timeout, message: "timed out".to_owned() }
}

/// A name was not resolved.
pub fn dns_failure() -> Failure {
    Failure { kind: FailureKind::Dns, message: "the name does not resolve".to_owned() }
}

/// A request cannot be sent at all.
pub fn request_failure(message: String) -> Failure {
    Failure { kind: FailureKind::Other, message }
}

/// The failure that an error means.
pub fn classify(phase: Phase, error: &(dyn Error + 'static)) -> Failure {
    if has_io_kind(error, &[io::ErrorKind::TimedOut]) {
        return timeout_failure();
    }
    let message = innermost(error).to_string();
    let (kind, message) = if is_tls(phase, error) {
        (FailureKind::Tls, message)
    } else if phase == Phase::Connect {
        (FailureKind::Connect, message)
    } else if has_ended(error) {
        (FailureKind::Closed, "the connection ended before the answer did".to_owned())
    } else if is_malformed(error) {
        (FailureKind::Protocol, format!("not an HTTP answer: {message}"))
    } else {
        (FailureKind::Other, message)
    };
    Failure { kind, message: message.replace(['\n', '\r'], " ") }
}

/// Returns whether one of the causes is an I/O error of one of these kinds.
pub fn has_io_kind(error: &(dyn Error + 'static), kinds: &[io::ErrorKind]) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| kinds.contains(&cause.kind()))
}

/// Returns whether TLS failed. A server that ends the connection during the handshake shows as the end of a stream; on
/// a plain connection nothing is read before the first request.
fn is_tls(phase: Phase, error: &(dyn Error + 'static)) -> bool {
    let ended_handshake = phase == Phase::Connect && has_io_kind(error, &[io::ErrorKind::UnexpectedEof]);
    ended_handshake || find_cause::<rustls::Error>(error).is_some()
}

/// Returns whether the connection ended before the answer was complete.
fn has_ended(error: &(dyn Error + 'static)) -> bool {
    // a request is canceled when its connection ends before it was sent
    let gone = |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    find_cause(error).is_some_and(gone)
        || has_io_kind(error, &[io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof])
}

/// Returns whether the answer is not HTTP: its head for hyper's parser, or its chunks, for which hyper gives I/O
/// errors.
fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    find_cause(error).is_some_and(hyper::Error::is_parse)
        || has_io_kind(error, &[io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput])
}

/// The first cause of a type, the error itself included.
fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

/// The error and all its causes, the outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // an I/O error that wraps another gives the cause of the other as its own, and leaves the other out
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Box<dyn Error + Send + Sync>);

    fn kind(phase: Phase, error: impl Into<Box<dyn Error + Send + Sync>>) -> (FailureKind, String) {
        let Failure { kind, message } = classify(phase, &Outer(error.into()));
        (kind, message)
    }

    #[test]
    fn types_decide_the_kind_of_a_failure_however_deep_they_stand() {
        let tls = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls()));
        let message = "invalid peer certificate: UnknownIssuer".to_owned();
        assert_eq!(kind(Phase::Connect, wrapped), (FailureKind::Tls, message.clone()));
        assert_eq!(kind(Phase::Exchange, tls()), (FailureKind::Tls, message));
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(kind(Phase::Connect, refused()).0, FailureKind::Connect);
        for (io, connecting, exchanging) in [
            (io::ErrorKind::TimedOut, FailureKind::Timeout, FailureKind::Timeout),
            (io::ErrorKind::UnexpectedEof, FailureKind::Tls, FailureKind::Closed),
            (io::ErrorKind::ConnectionReset, FailureKind::Connect, FailureKind::Closed),
            (io::ErrorKind::InvalidInput, FailureKind::Connect, FailureKind::Protocol),
            (io::ErrorKind::BrokenPipe, FailureKind::Connect, FailureKind::Other),
        ] {
            assert_eq!(kind(Phase::Connect, io::Error::other(io::Error::from(io))).0, connecting, "{io}");
            assert_eq!(kind(Phase::Exchange, io::Error::other(io::Error::from(io))).0, exchanging, "{io}");
        }
    }

    #[test]
    fn words_decide_no_kind() {
        for words in ["certificate", "tls", "parse", "dns error", "connection closed", "invalid chunk"] {
            assert_eq!(kind(Phase::Exchange, words), (FailureKind::Other, words.to_owned()));
        }
    }
}
