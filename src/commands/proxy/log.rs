//! The log of `lbctl proxy`: a line per request.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

use crate::{
    commands::console,
    error::OutputError,
    model::{Access, Entry},
    report,
};

/// Prints a line per request until the events end, or fails when no reader is left.
pub(super) async fn log(events: Option<broadcast::Receiver<Arc<Access>>>) -> Result<(), OutputError> {
    let Some(mut events) = events else { return Ok(()) };
    let (zone, paint) = (TimeZone::system(), console::paint());
    loop {
        let mut entry = match events.recv().await {
            Ok(access) => Entry::Request(access),
            Err(RecvError::Lagged(missed)) => Entry::Missed { missed },
            Err(RecvError::Closed) => return Ok(()),
        };
        // all that came at once is written at once
        let mut lines = String::new();
        loop {
            lines += &report::line(&entry, &zone, paint);
            lines.push('\n');
            if lines.len() >= report::MAX_BATCH_BYTES {
                break;
            }
            entry = match events.try_recv() {
                Ok(access) => Entry::Request(access),
                Err(TryRecvError::Lagged(missed)) => Entry::Missed { missed },
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        console::data(&lines)?;
    }
}
