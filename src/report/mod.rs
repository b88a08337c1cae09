//! Reports: what was found, as text. Every function returns strings; only commands print.

pub mod json;
pub mod lab;
pub mod log;
pub mod probe;
mod sentence;
pub mod session;
pub mod style;
pub mod text;

pub use sentence::{actual, sentences};
pub use style::Paint;
