//! `lbctl up -d`: the supervisor as a process in the background, and the process that waits until it is ready.
//!
//! The supervisor is the same command with a hidden flag. It writes its events to a pipe, as JSON, an event a line, until
//! the lab is ready; the process in the foreground shows them as it would its own.

use std::{
    io::{self, Write},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process, setsid};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    cli::Up,
    engine::own_executable,
    error::{self, Exit, Explained, Failure},
};

use super::{
    super::console::Signals,
    event::{Event, Terminal},
    supervise,
};

/// Starts the supervisor and waits until its lab is ready.
pub async fn launch(terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let (program, arg0) = own_executable()?;
    let mut child = Command::new(program)
        .arg0(arg0)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let Some(output) = child.stdout.take() else { return Err(io::Error::from(io::ErrorKind::BrokenPipe).into()) };
    let mut lines = BufReader::new(output).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line?,
            () = signals.next() => {
                stop(&mut child).await?;
                return Ok(Exit::Interrupted);
            }
        };
        let Some(line) = line else {
            let status = child.wait().await?;
            return Err(Failure::environment(format!("the lab ended while it started ({status})")).into());
        };
        match serde_json::from_str(&line)? {
            Event::Failed { code, message, hint, detail } => {
                let exits = [Exit::Usage, Exit::Inconclusive, Exit::NotMet, Exit::Interrupted];
                let exit = exits.into_iter().find(|exit| exit.code() == code).unwrap_or(Exit::Environment);
                return Err(Failure { exit, message: message.unwrap_or_default(), hint, detail }.into());
            }
            event @ Event::Ready(_) => {
                terminal.show(event)?;
                return Ok(Exit::Done);
            }
            event => terminal.show(event)?,
        }
    }
}

async fn stop(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
        // it may have ended this very moment
        _ = kill_process(pid, Signal::TERM);
    }
    child.wait().await.map(drop)
}

/// Is the supervisor in the background.
pub async fn serve(args: Up) -> anyhow::Result<Exit> {
    // no terminal, so that closing it or ^C in it does not end the lab; a group leader has none of it already
    _ = setsid();
    let mut listening = true;
    let tell = |event: Event| {
        // after the lab is ready, its log is read by the control API
        if listening {
            listening = !matches!(event, Event::Ready(_));
            write(&event)?;
        }
        Ok(())
    };
    let ended = supervise(&args, tell).await;
    if let Err(error) = &ended {
        // whoever waited may have gone
        let Explained { exit, message, hint, detail } = error::explain(error);
        _ = write(&Event::Failed { code: exit.code(), message, hint, detail });
    }
    ended
}

fn write(event: &Event) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, event)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}
