//! Compose for one project: reads its configuration, builds its images, starts its containers.

use std::{collections::BTreeMap, io, path::PathBuf};

use tokio::process::Command;
use tracing::debug;

use super::{
    child::{Completion, ProcessRunner},
    error::{ComposeStep, ToolError},
    tool::Tool,
};

/// A compose project, and the tool that runs it.
#[derive(Debug, Clone)]
pub struct Compose {
    pub tool: Tool,
    pub project: String,
    /// The compose files, each of which overrides those before it.
    pub files: Vec<PathBuf>,
    /// The directory to which paths in the files are relative; `None` is the directory of the first file.
    pub directory: Option<PathBuf>,
    /// Variables for the files, besides those of the environment.
    pub variables: BTreeMap<String, String>,
    runner: ProcessRunner,
}

/// The treatment of a container that differs from the compose file: it may be replaced by a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecreatePolicy {
    AsNeeded,
    Never,
}

impl Compose {
    pub fn new(
        tool: Tool,
        project: impl Into<String>,
        files: Vec<PathBuf>,
        directory: Option<PathBuf>,
        variables: BTreeMap<String, String>,
    ) -> Compose {
        Compose { tool, project: project.into(), files, directory, variables, runner: ProcessRunner::default() }
    }

    /// Returns the compose files merged into one YAML text, with every variable replaced.
    ///
    /// # Errors
    /// Fails when there is a mistake in the files.
    pub async fn config(&self) -> Result<String, ToolError> {
        let mut yaml = Vec::new();
        self.run(ComposeStep::Config, self.command(["config"]), Some(&mut yaml), |_| {}).await?;
        Ok(String::from_utf8_lossy(&yaml).into_owned())
    }

    /// Builds the images of the services that have a build section. `progress` gets every line of the output.
    ///
    /// # Errors
    /// Fails when an image cannot be built.
    pub async fn build(&self, progress: impl FnMut(&str)) -> Result<(), ToolError> {
        let mut command = self.command(["build"]);
        if !self.tool.is_modern() {
            // the container of a step that failed or was cancelled would stay
            command.arg("--force-rm");
        }
        self.run(ComposeStep::Build, command, None, progress).await
    }

    /// Starts services from images that exist, each with its number of containers in `scale`. `progress` gets every line
    /// of the output.
    ///
    /// # Errors
    /// Fails when a service does not start. Containers that were started by then stay.
    pub async fn up(
        &self,
        services: &[String],
        scale: &BTreeMap<String, u32>,
        recreate: RecreatePolicy,
        progress: impl FnMut(&str),
    ) -> Result<(), ToolError> {
        let mut command = self.command(["up", "--detach", "--no-build"]);
        if recreate == RecreatePolicy::Never {
            command.arg("--no-recreate");
        }
        for (service, count) in scale {
            command.arg("--scale").arg(format!("{service}={count}"));
        }
        command.args(services);
        self.run(ComposeStep::Up, command, None, progress).await
    }

    /// Cancels the running command and waits for its end: interrupts it, and kills it after 3 s.
    pub async fn cancel(&self) {
        self.runner.cancel().await;
    }

    fn command<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = self.tool.command();
        command.arg("--project-name").arg(&self.project);
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        if let Some(directory) = &self.directory {
            command.arg("--project-directory").arg(directory);
        }
        command.args(arguments).envs(&self.variables);
        command
    }

    async fn run(
        &self,
        step: ComposeStep,
        command: Command,
        data: Option<&mut Vec<u8>>,
        mut progress: impl FnMut(&str),
    ) -> Result<(), ToolError> {
        debug!(command = ?command.as_std(), "run Compose");
        let mut log = String::new();
        let running = self.runner.run(command, data, |line| {
            log += line;
            log.push('\n');
            progress(line);
        });
        let completion = running.await;
        let tool = self.tool.to_string();
        match completion {
            Ok(Completion::Success) => Ok(()),
            Ok(Completion::Failure) => Err(ToolError::from_log(tool, step, log)),
            Ok(Completion::Cancelled) => Err(ToolError::interrupted(tool, step, log)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ToolError::Missing),
            Err(error) => Err(ToolError::from_log(tool, step, error.to_string())),
        }
    }
}
