//! What a Compose complains of, out of what it wrote.

use std::fmt;

use crate::engine::words::in_small;

/// What a Compose was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Reading the compose file.
    Config,
    /// Building images.
    Build,
    /// Starting containers.
    Up,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Config => "read the compose file",
            Doing::Build => "build the images",
            Doing::Up => "start the containers",
        })
    }
}

/// Why a Compose failed, as far as it makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A port of the machine that was to be published cannot be had.
    PortTaken,
    /// The engine does not answer.
    NoEngine,
    /// It was cut off.
    Interrupted,
    /// Anything else.
    Other,
}

/// A Compose that is not there, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// There is none.
    #[error("neither `docker compose` nor `docker-compose` is on this machine")]
    Missing,
    /// It did not do what it was told to.
    #[error("{tool} could not {doing}: {message}")]
    Failed {
        /// Which one.
        tool: String,
        /// What it was doing.
        doing: Doing,
        /// The line of its output that says it best.
        message: String,
        /// All of its output.
        log: String,
        /// Why.
        cause: Cause,
    },
}

impl ToolError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ToolError::Missing => {
                "install Docker Compose (https://docs.docker.com/compose/install/), or leave --engine compose out"
            }
            ToolError::Failed { cause: Cause::PortTaken, .. } => "stop what listens there, or choose another port",
            ToolError::Failed { cause: Cause::NoEngine, .. } => {
                "start Docker, or leave --engine compose out: the embedded engine needs none"
            }
            ToolError::Failed { cause: Cause::Interrupted, .. } => return None,
            ToolError::Failed { doing: Doing::Build, .. } => "all that it wrote stands above",
            ToolError::Failed { doing: Doing::Config, .. } => "`docker compose -f FILE config` says the same",
            ToolError::Failed { doing: Doing::Up, .. } => "`docker compose -f FILE up` shows it step by step",
        };
        Some(hint.to_owned())
    }

    /// All that it wrote, where that says more than a line.
    pub fn detail(&self) -> Option<String> {
        match self {
            ToolError::Failed { doing: Doing::Build, cause: Cause::Other, log, .. } => Some(log.clone()),
            _ => None,
        }
    }

    /// Whether a port that it was to publish cannot be had.
    pub fn is_port_taken(&self) -> bool {
        matches!(self, ToolError::Failed { cause: Cause::PortTaken, .. })
    }

    /// Reads the output of a Compose that failed.
    pub(super) fn read(tool: String, doing: Doing, log: String) -> ToolError {
        let (cause, line) = judge(doing, &log);
        let message = if line.is_empty() { "it does not say why".to_owned() } else { line };
        ToolError::Failed { tool, doing, message, log, cause }
    }

    /// It was cut off.
    pub(super) fn interrupted(tool: String, doing: Doing, log: String) -> ToolError {
        ToolError::Failed { tool, doing, message: "it was interrupted".to_owned(), log, cause: Cause::Interrupted }
    }
}

/// What a port that cannot be had is called, by Docker on Linux and on a desktop.
const PORT: [&str; 4] =
    ["port is already allocated", "ports are not available", "address already in use", "cannot expose privileged port"];
const ENGINE: [&str; 6] = [
    "cannot connect to the docker daemon",
    "couldn't connect to docker daemon",
    "error while fetching server api version",
    "error during connect",
    "failed to connect to the docker api",
    "permission denied while trying to connect",
];
/// Lines that only say that something went wrong, or that something might.
const EMPTY_WORDS: [&str; 4] =
    ["encountered errors while bringing up the project", ": build failed", "level=warning", "found orphan containers"];
/// Lines of a message at most; what follows is a program's notation.
const LONGEST: usize = 4;

/// Why it failed, and what says so in one line.
fn judge(doing: Doing, log: &str) -> (Cause, String) {
    let telling = |line: &&str| {
        let line = line.to_lowercase();
        !line.is_empty() && !EMPTY_WORDS.iter().any(|words| line.contains(words))
    };
    let lines: Vec<&str> = log.lines().map(str::trim).filter(telling).collect();
    let with =
        |words: &[&str]| lines.iter().rev().find(|line| words.iter().any(|word| line.to_lowercase().contains(word)));
    if let Some(line) = with(&PORT) {
        return (Cause::PortTaken, tidy(line));
    }
    if let Some(line) = with(&ENGINE) {
        return (Cause::NoEngine, tidy(line));
    }
    let said = match doing {
        // what is wrong, and where, are several lines
        Doing::Config => lines[..lines.len().min(LONGEST)].join(" "),
        // the last one, after all that went well before
        Doing::Build | Doing::Up => lines.last().copied().unwrap_or_default().to_owned(),
    };
    (Cause::Other, tidy(&said))
}

