//! The source of the proxy's replicas.

use tokio::sync::watch;

use crate::{
    cli::Proxy as Args,
    engine::{Containers, Docker, DockerError, Naming, Scope},
    error::Error,
    model::{ExposedByDefault, Replicas},
    report,
};

use super::flags;

/// The source of the proxy's replicas.
pub(super) enum Source {
    /// The command line; they stay what they are as long as the channel is held.
    Flags(watch::Sender<Replicas>),
    /// A Docker Engine.
    Docker(Containers),
}

impl Source {
    /// Opens the source that the flags ask for; the text names it in a sentence.
    pub async fn open(args: &Args) -> Result<(Source, String), Error> {
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

    /// The replicas, and every change of them from now on.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        match self {
            Source::Flags(replicas) => replicas.subscribe(),
            Source::Docker(containers) => containers.replicas(),
        }
    }

    /// The rule for a replica without the label `traefik.enable`.
    pub fn exposed_by_default(&self, args: &Args) -> ExposedByDefault {
        match self {
            Source::Docker(_) if !args.exposed_by_default => ExposedByDefault::No,
            Source::Docker(_) | Source::Flags(_) => ExposedByDefault::Yes,
        }
    }

    /// Waits until the source can no longer be read.
    pub async fn lost(&self) -> DockerError {
        match self {
            Source::Flags(_) => std::future::pending().await,
            Source::Docker(containers) => containers.lost().await,
        }
    }
}
