//! The lab.
pub mod compose;
pub mod definition;
