//! Routes: a table of routers and balancers, and which of them a request goes by.
//!
//! A table is immutable; each change of the replicas makes a new one. What must outlive a table (cursors, connections,
//! counts) is kept by the [`Registry`](super::registry::Registry) that builds them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::{
    balance::{Balance, Cursor},
    labels::HostHeader,
    middleware::Middleware,
    rule::{Rule, Subject},
    sticky::Cookie,
    upstream::{Server, Upstream},
};

/// Routers and balancers at one moment.
#[derive(Debug, Default)]
pub struct Table {
    /// The highest priority first.
    routers: Vec<Router>,
    /// Everything that could not be used, a sentence each.
    pub problems: Vec<String>,
    upstreams: HashMap<Arc<str>, Vec<Arc<Upstream>>>,
}

/// A rule and where it leads.
#[derive(Debug)]
pub struct Router {
    /// As Traefik's log names it: `web-static@docker`.
    pub name: Arc<str>,
    /// What it leads to.
    pub balancer: Arc<Balancer>,
    /// What its requests and their answers go through.
    pub middlewares: Arc<[Middleware]>,
    /// What a request must be like to go by it.
    pub rule: Rule,
    /// Of the routers whose rules match, the one with the highest has the request.
    pub priority: i64,
}

/// A service with the replicas that may be picked.
#[derive(Debug)]
pub struct Balancer {
    /// The lab's service.
    pub service: Arc<str>,
    /// How the next replica is picked.
    pub balance: Balance,
    /// What was picked before; shared by the tables that follow one another.
    pub cursor: Arc<Mutex<Cursor>>,
    /// The replicas that take requests, by number.
    pub available: Vec<Server>,
    /// What replicas get as `Host`.
    pub host: HostHeader,
    /// The sticky cookie and its name.
    pub sticky: Option<(String, Cookie)>,
}

impl Table {
    /// A table of these.
    pub fn new(
        mut routers: Vec<Router>,
        upstreams: impl Iterator<Item = Arc<Upstream>>,
        problems: Vec<String>,
    ) -> Self {
        // ties go to the name, so that nothing is random
        routers.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        let mut table = Table { routers, problems, ..Table::default() };
        for upstream in upstreams {
            table.upstreams.entry(upstream.name.clone()).or_default().push(upstream);
        }
        table
    }

    /// The first router whose rule matches.
    pub fn route(&self, subject: Subject<'_>) -> Option<&Router> {
        self.routers.iter().find(|router| router.rule.matches(subject))
    }

    /// The replica called `name` at every address where it answers, draining or not.
    pub fn upstreams(&self, name: &str) -> &[Arc<Upstream>] {
        self.upstreams.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether new requests may be given to `name`.
    pub fn offers(&self, name: &str) -> bool {
        let mut available = self.routers.iter().flat_map(|router| &router.balancer.available);
        available.any(|server| &*server.upstream.name == name)
    }
}
