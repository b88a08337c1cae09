//! The waist between what runs replicas and what uses them: a lab as plain data.
//!
//! An engine publishes [`Replicas`] on a `tokio::sync::watch` channel; the proxy builds its routes from them, the
//! supervisor shows them. Nothing here does anything.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

/// Labels of a service, as in its compose file.
pub type Labels = BTreeMap<String, String>;

/// Everything that an engine runs at one moment, in the order of services and, within one, of numbers.
pub type Replicas = Arc<[Replica]>;

/// One running copy of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The name a person calls it by: `web_static-3`.
    pub name: Arc<str>,
    /// The compose service, for example `web_static`.
    pub service: Arc<str>,
    /// What Traefik calls the service where its labels give it no name: `web_static-lab`.
    pub base: Arc<str>,
    /// Its number within the service, from 1.
    pub number: u32,
    /// What the replica says of itself.
    pub hostname: String,
    /// Where it answers, once that is known.
    pub address: Option<SocketAddr>,
    /// What says at which port of that address.
    pub port: Port,
    /// Whether it may be given requests.
    pub state: State,
    /// How many times it was started again after it had ended by itself.
    pub restarts: u32,
    /// How it ended the last time it did so by itself.
    pub ended: Option<Arc<str>>,
    /// The labels that say how it is routed; the same for every replica of a service.
    pub labels: Arc<Labels>,
}

/// The name of replica `number` of `service`.
pub fn replica_name(service: &str, number: u32) -> String {
    format!("{service}-{number}")
}

/// What says at which port a replica answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Its address: it has bound that port itself, whatever its labels say.
    Bound,
    /// Its labels; where they are silent, its address, which has the lowest port that the container exposes, or 0 if it
    /// exposes none.
    Labelled,
}

/// What a replica is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its process was started and has not answered yet.
    Starting,
    /// It takes requests.
    Ready,
    /// It finishes the requests it has and gets no new ones.
    Draining,
    /// It ended by itself and will be started again after a delay.
    Restarting,
    /// It runs, and its own health check fails.
    Unhealthy,
    /// It has ended, and nobody starts it again.
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

/// What runs a lab's replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Child processes that run the built-in apps.
    Embedded,
    /// Containers, by Docker Compose.
    Compose,
}

/// What balances a lab's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Balancer {
    /// The proxy of this program.
    Bundled,
    /// Traefik in a container.
    Traefik,
}

/// Which built-in app stands in for a service's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum App {
    /// The page with its hostname and its login: `web_static`.
    Page,
    /// The JSON service: `web_dynamic`.
    Api,
}

impl App {
    /// The value of the label `lbctl.app`, which is also how the hidden `replica` command names it.
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

/// Sessions that lived in replicas which have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    /// All of them.
    pub sessions: usize,
    /// Those that held a login.
    pub logged_in: usize,
}

impl std::ops::Add for Sessions {
    type Output = Sessions;

    fn add(self, other: Sessions) -> Sessions {
        Sessions { sessions: self.sessions + other.sessions, logged_in: self.logged_in + other.logged_in }
    }
}
