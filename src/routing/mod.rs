//! Routing: the meaning of Traefik's labels.
//!
//! Labels of replicas go in; routers, services and servers come out, and a sentence for each thing that cannot be used.
//! All of it is pure: nothing here listens, connects, or looks at a clock. The bundled proxy forwards requests by these
//! routes, and a lab is checked and shown by them before and while it runs.
//!
//! | file | what it does |
//! | --- | --- |
//! | `label.rs` | one label: its value, and the error that names it |
//! | `config.rs` | the configuration that the labels of one container ask for |
//! | `labels.rs` | labels → these types |
//! | `middleware.rs`, `sticky.rs` | the fields of middlewares and of sticky cookies |
//! | `rule.rs` | the text of a rule → an expression that matches requests |
//! | `defaults.rs` | Traefik's values for the fields that labels leave out |
//! | `containers.rs` | the containers that count, and their addresses |
//! | `merge.rs` | merges the definitions of one name by several containers |
//! | `routes.rs` | the labels of all containers → routes |
//! | `check.rs` | the labels of one service by themselves, before anything runs |

mod check;
mod config;
mod containers;
mod defaults;
#[cfg(test)]
pub mod fixtures;
mod label;
mod labels;
mod merge;
mod middleware;
mod routes;
mod rule;
mod sticky;

pub use check::{Routing, balancer_names, check};
pub use config::HostHeader;
pub use containers::address;
pub use label::LabelError;
pub use labels::{OWN_STRATEGY, strategy_label};
pub use middleware::Middleware;
pub use routes::{BalancedService, Preview, Router, Routes, Server, preview, route};
pub use rule::{Subject, bare_host};
pub use sticky::{SameSite, StickyCookieConfig};
