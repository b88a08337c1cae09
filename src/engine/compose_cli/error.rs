//! Failures of Compose, found in its output.
//!
//! Compose has no error codes: its words, in several versions, are all there is to go by.

use std::fmt;

use crate::engine::text::lowercase_first;

/// A step for which Compose is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComposeStep {
    /// Compose reads the compose file.
    Config,
    /// Compose builds images.
    Build,
    /// Compose starts containers.
    Up,
}

impl fmt::Display for ComposeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ComposeStep::Config => "read the compose file",
            ComposeStep::Build => "build the images",
            ComposeStep::Up => "start the containers",
        })
    }
}

/// Causes of a failure that have different consequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolFailure {
    /// A port of this machine is taken or not allowed, so that it cannot be published.
    PortTaken,
    /// The Docker Engine does not answer.
    NoEngine,
    /// Compose was cancelled.
    Interrupted,
    Other,
}

/// Compose is not installed, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    #[error("neither `docker compose` nor `docker-compose` is on this machine")]
    Missing,
    #[error("{tool} could not {step}: {message}")]
    Failed {
        /// The program and its version.
        tool: String,
        step: ComposeStep,
        /// The line of the output that explains the failure best.
        message: String,
        /// The whole output of Compose.
        log: String,
        cause: ToolFailure,
    },
}

impl ToolError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ToolError::Missing => {
                "install Docker Compose (https://docs.docker.com/compose/install/), or leave --engine compose out"
            }
            ToolError::Failed { cause: ToolFailure::PortTaken, .. } => {
                "stop what listens there, or choose another port"
            }
            ToolError::Failed { cause: ToolFailure::NoEngine, .. } => {
                "start Docker, or leave --engine compose out: the embedded engine needs none"
            }
            ToolError::Failed { cause: ToolFailure::Interrupted, .. } => return None,
            ToolError::Failed { step: ComposeStep::Build, .. } => "all that it wrote stands above",
            ToolError::Failed { step: ComposeStep::Config, .. } => "`docker compose -f FILE config` says the same",
            ToolError::Failed { step: ComposeStep::Up, .. } => "`docker compose -f FILE up` shows it step by step",
        };
        Some(hint.to_owned())
    }

    /// The whole output, where it explains more than one line does.
    pub fn detail(&self) -> Option<String> {
        match self {
            ToolError::Failed { step: ComposeStep::Build, cause: ToolFailure::Other, log, .. } => Some(log.clone()),
            _ => None,
        }
    }

    /// Returns whether a port could not be published.
    pub fn is_port_taken(&self) -> bool {
        matches!(self, ToolError::Failed { cause: ToolFailure::PortTaken, .. })
    }

    /// The failure that the output of Compose describes.
    pub(super) fn from_log(tool: String, step: ComposeStep, log: String) -> ToolError {
        let (cause, line) = diagnose(step, &log);
        let message = if line.is_empty() { "it does not say why".to_owned() } else { line };
        ToolError::Failed { tool, step, message, log, cause }
    }

    /// The failure of a cancelled Compose.
    pub(super) fn interrupted(tool: String, step: ComposeStep, log: String) -> ToolError {
        ToolError::Failed { tool, step, message: "it was interrupted".to_owned(), log, cause: ToolFailure::Interrupted }
    }
}

/// The words by which Docker, on Linux and on a desktop, refuses to publish a port.
const PORT_TAKEN_WORDS: [&str; 4] =
    ["port is already allocated", "ports are not available", "address already in use", "cannot expose privileged port"];
/// The words of both versions of Compose for a Docker Engine that does not answer.
const NO_ENGINE_WORDS: [&str; 6] = [
    "cannot connect to the docker daemon",
    "couldn't connect to docker daemon",
    "error while fetching server api version",
    "error during connect",
    "failed to connect to the docker api",
    "permission denied while trying to connect",
];
/// The words of lines that explain nothing: something went wrong, or something might.
const UNHELPFUL_WORDS: [&str; 4] =
    ["encountered errors while bringing up the project", ": build failed", "level=warning", "found orphan containers"];
/// The maximum number of lines in a message; a program's own notation follows them.
const MAX_MESSAGE_LINES: usize = 4;

