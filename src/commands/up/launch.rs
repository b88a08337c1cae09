//! `lbctl up -d`: the process that starts the supervisor in the background and waits until its lab is ready.
//!
//! The supervisor is the same command with a hidden flag. This process shows the events that come through the pipe as it
//! would its own.

use std::{io, process::Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use strum::IntoEnumIterator;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdout, Command},
};

use crate::{
    commands::console::{self, Signals},
    engine::own_executable,
    error::{Error, ErrorReport, Exit},
};

use super::{event::Event, terminal::Terminal};

/// Starts the supervisor and waits until its lab is ready.
pub async fn launch(project: &str, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut signals = Signals::listen()?;
    let (mut child, events) = spawn().context("cannot start the supervisor")?;
    let mut lines = BufReader::new(events).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.context("cannot read the supervisor's events")?,
            () = signals.next() => {
                stop(&mut child).await.context("cannot wait for the supervisor")?;
                return Ok(Exit::Interrupted);
            }
        };
        let Some(line) = line else {
            return Err(Error::BackgroundEnded(child.wait().await.context("cannot wait for the supervisor")?));
        };
        match serde_json::from_str(&line).context("cannot read the supervisor's events")? {
            Event::Failed { code, message, hint, detail } => {
                let exit = Exit::iter().find(|exit| exit.code() == code).unwrap_or(Exit::Environment);
                return Err(Error::Background(ErrorReport { exit, message, hint, detail }));
            }
            event @ Event::Ready(_) => {
                return match terminal.show(event) {
                    Ok(()) => Ok(Exit::Done),
                    Err(error) => {
                        console::say(&format!("note: the lab runs all the same; `lbctl down -p {project}` stops it"));
                        Err(error)
                    }
                };
            }
            event => terminal.show(event)?,
        }
    }
}

/// Starts the supervisor; the pipe brings its events.
fn spawn() -> io::Result<(Child, ChildStdout)> {
    let (program, arg0) = own_executable()?;
    let mut child = Command::new(program)
        .arg0(arg0)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if is_debug_log_on() { Stdio::piped() } else { Stdio::null() })
        .spawn()?;
    if let Some(errors) = child.stderr.take() {
        tokio::spawn(copy_debug_log(errors));
    }
    let events = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, events))
}

fn is_debug_log_on() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// Shows the supervisor's debug log for as long as this process waits for it. Later lines have no reader.
async fn copy_debug_log(errors: ChildStderr) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        console::say(&line);
    }
}

async fn stop(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
        // it may have ended this very moment
        _ = kill_process(pid, Signal::TERM);
    }
    child.wait().await.map(drop)
}
