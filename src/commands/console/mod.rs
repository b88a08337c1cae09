//! The console: data to standard output, everything else to standard error, and the signals that end a command.

mod bars;
mod debug_log;
mod signals;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::{
    error::{ErrorReport, OutputError},
    model::Format,
    report::{self, Paint, Report},
};

pub use bars::{ExperimentBar, bar, counter, spinner};
pub use debug_log::start_debug_log;
pub use signals::Signals;

/// Writes data to standard output.
pub fn data(text: &str) -> Result<(), OutputError> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut out = io::stdout().lock();
    [text, end]
        .into_iter()
        .try_for_each(|part| out.write_all(part.as_bytes()))
        .and_then(|()| out.flush())
        .map_err(OutputError)
}

/// Prints a report to standard output.
pub fn print(report: &impl Report, format: Format) -> Result<(), OutputError> {
    report::write(report, format, paint(), io::stdout().lock()).map_err(OutputError)
}

/// Prints a report whose exit code counts, whoever reads it: a reader that has gone is no error.
pub fn print_verdict(report: &impl Report, format: Format) -> Result<(), OutputError> {
    match print(report, format) {
        Err(error) if error.is_without_reader() => Ok(()),
        printed => printed,
    }
}

/// Prints a report to standard error, where standard output is for something else.
pub fn print_to_stderr(report: &impl Report, format: Format) {
    _ = report::write(report, format, paint_stderr(), io::stderr().lock());
}

/// Writes data as JSON on one line, for programs that read them while they come.
pub fn json_line(value: &impl Serialize) -> Result<(), OutputError> {
    data(&serde_json::to_string(value).map_err(|error| OutputError(error.into()))?)
}

/// Writes a line to standard error.
pub fn say(text: &str) {
    // where standard error is closed, no place is left to report that
    _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes an error and its hint to standard error.
pub fn say_error(report: &ErrorReport) {
    let ErrorReport { message, hint, detail, exit: _ } = report;
    if let Some(detail) = detail {
        say(detail.trim_end());
    }
    if let Some(message) = message {
        say(&format!("error: {message}"));
    }
    if let Some(hint) = hint {
        say(&format!("hint: {hint}"));
    }
}

/// The colours of standard output.
pub fn paint() -> Paint {
    paint_for(io::stdout().is_terminal())
}

/// The colours of standard error.
pub fn paint_stderr() -> Paint {
    paint_for(io::stderr().is_terminal())
}

fn paint_for(terminal: bool) -> Paint {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return Paint::Plain;
    }
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    let dumb = set("TERM").is_some_and(|value| value == "dumb");
    if forced || (terminal && !dumb) { Paint::Colour } else { Paint::Plain }
}
