//! Failures between this program and a Docker Engine.

use std::{error::Error, io, sync::Arc};

use bollard::errors::Error as ApiError;

use crate::engine::text::one_line;

/// A Docker Engine that cannot be used, or that refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerError {
    /// No engine listens at its address.
    #[error("no Docker Engine at {endpoint}: {cause}")]
    Absent { endpoint: Arc<str>, cause: String },
    /// This user may not use the engine's socket.
    #[error("not allowed to use the Docker Engine at {endpoint}: {cause}")]
    Forbidden { endpoint: Arc<str>, cause: String },
    /// The environment or a context names an engine in a way that this program does not understand.
    #[error("{name} cannot be used: {cause}")]
    Setting {
        /// The setting that names the engine: `DOCKER_HOST`, a file.
        name: String,
        cause: String,
    },
    /// No context has this name.
    #[error("no Docker context is called {name}")]
    Context { name: String },
    /// The TLS connection failed.
    #[error("no secure connection to the Docker Engine at {endpoint}: {cause}")]
    Tls { endpoint: Arc<str>, cause: String },
    /// The engine accepts a connection, and does not answer.
    #[error("the Docker Engine at {endpoint} does not answer")]
    Silent { endpoint: Arc<str> },
    /// The engine answered before, and does not any more.
    #[error("lost the Docker Engine at {endpoint}: {cause}")]
    Lost { endpoint: Arc<str>, cause: String },
    /// The engine answers with an error.
    #[error("the Docker Engine at {endpoint} refuses: {message}")]
    Refused { endpoint: Arc<str>, status: u16, message: String },
}

impl DockerError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            DockerError::Absent { .. } => "start Docker, or leave --engine compose out: the embedded engine needs none",
            DockerError::Forbidden { .. } => "add this user to the group `docker`, or use rootless Docker",
            DockerError::Setting { .. } => {
                "DOCKER_HOST takes unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST; unset, it is the context's"
            }
            DockerError::Context { .. } => {
                "`docker context ls` lists them; DOCKER_CONTEXT=default takes this machine's"
            }
            DockerError::Tls { .. } => {
                "ca.pem, cert.pem and key.pem are taken from the context, or from DOCKER_CERT_PATH"
            }
            DockerError::Silent { .. } => "is it starting, or overloaded? `docker version` should answer",
            DockerError::Lost { .. } => "was Docker stopped? `docker version` should answer",
            DockerError::Refused { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Returns whether no engine listens at the address.
    pub fn is_absent(&self) -> bool {
        matches!(self, DockerError::Absent { .. })
    }

    /// The error that an answer of the API, or a missing answer, means.
    pub(super) fn from_api(endpoint: &Arc<str>, error: &ApiError) -> DockerError {
        let endpoint = endpoint.clone();
        match error {
            ApiError::DockerResponseServerError { status_code, message } => {
                return DockerError::Refused { endpoint, status: *status_code, message: one_line(message) };
            }
            ApiError::RequestTimeoutError => return DockerError::Silent { endpoint },
            ApiError::SocketNotFoundError(_) => {
                return DockerError::Absent { endpoint, cause: "no such file".to_owned() };
            }
            ApiError::IOError { err } => return DockerError::from_io(endpoint, err),
            _ => {}
        }
        let mut innermost: &(dyn Error + 'static) = error;
        loop {
            if let Some(error) = innermost.downcast_ref::<io::Error>() {
                return DockerError::from_io(endpoint, error);
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => return DockerError::Lost { endpoint, cause: one_line(&innermost.to_string()) },
            }
        }
    }

    /// The error that a failed connection means.
    pub(super) fn from_io(endpoint: Arc<str>, error: &io::Error) -> DockerError {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return DockerError::Tls { endpoint, cause: one_line(&tls.to_string()) };
        }
        let cause = io_message(error);
        match error.kind() {
            io::ErrorKind::PermissionDenied => DockerError::Forbidden { endpoint, cause },
            // there was a connection before
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => DockerError::Lost { endpoint, cause },
            _ => DockerError::Absent { endpoint, cause },
        }
    }

    /// The error of a setting that names no usable engine.
    pub(super) fn setting(name: impl Into<String>, cause: impl Into<String>) -> DockerError {
        DockerError::Setting { name: name.into(), cause: cause.into() }
    }

    /// The same error where the engine answered before: an engine that is absent now was lost.
    pub fn into_lost(self) -> DockerError {
        match self {
            DockerError::Absent { endpoint, cause } => DockerError::Lost { endpoint, cause },
            DockerError::Silent { endpoint } => {
                DockerError::Lost { endpoint, cause: "it does not answer any more".to_owned() }
            }
            other => other,
        }
    }
}

/// The message of a system error, without its number.
pub(super) fn io_message(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "no such file".to_owned();
    }
    let text = error.to_string();
    let number = error.raw_os_error().map(|code| format!(" (os error {code})"));
    one_line(number.and_then(|number| text.strip_suffix(&number)).unwrap_or(&text))
}
