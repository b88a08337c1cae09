//! Replicas, as the engine that runs them describes them to the proxy and the supervisor.
//!
//! An engine publishes [`Replicas`] on a `tokio::sync::watch` channel; the proxy builds its routes from them, and the
//! supervisor shows them.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

/// Labels of a service, as in its compose file.
pub type Labels = BTreeMap<String, String>;

/// All replicas that an engine runs at one moment, in the order of the services and, within a service, of the numbers.
pub type Replicas = Arc<[Replica]>;

/// One running copy of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The name of the replica for people, such as `web_static-3`.
    pub name: Arc<str>,
    /// The compose service, for example `web_static`.
    pub service: Arc<str>,
    /// Traefik's name for the service where the labels give it none: `web_static-lab`.
    pub base: Arc<str>,
    /// The number of the replica within its service, from 1.
    pub number: u32,
    /// The hostname in the replica's answers.
    pub hostname: String,
    /// The address at which the replica answers, once it is known.
    pub address: Option<SocketAddr>,
    pub port: Port,
    pub state: State,
    /// The number of times that the replica was started again after it had ended by itself.
    pub restarts: u32,
    /// The way in which the replica last ended by itself.
    pub ended: Option<Arc<str>>,
    /// The labels for the routing of requests to the replica; all replicas of a service have the same.
    pub labels: Arc<Labels>,
}

/// The name of replica `number` of `service`.
pub fn replica_name(service: &str, number: u32) -> String {
    format!("{service}-{number}")
}

/// The source of the port at which a replica answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The address: the replica has bound that port itself, and its labels do not matter.
    Bound,
    /// The labels or, where they name no port, the address. Its port is the lowest one that the container exposes, or 0
    /// if the container exposes none.
    Labelled,
}

/// The state of a replica; only a ready one takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The replica was started and has not answered yet.
    Starting,
    Ready,
    /// The replica finishes the requests that it has, and gets no new ones.
    Draining,
    /// The replica ended by itself, and will be started again after a delay.
    Restarting,
    /// The replica runs, and its own health check fails.
    Unhealthy,
    /// The replica has ended, and will not be started again.
    Ended,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Starting => "starting",
            State::Ready => "ready",
            State::Draining => "draining",
            State::Restarting => "restarting",
            State::Unhealthy => "unhealthy",
            State::Ended => "ended",
        })
    }
}

/// The engine that runs the replicas of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Child processes that run the built-in apps.
    Embedded,
    /// Containers, by Docker Compose.
    Compose,
}

/// The proxy that balances the requests of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyKind {
    /// The proxy of this program.
    Bundled,
    /// Traefik in a container.
    Traefik,
}

/// The built-in app that stands in for the image of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum App {
    /// The page that shows its hostname and a login: `web_static`.
    Page,
    /// The JSON service: `web_dynamic`.
    Api,
}

impl App {
    /// The value of the label `lbctl.app`; the hidden command `replica` uses the same name.
    pub fn as_str(self) -> &'static str {
        match self {
            App::Page => "page",
            App::Api => "api",
        }
    }
}

impl std::str::FromStr for App {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "page" => Ok(App::Page),
            "api" => Ok(App::Api),
            other => Err(format!("no built-in app `{other}`: there are `page` and `api`")),
        }
    }
}

/// The number of sessions that lived in replicas which have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    pub sessions: usize,
    /// The number of sessions among these that held a login.
    pub logged_in: usize,
}

impl std::ops::Add for Sessions {
    type Output = Sessions;

    fn add(self, other: Sessions) -> Sessions {
        Sessions { sessions: self.sessions + other.sessions, logged_in: self.logged_in + other.logged_in }
    }
}
