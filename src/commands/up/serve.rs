//! The supervisor as a process in the background: it writes its events to standard output, as JSON, an event a line, until
//! the lab is ready.

use std::io::{self, Write};

use rustix::process::setsid;

use crate::{
    cli::Up,
    error::{Error, ErrorReport, Exit, OutputError},
};

use super::{event::Event, supervise};

/// Supervises a lab in the background.
pub async fn serve(args: Up) -> Result<Exit, Error> {
    // without a terminal, so that closing it or ^C in it does not end the lab; the leader of a group has none already
    _ = setsid();
    let mut is_read = true;
    let write_until_ready = |event: Event| {
        // after the lab is ready, its log is read by the control API
        if is_read {
            is_read = !matches!(event, Event::Ready(_));
            write(&event)?;
        }
        Ok(())
    };
    let ended = supervise::run(&args, write_until_ready).await;
    if let Err(error) = &ended {
        // the process that waited may have gone
        let ErrorReport { exit, message, hint, detail } = error.report();
        _ = write(&Event::Failed { code: exit.code(), message, hint, detail });
    }
    ended
}

fn write(event: &Event) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer(&mut out, event).map_err(io::Error::from);
    written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(OutputError)
}
