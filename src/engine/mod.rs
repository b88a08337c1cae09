//! Engines start and stop replicas, and publish what runs where.

mod compose;
mod docker;
mod embedded;
mod process;
mod words;

pub use compose::{Cause, Compose, Doing, Recreate, Tool, ToolError};
pub use docker::{Container, Containers, Docker, DockerError, Executed, Follow, Naming, Project, Published, Which};
pub use embedded::{Embedded, Spec};
pub use process::{ReadyLine, StartError, own_executable};
