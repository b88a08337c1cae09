//! The embedded lab: what it is to be, and what runs it.

mod plan;
mod route_check;
mod runner;

pub use plan::{DEFAULT_REPLICAS, EmbeddedPlan, Overrides, PlanError, base, check_range, labels_for};
pub use runner::EmbeddedLab;
