//! The flags of `probe` that choose its experiments.

use std::net::IpAddr;

use clap::{Args, ValueEnum};

use super::values::{header_name, path};

/// The experiments of a probe, in the order in which it makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Experiment {
    /// The order of requests without cookies (always made: the others are compared with it)
    Order,
    /// A client that keeps its cookies, and which of them keeps it
    Jar,
    /// Requests over one kept connection
    Connection,
    /// Requests from several addresses of this machine
    Sources,
    /// Query strings and paths, or those of --paths
    Paths,
    /// Values of a header (needs --vary-header)
    Header,
    /// Instances that are kept busy (needs --slow-path, or a lab)
    Slow,
    /// Print what there is, and send nothing
    List,
}

/// The experiments to make, and what they vary.
#[derive(Debug, Clone, Args)]
pub struct Experiments {
    /// The experiments to make; `list` shows them [default: chosen by what earlier experiments show]
    #[arg(long, value_enum, value_delimiter = ',', hide_possible_values = true, value_name = "NAME,…")]
    pub experiments: Vec<Experiment>,
    /// Addresses of this machine to send from [default: for a target on loopback, any of 127.0.0.0/8]
    #[arg(long, value_delimiter = ',', value_name = "ADDR,…")]
    pub from: Vec<IpAddr>,
    /// Paths to vary [default: query strings, then paths below the target's]
    #[arg(long, value_delimiter = ',', value_name = "PATH,…", value_parser = path)]
    pub paths: Vec<String>,
    /// A header whose value may decide who answers
    #[arg(long, value_name = "NAME", value_parser = header_name)]
    pub vary_header: Option<String>,
    /// A path that takes its time, to keep instances busy: '/api/?delay=2000' [default: found out in a lab]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub slow_path: Option<String>,
}
