//! Every flag, nothing else.

mod experiments;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::replica::App;

pub use experiments::{Experiment, Experiments};

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
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the command line; on a mistake, says so and exits with 2.
pub fn parse() -> Cli {
    Cli::parse()
}

/// The commands.
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

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For scripts.
    Json,
}

/// Which lab.
#[derive(Debug, Clone, Args)]
pub struct Project {
    /// The lab's name; several can run side by side
    #[arg(short, long, env = "LBCTL_PROJECT", default_value = "lab", value_name = "NAME")]
    pub project: String,
}

/// How data is printed.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// How data is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Numbers of replicas.
#[derive(Debug, Clone, Default, Args)]
pub struct Counts {
    /// Replicas of web_static
    #[arg(long, value_name = "N")]
    pub web_static: Option<u32>,
    /// Replicas of web_dynamic
    #[arg(long, value_name = "N")]
    pub web_dynamic: Option<u32>,
}

/// How the next replica is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// 1-2-3-1-2-3, strictly in order
    #[value(alias = "wrr")]
    RoundRobin,
    /// Every replica with the same chance
    Random,
    /// The less busy of two picked at random
    P2c,
    /// By the client's address (highest random weight)
    Hrw,
}

/// What runs the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Processes of lbctl's own, which need nothing
    Embedded,
    /// Containers, by Docker Compose
    Compose,
}

/// What balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Balancer {
    /// Traefik, in a container of the lab
    Traefik,
    /// lbctl's own
    Bundled,
}

/// `lbctl up`
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub counts: Counts,
    /// Replicas of any service of the compose file
    #[arg(long, value_name = "SERVICE=N", value_parser = service_count)]
    pub scale: Vec<(String, u32)>,
    /// What runs the replicas
    #[arg(long, value_enum, default_value_t = Engine::Embedded, value_name = "ENGINE")]
    pub engine: Engine,
    /// What balances [default: bundled; with --engine compose, traefik]
    #[arg(long, value_enum, value_name = "PROXY")]
    pub proxy: Option<Balancer>,
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
    pub wait: std::time::Duration,
    /// Return once every replica answers; the lab goes on in the background
    #[arg(short, long)]
    pub detach: bool,
    /// This is the process in the background
    #[arg(long, hide = true)]
    pub background: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub project: Project,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `lbctl scale`
#[derive(Debug, Args)]
pub struct Scale {
    /// The services and how many replicas each shall have
    #[arg(value_name = "SERVICE=N", value_parser = service_count)]
    pub services: Vec<(String, u32)>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub counts: Counts,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub project: Project,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `lbctl ps`
#[derive(Debug, Args)]
pub struct Ps {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub project: Project,
    #[command(flatten)]
    #[allow(missing_docs)]
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
    #[allow(missing_docs)]
    pub project: Project,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `lbctl down`
#[derive(Debug, Args)]
pub struct Down {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub project: Project,
}

/// Whom to ask, and how.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// A host (demo.api.ch), a URL, or nothing: the running lab
    pub target: Option<String>,
    /// Connect here; URL, Host header, SNI and cookies stay the target's
    #[arg(long, value_name = "ADDR:PORT")]
    pub connect: Option<SocketAddr>,
    /// Do not look for a running lab that routes the host
    #[arg(long)]
    pub no_lab: bool,
    /// The running lab to use [default: the one that routes the host; among several, $LBCTL_PROJECT]
    #[arg(short, long, value_name = "NAME", conflicts_with = "no_lab")]
    pub project: Option<String>,
    /// Do not verify the server's certificate
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// How long a request may take, in seconds
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub timeout: std::time::Duration,
    /// Requests a second, at most
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// A header for every request; the value may be env:NAME or file:PATH
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// How an instance says who it is: header:NAME, json:/POINTER or regex:PATTERN [default: found out]
    #[arg(long, value_name = "HOW")]
    pub identity: Option<String>,
    /// The login: 'POST /login user=alice'; a value may be env:NAME or file:PATH
    #[arg(long, value_name = "REQUEST")]
    pub login: Option<String>,
    /// The request that shows the session: 'GET /session'
    #[arg(long, value_name = "REQUEST")]
    pub check: Option<String>,
    /// How the check shows a login: json:/POINTER=VALUE, regex:PATTERN or status:CODE
    #[arg(long, value_name = "HOW")]
    pub logged_in: Option<String>,
}

/// Whether connections are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Connection {
    /// A new one for each request, which shows every pick of the balancer
    Fresh,
    /// Kept, as a browser does; a balancer may pick once per connection
    Reused,
}

