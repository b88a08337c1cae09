//! What a probe saw from outside, request by request; the analysis turns it into a verdict.
//!
//! Nothing here does anything, but for the text that a trace is kept as.

mod cookie;
mod file;
mod probe;
mod text;

pub use cookie::{Attributes, CookieValue, Issued, SeenCookie, Withheld};
pub use file::{SCHEMA, TraceError};
pub use probe::{
    Action, BackgroundRequest, Conditions, Connection, Failure, FailureKind, Header, Instance, InstanceId, Jar,
    Request, Series, SeriesName, SessionId, Target, Trace, Via,
};
pub use text::{is_hidden, without_hidden};
