//! The preparation of a lab: the flags of `up` as a lab that can be started.

use tokio::net::UnixListener;

use crate::{
    cli::{self, Up},
    commands::scale,
    composefile,
    error::{Error, UsageError},
    lab::{
        EmbeddedLab, EmbeddedPlan, LabRunner, ListenRequest, Overrides, PortChoice, Rendezvous, SupervisorLock, bind,
        compose::{self, ComposeOptions, PreparedLab},
    },
    model::ProxyKind,
};

/// A lab that can be started.
pub struct Preparation {
    pub runner: LabRunner,
    /// Facts that are worth knowing, a sentence each.
    pub notes: Vec<String>,
    /// The lock on the lab's name, for as long as the lab runs.
    pub lock: SupervisorLock,
    /// The socket at which other commands find the lab.
    pub socket: UnixListener,
}

/// Prepares the lab that the flags ask for.
pub async fn prepare(args: &Up) -> Result<Preparation, Error> {
    let rendezvous = Rendezvous::open()?;
    match args.engine {
        cli::Engine::Embedded => prepare_embedded(args, &rendezvous),
        cli::Engine::Compose => prepare_compose(args, &rendezvous).await,
    }
}

/// Prepares a lab of processes.
fn prepare_embedded(args: &Up, rendezvous: &Rendezvous) -> Result<Preparation, Error> {
    if args.proxy == Some(cli::ProxyKind::Traefik) {
        return Err(UsageError::EmbeddedTraefik.into());
    }
    let definition = match &args.file {
        Some(file) => composefile::load(file)?,
        None => composefile::load_built_in()?,
    };
    let plan = EmbeddedPlan::new(&args.project.project, &definition, &overrides(args)?)?;
    let (lock, socket) = rendezvous.take(&args.project.project)?;
    let port = PortChoice::of_lab(args.port, definition.port);
    let bound = bind(ListenRequest { bind: args.bind, port })?;
    let notes = plan.notes.iter().cloned().chain(bound.note()).collect();
    Ok(Preparation { runner: LabRunner::Embedded(EmbeddedLab::new(plan, bound)?.into()), notes, lock, socket })
}

/// Prepares a lab of containers.
async fn prepare_compose(args: &Up, rendezvous: &Rendezvous) -> Result<Preparation, Error> {
    let (lock, socket) = rendezvous.take(&args.project.project)?;
    let options = ComposeOptions {
        project: &args.project.project,
        file: args.file.as_deref(),
        proxy_kind: args.proxy.map_or(ProxyKind::Traefik, ProxyKind::from),
        overrides: &overrides(args)?,
        bind: args.bind,
        port: args.port,
        patience: args.wait,
    };
    let PreparedLab { runner, notes } = compose::prepare(&options, rendezvous).await?;
    Ok(Preparation { runner: LabRunner::Compose(runner.into()), notes, lock, socket })
}

fn overrides(args: &Up) -> Result<Overrides, Error> {
    Ok(Overrides {
        scale: scale::targets(&args.counts, &args.scale)?,
        sticky: args.sticky.clone(),
        strategy: args.strategy,
    })
}

impl From<cli::ProxyKind> for ProxyKind {
    fn from(kind: cli::ProxyKind) -> ProxyKind {
        match kind {
            cli::ProxyKind::Traefik => ProxyKind::Traefik,
            cli::ProxyKind::Bundled => ProxyKind::Bundled,
        }
    }
}
