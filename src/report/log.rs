//! The log as text: one line for each request.

use jiff::tz::TimeZone;

use serde::Serialize;

use crate::model::{Access, Entry};

use super::{
    JsonLayout, Report,
    style::{self, Paint},
    text::{millis, printable},
};

/// The most lines that a stream of the log writes together, in bytes.
pub const MAX_BATCH_BYTES: usize = 64 * 1024;

/// The columns of a name, so that what follows the names is aligned.
const NAME_WIDTH: usize = 14;

/// An entry of the log, with the zone of its time.
pub struct EntryReport<'e> {
    pub entry: &'e Entry,
    pub zone: &'e TimeZone,
}

impl Report for EntryReport<'_> {
    fn table(&self, paint: Paint) -> String {
        line(self.entry, self.zone, paint)
    }

    fn json(&self) -> impl Serialize {
        self.entry
    }

    fn json_layout(&self) -> JsonLayout {
        JsonLayout::OneLine
    }
}

/// An entry as one line, with its time in `zone`.
pub fn line(entry: &Entry, zone: &TimeZone, paint: Paint) -> String {
    match entry {
        Entry::Request(access) => request(access, zone, paint),
        Entry::Lab { at, message } => format!("{}  {:<NAME_WIDTH$}  {message}", time(*at, zone), "lab"),
        Entry::Missed { missed } => format!("… {missed} entries are missing here …"),
    }
}

fn request(access: &Access, zone: &TimeZone, paint: Paint) -> String {
    let replica = match &access.replica {
        Some(replica) => style::instance(replica, NAME_WIDTH, paint),
        None => format!("{:<NAME_WIDTH$}", "-"),
    };
    let mut line = format!(
        "{}  {replica}  {}  {:<4} {}  {} ms",
        time(access.at, zone),
        access.status,
        access.method,
        printable(&access.path),
        millis(access.duration_us),
    );
    for refused in &access.failed_over {
        line += &format!("  ({refused} refused)");
    }
    line
}

fn time(at: jiff::Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S.%3f").to_string()
}
