//! Asking a target: what `probe` and `session-test` have in common.

mod log;
mod resolve;

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue, header::USER_AGENT};

use crate::{
    cli,
    error::Failure,
    probe::{ClientConfig, LoginCondition, Prober, RequestSpec, Script, Verify, path_and_query},
};

pub use log::follow_log;
pub use resolve::{LabSide, Resolved, agent, resolve};

/// A prober for what was resolved.
pub fn prober(args: &cli::Target, resolved: &mut Resolved) -> anyhow::Result<Prober> {
    let identity = args.identity.as_deref().map(str::parse).transpose()?;
    let mut headers = headers(&args.headers)?;
    if let Some(Ok(agent)) = headers.remove(USER_AGENT).as_ref().map(HeaderValue::to_str) {
        // what tells our requests from others' in a lab's log stays part of it
        resolved.agent = if resolved.lab.is_some() { format!("{agent} {}", resolved.agent) } else { agent.to_owned() };
    }
    let config = ClientConfig {
        url: resolved.url.clone(),
        connect: resolved.connect,
        verify: if args.insecure { Verify::Nothing } else { Verify::Certificate },
        timeout: args.timeout,
        headers,
        agent: resolved.agent.clone(),
        interval: args.rate.map(|rate| std::time::Duration::from_secs_f64(1.0 / rate)),
        number_requests: resolved.lab.is_some(),
    };
    let names = resolved.lab.iter().flat_map(|lab| lab.view.services.values()).flat_map(|service| &service.replicas);
    let names: HashMap<_, _> = names.map(|replica| (replica.hostname.clone(), replica.name.clone())).collect();
    Ok(Prober::new(config, resolved.via.clone(), identity, names)?)
}

/// The login that the flags tell, or that of a lab's page.
pub fn script(args: &cli::Target, resolved: &Resolved) -> anyhow::Result<Option<Script>> {
    let Some(login) = &args.login else {
        for (flag, given) in [("--check", args.check.is_some()), ("--logged-in", args.logged_in.is_some())] {
            if given {
                return Err(Failure::usage(format!("{flag} needs --login")).into());
            }
        }
        return Ok(resolved.lab.as_ref().filter(|lab| lab.service.logs_in).map(|_| Script::of_the_lab()));
    };
    let login = RequestSpec::parse("--login", login, &secret)?;
    let check = match &args.check {
        Some(check) => RequestSpec::parse("--check", check, &secret)?,
        None => RequestSpec { method: http::Method::GET, path: path_and_query(&resolved.url), content: None },
    };
    let logged_in = match (&args.logged_in, Script::of_the_lab()) {
        (Some(how), _) => LoginCondition::parse(how)?,
        (None, Script { logged_in, .. }) => logged_in,
    };
    Ok(Some(Script { login, check, logged_in }))
}

/// A value that stands for a secret: `env:NAME` or `file:PATH`.
fn secret(value: &str) -> Option<Result<String, String>> {
    match value.split_once(':')? {
        ("env", name) => Some(std::env::var(name).map_err(|_| format!("the environment has no {name}"))),
        ("file", path) => {
            let read = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
            // an editor ends a file with a newline, which is no part of a password
            Some(read.map(|text| text.trim_end_matches(['\n', '\r']).to_owned()))
        }
        _ => None,
    }
}

fn headers(lines: &[String]) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let header = line.split_once(':').and_then(|(name, value)| {
            Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
        });
        // the line may hold a secret: its name is enough
        let shown = line.split(':').next().unwrap_or_default().escape_debug().to_string();
        let wrong = |reason: &str| Failure::usage(format!("-H `{shown}`: {reason}"));
        let (name, value) = header.ok_or_else(|| wrong("not NAME: VALUE"))?;
        let value = match value.to_str().ok().and_then(secret) {
            Some(found) => HeaderValue::from_str(&found.map_err(|reason| wrong(&reason))?)
                .map_err(|_| wrong("its value cannot stand in a header"))?,
            None => value,
        };
        headers.append(name, value);
    }
    Ok(headers)
}
