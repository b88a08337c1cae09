//! Docker Compose as a program: `docker compose`, or the older `docker-compose`.
//!
//! `tool` finds the program, `compose` builds its command lines, `child` runs one so that it can be cancelled, `error`
//! turns the output of a failed one into a message.

mod child;
mod compose;
mod error;
mod tool;

pub use compose::{Compose, RecreatePolicy};
pub use error::{ComposeStep, ToolError, ToolFailure};
pub use tool::Tool;
