//! The API of a Docker Engine: its address, its containers, and their changes.
//!
//! ```text
//! endpoint    finds the engine that the `docker` command would use
//! connection  opens the connection: a Unix socket, TCP, TLS (`tls`) or ssh (`ssh`); `http` sends over the last two
//! container   one container: its description by the engine, and the replica that it is
//! inspection  lists containers and reads their logs; `logs` joins a log's messages into lines
//! lifecycle   runs commands in containers, stops and removes them
//! watcher     keeps the list of containers up to date by the engine's events
//! error       the failures, in words
//! ```

mod connection;
mod container;
mod endpoint;
mod error;
mod http;
mod inspection;
mod lifecycle;
mod logs;
mod ssh;
mod tls;
mod watcher;

pub use connection::Docker;
pub use container::{Container, Naming};
pub use error::DockerError;
pub use inspection::{FollowMode, Scope};
pub use lifecycle::ExecOutput;
pub use watcher::Containers;
