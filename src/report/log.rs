//! The log in words: one line per request.

use jiff::tz::TimeZone;

use crate::model::{Access, Entry};

use super::style::{self, Paint, printable};

/// Names are padded to this, so that lines stand below one another.
const NAME_WIDTH: usize = 14;

/// One entry as one line, with times in `zone`.
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
        style::millis(access.duration_us),
    );
    for refused in &access.passed_over {
        line += &format!("  ({refused} refused)");
    }
    line
}

fn time(at: jiff::Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S.%3f").to_string()
}
