//! Joins the messages of a container's log into lines. Most messages are one line; a long line comes in several.

use bollard::container::LogOutput;
use jiff::Timestamp;

/// Joins messages into lines, separately for standard output and standard error.
#[derive(Debug)]
pub(super) struct LineAssembler {
    /// With a time, every message begins with its own time, and older messages are left out.
    since: Option<Timestamp>,
    /// The incomplete line of each of the two outputs.
    incomplete: [Vec<u8>; 2],
}

impl LineAssembler {
    pub fn new(since: Option<Timestamp>) -> Self {
        LineAssembler { since, incomplete: Default::default() }
    }

    /// Adds a message. Returns the lines that it completes.
    pub fn add(&mut self, message: &LogOutput) -> Vec<String> {
        let mut text = message.as_ref();
        if let Some(since) = self.since {
            let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
            let time = std::str::from_utf8(&text[..end]).ok().and_then(|time| time.parse::<Timestamp>().ok());
            if let Some(time) = time {
                if time < since {
                    return Vec::new();
                }
                text = text.get(end + 1..).unwrap_or_default();
            }
        }
        let incomplete = &mut self.incomplete[usize::from(matches!(message, LogOutput::StdErr { .. }))];
        incomplete.extend_from_slice(text);
        let Some(end) = incomplete.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = incomplete.split_off(end + 1);
        let complete = std::mem::replace(incomplete, rest);
        complete[..end].split(|byte| *byte == b'\n').map(line).collect()
    }

    /// Returns the incomplete lines at the end of the log.
    pub fn rest(&mut self) -> Vec<String> {
        let incomplete = std::mem::take(&mut self.incomplete);
        incomplete.into_iter().filter(|text| !text.is_empty()).map(|text| line(&text)).collect()
    }
}

/// The text of a line, without the carriage return that a terminal's line ends with.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_suffix('\r').unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn out(text: &'static str) -> LogOutput {
        LogOutput::StdOut { message: text.into() }
    }

    fn err(text: &'static str) -> LogOutput {
        LogOutput::StdErr { message: text.into() }
    }

    #[test]
    fn lines_are_complete_and_of_one_output() {
        let mut lines = LineAssembler::new(None);
        assert_eq!(lines.add(&out("one\ntwo\nth")), ["one", "two"]);
        assert_eq!(lines.add(&err("oops\n")), ["oops"]);
        assert_eq!(lines.add(&out("ree\r\n\n")), ["three", ""]);
        assert_eq!(lines.add(&out("four")), [""; 0]);
        assert_eq!(lines.rest(), ["four"]);
        assert_eq!(lines.rest(), [""; 0]);
    }

    #[test]
    fn messages_before_the_time_are_left_out() {
        let mut lines = LineAssembler::new(Some("2026-11-22T12:00:00.5Z".parse().unwrap()));
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.499999999Z old\n")), [""; 0]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.5Z new: ")), [""; 0]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.600Z a long one\n")), ["new: a long one"]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.700Z \n")), [""]);
    }
}
