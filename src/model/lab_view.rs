//! A running lab and its changes, as `up`, `ps` and `scale` print them and the control API sends them.

use std::{fmt, net::SocketAddr};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    replica::{App, Engine, ProxyKind, Replica, Sessions, State},
    strategy::Strategy,
};

/// The project of a command that names none.
pub const DEFAULT_PROJECT: &str = "lab";

/// A lab as its supervisor shows it. `up` and `ps` print it as JSON of the schema [`LAB_SCHEMA`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabView {
    /// Always [`LAB_SCHEMA`].
    pub schema: String,
    pub project: String,
    pub engine: Engine,
    pub proxy: ProxyKind,
    /// The URL at which a browser finds the lab.
    pub url: String,
    /// The address at which the proxy listens.
    pub proxy_address: SocketAddr,
    /// The URL of the dashboard, where there is one.
    pub dashboard_url: Option<String>,
    /// The hosts that the lab's rules name.
    pub hosts: Vec<String>,
    /// The services, in the order of the compose file.
    pub services: IndexMap<String, ServiceView>,
}

impl LabView {
    /// The first host that the lab routes, or the address of its proxy where the rules name none.
    pub fn first_host(&self) -> String {
        self.hosts.first().cloned().unwrap_or_else(|| self.proxy_address.ip().to_string())
    }
}

/// The schema that [`LabView`] follows.
pub const LAB_SCHEMA: &str = "lbctl.lab.v1";

/// A service as its supervisor shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// The built-in app that stands in for the service's image.
    pub app: Option<App>,
    /// The strategy that picks the next replica.
    pub strategy: ServiceStrategy,
    /// The name of the cookie that makes sessions sticky, where they are.
    pub sticky_cookie: Option<String>,
    /// The replicas, in the order of their numbers.
    pub replicas: Vec<ReplicaView>,
}

impl ServiceView {
    /// The number of replicas that take requests.
    pub fn ready(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.state == State::Ready).count()
    }
}

/// The strategy that picks the next replica of a service, as far as the labels define it.
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
    /// The name, such as `web_static-3`.
    pub name: String,
    /// The hostname in the replica's answers.
    pub hostname: String,
    /// The address at which the replica answers, once it is known.
    pub address: Option<SocketAddr>,
    pub state: State,
    /// The number of times that the replica was started again after it had ended by itself.
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

/// The effect of a change of the number of replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleView {
    /// The services that were to be changed, in the order of the compose file.
    pub services: IndexMap<String, ServiceScaleView>,
}

/// The effect of a change on one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceScaleView {
    /// The number of replicas before.
    pub from: u32,
    /// The number of replicas now.
    pub to: u32,
    /// The sessions that lived in the removed replicas and are gone.
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
