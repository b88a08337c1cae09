//! `lbctl export`: the lab's files, to edit them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    cli::Export,
    error::{Error, Exit, UsageError},
    lab,
};

use super::{
    console,
    draft::{DraftDirectory, parent},
};

/// Writes the lab's files to a directory: all of them or none.
pub fn run(args: &Export) -> Result<Exit, Error> {
    let target = &args.directory;
    let written = match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            Some(_) => return Err(unusable(target, "is not empty")),
            None => fill(target),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(target),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(unusable(target, "is not a directory"));
        }
        Err(error) => Err(error),
    };
    written.map_err(|source| Error::File { path: target.display().to_string(), source })?;
    let compose = target.join("docker-compose.yml");
    console::say(&format!("wrote the lab to {}; `lbctl up -f {}` starts it", target.display(), compose.display()));
    Ok(Exit::Done)
}

fn unusable(target: &Path, problem: &'static str) -> Error {
    UsageError::ExportDirectory { directory: target.display().to_string(), problem }.into()
}

/// Creates the directory. It gets its name when all files are in it.
fn create(target: &Path) -> io::Result<()> {
    let parent = parent(target);
    fs::create_dir_all(parent)?;
    let draft = write_draft(parent)?;
    fs::rename(draft.path(), target)
}

/// Fills a directory that is there, perhaps a working directory or the end of a link, and stays.
fn fill(target: &Path) -> io::Result<()> {
    let draft = write_draft(target)?;
    let mut moved: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(draft.path())? {
        let entry = entry?;
        let place = target.join(entry.file_name());
        if let Err(error) = fs::rename(entry.path(), &place) {
            for place in moved {
                _ = fs::rename(&place, draft.path().join(place.file_name().unwrap_or_default()));
            }
            return Err(error);
        }
        moved.push(place);
    }
    Ok(())
}

/// Writes the files to a hidden directory, which is removed when it is dropped.
fn write_draft(parent: &Path) -> io::Result<DraftDirectory> {
    let draft = DraftDirectory::create(parent)?;
    for (path, text) in lab::files() {
        let path = draft.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(draft.path()))?;
        fs::write(path, text)?;
    }
    Ok(draft)
}
