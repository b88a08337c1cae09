//! The flags of `proxy`.

use std::net::{IpAddr, SocketAddr};

use clap::{ArgGroup, Args};

use crate::model::Strategy;

use super::values::upstream;

/// `lbctl proxy`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("servers").required(true).args(["upstreams", "docker"])))]
pub struct Proxy {
    /// A server to forward to; repeat it for more
    #[arg(short, long = "upstream", value_name = "[NAME=]ADDR:PORT", value_parser = upstream)]
    pub upstreams: Vec<(Option<String>, SocketAddr)>,
    /// Forward to Docker's containers, as their labels for Traefik say
    #[arg(long, conflicts_with_all = ["rule", "sticky", "strategy"])]
    pub docker: bool,
    /// Only to the containers of this compose project
    #[arg(short, long, requires = "docker", conflicts_with = "upstreams", value_name = "NAME")]
    pub project: Option<String>,
    /// Also to containers that do not say traefik.enable
    #[arg(long, requires = "docker", conflicts_with = "upstreams")]
    pub exposed_by_default: bool,
    /// Which requests to forward, in Traefik's rule syntax
    #[arg(long, default_value = "PathPrefix(`/`)", value_name = "RULE")]
    pub rule: String,
    /// Keep each client on its upstream, by a cookie
    #[arg(long)]
    pub sticky: bool,
    /// How the next upstream is picked
    #[arg(long, value_enum, default_value_t = Strategy::RoundRobin, value_name = "S")]
    pub strategy: Strategy,
    /// The port; 0 takes any free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub port: u16,
    /// The address to listen on [default: loopback, 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// Threads that forward [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Do not print a line per request
    #[arg(short, long)]
    pub quiet: bool,
}