/// Without the words that every complaint begins with, and with a small letter where that is no name.
fn tidy(line: &str) -> String {
    const PREFIXES: [&str; 6] =
        ["ERROR: ", "Error: ", "error: ", "Error response from daemon: ", "Error starting userland proxy: ", "."];
    // which container it was, by its number of 64 digits
    let mut line = match line.rsplit_once("): ") {
        Some((endpoint, what)) if endpoint.contains("external connectivity on endpoint") => what,
        _ => line,
    };
    line = line.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest.trim_start();
    }
    in_small(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_from_other_failures() {
        let id = "a6ef92fea7cd6b4f1f0ef49a4768c13582f1ad92470ba599c1dc40eafaed62a1";
        let endpoint = format!("driver failed programming external connectivity on endpoint lab-proxy-1 ({id})");
        let listen = "listen tcp4 127.0.0.1:80: bind: address already in use";
        let today = format!(
            " Container lab-proxy-1 Starting \n\
             Error response from daemon: {endpoint}: Error starting userland proxy: {listen}\n"
        );
        let older = format!(
            "Creating lab_proxy_1 ... error\n\nERROR: for proxy  Cannot start service proxy: {endpoint}: \
             Error starting userland proxy: {listen}\nEncountered errors while bringing up the project.\n"
        );
        for log in [today, older] {
            assert_eq!(judge(Doing::Up, &log), (Cause::PortTaken, listen.to_owned()), "{log}");
        }
        let (cause, said) =
            judge(Doing::Up, &format!("ERROR: {endpoint}: Bind for 0.0.0.0:80 failed: port is already allocated"));
        assert_eq!((cause, &*said), (Cause::PortTaken, "bind for 0.0.0.0:80 failed: port is already allocated"));
        for desktop in [
            "Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:80 -> 0.0.0.0:0",
            "Error starting userland proxy: error while calling PortManager.AddPort(): cannot expose privileged port 80",
        ] {
            assert_eq!(judge(Doing::Up, desktop).0, Cause::PortTaken, "{desktop}");
        }
    }

    #[test]
    fn an_engine_that_does_not_answer_is_told_from_other_failures() {
        for log in [
            "failed to connect to the docker API at unix:///tmp/no; check if the path is correct",
            "Traceback (most recent call last):\n  File \"x.py\", line 705, in urlopen\n\
             docker.errors.DockerException: Error while fetching server API version: ('Connection aborted.')",
            "Cannot connect to the Docker daemon at unix:///tmp. Is the docker daemon running?",
        ] {
            assert_eq!(judge(Doing::Up, log).0, Cause::NoEngine, "{log}");
        }
    }

    #[test]
    fn the_message_is_what_says_it_best() {
        for (doing, log, said) in [
            (
                Doing::Config,
                "time=\"2026\" level=warning msg=\"the attribute `version` is obsolete\"\n\
                 validating /tmp/x.yml: services.a.foo false schema\n",
                "validating /tmp/x.yml: services.a.foo false schema",
            ),
            (
                Doing::Config,
                "The Compose file './x.yml' is invalid because:\nUnsupported config option for services.a: 'foo'\n",
                "the Compose file './x.yml' is invalid because: Unsupported config option for services.a: 'foo'",
            ),
            (
                Doing::Config,
                "yaml.parser.ParserError: while parsing a flow node\nexpected the node content\n  in \"./x.yml\", line 5\n",
                "yaml.parser.ParserError: while parsing a flow node expected the node content in \"./x.yml\", line 5",
            ),
            (
                Doing::Config,
                ".FileNotFoundError: [Errno 2] No such file or directory: './x.yml'\n",
                "FileNotFoundError: [Errno 2] No such file or directory: './x.yml'",
            ),
            (
                Doing::Build,
                "error: a line of the program that is built\n\
                 The command '/bin/sh -c exit 3' returned a non-zero code: 3\nService 'a' failed to build : Build failed\n",
                "the command '/bin/sh -c exit 3' returned a non-zero code: 3",
            ),
            (Doing::Up, "Error response from daemon: No such image: x:latest.\n", "no such image: x:latest"),
            (Doing::Up, "", ""),
        ] {
            assert_eq!(judge(doing, log), (Cause::Other, said.to_owned()));
        }
    }
}
