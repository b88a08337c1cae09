//! `lbctl proxy`: the bundled proxy on its own, for servers that are named or for Docker's containers.

mod flags;
mod log;
mod run;
mod source;

pub use run::run;
