//! What a Compose complains of, out of what it wrote.

use std::fmt;

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
            ToolError::Failed { .. } => return None,
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
        let (cause, line) = judge(&log);
        let message = if line.is_empty() { "it does not say why".to_owned() } else { line };
        ToolError::Failed { tool, doing, message, log, cause }
    }

    /// It was cut off.
    pub(super) fn interrupted(tool: String, doing: Doing, log: String) -> ToolError {
        ToolError::Failed { tool, doing, message: "it was interrupted".to_owned(), log, cause: Cause::Interrupted }
    }
}

const PORT: [&str; 5] = [
    "port is already allocated",
    "ports are not available",
    "address already in use",
    "cannot expose privileged port",
    "cannot assign requested address",
];
const ENGINE: [&str; 6] = [
    "cannot connect to the docker daemon",
    "couldn't connect to docker daemon",
    "error while fetching server api version",
    "error during connect",
    "failed to connect to the docker api",
    "permission denied while trying to connect",
];
/// What follows such a line says more than it does.
const INTRODUCTIONS: [&str; 2] = ["is invalid because:", "contains unsupported option:"];
/// Lines that only say that something went wrong.
const SUMMARIES: [&str; 3] =
    ["encountered errors while bringing up the project", "errors while building", "build failed"];

/// Why it failed, and the line that says so.
fn judge(log: &str) -> (Cause, String) {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let with = |words: &[&str]| {
        // the last line that says it is the summary, which is in words and not in a program's notation
        lines.iter().rev().find(|line| words.iter().any(|word| line.to_lowercase().contains(word)))
    };
    if let Some(line) = with(&PORT) {
        return (Cause::PortTaken, tidy(line));
    }
    if let Some(line) = with(&ENGINE) {
        return (Cause::NoEngine, tidy(line));
    }
    let complains = |line: &str| {
        let line = line.to_lowercase();
        let complaint = line.starts_with("error") || line.contains("error:") || line.contains("failed to");
        complaint && !SUMMARIES.iter().any(|summary| line.contains(summary))
    };
    let Some(at) = lines.iter().rposition(|line| complains(line)).or(lines.len().checked_sub(1)) else {
        return (Cause::Other, String::new());
    };
    let mut line = tidy(lines[at]);
    let introduced = INTRODUCTIONS.iter().any(|introduction| line.to_lowercase().contains(introduction));
    // Python's reader of YAML says in the next lines what it found, and where
    let following = match (introduced, line.contains(" while parsing ") || line.contains(" while scanning ")) {
        (_, true) => &lines[at + 1..],
        (true, false) => &lines[at + 1..lines.len().min(at + 2)],
        (false, false) => &[],
    };
    for next in following {
        line = format!("{line} {next}");
    }
    (Cause::Other, line)
}

/// Without the words that every complaint begins with, and with a small letter where that is no name.
fn tidy(line: &str) -> String {
    const PREFIXES: [&str; 5] = ["ERROR: ", "Error: ", "error: ", "Error response from daemon: ", "ERROR "];
    let mut line = line.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest.trim_start();
    }
    let line = line.trim_end_matches('.');
    let mut letters = line.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => line.to_owned(),
    }
}
