//! Where the proxy's replicas come from.

use tokio::sync::watch;

use crate::{
    cli::Proxy as Args,
    engine::{Containers, Docker, DockerError, Naming, Scope},
    model::{ExposedByDefault, Replicas},
    report,
};

use super::flags;

/// Where the proxy's replicas come from.
pub(super) enum Source {
    /// The command line; they stay what they are as long as the channel is held.
    Flags(watch::Sender<Replicas>),
    /// A Docker Engine.
    Docker(Containers),
}

impl Source {
    /// What the flags ask for.
    pub async fn open(args: &Args) -> anyhow::Result<(Source, String)> {
        if !args.docker {
            let replicas = flags::replicas(args)?;
            let what = report::text::count(replicas.len() as u64, "upstream");
            return Ok((Source::Flags(watch::Sender::new(replicas)), what));
        }
        let docker = Docker::connect().await?;
        let at = docker.endpoint();
        let (scope, naming, what) = match &args.project {
            Some(name) => {
                let what = format!("the containers of project {name} at {at}");
                (Scope::Project(name.clone()), Naming::Compose, what)
            }
            None => (Scope::All, Naming::Docker, format!("the containers at {at}")),
        };
        Ok((Source::Docker(Containers::watch(docker, scope, naming).await?), what))
    }

    /// What there is, from now on.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        match self {
            Source::Flags(replicas) => replicas.subscribe(),
            Source::Docker(containers) => containers.replicas(),
        }
    }

    /// Whether a replica without `traefik.enable` is routed to.
    pub fn exposed_by_default(&self, args: &Args) -> ExposedByDefault {
        match self {
            Source::Docker(_) if !args.exposed_by_default => ExposedByDefault::No,
            Source::Docker(_) | Source::Flags(_) => ExposedByDefault::Yes,
        }
    }

    /// Waits until nobody can say any more what there is.
    pub async fn lost(&self) -> DockerError {
        match self {
            Source::Flags(_) => std::future::pending().await,
            Source::Docker(containers) => containers.lost().await,
        }
    }
}
