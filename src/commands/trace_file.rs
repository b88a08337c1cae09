//! Traces in files: kept whole or not at all, and read again. `-` is standard output or input.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use rand::RngExt;

use crate::model::trace::Trace;

/// Where a trace will be kept; opened before anything is sent, so that nothing is sent in vain.
pub struct Keeper {
    path: PathBuf,
    place: Place,
}

enum Place {
    Stdout,
    /// A pipe or device, which cannot be replaced.
    Stream(File),
    Draft(Draft),
}

impl Keeper {
    /// Makes sure that the file can be written.
    pub async fn open(path: &Path) -> anyhow::Result<Keeper> {
        let path = path.to_owned();
        // opening a pipe waits for its reader, and ^C shall end that
        tokio::task::spawn_blocking(move || {
            let place = if is_dash(&path) { Ok(Place::Stdout) } else { place(&path) };
            let place = place.with_context(|| path.display().to_string())?;
            Ok(Keeper { path, place })
        })
        .await?
    }

    /// Whether standard output is for the trace alone.
    pub fn takes_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Writes the trace.
    pub fn keep(self, trace: &Trace) -> anyhow::Result<()> {
        let kept = match self.place {
            Place::Stdout => write(trace, io::stdout().lock()),
            Place::Stream(file) => write(trace, file),
            Place::Draft(draft) => draft.finish(trace),
        };
        kept.with_context(|| self.path.display().to_string())
    }
}

/// Reads a trace.
pub async fn read(path: &Path) -> anyhow::Result<Trace> {
    let path = path.to_owned();
    // likewise: a terminal or pipe may have nothing to say for long
    tokio::task::spawn_blocking(move || {
        let (name, text) = if is_dash(&path) {
            let mut text = Vec::new();
            ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut text).map(|_| text))
        } else {
            (path.display().to_string(), fs::read(&path))
        };
        let text = text.with_context(|| name.clone())?;
        Ok(Trace::from_json(&name, &text)?)
    })
    .await?
}

fn write(trace: &Trace, to: impl Write) -> io::Result<()> {
    let mut to = io::BufWriter::new(to);
    trace.write_json(&mut to)?;
    to.flush()
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn place(path: &Path) -> io::Result<Place> {
    match fs::metadata(path) {
        Ok(there) if there.is_file() => {
            // one that is protected shall not be replaced just because its directory may be written
            OpenOptions::new().write(true).open(path)?;
            // a link stays one
            let draft = Draft::beside(fs::canonicalize(path)?)?;
            draft.file.set_permissions(there.permissions())?;
            Ok(Place::Draft(draft))
        }
        // a directory is refused here
        Ok(_) => Ok(Place::Stream(OpenOptions::new().write(true).open(path)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::Draft(Draft::beside(path.to_owned())?)),
        Err(error) => Err(error),
    }
}

/// A hidden file beside the one that it becomes when it is whole; until then it does not stay.
struct Draft {
    file: File,
    draft: PathBuf,
    place: PathBuf,
}

impl Draft {
    fn beside(place: PathBuf) -> io::Result<Draft> {
        let name = format!(".lbctl-trace-{:08x}", rand::rng().random::<u32>());
        let draft = place.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
        Ok(Draft { file, draft, place })
    }

    fn finish(self, trace: &Trace) -> io::Result<()> {
        write(trace, &self.file)?;
        self.file.sync_all()?;
        fs::rename(&self.draft, &self.place)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.draft);
    }
}
