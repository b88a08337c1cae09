//! Finding the lab that a command is about.

use crate::{
    error::Failure,
    lab::{Client, ClientError, is_project_name},
};

/// The running lab of `project`; where there is none, says which there are.
pub fn lab(project: &str) -> anyhow::Result<Client> {
    check_name(project)?;
    match Client::find(project) {
        Err(ClientError::NoLab(_)) => {
            let others = Client::all()?;
            let others: Vec<&str> = others.iter().map(Client::project).collect();
            let failure = Failure::environment(format!("no running lab called `{project}`"));
            Err(match others.is_empty() {
                true => failure.hint("`lbctl up -d` starts one"),
                false => failure.hint(format!("running: {}; choose with -p", others.join(", "))),
            }
            .into())
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
