//! Engines start and stop replicas, and publish what runs where.

mod embedded;
mod process;

pub use embedded::{Embedded, Spec};
pub use process::{ReadyLine, StartError, own_executable};
