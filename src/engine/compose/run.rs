//! What a Compose is told to do with a project.

use std::{collections::BTreeMap, io, path::PathBuf};

use tokio::process::Command;

use super::{
    child::{End, Runner},
    error::{Doing, ToolError},
    tool::Tool,
};

/// A compose project: its files, and the tool that runs it.
#[derive(Debug, Clone)]
pub struct Compose {
    /// The tool.
    pub tool: Tool,
    /// The project's name.
    pub project: String,
    /// Its files, in the order in which one overrides another.
    pub files: Vec<PathBuf>,
    /// What paths in the files are relative to; without it, the first file's directory.
    pub directory: Option<PathBuf>,
    /// The variables that the files use, besides the environment's.
    pub variables: BTreeMap<String, String>,
    runner: Runner,
}

/// Whether containers that are no longer what the file says are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recreate {
    /// They are.
    AsNeeded,
    /// They stay as they are.
    Never,
}

impl Compose {
    /// Runs nothing yet.
    pub fn new(
        tool: Tool,
        project: impl Into<String>,
        files: Vec<PathBuf>,
        directory: Option<PathBuf>,
        variables: BTreeMap<String, String>,
    ) -> Compose {
        Compose { tool, project: project.into(), files, directory, variables, runner: Runner::default() }
    }

    /// The files as one, in YAML, with every variable replaced.
    ///
    /// # Errors
    /// When there is a mistake in them.
    pub async fn config(&self) -> Result<String, ToolError> {
        let mut yaml = Vec::new();
        self.run(Doing::Config, self.command(["config"]), Some(&mut yaml), |_| {}).await?;
        Ok(String::from_utf8_lossy(&yaml).into_owned())
    }

    /// Builds the images of the services that are built; `progress` hears every line.
    ///
    /// # Errors
    /// When one cannot be built.
    pub async fn build(&self, progress: impl FnMut(&str)) -> Result<(), ToolError> {
        let mut command = self.command(["build"]);
        if !self.tool.is_modern() {
            // the container of a step that failed or was cut off would stay
            command.arg("--force-rm");
        }
        self.run(Doing::Build, command, None, progress).await
    }

    /// Starts services with so many containers each, from images that are there; `progress` hears every line.
    ///
    /// # Errors
    /// When one does not start. Those that were started stay.
    pub async fn up(
        &self,
        services: &[String],
        scale: &BTreeMap<String, u32>,
        recreate: Recreate,
        progress: impl FnMut(&str),
    ) -> Result<(), ToolError> {
        let mut command = self.command(["up", "--detach", "--no-build"]);
        if recreate == Recreate::Never {
            command.arg("--no-recreate");
        }
        for (service, count) in scale {
            command.arg("--scale").arg(format!("{service}={count}"));
        }
        command.args(services);
        self.run(Doing::Up, command, None, progress).await
    }

    /// Cuts off what is running, and waits for its end: interrupts it, and kills it after 3 s.
    pub async fn abandon(&self) {
        self.runner.abandon().await;
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
        doing: Doing,
        command: Command,
        data: Option<&mut Vec<u8>>,
        mut progress: impl FnMut(&str),
    ) -> Result<(), ToolError> {
        let mut log = String::new();
        let ended = self.runner.run(command, data, |line| {
            log += line;
            log.push('\n');
            progress(line);
        });
        let ended = ended.await;
        let tool = self.tool.to_string();
        match ended {
            Ok(End::Well) => Ok(()),
            Ok(End::Badly) => Err(ToolError::read(tool, doing, log)),
            Ok(End::Cut) => Err(ToolError::interrupted(tool, doing, log)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ToolError::Missing),
            Err(error) => Err(ToolError::read(tool, doing, error.to_string())),
        }
    }
}
