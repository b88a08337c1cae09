//! What goes wrong between this program and a Docker Engine, in words.

use std::{error::Error, io, sync::Arc};

use bollard::errors::Error as ApiError;

use crate::engine::words::in_small;

/// A Docker Engine that cannot be used, or that refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerError {
    /// There is nothing at the place where the engine should be.
    #[error("no Docker Engine at {endpoint}: {cause}")]
    Absent {
        /// Where it should be.
        endpoint: Arc<str>,
        /// What was found instead.
        cause: String,
    },
    /// The engine's socket is not this user's.
    #[error("not allowed to use the Docker Engine at {endpoint}: {cause}")]
    Forbidden {
        /// Where it is.
        endpoint: Arc<str>,
        /// What the system said.
        cause: String,
    },
    /// The environment names an engine in a way that is not understood.
    #[error("{name} cannot be used: {cause}")]
    Setting {
        /// What says where the engine is: `DOCKER_HOST`, a file.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No context has this name.
    #[error("no Docker context is called {name}")]
    Context {
        /// The name.
        name: String,
    },
    /// No TLS connection came about.
    #[error("no secure connection to the Docker Engine at {endpoint}: {cause}")]
    Tls {
        /// Where it is.
        endpoint: Arc<str>,
        /// What is wrong.
        cause: String,
    },
    /// It accepts, and says nothing.
    #[error("the Docker Engine at {endpoint} does not answer")]
    Silent {
        /// Where it is.
        endpoint: Arc<str>,
    },
    /// It was there, and has gone.
    #[error("lost the Docker Engine at {endpoint}: {cause}")]
    Lost {
        /// Where it was.
        endpoint: Arc<str>,
        /// How it looks from here.
        cause: String,
    },
    /// It answers that it will not.
    #[error("the Docker Engine at {endpoint} refuses: {message}")]
    Refused {
        /// Where it is.
        endpoint: Arc<str>,
        /// HTTP's status.
        status: u16,
        /// What it says.
        message: String,
    },
}

impl DockerError {
    /// What can be done about it.
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

    /// Whether there is no engine at all.
    pub fn is_absent(&self) -> bool {
        matches!(self, DockerError::Absent { .. })
    }

    /// What an answer of the API, or the lack of one, means.
    pub(super) fn of(endpoint: &Arc<str>, error: &ApiError) -> DockerError {
        let endpoint = endpoint.clone();
        match error {
            ApiError::DockerResponseServerError { status_code, message } => {
                return DockerError::Refused { endpoint, status: *status_code, message: one_line(message) };
            }
            ApiError::RequestTimeoutError => return DockerError::Silent { endpoint },
            ApiError::SocketNotFoundError(_) => {
                return DockerError::Absent { endpoint, cause: "no such file".to_owned() };
            }
            ApiError::IOError { err } => return DockerError::of_io(endpoint, err),
            _ => {}
        }
        let mut innermost: &(dyn Error + 'static) = error;
        loop {
            if let Some(error) = innermost.downcast_ref::<io::Error>() {
                return DockerError::of_io(endpoint, error);
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => return DockerError::Lost { endpoint, cause: one_line(&innermost.to_string()) },
            }
        }
    }

    /// What a failed connection means.
    pub(super) fn of_io(endpoint: Arc<str>, error: &io::Error) -> DockerError {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return DockerError::Tls { endpoint, cause: one_line(&tls.to_string()) };
        }
        let cause = in_words(error);
        match error.kind() {
            io::ErrorKind::PermissionDenied => DockerError::Forbidden { endpoint, cause },
            // a connection that there was
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => DockerError::Lost { endpoint, cause },
            _ => DockerError::Absent { endpoint, cause },
        }
    }

    /// What says where the engine is cannot be used.
    pub(super) fn setting(name: impl Into<String>, cause: impl Into<String>) -> DockerError {
        DockerError::Setting { name: name.into(), cause: cause.into() }
    }

    /// The same as the end of something that went on until then.
    pub fn lost(self) -> DockerError {
        match self {
            DockerError::Absent { endpoint, cause } => DockerError::Lost { endpoint, cause },
            DockerError::Silent { endpoint } => {
                DockerError::Lost { endpoint, cause: "it does not answer any more".to_owned() }
            }
            other => other,
        }
    }
}

/// A system's error without its number.
pub(super) fn in_words(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        _ => error.to_string(),
    };
    one_line(text.split(" (os error").next().unwrap_or_default())
}

/// One line that begins with a small letter, unless its first word is a name.
pub(super) fn one_line(text: &str) -> String {
    in_small(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
