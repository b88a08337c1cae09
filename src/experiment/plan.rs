//! The plan of a campaign: what a person asked for, and what is known of the lab.

use std::{net::IpAddr, time::Duration};

use url::Url;

use crate::{
    model::{
        Balancer, Engine, ServiceView,
        trace::{Connection, SeriesName},
    },
    probe::{Script, SeriesPlan, path_and_query},
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

/// What a person asked a probe for.
#[derive(Debug, Clone)]
pub struct CampaignPlan {
    /// The target; its path and query are asked for wherever an experiment is not about paths.
    pub url: Url,
    /// The accepted chance of a false verdict.
    pub alpha: f64,
    /// The number of requests of the first two series; without it, as many as the verdict takes.
    pub requests: Option<u32>,
    /// The number of requests under way at once in the series without a cookie jar.
    pub concurrency: u32,
    /// Whether connections are kept, where a person said so.
    pub connection: Option<Connection>,
    /// The login of the series with a cookie jar.
    pub script: Option<Script>,
    /// How long a request may take.
    pub timeout: Duration,
    /// The experiments that were picked; if it is empty, those are made that the trace calls for.
    pub picked: Vec<ExperimentName>,
    /// The addresses to send from.
    pub sources: Vec<IpAddr>,
    /// The paths to vary.
    pub paths: Vec<String>,
    /// The name of the header to vary.
    pub header: Option<String>,
    /// A path that takes long to answer.
    pub slow_path: Option<String>,
    /// The service under test, where a lab runs it.
    pub lab: Option<LabService>,
}

/// What a running lab says of the service under test.
#[derive(Debug, Clone)]
pub struct LabService {
    pub name: String,
    pub engine: Engine,
    pub proxy: Balancer,
    pub view: ServiceView,
    /// Whether the service has the login of the lab's page.
    pub logs_in: bool,
}

impl CampaignPlan {
    /// Whether several requests of the series without a cookie jar are under way at once.
    pub fn overlaps(&self) -> bool {
        self.concurrency > 1
    }

    /// The number of requests that was asked for, for a series whose requests follow one another. With overlapping requests
    /// it is about those alone: as many again one by one would take far longer.
    pub fn requests_in_turn(&self) -> Option<u32> {
        self.requests.filter(|_| !self.overlaps())
    }

    /// Whether connections are kept in a series whose requests follow one another. Such a series shows every pick.
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
        SeriesPlan { name, connection, path: self.path(), script: None, most, concurrency: 1 }
    }
}
