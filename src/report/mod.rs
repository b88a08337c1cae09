//! Reports: traces, verdicts and labs as text. Only commands print.
//!
//! ```text
//! format      the formats, and the trait of a document that has a text in each
//! probe/      a probe and its verdict, for people
//! addresses   probes of several addresses of one name
//! session     a session test, for people; steps: its requests
//! lab, log    a lab, and the requests that it answered
//! json        probes and session tests for scripts
//! sentence/   evidence in words, for every format
//! cost        the requests and the time of a probe
//! style, text, odds  colours, columns and numbers
//! ```

mod addresses;
mod cost;
mod format;
mod json;
mod lab;
mod log;
mod odds;
mod probe;
mod sentence;
mod session;
mod steps;
pub mod style;
pub mod text;

pub use addresses::{AddressProbe, AddressesReport};
pub use format::{JsonLayout, Report, write};
pub use log::{EntryReport, MAX_BATCH_BYTES, line};
pub use probe::{Detail, ProbeReport};
pub use sentence::{sentences, verdict_part};
pub use session::SessionReport;
pub use style::Paint;
