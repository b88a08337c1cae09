//! The configuration that the labels of one container ask for, in Traefik's own words.

use std::collections::BTreeMap;

use crate::model::Strategy;

use super::{label::Fields, middleware::MiddlewareConfig, sticky::StickyCookieConfig};

/// The configuration that the labels of one container ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DynamicConfig {
    /// The routers by name.
    pub routers: BTreeMap<String, RouterConfig>,
    /// The services by name.
    pub services: BTreeMap<String, ServiceConfig>,
    /// The middlewares by name.
    pub middlewares: BTreeMap<String, MiddlewareConfig>,
    /// `lbctl.strategy`: a strategy that only the bundled proxy has, for every service of the container.
    pub strategy: Option<Strategy>,
    /// A sentence for each label that has no effect in the bundled proxy.
    pub notes: Vec<String>,
}

/// `traefik.http.routers.NAME.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouterConfig {
    /// The text of the rule: one that cannot be parsed turns off its router alone.
    pub rule: Option<String>,
    /// The service that the router names, if it names one.
    pub service: Option<String>,
    /// The middlewares that the router names, in its order.
    pub middlewares: Vec<String>,
    /// The priority; 0 stands for the length of the rule.
    pub priority: i64,
    /// The other fields, which have no effect in the bundled proxy and yet make two definitions of a router differ.
    pub other: Fields,
}

/// `traefik.http.services.NAME.loadbalancer.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The fields that are about the container with the labels.
    pub server: ServerConfig,
    /// The fields that are about the service as a whole; every container that defines it must have the same.
    pub balancer: BalancerConfig,
}

/// `server.*` of a service, in which its containers may differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerConfig {
    /// The port inside the container.
    pub port: Option<u16>,
    /// The container's share of the requests, in proportion to the other weights; 1 by default.
    pub weight: Option<i64>,
}

/// The fields of a service that are not about one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalancerConfig {
    pub host: HostHeader,
    pub strategy: Strategy,
    /// The cookie that keeps a client on its replica, if the labels ask for one.
    pub sticky: Option<StickyCookieConfig>,
    /// The other fields, which count as those of a router do.
    pub other: Fields,
}

/// The `Host` header that a replica gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// The header that the client sent (`passhostheader`, the default).
    #[default]
    Passed,
    /// The replica's own address.
    Replaced,
}
