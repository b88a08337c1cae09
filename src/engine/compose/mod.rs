//! Docker Compose as a program: which one there is, what it is told, and what it says.
//!
//! `tool` finds it, `run` knows its command line, `child` runs it so that it can be cut off, `error` reads its
//! complaints.

mod child;
mod error;
mod run;
mod tool;

pub use error::{Cause, Doing, ToolError};
pub use run::{Compose, Recreate};
pub use tool::Tool;
