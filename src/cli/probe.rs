//! The flags of `probe` and `session-test`: the target, the number of requests, the expectations.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{
    Experiments, Output,
    values::{alpha, rate, seconds},
};

/// The target of the requests, and how they are sent.
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
    pub timeout: Duration,
    /// Requests a second, at most
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// A header for every request; the value may be env:NAME or file:PATH
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// How an instance says who it is: header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN [default: found out]
    ///
    /// A PATTERN is a regular expression; its first group is the name, or all of it where it has none. Of `Via: 1.1 edge,
    /// 1.1 web-3`, `header:via~(web-\d+)` takes `web-3`, and of `Server-Timing: host;desc="web-3"`,
    /// `header:server-timing~desc="([^"]+)"` does. What is found out only by the way in which it varies is a guess: the
    /// verdict then says "if … names instances", and leaves every expectation open.
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

/// The addresses of the target's name that are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Addresses {
    /// The first one that takes connections
    First,
    /// Each in turn, and the verdicts are compared
    Each,
}

/// Whether a connection serves one request or several.
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
    pub target: Target,
    /// Which addresses of the target's name are asked, where DNS knows several
    ///
    /// All requests of a probe go to one address, because another balancer may stand behind each. With `each`, the whole probe
    /// is made for every address in turn, an expectation has to be met by all, and the end says if all pick alike and have
    /// the same instances. A lab, an address and a name that a proxy resolves leave nothing to choose.
    #[arg(long, value_enum, default_value_t = Addresses::First, value_name = "WHICH", conflicts_with_all = ["connect", "save"])]
    pub addresses: Addresses,
    /// The path to ask for [default: the target's]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Requests in each series; with -c, in the one without a cookie jar alone [default: enough for the verdict]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub requests: Option<u32>,
    /// Requests under way at once, in the series without a cookie jar
    #[arg(short, long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub concurrency: u32,
    /// Whether connections are kept from one request to the next [default: fresh; those under way at once with -c, reused]
    #[arg(long, value_enum)]
    pub connection: Option<Connection>,
    /// Keep what was seen, to judge it again or to show it; `-` is standard output
    ///
    /// The file is JSON, with the URL, what the instances call themselves, and every request. Headers and the values of
    /// cookies are not in it, unless one names the instances; session ids are replaced by s1, s2, …, in the output as
    /// well. With `-` the output goes to standard error.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Judge what --save kept, and send nothing; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Target", "Experiments", "addresses", "path", "requests", "concurrency", "connection", "save"])]
    pub replay: Option<PathBuf>,
    /// The chance of a false verdict that is accepted: a smaller one takes more requests
    #[arg(long, default_value = "1e-6", value_name = "P", value_parser = alpha)]
    pub alpha: f64,
    /// Exit with 1 if the verdict contradicts this, with 4 if it leaves it open; repeat it for more
    ///
    /// The pattern: round-robin, weighted-round-robin, random, least-connections, single, first-available, source-hash,
    /// uri-hash or header-hash; order=fixed|changing|interleaved; repeats-after=N; weights=3:1:1 (in any order).
    ///
    /// Who answers: instances=N or instances>=N; spread<=10%: no instance's requests are more than 10 % away from its even
    /// share, or from its weight's where there are weights; less than one request away is not away. Random picks are a
    /// sample: it takes many (-n) to tell.
    ///
    /// What keeps a client: sticky=cookie|none|source, sticky-cookie=NAME, sticky-by=inserted|hash|learned. How often it
    /// picks: per=request|connection.
    #[arg(long, value_name = "X")]
    pub expect: Vec<String>,
    /// Show the figures behind the verdict as well: tests, probabilities, sizes of samples, response times
    #[arg(long)]
    pub verbose: bool,
    /// The algorithm that is expected must be the only one that fits
    #[arg(long, requires = "expect")]
    pub strict: bool,
    #[command(flatten)]
    pub experiments: Experiments,
    #[command(flatten)]
    pub output: Output,
}

/// The expected result of a session test.
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
    pub target: Target,
    /// Exit with 1 unless the session is lost, or kept [default: what the lab's configuration says]
    #[arg(long, value_enum)]
    pub expect: Option<Expect>,
    /// Start a lab for this test alone, even if one is running
    #[arg(long, conflicts_with_all = ["target", "connect", "no_lab", "project"])]
    pub fresh: bool,
    /// Keep clients on their replica by a cookie, in the lab that is started for this test
    #[arg(long, requires = "fresh", conflicts_with_all = ["target", "connect", "no_lab", "project"])]
    pub sticky: bool,
    /// Reloads after the login [default: 10, or as many as it takes to be sure]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub reloads: Option<u32>,
    #[command(flatten)]
    pub output: Output,
}
