//! The directory of a lab: the files that Compose reads beside the user's compose file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::lab::files;

/// The directory of one lab. Dropping it removes the directory, so that a lab that does not start leaves no files.
#[derive(Debug)]
pub struct LabDirectory(PathBuf);

/// A file or directory that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", .path.display())]
pub struct FileError {
    pub path: PathBuf,
    pub cause: io::Error,
}

impl LabDirectory {
    /// Makes an empty directory. One that exists is removed first.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn new(path: PathBuf) -> Result<LabDirectory, FileError> {
        let failed = |cause| FileError { path: path.clone(), cause };
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir(&path).map_err(failed)?,
        }
        Ok(LabDirectory(path))
    }

    /// Keeps the files, as the labels of the containers name them, and returns the path. [`remove_directory`] removes
    /// them when the lab ends.
    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }

    /// Writes the files of the built-in lab and returns the path of its compose file.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_built_in_files(&self) -> Result<PathBuf, FileError> {
        for (name, text) in files() {
            self.write(name, text)?;
        }
        Ok(self.0.join(files()[0].0))
    }

    /// Writes a file and returns its path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, FileError> {
        let path = self.0.join(name);
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|cause| FileError { path: path.clone(), cause })?;
        Ok(path)
    }
}

impl Drop for LabDirectory {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            remove_directory(&self.0);
        }
    }
}

/// Removes the directory of a lab, if there is one.
pub fn remove_directory(path: &Path) {
    // files that cannot be removed take a few kilobytes, and the next lab of this name replaces them
    _ = fs::remove_dir_all(path);
}

/// Reads the `version:` that a compose file declares. Compose before 2.0 wants all files of a lab to declare the same
/// one.
pub fn read_version(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("version:"))?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_file() {
        assert_eq!(read_version("services: {}\n"), None);
        assert_eq!(read_version("# x\nversion: \"3.8\"  # old\nservices: {}").as_deref(), Some("3.8"));
        assert_eq!(read_version("version: '2'\n").as_deref(), Some("2"));
    }
}
