//! Finding the lab that a command is about.

use crate::{
    error::Failure,
    lab::{self, RunningLab, RunningLabError, is_project_name},
};

/// The running lab of `project`; where there is none, says which there are.
pub async fn lab(project: &str) -> anyhow::Result<RunningLab> {
    check_name(project)?;
    match lab::find_running_lab(project).await {
        Err(error @ RunningLabError::NoLab { .. }) => {
            let others = lab::running_labs().await?;
            let others: Vec<&str> = others.iter().map(RunningLab::project).collect();
            Err(match others.is_empty() {
                true => error.into(),
                false => Failure::environment(error.to_string())
                    .hint(format!("running: {}; choose with -p", others.join(", ")))
                    .into(),
            })
        }
        found => Ok(found?),
    }
}

/// That a lab can have this name.
pub fn check_name(project: &str) -> anyhow::Result<()> {
    if is_project_name(project) {
        return Ok(());
    }
    let failure = Failure::usage(format!("`{}` cannot be a project's name", project.escape_debug()));
    Err(failure.hint("lower case letters, digits, `-` and `_`, starting with a letter or digit, 63 at most").into())
}
