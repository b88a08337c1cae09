//! Traces in files: saved whole or not at all, and read again. `-` is standard output or input.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    error::{Error, OutputError},
    model::trace::Trace,
};

use super::draft::DraftFile;

/// The file in which a trace will be saved; opened before anything is sent, so that nothing is sent in vain.
pub struct TraceFile {
    path: PathBuf,
    place: Place,
}

enum Place {
    Stdout,
    /// A pipe or device, which cannot be replaced.
    Stream(File),
    Draft(DraftFile),
}

impl TraceFile {
    /// Makes sure that the file can be written.
    pub async fn open(path: &Path) -> Result<TraceFile, Error> {
        let path = path.to_owned();
        // opening a pipe waits for its reader, and ^C shall end that
        let opened = tokio::task::spawn_blocking(move || {
            let place = if is_stdout(&path) { Ok(Place::Stdout) } else { Place::open(&path) };
            place.map_err(|source| file_error(&path, source)).map(|place| TraceFile { path, place })
        });
        opened.await.context("cannot open the trace's file")?
    }

    /// `true` if standard output is for the trace alone.
    pub fn takes_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Writes the trace.
    pub fn save(self, trace: &Trace) -> Result<(), Error> {
        let saved = match self.place {
            Place::Stdout => return Ok(write(trace, io::stdout().lock()).map_err(OutputError)?),
            Place::Stream(file) => write(trace, file),
            Place::Draft(draft) => write(trace, draft.file()).and_then(|()| draft.replace_target()),
        };
        saved.map_err(|source| file_error(&self.path, source))
    }
}

impl Place {
    fn open(path: &Path) -> io::Result<Place> {
        if is_open_file(path) {
            return Ok(Place::Stream(OpenOptions::new().append(true).open(path)?));
        }
        match fs::metadata(path) {
            Ok(present) if present.is_file() => {
                // a protected file shall not be replaced just because its directory may be written
                OpenOptions::new().write(true).open(path)?;
                // a link stays one
                let draft = DraftFile::beside(fs::canonicalize(path)?)?;
                draft.file().set_permissions(present.permissions())?;
                Ok(Place::Draft(draft))
            }
            // a directory is refused here
            Ok(_) => Ok(Place::Stream(OpenOptions::new().write(true).open(path)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DraftFile::beside(path.to_owned()).map(Place::Draft)
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads a trace.
pub async fn read(path: &Path) -> Result<Trace, Error> {
    let path = path.to_owned();
    // a terminal or pipe may have nothing to say for long, and ^C shall end that
    let read = tokio::task::spawn_blocking(move || {
        let (name, text) = if is_dash(&path) {
            let mut text = Vec::new();
            ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut text).map(|_| text))
        } else {
            (path.display().to_string(), fs::read(&path))
        };
        let text = text.map_err(|source| Error::File { path: name.clone(), source })?;
        Ok(Trace::from_json(&name, &text)?)
    });
    read.await.context("cannot read the trace")?
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.display().to_string(), source }
}

fn write(trace: &Trace, to: impl Write) -> io::Result<()> {
    let mut to = io::BufWriter::new(to);
    trace.write_json(&mut to)?;
    to.flush()
}

fn is_dash(path: &Path) -> bool {
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
