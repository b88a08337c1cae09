//! The waist between what sends or forwards requests and what reads about them: traffic as plain data.
//!
//! [`Access`] is a request as the proxy saw it, from inside. A [`Trace`] is what a probe saw from outside, request by
//! request; the analysis turns it into a verdict. Nothing here does anything, but for the text that a trace is kept as.

mod access;
mod cookie;
mod file;
mod probe;
mod text;

pub use access::{Access, Entry};
pub use cookie::{Attributes, CookieValue, Issued, SeenCookie, Withheld};
pub use file::{SCHEMA, TraceError};
pub use probe::{
    Action, Conditions, Connection, Failure, FailureKind, Header, Instance, InstanceId, Jar, OtherTurn, Request,
    Series, SeriesName, SessionId, Target, Trace, Via,
};
pub use text::{is_hidden, without_hidden};
