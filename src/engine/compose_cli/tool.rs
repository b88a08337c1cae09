//! Finds Docker Compose: today's version, a plugin of the `docker` command, or the older program `docker-compose`.

use std::{fmt, process::Stdio, time::Duration};

use tokio::process::Command;

use super::error::ToolError;

/// The longest time that a Compose may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// An installed Compose: its command and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The program and its first arguments.
    words: &'static [&'static str],
    version: String,
    /// The first two numbers of the version.
    numbers: (u32, u32),
}

impl Tool {
    /// Prefers the plugin, from its version 2 on, to the older program.
    ///
    /// # Errors
    /// Fails when neither is installed.
    pub async fn detect() -> Result<Tool, ToolError> {
        if let Some(plugin) = Tool::from_command(&["docker", "compose"]).await
            && plugin.is_modern()
        {
            return Ok(plugin);
        }
        Tool::from_command(&["docker-compose"]).await.ok_or(ToolError::Missing)
    }

    async fn from_command(words: &'static [&'static str]) -> Option<Tool> {
        let (program, arguments) = words.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).args(["version", "--short"]).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(VERSION_TIMEOUT, command.output()).await.ok()?.ok()?;
        // a `docker` without the plugin answers too, with its own help
        if !output.status.success() {
            return None;
        }
        Tool::from_version(words, &String::from_utf8_lossy(&output.stdout))
    }

    fn from_version(words: &'static [&'static str], output: &str) -> Option<Tool> {
        let version = output.trim().trim_start_matches('v');
        let mut numbers = version.split(['.', '-', '+']).map(str::parse);
        let numbers = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Tool { words, version: version.to_owned(), numbers })
    }

    /// Returns whether this is Compose 2 or later, which is written in Go.
    pub(super) fn is_modern(&self) -> bool {
        self.numbers.0 >= 2
    }

    /// The command line without arguments, set up so that its output is plain lines.
    pub(super) fn command(&self) -> Command {
        let (program, arguments) = self.words.split_first().unwrap_or((&"docker-compose", &[]));
        let mut command = Command::new(program);
        command.args(arguments);
        match self.numbers {
            (0..=1, ..28) => command.arg("--no-ansi"),
            _ => command.args(["--ansi", "never"]),
        };
        // the older one follows the context of the configuration file, and not the one of the environment
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let (false, None, Some(context)) = (self.is_modern(), set("DOCKER_HOST"), set("DOCKER_CONTEXT")) {
            command.arg("--context").arg(context);
        }
        // variables instead of flags, which not every version knows
        command.env("COMPOSE_PROGRESS", "plain").env("BUILDKIT_PROGRESS", "plain");
        // the containers of a service that is not started now are no orphans: no warning about them
        command.env("COMPOSE_IGNORE_ORPHANS", "true");
        // no advertisements between the lines
        command.env("DOCKER_CLI_HINTS", "false").env("COMPOSE_MENU", "false");
        command
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.words.join(" "), self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_form() {
        let read = |output: &str| {
            Tool::from_version(&["docker", "compose"], output).map(|tool| (tool.to_string(), tool.numbers))
        };
        assert_eq!(read("v2.29.1\n"), Some(("docker compose 2.29.1".to_owned(), (2, 29))));
        assert_eq!(read("5.6.1"), Some(("docker compose 5.6.1".to_owned(), (5, 6))));
        assert_eq!(read("2.20.2-desktop.1"), Some(("docker compose 2.20.2-desktop.1".to_owned(), (2, 20))));
        assert_eq!(read("1.29.2"), Some(("docker compose 1.29.2".to_owned(), (1, 29))));
        for output in ["", "Usage:  docker [OPTIONS] COMMAND", "1", "x.y"] {
            assert_eq!(read(output), None, "{output}");
        }
    }
}
