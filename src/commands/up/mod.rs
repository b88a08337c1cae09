//! `lbctl up`: starts the lab and keeps it until it is told to stop.

mod background;
mod event;

use std::{sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::oneshot;

use crate::{
    cli::{self, Up},
    error::Exit,
    lab::{self, Plan, Port, Rendezvous, Supervisor, Wanted, Wishes, compose},
    proxy::Strategy,
    replica::{Replicas, State},
};

use super::{console::Signals, found, scale};
use event::{Event, Terminal};

/// The port of the lab where its compose file names none.
const LAB_PORT: u16 = 80;
/// How long the control API may take to finish its answers when the lab has stopped.
const LAST_ANSWERS: Duration = Duration::from_millis(200);
/// What macOS allows where it calls a limit infinite.
const MOST_FILES: u64 = 10_240;

/// Starts the lab, here or in the background.
pub async fn run(args: Up) -> anyhow::Result<Exit> {
    if args.background {
        return background::serve(args).await;
    }
    let mut terminal = Terminal::new(args.output.format);
    match args.detach {
        true => background::launch(&mut terminal).await,
        false => supervise(&args, |event| terminal.show(event)).await,
    }
}

/// Runs a lab from its start to its end, and tells what happens.
async fn supervise(args: &Up, mut tell: impl FnMut(Event) -> anyhow::Result<()>) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let (plan, wanted) = plan(args)?;
    raise_file_limit();
    let (_place, socket) = Rendezvous::open()?.take(&args.project.project)?;
    let bound = lab::bind(wanted)?;
    for note in &plan.notes {
        tell(Event::Note(note.clone()))?;
    }
    if let Some(error) = bound.instead_of {
        tell(Event::Note(format!("{error}: it is port {} instead", bound.address.port())))?;
    }

    let of: u32 = plan.services.values().map(|service| service.replicas).sum();
    let lab = Arc::new(Supervisor::new(plan, bound.address)?);
    let (end_control, end) = oneshot::channel::<()>();
    let control = tokio::spawn(lab::serve_control(lab.clone(), socket, async { _ = end.await }));
    let starting = |replicas: &Replicas| {
        let ready = replicas.iter().filter(|replica| replica.state == State::Ready).count() as u32;
        // a bar that nobody sees is no reason to stop
        _ = tell(Event::Starting { ready, of });
    };
    let ended = tokio::select! {
        started = lab.start(bound.listeners, starting) => match started {
            Ok(()) => follow(&lab, &mut signals, &mut tell).await,
            Err(error) => Err(error.into()),
        },
        () = signals.next() => Ok(Exit::Interrupted),
    };
    let stopped = async {
        lab.stop().await;
        drop(end_control);
        // those who follow the log read its end
        _ = tokio::time::timeout(LAST_ANSWERS, control).await;
    };
    tokio::select! {
        () = stopped => {}
        () = signals.next() => {}
    }
    ended
}

/// Tells what happens in a lab until it is to stop; then, how the command ends.
async fn follow(
    lab: &Supervisor,
    signals: &mut Signals,
    tell: &mut impl FnMut(Event) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let (_, mut entries) = lab.journal().read();
    tell(Event::Ready(lab.view().into()))?;
    tell(Event::Note("^C stops the lab".to_owned()))?;
    loop {
        tokio::select! {
            () = signals.next() => {
                _ = tell(Event::Note("stopping; ^C again stops at once".to_owned()));
                return Ok(Exit::Interrupted);
            }
            () = lab.asked_to_stop() => return Ok(Exit::Done),
            entry = event::next(&mut entries) => tell(Event::Entry(entry))?,
        }
    }
}

/// What shall be started, and where it shall listen.
fn plan(args: &Up) -> anyhow::Result<(Plan, Wanted)> {
    found::check_name(&args.project.project)?;
    let definition = match &args.file {
        Some(file) => compose::load(file)?,
        None => compose::built_in()?,
    };
    let wishes = Wishes {
        scale: scale::targets(&args.counts, &args.scale)?,
        sticky: args.sticky.clone(),
        strategy: args.strategy.map(Strategy::from),
    };
    let plan = Plan::new(&args.project.project, &definition, &wishes)?;
    let port = match args.port {
        Some(port) => Port::Exactly(port),
        None => Port::Rather(definition.port.unwrap_or(LAB_PORT)),
    };
    Ok((plan, Wanted { bind: args.bind, port }))
}

impl From<cli::Strategy> for Strategy {
    fn from(strategy: cli::Strategy) -> Strategy {
        match strategy {
            cli::Strategy::RoundRobin => Strategy::RoundRobin,
            cli::Strategy::Random => Strategy::Random,
            cli::Strategy::P2c => Strategy::PowerOfTwo,
            cli::Strategy::Hrw => Strategy::HighestRandomWeight,
        }
    }
}

/// A thousand replicas have some five thousand pipes and connections; many systems allow 1024 unless asked for more.
fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    for wanted in [maximum, Some(MOST_FILES)] {
        // a limit of none is the highest there is
        let higher = current.is_some_and(|current| wanted.is_none_or(|wanted| wanted > current));
        // what cannot be raised is enough for a small lab
        if !higher || setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum }).is_ok() {
            return;
        }
    }
}
