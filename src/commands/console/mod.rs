//! The console: data to standard output, everything else to standard error, and the signals that end a command.

mod bars;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{error::Explained, report::Paint};

pub use bars::{ExperimentBar, bar, counter, spinner};

/// Writes data.
pub fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Writes data as JSON, for people who read over a script's shoulder.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    pretty(io::stdout().lock(), value)
}

/// Likewise, where standard output is for something else.
pub fn json_aside(value: &impl Serialize) {
    _ = pretty(io::stderr().lock(), value);
}

/// Written as it comes: all of it may be more than anybody wants to hold.
fn pretty(to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut to = io::BufWriter::new(to);
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")?;
    to.flush()
}

/// Writes data as JSON on one line, for streams.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(data(&serde_json::to_string(value)?)?)
}

/// Writes something that is not data.
pub fn say(text: &str) {
    // there is nobody to tell that nobody listens
    _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what went wrong and what can be done about it.
pub fn complain(explained: &Explained) {
    if let Some(detail) = &explained.detail {
        say(detail.trim_end());
    }
    if let Some(message) = &explained.message {
        say(&format!("error: {message}"));
    }
    if let Some(hint) = &explained.hint {
        say(&format!("hint: {hint}"));
    }
}

/// Whether data may be coloured.
pub fn paint() -> Paint {
    paint_for(io::stdout().is_terminal())
}

/// Whether what goes to standard error may be coloured.
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

/// ^C, SIGTERM, and the end of the terminal.
pub struct Signals {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on they end nothing by themselves.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// What comes of this, unless one of them comes first.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.next() => None,
        }
    }

    /// Waits for the next.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
