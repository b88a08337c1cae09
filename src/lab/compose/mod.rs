//! Labs of containers: what Compose starts and Docker tells.
//!
//! | file | what it does |
//! | --- | --- |
//! | `prepare.rs` | finds out who starts the lab, from which file, at which port |
//! | `plan.rs` | what Compose is to start, and which labels the command line adds |
//! | `lab_directory.rs` | the files that Compose reads |
//! | `runner.rs` | runs a lab from its start to its end |
//! | `readiness.rs` | waits until every container answers through the proxy |
//! | `scale.rs` | another number of containers |
//! | `view.rs` | containers and their labels → the lab as it is shown |
//! | `traefik_log.rs`, `journal_feed.rs` | Traefik's access log → the journal |
//! | `unsupervised_lab.rs` | a lab that was started by hand |

mod journal_feed;
mod lab_directory;
mod plan;
mod prepare;
mod readiness;
mod runner;
mod scale;
mod traefik_log;
mod unsupervised_lab;
mod view;

pub use lab_directory::FileError;
pub use prepare::{ComposeOptions, PreparedLab, prepare};
pub use readiness::NotReady;
pub use runner::ComposeLab;
pub use unsupervised_lab::{UnsupervisedError, UnsupervisedLab};
