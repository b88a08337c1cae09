//! Lines out of a container's log, which comes in messages: most are a line, a long line is several.

use bollard::container::LogOutput;
use jiff::Timestamp;

/// Puts messages together.
#[derive(Debug)]
pub(super) struct Assembler {
    /// Messages begin with their time, and older ones are left out.
    since: Option<Timestamp>,
    /// What was begun on each of the two outputs.
    begun: [Vec<u8>; 2],
}

impl Assembler {
    /// With a time, every message begins with its own.
    pub fn new(since: Option<Timestamp>) -> Self {
        Assembler { since, begun: Default::default() }
    }

    /// The lines that a message completes.
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
        let begun = &mut self.begun[usize::from(matches!(message, LogOutput::StdErr { .. }))];
        begun.extend_from_slice(text);
        let Some(end) = begun.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = begun.split_off(end + 1);
        let complete = std::mem::replace(begun, rest);
        complete[..end].split(|byte| *byte == b'\n').map(line).collect()
    }

    /// What was begun and never completed, at the end.
    pub fn rest(&mut self) -> Vec<String> {
        let begun = std::mem::take(&mut self.begun);
        begun.into_iter().filter(|text| !text.is_empty()).map(|text| line(&text)).collect()
    }
}

/// A terminal's lines end in two characters.
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
        let mut lines = Assembler::new(None);
        assert_eq!(lines.add(&out("one\ntwo\nth")), ["one", "two"]);
        assert_eq!(lines.add(&err("oops\n")), ["oops"]);
        assert_eq!(lines.add(&out("ree\r\n\n")), ["three", ""]);
        assert_eq!(lines.add(&out("four")), [""; 0]);
        assert_eq!(lines.rest(), ["four"]);
        assert_eq!(lines.rest(), [""; 0]);
    }

    #[test]
    fn what_is_older_is_left_out() {
        let mut lines = Assembler::new(Some("2026-11-22T12:00:00.5Z".parse().unwrap()));
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.499999999Z old\n")), [""; 0]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.5Z new: ")), [""; 0]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.600Z a long one\n")), ["new: a long one"]);
        assert_eq!(lines.add(&out("2026-11-22T12:00:00.700Z \n")), [""]);
    }
}
