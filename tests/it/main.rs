//! Integration tests: one binary, a file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apps;
mod completions;
mod deaths;
mod files;
mod lab;
mod logs;
mod supervisor;
mod support;
mod usage;
