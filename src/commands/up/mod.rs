//! `lbctl up`: starts the lab and keeps it until it is told to stop.

mod background;
mod event;

use std::{sync::Arc, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::UnixListener, sync::oneshot};

use crate::{
    cli::{self, Up},
    composefile,
    error::{Exit, Failure},
    lab::{
        self, EmbeddedLab, EmbeddedPlan, LabRunner, ListenRequest, Overrides, PortChoice, Progress, Rendezvous,
        StopMode, Supervisor, SupervisorLock,
        compose::{ComposeOptions, PreparedLab, prepare},
    },
    model::Balancer,
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
    found::check_name(&args.project.project)?;
    raise_file_limit();
    let rendezvous = Rendezvous::open()?;
    let prepared = async {
        match args.engine {
            cli::Engine::Embedded => embedded(args, &rendezvous),
            cli::Engine::Compose => containers(args, &rendezvous).await,
        }
    };
    let (runner, notes, _place, socket) = tokio::select! {
        prepared = prepared => prepared?,
        () = signals.next() => return Ok(Exit::Interrupted),
    };
    for note in notes {
        tell(Event::Note(note))?;
    }

    let lab = Arc::new(Supervisor::new(runner));
    let (end_control, end) = oneshot::channel::<()>();
    let control = tokio::spawn(lab::serve_control(lab.clone(), socket, async { _ = end.await }));
    let starting = |progress: Progress| {
        // a bar that nobody sees is no reason to stop
        _ = tell(progress.into());
    };
    let ended = tokio::select! {
        started = lab.start(starting) => match started {
            Ok(()) => follow(&lab, &mut signals, &mut tell).await,
            Err(error) => Err(error.into()),
        },
        () = signals.next() => Ok(Exit::Interrupted),
    };
    let stopped = tokio::select! {
        stopped = lab.stop(StopMode::Graceful) => stopped,
        () = signals.next() => lab.stop(StopMode::Immediate).await,
    };
    drop(end_control);
    // those who follow the log read its end
    _ = tokio::time::timeout(LAST_ANSWERS, control).await;
    if let (Err(_), Err(left)) = (&ended, &stopped) {
        let project = &args.project.project;
        _ = tell(Event::Note(format!("containers may be left ({left}): `lbctl down -p {project}` removes them")));
    }
    // what went wrong first says more than what it leads to
    let exit = ended?;
    stopped?;
    Ok(exit)
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
            lost = lab.lost() => return Err(lost.into()),
            entry = event::next(&mut entries) => tell(Event::Entry(entry))?,
        }
    }
}

/// What is started: what runs it, what is worth knowing, and the place where it is found.
type Started = (LabRunner, Vec<String>, SupervisorLock, UnixListener);

/// A lab of processes.
fn embedded(args: &Up, rendezvous: &Rendezvous) -> anyhow::Result<Started> {
    if args.proxy == Some(cli::Balancer::Traefik) {
        let only = Failure::usage("the embedded engine has the bundled proxy only");
        return Err(only.hint("`--engine compose` runs the lab in containers, behind Traefik").into());
    }
    let definition = match &args.file {
        Some(file) => composefile::load(file)?,
        None => composefile::built_in()?,
    };
    let plan = EmbeddedPlan::new(&args.project.project, &definition, &overrides(args)?)?;
    let (place, socket) = rendezvous.take(&args.project.project)?;
    let port = match args.port {
        Some(port) => PortChoice::Required(port),
        None => PortChoice::Preferred(definition.port.unwrap_or(LAB_PORT)),
    };
    let bound = lab::bind(ListenRequest { bind: args.bind, port })?;
    let mut notes = plan.notes.clone();
    if let Some(error) = &bound.instead_of {
        notes.push(format!("{error}: it is port {} instead", bound.address.port()));
    }
    Ok((LabRunner::Embedded(EmbeddedLab::new(plan, bound)?.into()), notes, place, socket))
}

/// A lab of containers.
async fn containers(args: &Up, rendezvous: &Rendezvous) -> anyhow::Result<Started> {
    let (place, socket) = rendezvous.take(&args.project.project)?;
    let asked = ComposeOptions {
        project: &args.project.project,
        file: args.file.as_deref(),
        balancer: args.proxy.map_or(Balancer::Traefik, Balancer::from),
        overrides: &overrides(args)?,
        bind: args.bind,
        port: args.port,
        patience: args.wait,
    };
    let PreparedLab { runner, notes } = prepare(&asked, rendezvous).await?;
    Ok((LabRunner::Compose(runner.into()), notes, place, socket))
}

fn overrides(args: &Up) -> anyhow::Result<Overrides> {
    Ok(Overrides {
        scale: scale::targets(&args.counts, &args.scale)?,
        sticky: args.sticky.clone(),
        strategy: args.strategy,
    })
}

impl From<cli::Balancer> for Balancer {
    fn from(balancer: cli::Balancer) -> Balancer {
        match balancer {
            cli::Balancer::Traefik => Balancer::Traefik,
            cli::Balancer::Bundled => Balancer::Bundled,
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
