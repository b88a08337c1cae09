//! Resolving a target: a lab that routes it, `--connect`, or the name as usual.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rand::RngExt;
use url::Url;

use crate::{
    cli,
    error::Failure,
    lab::Client,
    probe,
    replica::{App, LabView},
    trace::Via,
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
    /// To ask it for its log; a lab of this process needs none.
    pub client: Option<Client>,
    /// Its replicas.
    pub view: LabView,
    /// The service that the target is routed to.
    pub service: String,
    /// Whether that service has the page's login.
    pub logs_in: bool,
}

/// Finds out whom to ask.
pub async fn resolve(args: &cli::Target, path: Option<&str>) -> anyhow::Result<Resolved> {
    let agent = agent();
    let labs = if args.no_lab || args.connect.is_some() { Vec::new() } else { labs(args.project.as_deref())? };
    let Some(target) = &args.target else {
        if let Some(flag) = args.no_lab.then_some("--no-lab").or(args.connect.map(|_| "--connect")) {
            return Err(Failure::usage(format!("{flag} needs a target")).hint("name a host or a URL").into());
        }
        return match labs.as_slice() {
            [] => Err(Failure::environment("no lab is running, and no target was named")
                .hint("`lbctl up -d` starts a lab; or name a host or URL")
                .into()),
            [lab] => {
                let view = lab.view().await?;
                let host = view.hosts.first().cloned().unwrap_or_else(|| view.proxy_address.ip().to_string());
                let url = at(probe::parse_target(&host)?, path)?;
                in_lab(url, lab.clone(), view, agent).await
            }
            several => Err(choose(several, "several labs are running").into()),
        };
    };
    let url = at(probe::parse_target(target)?, path)?;
    if let Some(connect) = args.connect {
        return Ok(Resolved { url, connect: Some(connect), via: Via::Flag, lab: None, agent });
    }
    let mut routing = Vec::new();
    for lab in labs.iter().filter(|_| url.scheme() == "http") {
        // one that ends this very moment routes nothing
        let Ok(view) = lab.view().await else { continue };
        let same_port = url.port().is_none_or(|port| port == view.proxy_address.port());
        let host = url.host_str().unwrap_or_default();
        if same_port && lab.route(host, url.path()).await.is_ok_and(|service| service.is_some()) {
            routing.push((lab.clone(), view));
        }
    }
    let named: Vec<Client> = routing.iter().map(|(lab, _)| lab.clone()).collect();
    match (routing.pop(), named.as_slice()) {
        (Some((lab, view)), [_]) => in_lab(url, lab, view, agent).await,
        (Some(_), several) => {
            Err(choose(several, &format!("several labs route {}", url.host_str().unwrap_or_default())).into())
        }
        (None, _) if args.project.is_some() => {
            let unrouted = Failure::usage(format!("the lab `{}` does not route {url}", labs[0].project()));
            let hosts = labs[0].view().await?.hosts.join(", ");
            Err(unrouted.hint(format!("it routes {hosts}; without -p the name is resolved as usual")).into())
        }
        (None, _) => Ok(Resolved { url, connect: None, via: Via::Dns, lab: None, agent }),
    }
}

/// Requests that a lab's log can tell from those of others.
pub fn agent() -> String {
    let nonce: u32 = rand::rng().random();
    format!("lbctl/{} probe-{nonce:08x}", env!("CARGO_PKG_VERSION"))
}

async fn in_lab(url: Url, lab: Client, view: LabView, agent: String) -> anyhow::Result<Resolved> {
    let host = url.host_str().unwrap_or_default();
    let project = lab.project();
    let service = lab.route(host, url.path()).await?.ok_or_else(|| {
        Failure::usage(format!("the lab `{project}` has no route for {url}")).hint("`lbctl ps` shows what runs")
    })?;
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
    let lab = Some(LabSide { client: Some(lab), view, service, logs_in });
    Ok(Resolved { url, connect: Some(connect), via, lab, agent })
}

/// The running labs, or the one that was chosen.
fn labs(project: Option<&str>) -> anyhow::Result<Vec<Client>> {
    match project {
        Some(project) => Ok(vec![found::lab(project)?]),
        None => Ok(Client::all()?),
    }
}

fn choose(labs: &[Client], what: &str) -> Failure {
    let names: Vec<&str> = labs.iter().map(Client::project).collect();
    Failure::usage(format!("{what}: {}", names.join(", "))).hint("choose one with -p")
}

/// The URL with `--path`.
fn at(mut url: Url, path: Option<&str>) -> anyhow::Result<Url> {
    if let Some(path) = path {
        if !path.starts_with('/') {
            return Err(Failure::usage(format!("--path `{}` must start with `/`", path.escape_debug())).into());
        }
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
    }
    Ok(url)
}
