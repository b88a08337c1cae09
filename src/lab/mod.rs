//! The lab: its supervisor, which other commands reach by a control API, and the labs that it runs.
//!
//! ```text
//! supervisor/     runs one lab from its start to its end, and serves the control API; the API's client
//! embedded/       a lab of processes
//! compose/        a lab of containers
//! running_lab     a lab that another process started: by its supervisor, else by its containers
//! lookup          the running lab that a command means
//! test_lab        a lab that one process starts for one test
//! overrides       the wishes of the command line, for the plans of both labs; plan_error: why one cannot be met
//! change_error    why a lab could not be started, scaled or stopped
//! start_event     an event while a lab starts
//! stop_mode       how much time a lab takes for its end
//! listen          the ports of the lab's proxy; address: its URL
//! file_limit      the limit of open files, for labs with many replicas
//! built_in_files  the files of the built-in lab
//! ```
//!
//! A plan brings the [`Definition`](crate::composefile::Definition) of a lab together with the command line. A
//! [`LabRunner`] starts the plan, and a [`Supervisor`] keeps the runner. Other processes ask a [`RunningLab`].

mod address;
mod built_in_files;
mod change_error;
pub mod compose;
mod embedded;
mod file_limit;
mod listen;
mod lookup;
mod overrides;
mod plan_error;
mod running_lab;
mod start_event;
mod stop_mode;
mod supervisor;
mod test_lab;

pub use built_in_files::files;
pub use change_error::ChangeError;
pub use embedded::{EmbeddedLab, EmbeddedPlan};
pub use file_limit::raise_file_limit;
pub use listen::{ListenError, ListenRequest, PortChoice, bind};
pub use lookup::{
    LabRoute, LookupError, candidate_labs, check_project_name, choose_lab, choose_lab_for, find_lab, find_route,
};
pub use overrides::Overrides;
pub use plan_error::PlanError;
pub use running_lab::{RunningLab, RunningLabError, find_running_lab, running_labs};
pub use start_event::StartEvent;
pub use stop_mode::StopMode;
pub use supervisor::{
    ClientError, ControlErrorKind, ControlServer, LabRunner, LogQuery, Rendezvous, RendezvousError, Supervisor,
    SupervisorLock, is_project_name,
};
pub use test_lab::{PageStickiness, TestLab};
