//! Docker's API: where the engine is, which containers it runs, and what is done to them.
//!
//! `endpoint` finds the engine, `connect` talks to it, `look` and `act` ask and change, `follow` keeps up with its
//! events.

mod act;
mod connect;
mod container;
mod endpoint;
mod error;
mod follow;
mod lines;
mod look;
mod ssh;
mod tls;
mod wire;

pub use act::Executed;
pub use connect::Docker;
pub use container::{Container, Naming, Published};
pub use error::DockerError;
pub use follow::Containers;
pub use look::{Follow, Project, Which};
