//! The lab: its definition (a compose file) and its supervisor, which other commands reach by a control API.
//!
//! [`compose`] reads a file into a [`Definition`](definition::Definition); a plan brings that together with the command
//! line; [`Supervisor`] keeps the lab that a [`Runner`] runs: of processes ([`Embedded`]) or of containers
//! ([`containers`]). Other processes find it by [`Running`].

mod address;
mod client;
pub mod compose;
pub mod containers;
mod control;
pub mod definition;
mod embedded;
mod files;
mod journal;
mod listen;
mod plan;
mod rendezvous;
mod running;
mod supervisor;
mod trial;

pub use client::ClientError;
pub use control::{LogQuery, Refused, RefusedKind, serve as serve_control};
pub use embedded::Runner as Embedded;
pub use files::files;
pub use journal::Journal;
pub use listen::{Bound, ListenError, Port, Wanted, bind};
pub use plan::{Plan, PlanError, Planned, Wishes};
pub use rendezvous::{Place, Rendezvous, RendezvousError, is_project_name};
pub use running::{Running, RunningError, all as all_running, find as find_running};
pub use supervisor::{ChangeError, Ending, Progress, Runner, Supervisor};
