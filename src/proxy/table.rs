//! Tables: the routes of one moment, with the upstreams among which a request is balanced.
//!
//! A table never changes; each change of the replicas makes a new one. Cursors, connections and counts outlive a table:
//! the [`Registry`](super::registry::Registry), which builds the tables, owns them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::HeaderValue;

use crate::routing::{HostHeader, Router, StickyCookieConfig, Subject};

use super::{
    balance::{Balance, Cursor},
    sticky,
    upstream::{Upstream, WeightedUpstream},
};

/// Routes and upstreams at one moment.
#[derive(Debug, Default)]
pub struct Table {
    /// The routes, the one of the router with the highest priority first.
    routes: Vec<Route>,
    /// A sentence for each thing that cannot be used.
    pub problems: Vec<String>,
    upstreams: HashMap<Arc<str>, Vec<Arc<Upstream>>>,
}

/// A router and the balancer to which it leads.
#[derive(Debug)]
pub struct Route {
    pub router: Router,
    pub balancer: Arc<ServiceBalancer>,
}

/// A service with the replicas that may be picked.
#[derive(Debug)]
pub struct ServiceBalancer {
    /// The service of the lab.
    pub service: Arc<str>,
    /// The strategy that picks the next replica.
    pub balance: Balance,
    /// The memory of earlier picks; the tables that follow one another share it.
    pub cursor: Arc<Mutex<Cursor>>,
    /// The replicas that take requests, by ordinal.
    pub available: Vec<WeightedUpstream>,
    pub host: HostHeader,
    /// The sticky cookie and its name.
    pub sticky: Option<(String, StickyCookieConfig)>,
}

impl ServiceBalancer {
    /// The `Set-Cookie` header that keeps a client on this replica, if the service is sticky.
    pub fn set_cookie(&self, upstream: &Upstream) -> Option<HeaderValue> {
        let (name, cookie) = self.sticky.as_ref()?;
        HeaderValue::from_str(&sticky::set_cookie(cookie, name, &upstream.cookie_value)).ok()
    }
}

impl Table {
    /// A table of these routes, which are sorted by priority.
    pub fn new(routes: Vec<Route>, upstreams: impl Iterator<Item = Arc<Upstream>>, problems: Vec<String>) -> Self {
        let mut table = Table { routes, problems, upstreams: HashMap::new() };
        for upstream in upstreams {
            table.upstreams.entry(upstream.name.clone()).or_default().push(upstream);
        }
        table
    }

    /// The first route whose rule matches a request.
    pub fn route(&self, subject: Subject<'_>) -> Option<&Route> {
        self.routes.iter().find(|route| route.router.rule.matches(subject))
    }

    /// The upstreams of the replica called `name`, one for each of its addresses, draining or not.
    pub fn upstreams(&self, name: &str) -> &[Arc<Upstream>] {
        self.upstreams.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns whether the replica called `name` may be given new requests.
    pub fn offers(&self, name: &str) -> bool {
        let mut available = self.routes.iter().flat_map(|route| &route.balancer.available);
        available.any(|server| &*server.upstream.name == name)
    }
}
