//! Traces in files: saved whole or not at all, and read again. `-` is standard output or input.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    error::{Error, OutputError},
    model::trace::Trace,
};

use super::output_place::{OutputPlace, is_dash};

/// The file in which a trace will be saved; opened before anything is sent, so that nothing is sent in vain.
pub struct TraceFile {
    path: PathBuf,
    place: OutputPlace,
}

impl TraceFile {
    /// Makes sure that the file can be written.
    pub async fn open(path: &Path) -> Result<TraceFile, Error> {
        let path = path.to_owned();
        // opening a pipe waits for its reader, and ^C shall end that
        let opened = tokio::task::spawn_blocking(move || {
            let place = OutputPlace::open(&path);
            place.map_err(|source| file_error(&path, source)).map(|place| TraceFile { path, place })
        });
        opened.await.context("cannot open the trace's file")?
    }

    /// `true` if standard output is for the trace alone.
    pub fn takes_stdout(&self) -> bool {
        matches!(self.place, OutputPlace::Stdout)
    }

    /// Writes the trace.
    pub fn save(self, trace: &Trace) -> Result<(), Error> {
        let saved = match self.place {
            OutputPlace::Stdout => return Ok(write(trace, io::stdout().lock()).map_err(OutputError)?),
            OutputPlace::Stream(file) => write(trace, file),
            OutputPlace::Draft(draft) => write(trace, draft.file()).and_then(|()| draft.replace_target()),
        };
        saved.map_err(|source| file_error(&self.path, source))
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
