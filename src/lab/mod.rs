//! The lab: its supervisor, which other commands reach by a control API, and what runs it.
//!
//! A plan brings the [`Definition`](crate::composefile::Definition) of a lab together with the command line;
//! [`Supervisor`] keeps the lab that a [`LabRunner`] runs: of processes ([`EmbeddedLab`]) or of containers
//! ([`compose`]). Other processes find it by [`RunningLab`].

mod address;
mod built_in_files;
pub mod compose;
mod embedded;
mod listen;
mod supervisor;

pub use built_in_files::files;
pub use embedded::{EmbeddedLab, EmbeddedPlan, Overrides, PlanError};
pub use listen::{BoundListeners, ListenError, ListenRequest, PortChoice, bind};
pub use supervisor::{
    ChangeError, ClientError, LabRunner, LogQuery, Progress, RefusalKind, Rendezvous, RendezvousError, RunningLab,
    RunningLabError, StopMode, Supervisor, SupervisorLock, find_running_lab, is_project_name, running_labs,
    serve_control,
};
