//! `lbctl export`: the lab's files, to edit them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

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
    let written = match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            Some(_) => return Err(unusable(target, "is not empty")),
            None => fill(target),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(target),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(unusable(target, "is not a directory"));
        }
        Err(error) => Err(error),
    };
    written.with_context(|| target.display().to_string())?;
    let compose = target.join("docker-compose.yml");
    console::say(&format!("wrote the lab to {}; `lbctl up -f {}` starts it", target.display(), compose.display()));
    Ok(Exit::Done)
}

fn unusable(target: &Path, why: &str) -> anyhow::Error {
    let failure = Failure::usage(format!("{} {why}", target.display()));
    failure.hint("name a directory that does not exist yet, or is empty").into()
}

/// Makes the directory. It gets its name when everything is in it.
fn make(target: &Path) -> io::Result<()> {
    // `lab` has no parent to speak of
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let draft = Draft::write(parent)?;
    fs::rename(&draft.0, target)
}

/// Fills a directory that is there, perhaps somebody's working directory or behind a link, and stays.
fn fill(target: &Path) -> io::Result<()> {
    let draft = Draft::write(target)?;
    let mut moved: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&draft.0)? {
        let entry = entry?;
        let place = target.join(entry.file_name());
        if let Err(error) = fs::rename(entry.path(), &place) {
            for place in moved {
                _ = fs::rename(&place, draft.0.join(place.file_name().unwrap_or_default()));
            }
            return Err(error);
        }
        moved.push(place);
    }
    Ok(())
}

/// A hidden directory with the lab's files; what is left in it when it is dropped does not stay.
struct Draft(PathBuf);

impl Draft {
    fn write(parent: &Path) -> io::Result<Draft> {
        let draft = Draft(parent.join(format!(".lbctl-export-{}", std::process::id())));
        for (path, text) in lab::files() {
            let path = draft.0.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&draft.0))?;
            fs::write(path, text)?;
        }
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