/// `lbctl probe`
#[derive(Debug, Args)]
pub struct Probe {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub target: Target,
    /// The path to ask for [default: the target's]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Requests in each series [default: enough for the verdict]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub requests: Option<u32>,
    /// Requests under way at once, in the series without a cookie jar
    #[arg(short, long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub concurrency: u32,
    /// Whether connections are kept from one request to the next
    #[arg(long, value_enum, default_value_t = Connection::Fresh)]
    pub connection: Connection,
    /// Keep what was seen, to judge it again or to show it; `-` is standard output
    ///
    /// The file is JSON, with the URL, what the instances call themselves, and every request. Headers and the values of
    /// cookies are not in it; session ids are replaced by s1, s2, …, in the output as well. With `-` the output goes to
    /// standard error.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Judge what --save kept, and send nothing; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Target", "Experiments", "path", "requests", "concurrency", "connection", "save"])]
    pub replay: Option<PathBuf>,
    /// Exit with 1 if the verdict contradicts this, with 4 if it leaves it open; repeat it for more
    ///
    /// The pattern: round-robin, weighted-round-robin, random, least-connections, single, first-available, source-hash,
    /// uri-hash or header-hash; order=fixed|changing|interleaved; repeats-after=N; weights=3:1:1 (in any order).
    ///
    /// Who answers: instances=N or instances>=N; spread<=10%: no instance's requests are more than 10 % away from its even
    /// share, or from its weight's where there are weights; less than one request away is not away. Random picks are a
    /// sample: it takes many (-n) to tell.
    ///
    /// What keeps a client: sticky=cookie|none|source, sticky-cookie=NAME. How often it picks: per=request|connection.
    #[arg(long, value_name = "X")]
    pub expect: Vec<String>,
    /// The algorithm that is expected must be the only one that fits
    #[arg(long, requires = "expect")]
    pub strict: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub experiments: Experiments,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// What a session is expected to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Expect {
    /// At least one reload does not see the login
    Lost,
    /// Every reload sees the login
    Kept,
}

/// `lbctl session-test`
#[derive(Debug, Args)]
pub struct SessionTest {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub target: Target,
    /// Exit with 1 unless the session is lost, or kept [default: what the lab's configuration says]
    #[arg(long, value_enum)]
    pub expect: Option<Expect>,
    /// Start a lab for this test alone, even if one is running
    #[arg(long, conflicts_with_all = ["target", "connect", "no_lab", "project"])]
    pub fresh: bool,
    /// Keep clients on their replica by a cookie, in the lab that is started for this test
    #[arg(long, requires = "fresh")]
    pub sticky: bool,
    /// Reloads after the login [default: 10, or as many as it takes to be sure]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reloads: Option<u32>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

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

/// `lbctl export`
#[derive(Debug, Args)]
pub struct Export {
    /// A directory that does not exist yet, or is empty
    pub directory: PathBuf,
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

fn service_count(text: &str) -> Result<(String, u32), String> {
    let (service, count) = text.split_once('=').ok_or("expected SERVICE=N, for example web_static=3")?;
    let count = count.parse().map_err(|_| format!("`{count}` is not a number of replicas"))?;
    Ok((service.to_owned(), count))
}

fn upstream(text: &str) -> Result<(Option<String>, SocketAddr), String> {
    let (name, address) = match text.split_once('=') {
        Some((name, address)) => (Some(name.to_owned()), address),
        None => (None, text),
    };
    let address = address.parse().map_err(|_| format!("`{address}` is not ADDR:PORT, for example 127.0.0.1:8081"))?;
    Ok((name, address))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of requests a second"))?;
    match rate >= 0.01 && rate.is_finite() {
        true => Ok(rate),
        false => Err("it must be at least 0.01 requests a second".to_owned()),
    }
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    match seconds > 0.0 && seconds <= 3600.0 {
        true => Ok(std::time::Duration::from_secs_f64(seconds)),
        false => Err("it must be more than 0 and at most 3600 seconds".to_owned()),
    }
}
