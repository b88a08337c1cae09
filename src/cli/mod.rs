//! All flags, and nothing else. This file holds those that several commands share.

mod experiments;
mod lab;
mod probe;
mod proxy;
mod values;

use clap::{Args, Parser, Subcommand};

use crate::model::{App, DEFAULT_PROJECT, Format};

pub use experiments::{Experiment, Experiments};
pub use lab::{Counts, Down, Engine, Export, Logs, ProxyKind, Ps, Scale, Up};
pub use probe::{Addresses, Connection, Expect, Probe, SessionTest, Target};
pub use proxy::Proxy;

const EXIT_CODES: &str = "\
Exit codes:
  0    done, expectation met
  1    expectation not met
  2    usage
  3    environment: unreachable target, no Docker, port taken, no running lab
  4    inconclusive: an expectation, or who answered, stays undecided
  130  stopped by ^C";

/// Runs the classic load-balancing lab and proves what the load balancer does.
#[derive(Debug, Parser)]
#[command(name = "lbctl", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Show every step on standard error: connections, requests, picks, calls of Docker; LBCTL_LOG=debug does the same
    #[arg(long, global = true)]
    pub debug: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the command line. A mistake in it is printed and ends the process with exit code 2.
pub fn parse() -> Cli {
    Cli::parse()
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the lab: replicas behind a load balancer, until ^C stops everything
    Up(Up),
    /// Change the number of replicas while the lab runs
    Scale(Scale),
    /// Show what runs where
    Ps(Ps),
    /// Show the requests that the lab answered
    Logs(Logs),
    /// Stop the lab
    Down(Down),
    /// Send requests to any HTTP load balancer and prove how it balances
    Probe(Box<Probe>),
    /// Log in, reload, and show where the session is found and lost
    SessionTest(SessionTest),
    /// Run the bundled load balancer on its own, for any upstreams or containers
    Proxy(Proxy),
    /// Write the lab's files to a directory, to edit them
    Export(Export),
    /// Print completions for a shell
    Completions(Completions),
    /// One replica (started by the embedded engine)
    #[command(hide = true)]
    Replica(Replica),
}

/// The choice of a lab.
#[derive(Debug, Clone, Args)]
pub struct Project {
    /// The lab's name; several can run side by side
    #[arg(short, long, env = "LBCTL_PROJECT", default_value = DEFAULT_PROJECT, value_name = "NAME")]
    pub project: String,
}

/// The choice of a format.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// How data is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `lbctl completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `lbctl replica`
#[derive(Debug, Args)]
pub struct Replica {
    /// The built-in app.
    #[arg(long)]
    pub app: App,
    /// The replica's name, which is its hostname.
    #[arg(long)]
    pub name: String,
}
