//! The flags of the commands that run a lab: `up`, `scale`, `ps`, `logs`, `down`, `export`.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::model::Strategy;

use super::{
    Output, Project,
    values::{seconds, service_count},
};

/// The numbers of replicas of the built-in lab's services.
#[derive(Debug, Clone, Default, Args)]
pub struct Counts {
    /// Replicas of web_static
    #[arg(long, value_name = "N")]
    pub web_static: Option<u32>,
    /// Replicas of web_dynamic
    #[arg(long, value_name = "N")]
    pub web_dynamic: Option<u32>,
}

/// An engine, which runs the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Processes of lbctl's own, which need nothing
    Embedded,
    /// Containers, by Docker Compose
    Compose,
}

/// A load balancer of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyKind {
    /// Traefik, in a container of the lab
    Traefik,
    /// lbctl's own
    Bundled,
}

/// `lbctl up`
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub counts: Counts,
    /// Replicas of any service of the compose file
    #[arg(long, value_name = "SERVICE=N", value_parser = service_count)]
    pub scale: Vec<(String, u32)>,
    /// What runs the replicas
    #[arg(long, value_enum, default_value_t = Engine::Embedded, value_name = "ENGINE")]
    pub engine: Engine,
    /// What balances [default: bundled; with --engine compose, traefik]
    #[arg(long, value_enum, value_name = "PROXY")]
    pub proxy: Option<ProxyKind>,
    /// Keep each client on its replica, by a cookie
    #[arg(long, value_name = "SERVICE")]
    pub sticky: Vec<String>,
    /// How the next replica is picked
    #[arg(long, value_enum, value_name = "S")]
    pub strategy: Option<Strategy>,
    /// The port, taken at its word; 0 takes any free one [default: the lab's (80), else 8080, else any free one]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// The address to listen on [default: loopback, 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// Another compose file than the built-in lab's
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How long replicas may take to answer, in seconds since the last one got on (with --engine compose)
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub wait: Duration,
    /// Return once every replica answers; the lab goes on in the background
    #[arg(short, long)]
    pub detach: bool,
    /// This is the process in the background
    #[arg(long, hide = true)]
    pub background: bool,
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub output: Output,
}

/// `lbctl scale`
#[derive(Debug, Args)]
pub struct Scale {
    /// The services and how many replicas each shall have
    #[arg(value_name = "SERVICE=N", value_parser = service_count)]
    pub services: Vec<(String, u32)>,
    #[command(flatten)]
    pub counts: Counts,
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub output: Output,
}

/// `lbctl ps`
#[derive(Debug, Args)]
pub struct Ps {
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub output: Output,
}

/// `lbctl logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// Only this service's
    pub service: Option<String>,
    /// Go on until ^C
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub output: Output,
}

/// `lbctl down`
#[derive(Debug, Args)]
pub struct Down {
    #[command(flatten)]
    pub project: Project,
}

/// `lbctl export`
#[derive(Debug, Args)]
pub struct Export {
    /// A directory that does not exist yet, or is empty
    pub directory: PathBuf,
}
