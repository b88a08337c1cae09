//! Resolving a target: a lab that routes it, `--connect`, or the name as usual.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rand::RngExt;
use url::Url;

use crate::{
    cli,
    error::Failure,
    experiment::LabService,
    lab::{self, RunningLab},
    model::{App, LabView, trace::Via},
    probe,
};

use super::super::found;

/// Whom to ask.
pub struct Resolved {
    /// The target's URL.
    pub url: Url,
    /// Where to connect instead of where the name leads.
    pub connect: Option<SocketAddr>,
    /// What chose that.
    pub via: Via,
    /// The lab that routes the target.
    pub lab: Option<LabSide>,
    /// What the requests call themselves.
    pub agent: String,
}

/// A lab as far as it matters to a probe.
pub struct LabSide {
    /// The client that reads the lab's log; `None` for a lab of this process, of which no log is read.
    pub client: Option<RunningLab>,
    /// The lab with all its replicas.
    pub view: LabView,
    /// The service that the target is routed to.
    pub service: LabService,
}

impl LabSide {
    /// The side of a lab whose service `name` is probed; `None` if the lab has no such service.
    pub fn new(client: Option<RunningLab>, view: LabView, name: String, logs_in: bool) -> Option<LabSide> {
        let service = view.services.get(&name)?.clone();
        let service = LabService { name, engine: view.engine, proxy: view.proxy, view: service, logs_in };
        Some(LabSide { client, view, service })
    }
}

/// Finds out whom to ask.
pub async fn resolve(args: &cli::Target, path: Option<&str>) -> anyhow::Result<Resolved> {
    let agent = agent();
    let labs = if args.no_lab || args.connect.is_some() { Vec::new() } else { labs(args.project.as_deref()).await? };
    let Some(target) = &args.target else {
        if let Some(flag) = args.no_lab.then_some("--no-lab").or(args.connect.map(|_| "--connect")) {
            return Err(Failure::usage(format!("{flag} needs a target")).hint("name a host or a URL").into());
        }
        return match one_of(&labs) {
            Ok(Some(lab)) => {
                let view = lab.view().await?;
                let host = view.hosts.first().cloned().unwrap_or_else(|| view.proxy_address.ip().to_string());
                let url = at(probe::parse_target(&host)?, path)?;
                in_lab(url, lab.clone(), view, agent).await
            }
            Ok(None) => Err(Failure::environment("no lab is running, and no target was named")
                .hint("`lbctl up -d` starts a lab; or name a host or URL")
                .into()),
            Err(names) => Err(choose(&names, "several labs are running").into()),
        };
    };
    let url = at(probe::parse_target(target)?, path)?;
    if let Some(connect) = args.connect {
        return Ok(Resolved { url, connect: Some(connect), via: Via::Flag, lab: None, agent });
    }
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
        if args.project.is_none() && url.port() == Some(view.proxy_address.port()) && is_loopback(host) {
            return Err(the_labs_own_address(lab, &view).into());
        }
    }
    match one_of(&routing) {
        Ok(Some(lab)) => {
            let view = lab.view().await?;
            in_lab(url, lab.clone(), view, agent).await
        }
        Err(names) => Err(choose(&names, &format!("several labs route {host}")).into()),
        Ok(None) => match (&args.project, labs.first()) {
            (Some(project), Some(lab)) => {
                let view = lab.view().await?;
                let unrouted = Failure::usage(format!("the lab `{project}` does not route {url}"));
                let hosts = view.hosts.join(", ");
                let port = view.proxy_address.port();
                Err(unrouted
                    .hint(format!("it routes {hosts} over http at port {port}; without -p a name is resolved as usual"))
                    .into())
            }
            _ => Ok(Resolved { url, connect: None, via: Via::Dns, lab: None, agent }),
        },
    }
}

/// The only lab, or the one of several that the environment prefers; the names where that leaves several.
fn one_of(labs: &[RunningLab]) -> Result<Option<&RunningLab>, Vec<String>> {
    let preferred = std::env::var("LBCTL_PROJECT").ok();
    match labs {
        [] => Ok(None),
        [lab] => Ok(Some(lab)),
        several => match several.iter().find(|lab| Some(lab.project()) == preferred.as_deref()) {
            Some(lab) => Ok(Some(lab)),
            None => Err(several.iter().map(|lab| lab.project().to_owned()).collect()),
        },
    }
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// The lab balances by the host's name, so its bare address leads nowhere.
fn the_labs_own_address(lab: &RunningLab, view: &LabView) -> Failure {
    let host = view.hosts.first().map_or("", String::as_str);
    let (address, project) = (view.proxy_address, lab.project());
    Failure::usage(format!("{address} is the lab `{project}`, which routes by the host's name"))
        .hint(format!("`lbctl probe {host}` asks it; --no-lab asks the address as it is"))
}

/// Requests that a lab's log can tell from those of others.
pub fn agent() -> String {
    let nonce: u32 = rand::rng().random();
    format!("lbctl/{} probe-{nonce:08x}", env!("CARGO_PKG_VERSION"))
}

async fn in_lab(url: Url, lab: RunningLab, view: LabView, agent: String) -> anyhow::Result<Resolved> {
    let host = url.host_str().unwrap_or_default();
    let project = lab.project();
    let Some(service) = lab.route(host, url.path()).await? else {
        let empty: Vec<&str> = view
            .services
            .iter()
            .filter(|(_, service)| service.replicas.is_empty())
            .map(|(name, _)| name.as_str())
            .collect();
        return Err(match empty.as_slice() {
            [] => {
                Failure::usage(format!("the lab `{project}` has no route for {url}")).hint("`lbctl ps` shows what runs")
            }
            [service, ..] => Failure::environment(format!("the lab `{project}` has no replica for {url}"))
                .hint(format!("`lbctl scale {service}=5` starts some")),
        }
        .into());
    };
    let is_page = view.services.get(&service).is_some_and(|view| view.app == Some(App::Page));
    let logs_in = is_page && lab.route(host, "/session").await?.as_deref() == Some(&service);
    let mut connect = view.proxy_address;
    if connect.ip().is_unspecified() {
        connect.set_ip(match connect.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let via = Via::Lab(project.to_owned());
    let lab = LabSide::new(Some(lab), view, service, logs_in);
    Ok(Resolved { url, connect: Some(connect), via, lab, agent })
}

/// The running labs, or the one that was chosen.
async fn labs(project: Option<&str>) -> anyhow::Result<Vec<RunningLab>> {
    match project {
        Some(project) => Ok(vec![found::lab(project).await?]),
        None => Ok(lab::running_labs().await?),
    }
}

fn choose(names: &[String], what: &str) -> Failure {
    Failure::usage(format!("{what}: {}", names.join(", "))).hint("choose one with -p")
}

/// The URL with `--path`.
fn at(url: Url, path: Option<&str>) -> anyhow::Result<Url> {
    if let Some(path) = path {
        if !path.starts_with('/') {
            return Err(Failure::usage(format!("--path `{}` must start with `/`", path.escape_debug())).into());
        }
        return Ok(probe::with_path(&url, path));
    }
    Ok(url)
}
