//! Integration tests: one binary, a file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod analysis;
mod apps;
mod architecture;
mod balancers;
mod browser;
mod completions;
mod containers;
mod contract;
mod deaths;
mod docker;
mod expect;
mod experiments;
mod files;
mod lab;
mod logs;
mod probe;
mod proxy;
mod replay;
mod session;
mod simulation;
mod supervisor;
mod support;
mod targets;
mod usage;
