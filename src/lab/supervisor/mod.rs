//! The supervisor: keeps one lab from its start to its end, whatever runs it, and is what the control API talks to.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use tokio::sync::{Mutex, watch};

use crate::{
    composefile::ComposeError,
    engine::{DockerError, StartError, ToolError},
    lab::{
        EmbeddedLab, ListenError, PlanError,
        compose::{ComposeLab, FileError, NotReady},
    },
    model::{LabView, ScaleView},
};

mod client;
mod control;
mod handle;
mod journal;
mod lock;

pub use client::ClientError;
pub use control::{LogQuery, RefusalKind, serve as serve_control};
pub use handle::{RunningLab, RunningLabError, find_running_lab, running_labs};
pub use journal::{Journal, keep_requests};
pub use lock::{Rendezvous, RendezvousError, SupervisorLock, is_project_name};

/// One lab.
#[derive(Debug)]
pub struct Supervisor {
    runner: LabRunner,
    journal: Arc<Journal>,
    /// One change at a time.
    changing: Mutex<()>,
    /// Whether somebody asked the lab to stop.
    stop: watch::Sender<bool>,
}

/// What runs a lab: all that differs between engines.
#[derive(Debug)]
pub enum LabRunner {
    /// Child processes and the bundled proxy.
    Embedded(Box<EmbeddedLab>),
    /// Containers, and Traefik or the bundled proxy.
    Compose(Box<ComposeLab>),
}

/// What happens while a lab starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many replicas answer, of so many.
    Ready {
        /// Those that do.
        ready: u32,
        /// All of them.
        of: u32,
    },
    /// Something that takes its time, in a few words.
    Doing(String),
    /// Something worth knowing.
    Note(String),
}

/// How a lab ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Requests under way get a moment.
    Graceful,
    /// At once.
    Immediate,
}

/// Why a lab could not be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It was asked for something that cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A replica did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A container did not come to answer.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The proxy did not start.
    #[error("the proxy did not start")]
    Proxy(#[from] std::io::Error),
    /// The Docker Engine said no.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// Compose said no.
    #[error(transparent)]
    Compose(#[from] ToolError),
    /// The lab's compose file cannot be used.
    #[error(transparent)]
    File(#[from] ComposeError),
    /// Files for Compose cannot be written.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another lab has the name.
    #[error(transparent)]
    Lock(#[from] RendezvousError),
    /// The project's containers are not ours.
    #[error("Docker has containers of a project `{0}` that are no lab of lbctl's")]
    Foreign(String),
    /// The engine is elsewhere.
    #[error("the Docker Engine at {endpoint} runs on {host}, and a lab is reached where its proxy listens")]
    Remote {
        /// The engine.
        endpoint: String,
        /// Its machine.
        host: String,
    },
    /// Somebody else ended it.
    #[error("the containers of the lab `{0}` were removed")]
    Removed(String),
    /// Somebody asked the lab to stop meanwhile.
    #[error("the lab is being stopped")]
    Stopping,
}

impl ChangeError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ChangeError::Plan(plan) => plan.hint(),
            ChangeError::Start(start) => start.hint(),
            ChangeError::NotReady(not_ready) => not_ready.hint(),
            ChangeError::Docker(docker) => docker.hint(),
            ChangeError::Compose(compose) => compose.hint(),
            ChangeError::Foreign(_) => Some("choose another name with -p".to_owned()),
            ChangeError::Remote { host, .. } => Some(format!("run lbctl on {host}, or use this machine's engine")),
            ChangeError::File(file) => file.hint(),
            ChangeError::Listen(listen) => listen.hint(),
            ChangeError::Lock(lock) => lock.hint(),
            ChangeError::Files(_) | ChangeError::Proxy(_) | ChangeError::Removed(_) | ChangeError::Stopping => None,
        }
    }

    /// What says more than a line: the log of what went wrong.
    pub fn detail(&self) -> Option<String> {
        match self {
            ChangeError::NotReady(not_ready) => not_ready.detail(),
            ChangeError::Compose(compose) => compose.detail(),
            _ => None,
        }
    }
}

