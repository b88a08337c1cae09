//! Formats: the one place that turns a report into the text of a format. A new format is a variant of [`Format`], an arm of
//! [`write`], and a module for what its text needs.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::model::Format;

use super::Paint;

/// A document that is printed in the format which the user chooses.
pub trait Report {
    /// The document as text for people.
    fn table(&self, paint: Paint) -> String;

    /// The document as JSON for scripts. It is serialised while it is written, because it may be larger than memory
    /// should hold.
    fn json(&self) -> impl Serialize;

    /// The layout of the JSON.
    fn json_layout(&self) -> JsonLayout {
        JsonLayout::Indented
    }
}

/// The layout of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonLayout {
    /// A field per line, for people who read along.
    Indented,
    /// All fields on one line, for streams of documents.
    OneLine,
}

/// Writes a report, with an end of line.
///
/// # Errors
/// When `to` cannot be written.
pub fn write(report: &impl Report, format: Format, paint: Paint, to: impl Write) -> io::Result<()> {
    let mut to = BufWriter::new(to);
    match format {
        Format::Table => {
            let text = report.table(paint);
            to.write_all(text.strip_suffix('\n').unwrap_or(&text).as_bytes())?;
        }
        Format::Json => match report.json_layout() {
            JsonLayout::Indented => serde_json::to_writer_pretty(&mut to, &report.json())?,
            JsonLayout::OneLine => serde_json::to_writer(&mut to, &report.json())?,
        },
    }
    to.write_all(b"\n")?;
    to.flush()
}
