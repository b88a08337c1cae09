//! The lab: its supervisor, which other commands reach by a control API, and what runs it.
//!
//! A plan brings the [`Definition`](crate::composefile::Definition) of a lab together with the command line;
//! [`Supervisor`] keeps the lab that a [`LabRunner`] runs: of processes ([`EmbeddedLab`]) or of containers
//! ([`compose`]). Other processes find it by [`RunningLab`].

mod address;
mod built_in_files;
pub mod compose;
mod control_server;
mod embedded;
mod file_limit;
mod listen;
mod lookup;
mod supervisor;
mod test_lab;

pub use built_in_files::files;
pub use control_server::ControlServer;
pub use embedded::{EmbeddedLab, EmbeddedPlan, Overrides, PlanError};
pub use file_limit::raise_file_limit;
pub use listen::{BoundListeners, ListenError, ListenRequest, PortChoice, bind};
pub use lookup::{
    LabRoute, LookupError, candidate_labs, check_project_name, choose_lab, choose_lab_for, find_lab, find_route,
};
pub use supervisor::{
    ChangeError, ClientError, LabRunner, LogQuery, Progress, RefusalKind, Rendezvous, RendezvousError, RunningLab,
    RunningLabError, StopMode, Supervisor, SupervisorLock, find_running_lab, is_project_name, running_labs,
    serve_control,
};
pub use test_lab::{Stickiness, TestLab};
