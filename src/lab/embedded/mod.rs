//! The embedded lab: replicas as child processes, behind the bundled proxy in this process.
//!
//! ```text
//! plan         the services that can be started, from a compose file and the command line
//! route_check  the routes that the labels of all services make together
//! runner       runs the plan
//! ```

mod plan;
mod route_check;
mod runner;

pub use plan::EmbeddedPlan;
pub use runner::EmbeddedLab;