impl Supervisor {
    /// A lab of which nothing runs yet.
    pub fn new(runner: LabRunner) -> Supervisor {
        let (journal, changing) = Default::default();
        Supervisor { runner, journal, changing, stop: watch::Sender::new(false) }
    }

    /// Starts it: returns when every replica answers through the proxy. `tell` is told what happens meanwhile.
    ///
    /// # Errors
    /// When a replica or the proxy does not start, or the lab is stopped meanwhile.
    pub async fn start(&self, mut tell: impl FnMut(Progress)) -> Result<(), ChangeError> {
        self.unless_stopped(async {
            let _alone = self.changing.lock().await;
            match &self.runner {
                LabRunner::Embedded(lab) => lab.begin(&self.journal, &mut tell).await,
                LabRunner::Compose(lab) => lab.begin(&self.journal, &mut tell).await,
            }
        })
        .await
    }

    /// The lab as it is now.
    pub fn view(&self) -> LabView {
        match &self.runner {
            LabRunner::Embedded(lab) => lab.view(),
            LabRunner::Compose(lab) => lab.view(),
        }
    }

    /// The service that a request for this host and path would be given to, as soon as the lab has started.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        match &self.runner {
            LabRunner::Embedded(lab) => lab.route(host, path).await,
            LabRunner::Compose(lab) => lab.route(host, path),
        }
    }

    /// What happened and happens.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Gives services another number of replicas; returns when those that were added answer and those that were removed
    /// have finished and ended.
    ///
    /// # Errors
    /// When a service is unknown, a number out of range, or a replica does not start; then nothing is changed. When the
    /// lab is stopped meanwhile, which waits for no change.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ChangeError> {
        self.unless_stopped(async {
            let _alone = self.changing.lock().await;
            let scaled = match &self.runner {
                LabRunner::Embedded(lab) => lab.scale(targets, &self.journal).await?,
                LabRunner::Compose(lab) => lab.scale(targets, &self.journal).await?,
            };
            for (name, change) in scaled.services.iter().filter(|(_, change)| change.from != change.to) {
                self.journal.note(format!("{name} was scaled from {} to {}", change.from, change.to));
            }
            Ok(scaled)
        })
        .await
    }

    /// A change, which ends where it is when the lab is to stop.
    async fn unless_stopped<T>(&self, change: impl Future<Output = Result<T, ChangeError>>) -> Result<T, ChangeError> {
        tokio::select! {
            biased;
            () = self.asked_to_stop() => Err(ChangeError::Stopping),
            changed = change => changed,
        }
    }

    /// Asks the lab to stop; whoever runs it is told by [`Supervisor::asked_to_stop`].
    pub fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until somebody asks the lab to stop.
    pub async fn asked_to_stop(&self) {
        // the sender lives as long as the lab
        _ = self.stop.subscribe().wait_for(|&stop| stop).await;
    }

    /// Waits until what runs the lab is lost, and says how.
    pub async fn lost(&self) -> ChangeError {
        match &self.runner {
            LabRunner::Embedded(_) => std::future::pending().await,
            LabRunner::Compose(lab) => lab.lost().await,
        }
    }

    /// Ends everything.
    ///
    /// # Errors
    /// When something may be left running.
    pub async fn stop(&self, ending: StopMode) -> Result<(), ChangeError> {
        self.ask_to_stop();
        // a second, hastier stop overtakes the first
        let _alone = match ending {
            StopMode::Graceful => Some(self.changing.lock().await),
            StopMode::Immediate => None,
        };
        let ended = match &self.runner {
            LabRunner::Embedded(lab) => {
                // what is dropped ends at once
                if ending == StopMode::Graceful {
                    lab.end().await;
                }
                Ok(())
            }
            LabRunner::Compose(lab) => lab.end(ending).await,
        };
        self.journal.close();
        ended
    }
}
