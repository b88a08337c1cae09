//! `lbctl` runs a load-balancing lab and proves what the load balancer does.
//!
//! # The map
//!
//! ```text
//! main.rs      parse, run, exit code
//! cli/         every flag, nothing else           error/    one closed enum: cause → exit code, message, hint
//! commands/    one small file per command: wiring only
//! composefile/ compose file → the definition of a lab: services, labels, replicas
//! lab/         the supervisor with its control API, and the labs that it keeps: of processes, of containers
//! engine/      starts and stops replicas
//! routing/     Traefik's labels and rules → routes; pure; used by lab and proxy
//! proxy/       the bundled proxy's data plane: routes → pick → forward → event
//! app/         the built-in page and api
//! experiment/  what a probe does: one file per experiment, their order, and when each ends
//! probe/       sends series of requests and records them: http/ (transports), identity/ (which instance answered)
//! analysis/    trace → verdict; pure: no I/O, no clock, no async
//! report/      verdict → table, json, …; returns strings
//! model/       the waists: plain data that the wings share
//! ```
//!
//! # Who may import whom
//!
//! `main` → `commands` → everything; nothing else sees `cli`. The four wings (`engine`, `proxy`, `app`, `probe`)
//! never import one another: they meet in the model. `experiment` imports `probe`, `analysis` and the model, `routing`
//! imports the model alone, and `proxy` and `lab` import `routing`. `analysis` imports `model::trace` alone, `report`
//! imports `analysis` and the model, and only `commands` prints. No files of one wing import each other in a circle.
//! `tests/it/architecture.rs` holds all this.

pub mod analysis;
pub mod app;
pub mod cli;
pub mod commands;
pub mod composefile;
pub mod engine;
pub mod error;
pub mod experiment;
pub mod lab;
pub mod model;
pub mod probe;
pub mod proxy;
pub mod report;
pub mod routing;
