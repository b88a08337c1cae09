//! The target of `probe` and `session-test`: the flags that they share, as a prober and a login.

mod lab_log;
mod resolve;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http::{HeaderValue, Method, header::USER_AGENT};

use crate::{
    cli,
    error::{Error, UsageError},
    experiment::CampaignError,
    probe::{
        ClientConfig, LoginCondition, Prober, RequestSpec, Script, Verification, parse_headers, path_and_query,
        reveal_secret,
    },
};

pub use lab_log::follow_log;
pub use resolve::{ResolvedTarget, TargetLab, resolve, user_agent};

/// A prober for a target. Its name is resolved to an address that can be reached from `source`.
pub async fn prober(args: &cli::Target, target: &mut ResolvedTarget, source: Option<IpAddr>) -> Result<Prober, Error> {
    let identity = args.identity.as_deref().map(str::parse).transpose()?;
    let mut headers = parse_headers(&args.headers)?;
    if let Some(Ok(agent)) = headers.remove(USER_AGENT).as_ref().map(HeaderValue::to_str) {
        // the tag by which the lab's log tells our requests from those of others stays part of it
        target.agent = if target.lab.is_some() { format!("{agent} {}", target.agent) } else { agent.to_owned() };
    }
    target.resolve_name(source, args.timeout).await?;
    let config = ClientConfig {
        url: target.url.clone(),
        connect: target.connect,
        addresses: target.addresses.iter().map(SocketAddr::ip).collect(),
        verify: if args.insecure { Verification::Nothing } else { Verification::Certificate },
        timeout: args.timeout,
        headers,
        agent: target.agent.clone(),
        interval: args.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        number_requests: target.lab.is_some(),
    };
    let replicas = target.lab.iter().flat_map(|lab| lab.view.services.values()).flat_map(|service| &service.replicas);
    let names: HashMap<_, _> = replicas.map(|replica| (replica.hostname.clone(), replica.name.clone())).collect();
    Ok(Prober::new(config, target.via.clone(), identity, names).map_err(CampaignError::from)?)
}

/// The login that the flags describe, or that of a lab's page; `None` where there is neither.
pub fn script(args: &cli::Target, target: &ResolvedTarget) -> Result<Option<Script>, Error> {
    let Some(login) = &args.login else {
        for (flag, value) in [("--check", &args.check), ("--logged-in", &args.logged_in)] {
            if value.is_some() {
                return Err(UsageError::FlagWithoutLogin(flag).into());
            }
        }
        return Ok(target.lab.as_ref().filter(|lab| lab.service.logs_in).map(|_| Script::lab_login()));
    };
    let login = RequestSpec::parse("--login", login, &reveal_secret)?;
    let check = match &args.check {
        Some(check) => RequestSpec::parse("--check", check, &reveal_secret)?,
        None => RequestSpec { method: Method::GET, path: path_and_query(&target.url), content: None },
    };
    let logged_in = match &args.logged_in {
        Some(condition) => LoginCondition::parse(condition)?,
        None => Script::lab_login().logged_in,
    };
    Ok(Some(Script { login, check, logged_in }))
}