/// Finds the cause of a failure in the output, and the message that explains it.
fn diagnose(step: ComposeStep, log: &str) -> (ToolFailure, String) {
    let is_helpful = |line: &&str| {
        let line = line.to_lowercase();
        !line.is_empty() && !UNHELPFUL_WORDS.iter().any(|words| line.contains(words))
    };
    let lines: Vec<&str> = log.lines().map(str::trim).filter(is_helpful).collect();
    let last_with =
        |words: &[&str]| lines.iter().rev().find(|line| words.iter().any(|word| line.to_lowercase().contains(word)));
    if let Some(line) = last_with(&PORT_TAKEN_WORDS) {
        return (ToolFailure::PortTaken, tidy(line));
    }
    if let Some(line) = last_with(&NO_ENGINE_WORDS) {
        return (ToolFailure::NoEngine, tidy(line));
    }
    let message = match step {
        // the mistake and its place are on several lines
        ComposeStep::Config => lines[..lines.len().min(MAX_MESSAGE_LINES)].join(" "),
        // the last line, after those of the work that succeeded
        ComposeStep::Build | ComposeStep::Up => lines.last().copied().unwrap_or_default().to_owned(),
    };
    (ToolFailure::Other, tidy(&message))
}

/// The line without the words that begin every error message.
fn tidy(line: &str) -> String {
    const PREFIXES: [&str; 6] =
        ["ERROR: ", "Error: ", "error: ", "Error response from daemon: ", "Error starting userland proxy: ", "."];
    // Docker names the container's endpoint by an id of 64 digits, which helps no reader
    let mut line = match line.rsplit_once("): ") {
        Some((endpoint, what)) if endpoint.contains("external connectivity on endpoint") => what,
        _ => line,
    };
    line = line.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest.trim_start();
    }
    lowercase_first(line)
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
            assert_eq!(diagnose(ComposeStep::Up, &log), (ToolFailure::PortTaken, listen.to_owned()), "{log}");
        }
        let (cause, said) = diagnose(
            ComposeStep::Up,
            &format!("ERROR: {endpoint}: Bind for 0.0.0.0:80 failed: port is already allocated"),
        );
        assert_eq!((cause, &*said), (ToolFailure::PortTaken, "bind for 0.0.0.0:80 failed: port is already allocated"));
        for desktop in [
            "Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:80 -> 0.0.0.0:0",
            "Error starting userland proxy: error while calling PortManager.AddPort(): cannot expose privileged port 80",
        ] {
            assert_eq!(diagnose(ComposeStep::Up, desktop).0, ToolFailure::PortTaken, "{desktop}");
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
            assert_eq!(diagnose(ComposeStep::Up, log).0, ToolFailure::NoEngine, "{log}");
        }
    }

    #[test]
    fn the_message_is_what_says_it_best() {
        for (step, log, message) in [
            (
                ComposeStep::Config,
                "time=\"2026\" level=warning msg=\"the attribute `version` is obsolete\"\n\
                 validating /tmp/x.yml: services.a.foo false schema\n",
                "validating /tmp/x.yml: services.a.foo false schema",
            ),
            (
                ComposeStep::Config,
                "The Compose file './x.yml' is invalid because:\nUnsupported config option for services.a: 'foo'\n",
                "the Compose file './x.yml' is invalid because: Unsupported config option for services.a: 'foo'",
            ),
            (
                ComposeStep::Config,
                "yaml.parser.ParserError: while parsing a flow node\nexpected the node content\n  in \"./x.yml\", line 5\n",
                "yaml.parser.ParserError: while parsing a flow node expected the node content in \"./x.yml\", line 5",
            ),
            (
                ComposeStep::Config,
                ".FileNotFoundError: [Errno 2] No such file or directory: './x.yml'\n",
                "FileNotFoundError: [Errno 2] No such file or directory: './x.yml'",
            ),
            (
                ComposeStep::Build,
                "error: a line of the program that is built\n\
                 The command '/bin/sh -c exit 3' returned a non-zero code: 3\nService 'a' failed to build : Build failed\n",
                "the command '/bin/sh -c exit 3' returned a non-zero code: 3",
            ),
            (ComposeStep::Up, "Error response from daemon: No such image: x:latest.\n", "no such image: x:latest"),
            (ComposeStep::Up, "", ""),
        ] {
            assert_eq!(diagnose(step, log), (ToolFailure::Other, message.to_owned()));
        }
    }
}
