//! Upstreams that the command line names, as replicas.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    cli::Proxy as Args,
    error::UsageError,
    model::{Labels, Port, Replica, Replicas, State},
    routing::strategy_label,
};

/// The upstreams with what the other flags say of them.
///
/// # Errors
/// When two have one name.
pub(super) fn replicas(args: &Args) -> Result<Replicas, UsageError> {
    if let Some(twice) = repeated(&args.upstreams) {
        return Err(UsageError::TwoUpstreams(twice.to_owned()));
    }
    let labels = Arc::new(labels(args));
    Ok(args.upstreams.iter().enumerate().map(|(index, upstream)| replica(index, upstream, &labels)).collect())
}

/// A name that two upstreams have.
fn repeated(upstreams: &[(Option<String>, SocketAddr)]) -> Option<&str> {
    let mut names: Vec<&str> = upstreams.iter().filter_map(|(name, _)| name.as_deref()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// The flags as labels, which is all that the proxy reads.
fn labels(args: &Args) -> Labels {
    let service = |field: &str| format!("traefik.http.services.proxy.loadbalancer.{field}");
    let mut labels = Labels::new();
    labels.insert("traefik.http.routers.proxy.rule".to_owned(), args.rule.clone());
    labels.insert(service("passhostheader"), "true".to_owned());
    if args.sticky {
        labels.insert(service("sticky.cookie"), "true".to_owned());
    }
    labels.extend([strategy_label(args.strategy, "proxy")]);
    labels
}

fn replica(index: usize, (name, address): &(Option<String>, SocketAddr), labels: &Arc<Labels>) -> Replica {
    let name: Arc<str> = name.clone().unwrap_or_else(|| address.to_string()).into();
    Replica {
        hostname: name.to_string(),
        name,
        service: "upstream".into(),
        base: "proxy".into(),
        number: index as u32 + 1,
        address: Some(*address),
        port: Port::Bound,
        state: State::Ready,
        restarts: 0,
        ended: None,
        labels: labels.clone(),
    }
}
