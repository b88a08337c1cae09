//! The lab of containers: Docker Compose starts it, the Docker Engine shows it, and Traefik or the bundled proxy
//! balances.
//!
//! | file | its part |
//! | --- | --- |
//! | `prepare` | everything before the start: who starts the lab, from which file, at which port |
//! | `ports` | the addresses at which the proxy of the lab may listen |
//! | `variables` | the variables of the lab's compose file |
//! | `lab_directory` | the files that Compose reads |
//! | `plan` | the services that Compose starts, and the labels that the command line adds |
//! | `runner` | runs a lab from its start to its end |
//! | `readiness/` | waits until every container answers through the proxy |
//! | `scale` | adds and removes containers |
//! | `traefik` | Traefik, as its container shows it |
//! | `routes` | replicas and their labels → routes |
//! | `view` | replicas and their labels → the lab as `ps` shows it |
//! | `traefik_log`, `journal_feed` | Traefik's access log → the journal |
//! | `unsupervised_lab` | a lab without a supervisor |

mod journal_feed;
mod lab_directory;
mod plan;
mod ports;
mod prepare;
mod readiness;
mod routes;
mod runner;
mod scale;
mod traefik;
mod traefik_log;
mod unsupervised_lab;
mod variables;
mod view;

pub use lab_directory::FileError;
pub use prepare::{ComposeOptions, PreparedLab, prepare};
pub use readiness::NotReady;
pub use runner::ComposeLab;
pub use unsupervised_lab::{UnsupervisedError, UnsupervisedLab};
