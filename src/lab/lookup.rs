//! Lookup: which running lab a command means, by the name of its project or by the host that it routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;

use crate::model::{App, DEFAULT_PROJECT, LabView};

use super::{RunningLab, RunningLabError, find_running_lab, is_project_name, running_labs};

/// The reason for which no lab, or not one lab alone, is meant.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("`{}` cannot be a project's name", .0.escape_debug())]
    ProjectName(String),
    /// The project has no lab, and other labs are running.
    #[error("no running lab called `{project}`")]
    OtherLabs { project: String, running: Vec<String> },
    #[error("no lab is running, and no target was named")]
    NoLab,
    #[error("several labs are running: {}", .0.join(", "))]
    SeveralLabs(Vec<String>),
    #[error("several labs route {host}: {}", projects.join(", "))]
    SeveralRoutes { host: String, projects: Vec<String> },
    /// The lab that was named does not route the URL.
    #[error("the lab `{project}` does not route {url}")]
    OtherHosts { project: String, url: String, hosts: Vec<String>, port: u16 },
    /// A lab balances by the host's name, so its bare address leads nowhere.
    #[error("{address} is the lab `{project}`, which routes by the host's name")]
    BareAddress { address: SocketAddr, project: String, host: String },
    #[error("the lab `{project}` has no route for {url}")]
    NoRoute { project: String, url: String },
    /// A service of the lab has no replica, and the URL may be routed to it.
    #[error("the lab `{project}` has no replica for {url}")]
    NoReplica { project: String, url: String, service: String },
    #[error(transparent)]
    Lab(#[from] RunningLabError),
}

impl LookupError {
    /// The advice to the user, where there is one; that of a [`RunningLabError`] is its own.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            LookupError::ProjectName(_) => {
                "lower case letters, digits, `-` and `_`, starting with a letter or digit, 63 at most".to_owned()
            }
            LookupError::OtherLabs { running, .. } => format!("running: {}; choose with -p", running.join(", ")),
            LookupError::NoLab => "`lbctl up -d` starts a lab; or name a host or URL".to_owned(),
            LookupError::SeveralLabs(_) | LookupError::SeveralRoutes { .. } => "choose one with -p".to_owned(),
            LookupError::OtherHosts { hosts, port, .. } => {
                let hosts = hosts.join(", ");
                format!("it routes {hosts} over http at port {port}; without -p a name is resolved as usual")
            }
            LookupError::BareAddress { host, .. } => {
                format!("`lbctl probe {host}` asks it; --no-lab asks the address as it is")
            }
            LookupError::NoRoute { .. } => "`lbctl ps` shows what runs".to_owned(),
            LookupError::NoReplica { project, service, .. } => {
                let project = if project == DEFAULT_PROJECT { String::new() } else { format!("-p {project} ") };
                format!("`lbctl scale {project}{service}=5` starts some")
            }
            LookupError::Lab(_) => return None,
        })
    }
}

/// A URL in the lab that routes it.
#[derive(Debug)]
pub struct LabRoute {
    pub lab: RunningLab,
    pub view: LabView,
    /// The service to which the URL is routed.
    pub service: String,
    /// `true` if the service has the lab's own login.
    pub logs_in: bool,
    /// The address at which the lab's proxy can be reached from this machine.
    pub address: SocketAddr,
}

/// Checks that a lab can have this name.
///
/// # Errors
/// [`LookupError::ProjectName`] if it cannot.
pub fn check_project_name(project: &str) -> Result<(), LookupError> {
    if is_project_name(project) { Ok(()) } else { Err(LookupError::ProjectName(project.to_owned())) }
}

/// Finds the running lab of `project`.
///
/// # Errors
/// When no lab can have that name, or the project has none that runs.
pub async fn find_lab(project: &str) -> Result<RunningLab, LookupError> {
    check_project_name(project)?;
    match find_running_lab(project).await {
        Err(error @ RunningLabError::NoLab { .. }) => {
            let running: Vec<String> = running_labs().await?.iter().map(|lab| lab.project().to_owned()).collect();
            if running.is_empty() {
                return Err(error.into());
            }
            Err(LookupError::OtherLabs { project: project.to_owned(), running })
        }
        found => Ok(found?),
    }
}

