//! The place of output that a path names: standard output, a stream, or a file that is replaced when its new content is
//! complete.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use super::draft::DraftFile;

pub enum OutputPlace {
    Stdout,
    /// A pipe or device, which cannot be replaced.
    Stream(File),
    Draft(DraftFile),
}

impl OutputPlace {
    /// Opens the place that a path names.
    pub fn open(path: &Path) -> io::Result<OutputPlace> {
        if is_stdout(path) {
            return Ok(OutputPlace::Stdout);
        }
        if is_open_file(path) {
            return Ok(OutputPlace::Stream(OpenOptions::new().append(true).open(path)?));
        }
        match fs::metadata(path) {
            Ok(present) if present.is_file() => {
                // a protected file shall not be replaced just because its directory may be written
                OpenOptions::new().write(true).open(path)?;
                // a link stays one
                let draft = DraftFile::beside(fs::canonicalize(path)?)?;
                draft.file().set_permissions(present.permissions())?;
                Ok(OutputPlace::Draft(draft))
            }
            // a directory is refused here
            Ok(_) => Ok(OutputPlace::Stream(OpenOptions::new().write(true).open(path)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DraftFile::beside(path.to_owned()).map(OutputPlace::Draft)
            }
            Err(error) => Err(error),
        }
    }
}

/// Returns true for the name of standard output or input.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns true for each name of standard output. A file to which it is redirected must not be replaced: what the shell and
/// other programs have written there would be lost.
fn is_stdout(path: &Path) -> bool {
    is_dash(path) || ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Returns true for a name of another open file of this process, such as `/dev/stderr`.
fn is_open_file(path: &Path) -> bool {
    path == Path::new("/dev/stderr") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}
