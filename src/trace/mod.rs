//! The waist between what sends or forwards requests and what reads about them: traffic as plain data.
//!
//! [`Access`] is a request as the proxy saw it, from inside. A [`Trace`] is what a probe saw from outside, request by
//! request; the analysis turns it into a verdict. Nothing here does anything, but for the text that a trace is kept as.

mod access;
mod file;
mod probe;

pub use access::{Access, Entry};
pub use file::{SCHEMA, TraceError};
pub use probe::{
    Action, Conditions, Connection, Failure, FailureKind, Header, Instance, InstanceId, Jar, OtherTurn, Request,
    SeenCookie, Series, SeriesName, Target, Trace, Via, Withheld,
};
