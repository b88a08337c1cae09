//! A running lab and its changes as plain data: what `up`, `ps` and `scale` print and the control API sends.

use std::net::SocketAddr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::replica::{App, Balancer, Engine, Replica, Sessions, State};

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
    /// How the next replica is picked: `round-robin`, `random`, `p2c`, `hrw`.
    pub strategy: String,
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
