//! The embedded engine: each replica is a child process that runs a built-in app, so that a lab needs no Docker.
//!
//! `runner` keeps replicas running and publishes them; `process` is one of their processes, from start to end.

mod process;
mod runner;

pub use process::{ReadyLine, StartError, own_executable};
pub use runner::{EmbeddedEngine, ServiceSpec};
