//! The debug log: every step of a command as a line on standard error.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{error::UsageError, report::Paint};

use super::paint_stderr;

/// Starts the log if `debug` or the value of `LBCTL_LOG` asks for it; the variable decides where both do. The value is a
/// level, such as `debug`, or a list of modules with their levels, such as `lbctl=trace,hyper=debug`.
pub fn start_debug_log(debug: bool, variable: Option<&str>) -> Result<(), UsageError> {
    let filter = match variable.filter(|value| !value.is_empty()) {
        Some(value) => filter(value)?,
        None if debug => filter("debug")?,
        None => return Ok(()),
    };
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(paint_stderr() == Paint::Colour);
    // a closed standard error is no reason to stop, and no place is left to report it
    let lines = lines.log_internal_errors(false);
    // a second start changes nothing
    _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}

/// Reads a filter. A level alone is that of this program, not of the libraries that it uses.
fn filter(text: &str) -> Result<Targets, UsageError> {
    let is_level = |text: &str| text.parse::<LevelFilter>().is_ok();
    let invalid = || UsageError::LogFilter(text.to_owned());
    if is_level(text) {
        return format!("lbctl={text}").parse().map_err(|_| invalid());
    }
    // a word alone would be taken for a module, and a misspelt level with it
    let is_directive =
        |part: &str| part.split_once('=').is_some_and(|(module, level)| is_module(module) && is_level(level));
    if !text.split(',').all(|part| is_level(part) || is_directive(part)) {
        return Err(invalid());
    }
    text.parse().map_err(|_| invalid())
}

fn is_module(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_is_that_of_this_program() {
        let filter = filter("debug").unwrap();
        assert!(filter.would_enable("lbctl::proxy", &Level::DEBUG));
        assert!(!filter.would_enable("lbctl::proxy", &Level::TRACE));
        assert!(!filter.would_enable("hyper", &Level::ERROR));
    }

    #[test]
    fn modules_can_be_named() {
        let filter = filter("lbctl::probe=trace,hyper=info").unwrap();
        assert!(filter.would_enable("lbctl::probe::http", &Level::TRACE));
        assert!(filter.would_enable("hyper", &Level::INFO));
        assert!(!filter.would_enable("lbctl::proxy", &Level::ERROR));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["lbctl=loud", "verbose", "[", "a b=debug", "=debug", "lbctl::probe", "\u{fffd}"] {
            assert_eq!(filter(text).unwrap_err(), UsageError::LogFilter(text.to_owned()));
        }
    }
}
