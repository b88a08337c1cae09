//! Labs of containers: what Compose starts and Docker tells.
//!
//! | file | what it does |
//! | --- | --- |
//! | `prepare.rs` | finds out who starts the lab, from which file, at which port |
//! | `plan.rs` | what Compose is to start, and which labels the command line adds |
//! | `files.rs` | the files that Compose reads |
//! | `runner.rs` | runs a lab from its start to its end |
//! | `ready.rs` | waits until every container answers through the proxy |
//! | `scale.rs` | another number of containers |
//! | `observed.rs` | containers and their labels → the lab as it is shown |
//! | `log.rs`, `follow.rs` | Traefik's access log → the journal |
//! | `unsupervised.rs` | a lab that was started by hand |

mod files;
mod follow;
mod log;
mod observed;
mod plan;
mod prepare;
mod ready;
mod runner;
mod scale;
mod unsupervised;

pub use files::FileError;
pub use prepare::{Asked, Prepared, prepare};
pub use ready::Laggard;
pub use runner::Runner;
pub use unsupervised::{Unsupervised, UnsupervisedError};
