//! The supervisor: keeps one lab from its start to its end, whatever runs it, and is what the control API talks to.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use tokio::sync::{Mutex, watch};

use crate::{
    engine::{DockerError, StartError, ToolError},
    model::{LabView, ScaleView},
};

use super::{
    compose::ComposeError, containers, embedded, journal::Journal, listen::ListenError, plan::PlanError,
    rendezvous::RendezvousError,
};

/// One lab.
#[derive(Debug)]
pub struct Supervisor {
    runner: Runner,
    journal: Arc<Journal>,
    /// One change at a time.
    changing: Mutex<()>,
    /// Whether somebody asked the lab to stop.
    stop: watch::Sender<bool>,
}

/// What runs a lab: all that differs between engines.
#[derive(Debug)]
pub enum Runner {
    /// Child processes and the bundled proxy.
    Embedded(Box<embedded::Runner>),
    /// Containers, and Traefik or the bundled proxy.
    Containers(Box<containers::Runner>),
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
pub enum Ending {
    /// Requests under way get a moment.
    Gentle,
    /// At once.
    AtOnce,
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
    Laggard(#[from] containers::Laggard),
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
    Files(#[from] containers::FileError),
    /// The port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Another lab has the name.
    #[error(transparent)]
    Place(#[from] RendezvousError),
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
            ChangeError::Laggard(laggard) => laggard.hint(),
            ChangeError::Docker(docker) => docker.hint(),
            ChangeError::Compose(compose) => compose.hint(),
            ChangeError::Foreign(_) => Some("choose another name with -p".to_owned()),
            ChangeError::Remote { host, .. } => Some(format!("run lbctl on {host}, or use this machine's engine")),
            ChangeError::File(file) => file.hint(),
            ChangeError::Listen(listen) => listen.hint(),
            ChangeError::Place(place) => place.hint(),
            ChangeError::Files(_) | ChangeError::Proxy(_) | ChangeError::Removed(_) | ChangeError::Stopping => None,
        }
    }

    /// What says more than a line: the log of what went wrong.
    pub fn detail(&self) -> Option<String> {
        match self {
            ChangeError::Laggard(laggard) => laggard.detail(),
            ChangeError::Compose(compose) => compose.detail(),
            _ => None,
        }
    }
}

impl Supervisor {
    /// A lab of which nothing runs yet.
    pub fn new(runner: Runner) -> Supervisor {
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
                Runner::Embedded(lab) => lab.begin(&self.journal, &mut tell).await,
                Runner::Containers(lab) => lab.begin(&self.journal, &mut tell).await,
            }
        })
        .await
    }

    /// The lab as it is now.
    pub fn view(&self) -> LabView {
        match &self.runner {
            Runner::Embedded(lab) => lab.view(),
            Runner::Containers(lab) => lab.view(),
        }
    }

    /// The service that a request for this host and path would be given to, as soon as the lab has started.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        match &self.runner {
            Runner::Embedded(lab) => lab.route(host, path).await,
            Runner::Containers(lab) => lab.route(host, path),
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
                Runner::Embedded(lab) => lab.scale(targets, &self.journal).await?,
                Runner::Containers(lab) => lab.scale(targets, &self.journal).await?,
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
            Runner::Embedded(_) => std::future::pending().await,
            Runner::Containers(lab) => lab.lost().await,
        }
    }

    /// Ends everything.
    ///
    /// # Errors
    /// When something may be left running.
    pub async fn stop(&self, ending: Ending) -> Result<(), ChangeError> {
        self.ask_to_stop();
        // a second, hastier stop overtakes the first
        let _alone = match ending {
            Ending::Gentle => Some(self.changing.lock().await),
            Ending::AtOnce => None,
        };
        let ended = match &self.runner {
            Runner::Embedded(lab) => {
                // what is dropped ends at once
                if ending == Ending::Gentle {
                    lab.end().await;
                }
                Ok(())
            }
            Runner::Containers(lab) => lab.end(ending).await,
        };
        self.journal.close();
        ended
    }
}
