//! A running lab and its changes as plain data: what `up`, `ps` and `scale` print and the control API sends.

use std::{fmt, net::SocketAddr};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    replica::{App, Balancer, Engine, Replica, Sessions, State},
    strategy::Strategy,
};

/// A lab as its supervisor shows it: what `up` and `ps` print, as `lbctl.lab.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabView {
    /// `lbctl.lab.v1`
    pub schema: String,
    /// The project's name.
    pub project: String,
    /// What runs the replicas.
    pub engine: Engine,
    /// What balances.
    pub proxy: Balancer,
    /// Where a browser finds the lab.
    pub url: String,
    /// Where the proxy listens.
    pub proxy_address: SocketAddr,
    /// The dashboard, where there is one.
    pub dashboard_url: Option<String>,
    /// The hosts that the lab's rules name.
    pub hosts: Vec<String>,
    /// Its services in the order of the compose file.
    pub services: IndexMap<String, ServiceView>,
}

/// The schema that [`LabView`] follows.
pub const LAB_SCHEMA: &str = "lbctl.lab.v1";

/// A service as its supervisor shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// The built-in app that stands in for it.
    pub app: Option<App>,
    /// How the next replica is picked.
    pub strategy: ServiceStrategy,
    /// The cookie that makes it sticky, if one does.
    pub sticky_cookie: Option<String>,
    /// Its replicas by number.
    pub replicas: Vec<ReplicaView>,
}

impl ServiceView {
    /// How many of its replicas take requests.
    pub fn ready(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.state == State::Ready).count()
    }
}

/// How the next replica of a service is picked, as far as the labels tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceStrategy {
    /// No router leads to the service, so no replica is picked.
    None,
    /// The bundled proxy cannot use the labels; Traefik may.
    Unknown,
    /// The labels ask for this strategy.
    #[serde(untagged)]
    Known(Strategy),
}

impl ServiceStrategy {
    /// The strategy, where it is known.
    pub fn known(self) -> Option<Strategy> {
        match self {
            ServiceStrategy::Known(strategy) => Some(strategy),
            ServiceStrategy::None | ServiceStrategy::Unknown => None,
        }
    }
}

impl fmt::Display for ServiceStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceStrategy::None => f.write_str("none"),
            ServiceStrategy::Unknown => f.write_str("unknown"),
            ServiceStrategy::Known(strategy) => strategy.fmt(f),
        }
    }
}

/// A replica as its supervisor shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaView {
    /// `web_static-3`
    pub name: String,
    /// What it says of itself.
    pub hostname: String,
    /// Where it answers, once that is known.
    pub address: Option<SocketAddr>,
    /// What it is doing.
    pub state: State,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
}

impl From<&Replica> for ReplicaView {
    fn from(replica: &Replica) -> Self {
        ReplicaView {
            name: replica.name.to_string(),
            hostname: replica.hostname.clone(),
            address: replica.address,
            state: replica.state,
            restarts: replica.restarts,
        }
    }
}

/// What a change of the number of replicas did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleView {
    /// Each service that was named, in the order of the compose file.
    pub services: IndexMap<String, ScaledView>,
}

/// What a change did to one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaledView {
    /// Replicas before.
    pub from: u32,
    /// Replicas now.
    pub to: u32,
    /// The sessions that lived in the removed replicas.
    pub lost: Sessions,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_services_strategy_is_one_string_in_json() {
        for (strategy, text) in [
            (ServiceStrategy::None, "none"),
            (ServiceStrategy::Unknown, "unknown"),
            (ServiceStrategy::Known(Strategy::RoundRobin), "round-robin"),
            (ServiceStrategy::Known(Strategy::HighestRandomWeight), "hrw"),
        ] {
            assert_eq!(serde_json::to_value(strategy).unwrap(), text);
            assert_eq!(serde_json::from_value::<ServiceStrategy>(text.into()).unwrap(), strategy);
            assert_eq!(strategy.to_string(), text);
        }
    }
}
