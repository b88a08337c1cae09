//! Integration tests: one binary, a file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apps;
mod proxy;
mod support;
