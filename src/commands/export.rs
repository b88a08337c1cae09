//! `lbctl export`: the lab's files, to edit them.

use std::{fs, path::Path};

use anyhow::Context;

use crate::{
    cli::Export,
    error::{Exit, Failure},
    lab,
};

use super::console;

/// Writes the lab's files to a directory: all of them or none.
pub fn run(args: &Export) -> anyhow::Result<Exit> {
    let target = &args.directory;
    if fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some()) {
        let taken = Failure::usage(format!("{} is not empty", target.display()));
        return Err(taken.hint("name a directory that does not exist yet").into());
    }
    // the target may be `lab` or `lab/`, and its parent nothing
    let name = target.file_name().ok_or_else(|| Failure::usage(format!("{} has no name", target.display())))?;
    let beside = target.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = write(&beside).and_then(|()| fs::rename(&beside, target).map_err(Into::into));
    if written.is_err() {
        // whatever was written does not stay
        _ = fs::remove_dir_all(&beside);
    }
    written.with_context(|| target.display().to_string())?;
    console::say(&format!("wrote the lab to {0}; `lbctl up -f {0}/docker-compose.yml` starts it", target.display()));
    Ok(Exit::Done)
}

fn write(directory: &Path) -> anyhow::Result<()> {
    for (path, text) in lab::files() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(path, text)?;
    }
    Ok(())
}
