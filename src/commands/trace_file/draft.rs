//! A file that gets its name when it is complete.

use std::{
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A hidden file beside the one that it replaces when it is complete. Until then it is removed when it is dropped.
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
}

impl Draft {
    /// Creates an empty draft of `target`.
    pub fn beside(target: PathBuf) -> io::Result<Draft> {
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // those of any new file: the umask takes away from them
        let permissions = Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().prefix(".lbctl-trace-").permissions(permissions).tempfile_in(directory)?;
        Ok(Draft { file, target })
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
