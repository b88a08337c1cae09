//! Engines start and stop replicas, and publish which replicas run where.
//!
//! ```text
//! embedded/     each replica is a child process that runs a built-in app
//! docker/       the API of a Docker Engine: its containers, their logs, their events
//! compose_cli/  Docker Compose as a program
//! text          messages of other programs, in the form of this program's messages
//! ```

mod compose_cli;
mod docker;
mod embedded;
mod text;

pub use compose_cli::{Compose, ComposeStep, RecreatePolicy, Tool, ToolError, ToolFailure};
pub use docker::{Container, Containers, Docker, DockerError, ExecOutput, FollowMode, Naming, Scope};
pub use embedded::{EmbeddedEngine, ReadyLine, ServiceSpec, StartError, own_executable};
