//! Errors of a change: reasons why a lab could not be started, scaled or stopped.

use crate::{
    composefile::ComposeError,
    engine::{DockerError, StartError, ToolError},
};

use super::{
    compose::{FileError, NotReady},
    listen::ListenError,
    plan_error::PlanError,
    supervisor::RendezvousError,
};

/// A lab that could not be started, scaled or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The lab cannot be as the command line asks for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A replica of the embedded engine did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A container did not become ready.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The bundled proxy did not start.
    #[error("the proxy did not start")]
    Proxy(#[from] std::io::Error),
    /// The Docker Engine cannot be used, or refuses.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// Docker Compose failed.
    #[error(transparent)]
    Compose(#[from] ToolError),
    /// The compose file of the lab cannot be used.
    #[error(transparent)]
    ComposeFile(#[from] ComposeError),
    /// The files that Compose reads cannot be written.
    #[error(transparent)]
    LabFile(#[from] FileError),
    /// The port cannot be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another lab has the name.
    #[error(transparent)]
    Lock(#[from] RendezvousError),
    /// Docker has containers of a project of this name, which were not started by this program.
    #[error("Docker has containers of a project `{0}` that are no lab of lbctl's")]
    Foreign(String),
    /// The Docker Engine runs on another machine.
    #[error("the Docker Engine at {endpoint} runs on {host}, and a lab is reached where its proxy listens")]
    Remote { endpoint: String, host: String },
    /// Another program removed the containers of the lab.
    #[error("the containers of the lab `{0}` were removed")]
    Removed(String),
    /// The lab was asked to stop during the change.
    #[error("the lab is being stopped")]
    Stopping,
}

impl ChangeError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            ChangeError::Plan(plan) => plan.hint(),
            ChangeError::Start(start) => start.hint(),
            ChangeError::NotReady(not_ready) => not_ready.hint(),
            ChangeError::Docker(docker) => docker.hint(),
            ChangeError::Compose(compose) => compose.hint(),
            ChangeError::Foreign(_) => Some("choose another name with -p".to_owned()),
            ChangeError::Remote { host, .. } => Some(format!("run lbctl on {host}, or use this machine's engine")),
            ChangeError::ComposeFile(file) => file.hint(),
            ChangeError::Listen(listen) => listen.hint(),
            ChangeError::Lock(lock) => lock.hint(),
            ChangeError::LabFile(_) | ChangeError::Proxy(_) | ChangeError::Removed(_) | ChangeError::Stopping => None,
        }
    }

    /// The log or the output that explains the failure in several lines, where there is one.
    pub fn detail(&self) -> Option<String> {
        match self {
            ChangeError::NotReady(not_ready) => not_ready.detail(),
            ChangeError::Compose(compose) => compose.detail(),
            ChangeError::Plan(_)
            | ChangeError::Start(_)
            | ChangeError::Proxy(_)
            | ChangeError::Docker(_)
            | ChangeError::ComposeFile(_)
            | ChangeError::LabFile(_)
            | ChangeError::Listen(_)
            | ChangeError::Lock(_)
            | ChangeError::Foreign(_)
            | ChangeError::Remote { .. }
            | ChangeError::Removed(_)
            | ChangeError::Stopping => None,
        }
    }
}
