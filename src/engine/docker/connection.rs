//! The connection to a Docker Engine.

use std::{fs, os::unix::fs::FileTypeExt, sync::Arc, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker as Api, errors::Error as ApiError};
use tracing::debug;

use super::{
    endpoint::{Endpoint, Environment, Transport},
    error::DockerError,
    http::RESPONSE_TIMEOUT_SECONDS,
};

/// The longest time that the engine may take to report its version when a connection begins.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A Docker Engine that has answered.
#[derive(Debug, Clone)]
pub struct Docker {
    pub(super) api: Api,
    endpoint: Arc<Endpoint>,
}

impl Docker {
    /// The engine that the `docker` command would use: by `DOCKER_HOST`, else by context, else the default socket.
    ///
    /// # Errors
    /// Fails when no engine is named, or it cannot be reached, or does not answer within 5 s.
    pub async fn connect() -> Result<Docker, DockerError> {
        let endpoint = Endpoint::resolve(&Environment::of_process())?;
        debug!(endpoint = %endpoint.name, "connect to Docker");
        let api = open(&endpoint)?;
        // an engine that is older than this program is used by the version of the API that it knows
        let negotiation = tokio::time::timeout(CONNECT_TIMEOUT, api.negotiate_version());
        let api = match negotiation.await {
            Ok(answer) => answer.map_err(|error| DockerError::from_api(&endpoint.name, &error))?,
            Err(_) => return Err(DockerError::Silent { endpoint: endpoint.name }),
        };
        Ok(Docker { api, endpoint: Arc::new(endpoint) })
    }

    /// The address of the engine, for messages: `unix:///var/run/docker.sock`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.name
    }

    /// The machine on which published ports answer, where that is another one.
    pub fn host(&self) -> Option<&str> {
        self.endpoint.host()
    }

    /// The error for an engine that does not answer.
    pub fn silent(&self) -> DockerError {
        DockerError::Silent { endpoint: self.endpoint.name.clone() }
    }

    /// Turns an error of the API into one for a person.
    pub(super) fn explain(&self, error: &ApiError) -> DockerError {
        DockerError::from_api(&self.endpoint.name, error)
    }
}

fn open(endpoint: &Endpoint) -> Result<Api, DockerError> {
    let opened = match &endpoint.transport {
        Transport::Unix(path) => {
            let absent = |cause: String| DockerError::Absent { endpoint: endpoint.name.clone(), cause };
            match fs::metadata(path) {
                Ok(file) if !file.file_type().is_socket() => return Err(absent("it is no socket".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(DockerError::from_io(endpoint.name.clone(), &error)),
            }
            let path = path.to_str().ok_or_else(|| absent("its path is no text".to_owned()))?;
            Api::connect_with_unix(path, RESPONSE_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        }
        Transport::Http(address) => Api::connect_with_http(address, RESPONSE_TIMEOUT_SECONDS, API_DEFAULT_VERSION),
        Transport::Https(address, tls) => return super::tls::open(endpoint, address, tls),
        Transport::Ssh(target) => return super::ssh::open(endpoint, target),
    };
    opened.map_err(|error| DockerError::from_api(&endpoint.name, &error))
}
