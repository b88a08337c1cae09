//! Files and directories that get their names when they are complete.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

/// A hidden file beside the one that it replaces when it is complete. Until then it is removed when it is dropped.
pub struct DraftFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl DraftFile {
    /// Creates an empty draft of `target`.
    pub fn beside(target: PathBuf) -> io::Result<DraftFile> {
        // opened here, so that the file has the permissions of any new file, and an error does not name the draft
        let create = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let file = Builder::new().prefix(".lbctl-trace-").make_in(parent(&target), create)?;
        Ok(DraftFile { file, target })
    }

    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the complete file its name.
    pub fn replace_target(self) -> io::Result<()> {
        self.file().sync_all()?;
        self.file.persist(self.target)?;
        Ok(())
    }
}

/// A hidden directory, which is removed with what is in it when it is dropped.
pub struct DraftDirectory(PathBuf);

impl DraftDirectory {
    pub fn create(parent: &Path) -> io::Result<DraftDirectory> {
        let draft = DraftDirectory(parent.join(format!(".lbctl-export-{}", std::process::id())));
        fs::create_dir(&draft.0)?;
        Ok(draft)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DraftDirectory {
    fn drop(&mut self) {
        // it is not there any more if it has got its name
        _ = fs::remove_dir_all(&self.0);
    }
}

/// The directory of a path; a name alone has an empty path as its parent.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_error_does_not_name_the_draft() {
        let error = DraftFile::beside(PathBuf::from("/nonexistent/trace.json")).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
        let error = DraftDirectory::create(Path::new("/nonexistent")).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_name_alone_is_in_the_working_directory() {
        assert_eq!(parent(Path::new("trace.json")), Path::new("."));
        assert_eq!(parent(Path::new("a/trace.json")), Path::new("a"));
    }
}
