//! The lab: its definition (a compose file) and its supervisor, which other commands reach by a control API.
//!
//! [`compose`] reads a file into a [`Definition`](definition::Definition); [`Plan`] brings that together with the
//! command line; [`Supervisor`] runs the plan with an engine and the proxy; [`Client`] talks to it from another process.

mod client;
pub mod compose;
mod control;
pub mod definition;
mod files;
mod journal;
mod listen;
mod plan;
mod rendezvous;
mod supervisor;
mod trial;

pub use client::{Client, ClientError};
pub use control::{LogQuery, Refused, RefusedKind, serve as serve_control};
pub use files::files;
pub use journal::Journal;
pub use listen::{Bound, ListenError, Port, Wanted, bind};
pub use plan::{Plan, PlanError, Planned, Wishes};
pub use rendezvous::{Place, Rendezvous, RendezvousError, is_project_name};
pub use supervisor::{ChangeError, Supervisor};
