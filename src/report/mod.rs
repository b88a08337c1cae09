//! Reports: traces, verdicts and labs as text. Every function returns strings; only commands print.

pub mod json;
pub mod lab;
pub mod log;
mod odds;
pub mod probe;
mod sentence;
pub mod session;
pub mod style;
pub mod text;

pub use sentence::{sentences, verdict_part};
pub use style::Paint;
