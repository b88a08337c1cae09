//! The lab.
pub mod definition;