/// Finds the labs that a command may mean: all that run, or the one of `project`.
///
/// # Errors
/// As [`find_lab`].
pub async fn candidate_labs(project: Option<&str>) -> Result<Vec<RunningLab>, LookupError> {
    match project {
        Some(project) => Ok(vec![find_lab(project).await?]),
        None => Ok(running_labs().await?),
    }
}

/// Chooses the only lab, or the one of several whose project is `preferred`.
///
/// # Errors
/// When there is none, or several remain.
pub fn choose_lab<'l>(labs: &'l [RunningLab], preferred: Option<&str>) -> Result<&'l RunningLab, LookupError> {
    if labs.is_empty() {
        return Err(LookupError::NoLab);
    }
    only_lab(labs, preferred).ok_or_else(|| LookupError::SeveralLabs(projects(labs)))
}

/// Chooses the lab that routes `url`; `None` if none does and no project was named. Labs speak http alone. With several,
/// the one whose project is `preferred` is chosen.
///
/// # Errors
/// When the lab of the project that was named does not route it, several labs do, or the URL names a lab's bare address.
pub async fn choose_lab_for(
    url: &Url,
    labs: &[RunningLab],
    project: Option<&str>,
    preferred: Option<&str>,
) -> Result<Option<RunningLab>, LookupError> {
    let host = url.host_str().unwrap_or_default();
    let mut routing = Vec::new();
    for lab in labs.iter().filter(|_| url.scheme() == "http") {
        // one that ends this very moment routes nothing
        let Ok(view) = lab.view().await else { continue };
        let same_port = url.port().is_none_or(|port| port == view.proxy_address.port());
        // a rule may hold for other paths than this one, or its service may have no replica at the moment
        if same_port && (view.hosts.iter().any(|named| named == host) || lab.route(host, url.path()).await?.is_some()) {
            routing.push(lab.clone());
        }
        if project.is_none() && url.port() == Some(view.proxy_address.port()) && is_loopback(host) {
            let host = view.hosts.first().cloned().unwrap_or_default();
            let project = lab.project().to_owned();
            return Err(LookupError::BareAddress { address: view.proxy_address, project, host });
        }
    }
    if !routing.is_empty() {
        let several = || LookupError::SeveralRoutes { host: host.to_owned(), projects: projects(&routing) };
        return only_lab(&routing, preferred).cloned().map(Some).ok_or_else(several);
    }
    let (Some(project), Some(lab)) = (project, labs.first()) else { return Ok(None) };
    let LabView { hosts, proxy_address, .. } = lab.view().await?;
    Err(LookupError::OtherHosts {
        project: project.to_owned(),
        url: url.to_string(),
        hosts,
        port: proxy_address.port(),
    })
}

/// Finds where `url` leads in a lab, of which `view` is the present state.
///
/// # Errors
/// When the lab does not answer, or has no route or no replica for it.
pub async fn find_route(url: &Url, lab: RunningLab, view: LabView) -> Result<LabRoute, LookupError> {
    let host = url.host_str().unwrap_or_default();
    let project = || lab.project().to_owned();
    let Some(service) = lab.route(host, url.path()).await? else {
        let empty = view.services.iter().find(|(_, service)| service.replicas.is_empty());
        return Err(match empty {
            None => LookupError::NoRoute { project: project(), url: url.to_string() },
            Some((service, _)) => {
                LookupError::NoReplica { project: project(), url: url.to_string(), service: service.clone() }
            }
        });
    };
    let is_page = view.services.get(&service).is_some_and(|view| view.app == Some(App::Page));
    let logs_in = is_page && lab.route(host, "/session").await?.as_deref() == Some(&service);
    let address = reachable(view.proxy_address);
    Ok(LabRoute { lab, view, service, logs_in, address })
}

fn only_lab<'l>(labs: &'l [RunningLab], preferred: Option<&str>) -> Option<&'l RunningLab> {
    match labs {
        [lab] => Some(lab),
        several => several.iter().find(|lab| Some(lab.project()) == preferred),
    }
}

fn projects(labs: &[RunningLab]) -> Vec<String> {
    labs.iter().map(|lab| lab.project().to_owned()).collect()
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Loopback in place of "every address of this machine", to which no connection can be made everywhere.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
