//! A lab from its start to its end.

use std::sync::Arc;

use crate::{
    cli::Up,
    commands::console::Signals,
    error::{Error, Exit},
    lab::{ControlServer, StartEvent, StopMode, Supervisor, check_project_name, raise_file_limit},
};

use super::{
    event::{Event, next_entry},
    prepare::{Preparation, prepare},
};

/// Runs a lab from its start to its end, and reports each event of it.
pub async fn run(args: &Up, mut show: impl FnMut(Event) -> Result<(), Error>) -> Result<Exit, Error> {
    let mut signals = Signals::listen()?;
    check_project_name(&args.project.project)?;
    raise_file_limit();
    let Some(prepared) = signals.unless(prepare(args)).await.transpose()? else { return Ok(Exit::Interrupted) };
    let Preparation { runner, notes, lock: _lock, socket } = prepared;
    for note in notes {
        show(Event::Note(note))?;
    }
    let lab = Arc::new(Supervisor::new(runner));
    let control = ControlServer::start(&lab, socket);
    let starting = |event: StartEvent| {
        // a bar that cannot be drawn is no reason to stop
        _ = show(event.into());
    };
    let ended = tokio::select! {
        started = lab.start(starting) => match started {
            Ok(()) => follow(&lab, &mut signals, &mut show).await,
            Err(error) => Err(error.into()),
        },
        () = signals.next() => Ok(Exit::Interrupted),
    };
    let stopped = tokio::select! {
        stopped = lab.stop(StopMode::Graceful) => stopped,
        () = signals.next() => lab.stop(StopMode::Immediate).await,
    };
    control.stop().await;
    if let (Err(_), Err(left)) = (&ended, &stopped) {
        let project = &args.project.project;
        _ = show(Event::Note(format!("containers may be left ({left}): `lbctl down -p {project}` removes them")));
    }
    // the first failure explains more than what it leads to
    let exit = ended?;
    stopped?;
    Ok(exit)
}

/// Reports the events of a running lab until it is to stop, and returns how the command ends then.
async fn follow(
    lab: &Supervisor,
    signals: &mut Signals,
    show: &mut impl FnMut(Event) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let (_, mut entries) = lab.journal().read();
    show(Event::Ready(lab.view().into()))?;
    show(Event::Note("^C stops the lab".to_owned()))?;
    loop {
        tokio::select! {
            () = signals.next() => {
                _ = show(Event::Note("stopping; ^C again stops at once".to_owned()));
                return Ok(Exit::Interrupted);
            }
            () = lab.asked_to_stop() => return Ok(Exit::Done),
            lost = lab.lost() => return Err(lost.into()),
            entry = next_entry(&mut entries) => show(Event::Entry(entry))?,
        }
    }
}
