//! Preparation: everything that must be known before a lab of containers starts. It finds the Docker Engine and
//! Compose, the compose file, the addresses of the proxy, and the plan.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Mutex, atomic::AtomicU32},
    time::Duration,
};

use tokio::sync::SetOnce;

use crate::{
    composefile::{self, Cause},
    engine::{Compose, Containers, Docker, Naming, Scope, Tool},
    lab::{
        change_error::ChangeError,
        listen::{ListenRequest, PortChoice},
        overrides::Overrides,
        supervisor::{Rendezvous, RendezvousError},
    },
    model::ProxyKind,
};

use super::{
    lab_directory::{LabDirectory, read_version},
    plan::ComposePlan,
    ports::ProxyAddresses,
    runner::ComposeLab,
    variables,
};

/// The wishes of the command line for a lab of containers.
#[derive(Debug)]
pub struct ComposeOptions<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// The compose file; `None` is the built-in lab.
    pub file: Option<&'a Path>,
    pub proxy_kind: ProxyKind,
    pub overrides: &'a Overrides,
    /// The address of the proxy, if it shall not be loopback.
    pub bind: Option<IpAddr>,
    /// The only port that the proxy may have; `None` leaves the choice.
    pub port: Option<u16>,
    /// The longest time without progress before the start fails.
    pub patience: Duration,
}

/// A lab that can be started.
#[derive(Debug)]
pub struct PreparedLab {
    pub runner: ComposeLab,
    /// A sentence for each thing that the user should know before the start.
    pub notes: Vec<String>,
}

/// Prepares a lab and writes its files. No container is started.
///
/// # Errors
/// When there is no Docker Engine or no Compose, the compose file cannot be used, or the port cannot be bound.
pub async fn prepare(options: &ComposeOptions<'_>, rendezvous: &Rendezvous) -> Result<PreparedLab, ChangeError> {
    let (docker, tool) = tokio::join!(Docker::connect(), Tool::detect());
    let (docker, tool) = (docker?, tool?);
    check_engine(&docker, options.project).await?;
    let mut notes = vec![format!("containers are started by {tool}")];

    let directory = LabDirectory::new(rendezvous.lab_directory(options.project))?;
    let ComposeFile { path, version } = ComposeFile::new(options.file, &directory)?;
    let request = listen_request(options);
    let mut addresses = ProxyAddresses::new(options.proxy_kind, request)?;

    let variables = variables::all_variables(options.project, request.bind, addresses.first, docker.endpoint());
    let mut compose = Compose::new(tool, options.project, vec![path], None, variables);
    let definition = composefile::parse_resolved(&compose.config().await?)?;
    let plan = ComposePlan::new(options.project, &definition, options.overrides, options.proxy_kind)?;
    match options.proxy_kind {
        ProxyKind::Traefik => addresses.take_published_port(definition.port, request)?,
        ProxyKind::Bundled => {}
    }
    compose.files.push(directory.write("lbctl.override.yml", &plan.override_file(version.as_deref()))?);
    notes.extend(addresses.note.take());
    notes.extend(plan.notes.iter().cloned());

    let scope = Scope::Project(options.project.to_owned());
    let containers = Containers::watch(docker.clone(), scope, Naming::Compose).await?;
    let runner = ComposeLab {
        docker,
        compose,
        plan,
        files: directory.keep(),
        containers,
        address: Mutex::new(addresses.first),
        other_addresses: addresses.others,
        listeners: Mutex::new(addresses.listeners),
        proxy: SetOnce::new(),
        bind: request.bind,
        wanted_replicas: AtomicU32::new(1),
        patience: options.patience,
    };
    Ok(PreparedLab { runner, notes })
}

/// Checks that the engine runs on this machine, and that no running or foreign project has the name.
async fn check_engine(docker: &Docker, project: &str) -> Result<(), ChangeError> {
    match docker.projects().await?.into_iter().find(|other| other.name == project) {
        // the end of this lab would remove the containers of another program
        Some(other) if !other.lab => return Err(ChangeError::Foreign(project.to_owned())),
        Some(other) if other.running > 0 => return Err(RendezvousError::Running(project.to_owned()).into()),
        _ => {}
    }
    match docker.host() {
        Some(host) => Err(ChangeError::Remote { endpoint: docker.endpoint().to_owned(), host: host.to_owned() }),
        None => Ok(()),
    }
}

/// The first compose file that Compose reads.
struct ComposeFile {
    path: PathBuf,
    /// The `version:` that the file declares.
    version: Option<String>,
}

impl ComposeFile {
    /// Takes the user's file, or writes the built-in one.
    fn new(file: Option<&Path>, directory: &LabDirectory) -> Result<ComposeFile, ChangeError> {
        let Some(path) = file else {
            return Ok(ComposeFile { path: directory.write_built_in_files()?, version: None });
        };
        match composefile::load(path) {
            Err(error) if error.cause() == Cause::Unreadable => return Err(error.into()),
            // a mistake in the file is for Compose to report
            _ => {}
        }
        let version = fs::read_to_string(path).ok().and_then(|text| read_version(&text));
        Ok(ComposeFile { path: path.to_owned(), version })
    }
}

/// The address and the port of the command line, else of the environment.
fn listen_request(options: &ComposeOptions<'_>) -> ListenRequest {
    let bind = options.bind.or_else(variables::bind_in_environment);
    ListenRequest { bind, port: PortChoice::of_lab(options.port, variables::http_port_in_environment()) }
}
