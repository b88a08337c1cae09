//! The files that Compose reads: the built-in lab's, written out, and what the command line adds to a compose file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::lab::files;

/// Files of one lab, removed when this is dropped: a lab that came to nothing leaves none.
#[derive(Debug)]
pub struct Directory(PathBuf);

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", .path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub cause: io::Error,
}

impl Directory {
    /// A directory for files; what stood there before is removed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(path: PathBuf) -> Result<Directory, FileError> {
        let failed = |cause| FileError { path: path.clone(), cause };
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir(&path).map_err(failed)?,
        }
        Ok(Directory(path))
    }

    /// They stay from now on: Compose names them in the containers' labels, and whoever ends the lab removes them.
    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }

    /// Writes the built-in lab and returns its compose file.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn built_in(&self) -> Result<PathBuf, FileError> {
        for (name, text) in files() {
            self.write(name, text)?;
        }
        Ok(self.0.join(files()[0].0))
    }

    /// Writes a file and returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, FileError> {
        let path = self.0.join(name);
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|cause| FileError { path: path.clone(), cause })?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            remove(&self.0);
        }
    }
}

/// Removes the files of a lab, if there are any.
pub fn remove(path: &Path) {
    // what is left takes a few kilobytes, and the next lab of this name replaces it
    _ = fs::remove_dir_all(path);
}

/// The `version:` that a compose file declares, which Compose before 2.0 compares with that of the next one.
pub fn version(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("version:"))?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_file() {
        assert_eq!(version("services: {}\n"), None);
        assert_eq!(version("# x\nversion: \"3.8\"  # old\nservices: {}").as_deref(), Some("3.8"));
        assert_eq!(version("version: '2'\n").as_deref(), Some("2"));
    }
}
