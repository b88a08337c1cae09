//! The connection to a Docker Engine.

use std::{fs, os::unix::fs::FileTypeExt, sync::Arc, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker as Api, errors::Error as ApiError};

use super::{
    endpoint::{Endpoint, Surroundings, Way},
    error::DockerError,
};

/// How long the engine may take to say which version it is.
const GREETING: Duration = Duration::from_secs(5);
/// How long it may take to answer anything else, in seconds.
pub(super) const ANSWER: u64 = 120;

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
    /// When none is named that can be reached, or it does not answer within 5 s.
    pub async fn connect() -> Result<Docker, DockerError> {
        let endpoint = Endpoint::find(&Surroundings::of_process())?;
        let api = open(&endpoint)?;
        // an engine that is older than this program is spoken to in its own version
        let greeting = tokio::time::timeout(GREETING, api.negotiate_version());
        let api = match greeting.await {
            Ok(answer) => answer.map_err(|error| DockerError::of(&endpoint.name, &error))?,
            Err(_) => return Err(DockerError::Silent { endpoint: endpoint.name }),
        };
        Ok(Docker { api, endpoint: Arc::new(endpoint) })
    }

    /// Where it is, for messages: `unix:///var/run/docker.sock`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.name
    }

    /// The machine at which published ports answer, if it is not this one.
    pub fn host(&self) -> Option<&str> {
        self.endpoint.host()
    }

    /// What is said of it when it does not answer.
    pub fn silent(&self) -> DockerError {
        DockerError::Silent { endpoint: self.endpoint.name.clone() }
    }

    /// An error of the API in words.
    pub(super) fn explain(&self, error: &ApiError) -> DockerError {
        DockerError::of(&self.endpoint.name, error)
    }
}

fn open(endpoint: &Endpoint) -> Result<Api, DockerError> {
    let opened = match &endpoint.way {
        Way::Unix(path) => {
            let absent = |cause: String| DockerError::Absent { endpoint: endpoint.name.clone(), cause };
            match fs::metadata(path) {
                Ok(file) if !file.file_type().is_socket() => return Err(absent("it is no socket".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(DockerError::of_io(endpoint.name.clone(), &error)),
            }
            let path = path.to_str().ok_or_else(|| absent("its path is no text".to_owned()))?;
            Api::connect_with_unix(path, ANSWER, API_DEFAULT_VERSION)
        }
        Way::Http(address) => Api::connect_with_http(address, ANSWER, API_DEFAULT_VERSION),
        Way::Https(address, tls) => return super::tls::open(endpoint, address, tls),
        Way::Ssh(target) => return super::ssh::open(endpoint, target),
    };
    opened.map_err(|error| DockerError::of(&endpoint.name, &error))
}
