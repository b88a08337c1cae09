//! The API of a Docker Engine: where the engine is, which containers it runs, and what happens to them.
//!
//! ```text
//! endpoint   finds the engine that the `docker` command would use
//! connect    opens the connection: a Unix socket, TCP, TLS (`tls`) or ssh (`ssh`); `http` sends over the last two
//! container  what the engine says about one container, and the replica that it is
//! inspect    lists containers and reads their logs; `logs` joins a log's messages into lines
//! lifecycle  runs commands in containers, stops and removes them
//! watch      keeps the list of containers up to date by the engine's events
//! error      what goes wrong, in words
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
