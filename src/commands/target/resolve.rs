//! Resolves a target: a lab that routes it, `--connect`, or the name as usual.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use rand::RngExt;
use url::Url;

use crate::{
    cli,
    error::{Error, UsageError},
    experiment::{CampaignError, LabService},
    lab::{LabRoute, RunningLab, candidate_labs, choose_lab, choose_lab_for, find_route},
    model::{LabView, trace::Via},
    probe::{choose_address, parse_target, resolve_addresses, with_path},
};

/// The target of a command, and the way to it.
pub struct ResolvedTarget {
    pub url: Url,
    /// The address to connect to; `None` where the URL has it or a proxy resolves the URL's name, and before the name is
    /// resolved.
    pub connect: Option<SocketAddr>,
    /// All addresses of the URL's name, where it was resolved.
    pub addresses: Vec<SocketAddr>,
    /// The origin of that address.
    pub via: Via,
    /// The lab that routes the target.
    pub lab: Option<TargetLab>,
    /// The requests' User-Agent.
    pub agent: String,
}

/// The part of a lab that a probe needs.
pub struct TargetLab {
    /// The client that reads the lab's log; `None` for a lab of this process, of which no log is read.
    pub client: Option<RunningLab>,
    /// The lab with all its replicas.
    pub view: LabView,
    /// The service to which the target is routed.
    pub service: LabService,
}

impl ResolvedTarget {
    /// Resolves the name of the URL, each step within `most`, and chooses the address to connect to, which can be reached
    /// from `source`. A target that has an address to connect to keeps it.
    pub async fn resolve_name(&mut self, source: Option<IpAddr>, most: Duration) -> Result<(), Error> {
        if self.connect.is_none() {
            self.addresses = resolve_addresses(&self.url, most).await.map_err(CampaignError::from)?;
            self.connect = choose_address(&self.addresses, source, most).await;
        }
        Ok(())
    }

    /// The target once for each address of its name, with that address to connect to.
    pub async fn split_by_address(&self, most: Duration) -> Result<Vec<(SocketAddr, ResolvedTarget)>, Error> {
        if self.via != Via::Dns {
            return Ok(Vec::new());
        }
        let all = resolve_addresses(&self.url, most).await.map_err(CampaignError::from)?;
        let at = |address: SocketAddr| {
            let target = outside_of_labs(self.url.clone(), Some(address), Via::Dns);
            (address, ResolvedTarget { addresses: vec![address], ..target })
        };
        Ok(all.into_iter().map(at).collect())
    }
}

impl TargetLab {
    /// A lab whose service `name` is probed; `None` if the lab has no such service.
    pub fn new(client: Option<RunningLab>, view: LabView, name: String, logs_in: bool) -> Option<TargetLab> {
        let service = view.services.get(&name)?.clone();
        let service = LabService { name, engine: view.engine, proxy: view.proxy, view: service, logs_in };
        Some(TargetLab { client, view, service })
    }
}

/// Resolves the target of the flags, with `path` in place of its own. The name of a target outside of labs is resolved later,
/// when all flags are known to be right.
pub async fn resolve(args: &cli::Target, path: Option<&str>) -> Result<ResolvedTarget, Error> {
    let labs = if args.no_lab || args.connect.is_some() {
        Vec::new()
    } else {
        candidate_labs(args.project.as_deref()).await?
    };
    let preferred = std::env::var("LBCTL_PROJECT").ok();
    let Some(target) = &args.target else {
        if let Some(flag) = args.no_lab.then_some("--no-lab").or(args.connect.map(|_| "--connect")) {
            return Err(UsageError::FlagWithoutTarget(flag).into());
        }
        let lab = choose_lab(&labs, preferred.as_deref())?;
        let view = lab.view().await?;
        let url = replace_path(parse_target(&view.first_host())?, path)?;
        return route_in(url, lab.clone(), view).await;
    };
    let url = replace_path(parse_target(target)?, path)?;
    let (project, preferred) = (args.project.as_deref(), preferred.as_deref());
    match (args.connect, choose_lab_for(&url, &labs, project, preferred).await?) {
        (Some(connect), _) => Ok(outside_of_labs(url, Some(connect), Via::Flag)),
        (None, Some(lab)) => {
            let view = lab.view().await?;
            route_in(url, lab, view).await
        }
        (None, None) => Ok(outside_of_labs(url, None, Via::Dns)),
    }
}

async fn route_in(url: Url, lab: RunningLab, view: LabView) -> Result<ResolvedTarget, Error> {
    let LabRoute { lab, view, service, logs_in, address } = find_route(&url, lab, view).await?;
    let via = Via::Lab(lab.project().to_owned());
    let lab = TargetLab::new(Some(lab), view, service, logs_in);
    Ok(ResolvedTarget { url, connect: Some(address), addresses: Vec::new(), via, lab, agent: user_agent() })
}

fn outside_of_labs(url: Url, connect: Option<SocketAddr>, via: Via) -> ResolvedTarget {
    ResolvedTarget { url, connect, addresses: Vec::new(), via, lab: None, agent: user_agent() }
}

/// A User-Agent by which a lab's log tells these requests from those of others.
pub fn user_agent() -> String {
    let nonce: u32 = rand::rng().random();
    format!("lbctl/{} probe-{nonce:08x}", env!("CARGO_PKG_VERSION"))
}

fn replace_path(url: Url, path: Option<&str>) -> Result<Url, Error> {
    match path {
        None => Ok(url),
        Some(path) if path.starts_with('/') => Ok(with_path(&url, path)),
        Some(path) => Err(UsageError::PathWithoutSlash(path.to_owned()).into()),
    }
}
