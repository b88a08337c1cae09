//! The plan of a campaign: the wishes of the user, and the facts about the lab.

use std::{net::IpAddr, time::Duration};

use url::Url;

use crate::{
    model::{
        Engine, ProxyKind, ServiceView,
        trace::{Connection, SeriesName},
    },
    probe::{Pauses, Script, SeriesPlan, path_and_query},
};

/// An experiment, as a person picks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExperimentName {
    Order,
    Jar,
    Connection,
    Sources,
    Paths,
    Header,
    Slow,
}

/// The plan of a campaign, as the user asks for it.
#[derive(Debug, Clone)]
pub struct CampaignPlan {
    /// The target; its path and query are asked for wherever an experiment is not about paths.
    pub url: Url,
    /// The accepted chance of a false verdict.
    pub alpha: f64,
    /// The number of requests of the first two series; `None` for as many as the verdict needs.
    pub requests: Option<u32>,
    /// The number of requests under way at once in the series without a cookie jar.
    pub concurrency: u32,
    /// The use of connections, where the user named it.
    pub connection: Option<Connection>,
    /// The login of the series with a cookie jar.
    pub script: Option<Script>,
    /// The longest time for a request.
    pub timeout: Duration,
    /// The experiments that were picked; if it is empty, those are made that the trace calls for.
    pub picked: Vec<ExperimentName>,
    /// The addresses to send from.
    pub sources: Vec<IpAddr>,
    /// The paths to vary.
    pub paths: Vec<String>,
    /// The name of the header to vary.
    pub header: Option<String>,
    /// A path with slow answers.
    pub slow_path: Option<String>,
    /// The service under test, where a lab runs it.
    pub lab: Option<LabService>,
}

/// The service under test in a running lab.
#[derive(Debug, Clone)]
pub struct LabService {
    pub name: String,
    pub engine: Engine,
    pub proxy: ProxyKind,
    pub view: ServiceView,
    /// True if the service has the login of the lab's page.
    pub logs_in: bool,
}

impl CampaignPlan {
    /// Returns true if several requests of the series without a cookie jar are under way at once.
    pub fn overlaps(&self) -> bool {
        self.concurrency > 1
    }

    /// The number of requests that the user named, for a series whose requests follow one another; `None` with
    /// overlapping requests, whose number does not apply to such a series: as many requests one by one would take far
    /// longer.
    pub fn requests_in_turn(&self) -> Option<u32> {
        self.requests.filter(|_| !self.overlaps())
    }

    /// The use of connections in a series whose requests follow one another. Such a series shows every pick.
    pub fn connection_in_turn(&self) -> Connection {
        self.connection.unwrap_or(Connection::Fresh)
    }

    /// The number of replicas that take requests, as far as that is known.
    pub fn replicas(&self) -> usize {
        self.lab.as_ref().map_or(0, |lab| lab.view.ready())
    }

    pub fn path(&self) -> String {
        path_and_query(&self.url)
    }

    /// Requests for the target's path, one after the other.
    pub fn series(&self, name: SeriesName, most: u32) -> SeriesPlan {
        let connection = self.connection_in_turn();
        SeriesPlan { name, connection, path: self.path(), script: None, most, concurrency: 1, pauses: Pauses::None }
    }
}
