//! Failures: what sort an error of the network or of HTTP is, and its innermost cause in words.

use std::{error::Error, io};

use crate::model::trace::{Failure, FailureKind};

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A connection was being made.
    Connecting,
    /// A request was being sent or its answer received.
    Talking,
}

/// It took longer than allowed.
pub fn timed_out() -> Failure {
    Failure { kind: FailureKind::Timeout, message: "timed out".to_owned() }
}

/// The sort of an error by itself and all its causes, the outermost first.
pub fn classify(doing: Doing, error: &(dyn Error + 'static)) -> Failure {
    let causes: Vec<String> = chain(error).map(ToString::to_string).collect();
    let said = |words: &[&str]| causes.iter().any(|cause| words.iter().any(|word| cause.contains(word)));
    let last = || causes.last().cloned().unwrap_or_default();
    let io = io_kind(error);
    let (kind, message) = if io == Some(io::ErrorKind::TimedOut) {
        return timed_out();
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
        (FailureKind::Tls, last())
    } else if doing == Doing::Connecting {
        (FailureKind::Connect, last())
    } else if io.is_some_and(|kind| kind == io::ErrorKind::ConnectionReset)
        || said(&["connection closed", "unexpected EOF", "end of file", "reset by peer"])
    {
        (FailureKind::Closed, "the connection ended before the answer did".to_owned())
    } else if said(&["invalid HTTP", "parse", "invalid chunk", "message head is too large"]) {
        (FailureKind::Protocol, format!("not an HTTP answer: {}", last()))
    } else {
        (FailureKind::Other, last())
    };
    Failure { kind, message: message.replace(['\n', '\r'], " ") }
}

/// Something that cannot be sent.
pub fn impossible(message: String) -> Failure {
    Failure { kind: FailureKind::Other, message }
}

/// The kind of the outermost error of the operating system's.
pub fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
