//! The supervisor: runs one lab from its start to its end, with either engine, and serves the control API.
//!
//! ```text
//! control     the control API, on the side of the supervisor
//! client      the control API, on the side of another command
//! message     the queries and errors that both sides exchange
//! rendezvous  the directory by which a client finds a supervisor, and the lock on a project's name
//! journal     the log of the lab
//! ```

use std::{collections::BTreeMap, future::Future, sync::Arc};

use tokio::sync::{Mutex, watch};

use crate::model::{LabView, ScaleView};

use super::{
    change_error::ChangeError, compose::ComposeLab, embedded::EmbeddedLab, start_event::StartEvent, stop_mode::StopMode,
};

mod client;
mod control;
mod journal;
mod message;
mod rendezvous;

pub use client::{ClientError, ControlClient};
pub use control::ControlServer;
pub use journal::{Journal, record_proxy_requests};
pub use message::{ControlErrorKind, LogQuery};
pub use rendezvous::{Rendezvous, RendezvousError, SupervisorLock, is_project_name};

/// The keeper of one lab.
#[derive(Debug)]
pub struct Supervisor {
    runner: LabRunner,
    journal: Arc<Journal>,
    /// The lock that lets one change happen at a time.
    change: Mutex<()>,
    /// True once the lab was asked to stop.
    stop: watch::Sender<bool>,
}

/// The lab itself: everything that differs between the engines.
#[derive(Debug)]
pub enum LabRunner {
    /// Child processes, and the bundled proxy.
    Embedded(Box<EmbeddedLab>),
    /// Containers, and Traefik or the bundled proxy.
    Compose(Box<ComposeLab>),
}

impl Supervisor {
    /// Takes a lab that has not started.
    pub fn new(runner: LabRunner) -> Supervisor {
        let (journal, change) = Default::default();
        Supervisor { runner, journal, change, stop: watch::Sender::new(false) }
    }

    /// Starts the lab, and returns when every replica answers through the proxy. `report` gets the events until then.
    ///
    /// # Errors
    /// When a replica or the proxy does not start, or the lab is asked to stop during the start.
    pub async fn start(&self, mut report: impl FnMut(StartEvent)) -> Result<(), ChangeError> {
        self.unless_stopped(async {
            let _alone = self.change.lock().await;
            match &self.runner {
                LabRunner::Embedded(lab) => lab.start(&self.journal, &mut report).await,
                LabRunner::Compose(lab) => lab.start(&self.journal, &mut report).await,
            }
        })
        .await
    }

    /// The state of the lab at this moment.
    pub fn view(&self) -> LabView {
        match &self.runner {
            LabRunner::Embedded(lab) => lab.view(),
            LabRunner::Compose(lab) => lab.view(),
        }
    }

    /// Returns the service that gets a request for this host and path. Waits for the proxy of a lab that is starting.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        match &self.runner {
            LabRunner::Embedded(lab) => lab.route(host, path).await,
            LabRunner::Compose(lab) => lab.route(host, path),
        }
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Gives services new numbers of replicas. Returns when the replicas that were added answer, and those that were
    /// removed have finished their requests and ended.
    ///
    /// # Errors
    /// When a service is unknown, a number is out of range, or a replica does not start: then the lab stays as it was.
    /// Also when the lab is asked to stop during the change, which then ends where it is.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ChangeError> {
        self.unless_stopped(async {
            let _alone = self.change.lock().await;
            let scaled = match &self.runner {
                LabRunner::Embedded(lab) => lab.scale(targets, &self.journal).await?,
                LabRunner::Compose(lab) => lab.scale(targets, &self.journal).await?,
            };
            for (name, change) in scaled.services.iter().filter(|(_, change)| change.from != change.to) {
                self.journal.add_note(format!("{name} was scaled from {} to {}", change.from, change.to));
            }
            Ok(scaled)
        })
        .await
    }

    /// Makes a change, which ends where it is when the lab is asked to stop.
    async fn unless_stopped<T>(&self, change: impl Future<Output = Result<T, ChangeError>>) -> Result<T, ChangeError> {
        tokio::select! {
            biased;
            () = self.asked_to_stop() => Err(ChangeError::Stopping),
            changed = change => changed,
        }
    }

    /// Asks the lab to stop, which ends [`Supervisor::asked_to_stop`].
    pub fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the lab is asked to stop.
    pub async fn asked_to_stop(&self) {
        // the sender lives as long as the lab
        _ = self.stop.subscribe().wait_for(|&stop| stop).await;
    }

    /// Waits until the lab cannot go on, and returns the reason: its engine is lost, or its containers are.
    pub async fn lost(&self) -> ChangeError {
        match &self.runner {
            LabRunner::Embedded(_) => std::future::pending().await,
            LabRunner::Compose(lab) => lab.lost().await,
        }
    }

    /// Stops the lab, and closes its journal.
    ///
    /// # Errors
    /// When containers may still run.
    pub async fn stop(&self, mode: StopMode) -> Result<(), ChangeError> {
        self.ask_to_stop();
        // an immediate stop overtakes a graceful one that holds the lock
        let _alone = match mode {
            StopMode::Graceful => Some(self.change.lock().await),
            StopMode::Immediate => None,
        };
        let stopped = match &self.runner {
            LabRunner::Embedded(lab) => {
                // in an immediate stop, the processes end when the lab is dropped
                if mode == StopMode::Graceful {
                    lab.stop().await;
                }
                Ok(())
            }
            LabRunner::Compose(lab) => lab.stop(mode).await,
        };
        self.journal.close();
        stopped
    }
}
