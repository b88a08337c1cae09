//! A trace as text, to keep it and to judge it again: `lbctl.trace.v1`, JSON with a request a line.
//!
//! What is read was written by anybody: whatever the analysis and the reports rely on is checked here.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, error::Category};

use super::{Instance, InstanceId, Series, SessionId, Target, Trace, is_hidden};

/// What a file says that it is.
pub const SCHEMA: &str = "lbctl.trace.v1";
/// The same without the version.
const ANY_VERSION: &str = "lbctl.trace.v";
/// The longest reason: a file can quote any amount of text at its reader.
const MAX_CHARS: usize = 300;
/// How many levels of the JSON are laid out on lines of their own: down to a request, which is one line.
const LEVELS: usize = 4;

/// Why a file is no trace that can be judged.
///
/// Displayed as one line: `trace.json:12:7: expected …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct TraceError {
    place: String,
    reason: String,
    hint: &'static str,
}

const KEEP: &str = "`lbctl probe --save FILE` keeps a trace";
const NEWER: &str = "a newer lbctl may have written it; that one can judge it";
const DAMAGED: &str = "the file is damaged, or was changed by hand; `lbctl probe --save FILE` keeps another";

impl TraceError {
    fn new(file: &str, reason: &str, hint: &'static str) -> TraceError {
        TraceError { place: printable(file), reason: printable(reason), hint }
    }

    fn at(file: &str, error: &serde_json::Error, reason: &str, hint: &'static str) -> TraceError {
        TraceError::new(&format!("{file}:{}:{}", error.line(), error.column()), reason, hint)
    }

    /// What can be done about it.
    pub fn hint(&self) -> String {
        self.hint.to_owned()
    }
}

/// What stands in the file; the fields of a trace and what they are the fields of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(rename = "schema")]
    _schema: String,
    target: Target,
    #[serde(default)]
    identified_by: Option<String>,
    #[serde(default)]
    unidentified: Option<String>,
    instances: Vec<Instance>,
    series: Vec<Series>,
}

#[derive(Serialize)]
struct Keeping<'a> {
    schema: &'static str,
    target: &'a Target,
    identified_by: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unidentified: &'a Option<String>,
    instances: &'a [Instance],
    series: &'a [Series],
}

/// As much of any JSON as tells what it is.
#[derive(Deserialize)]
struct Anything {
    #[serde(default)]
    schema: Option<Value>,
}

impl Trace {
    /// Writes the text to be kept.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_json(&self, mut to: impl Write) -> io::Result<()> {
        // named one by one, so that a new one is not forgotten
        let Trace { target, identified_by, unidentified, instances, series } = self;
        let keeping = Keeping { schema: SCHEMA, target, identified_by, unidentified, instances, series };
        keeping.serialize(&mut serde_json::Serializer::with_formatter(&mut to, Lines::default()))?;
        to.write_all(b"\n")
    }

    /// A trace from its text, which came from `file`.
    ///
    /// # Errors
    /// When it is none, or none that fits together.
    pub fn from_json(file: &str, text: &[u8]) -> Result<Trace, TraceError> {
        recognise(file, text)?;
        let read: Kept = serde_json::from_slice(text).map_err(|error| {
            let reason = reason(&error);
            let hint = if reason.starts_with("unknown ") { NEWER } else { DAMAGED };
            TraceError::at(file, &error, &reason, hint)
        })?;
        let Kept { _schema, target, identified_by, unidentified, instances, series } = read;
        let trace = Trace { target, identified_by, unidentified, instances, series };
        match misfit(&trace) {
            Some(misfit) => Err(TraceError::new(file, &misfit, DAMAGED)),
            None => Ok(trace),
        }
    }

    /// Puts `s1`, `s2`, … in the place of session ids, equal ones for equal ones: to whoever has the id, the session is
    /// open, and a trace is made to be shown. The analysis only compares them.
    pub fn conceal_sessions(&mut self) {
        let mut known: HashMap<SessionId, SessionId> = HashMap::new();
        for request in self.series.iter_mut().flat_map(|series| &mut series.requests) {
            if let Some(id) = request.session_id.take() {
                let next = known.len() + 1;
                request.session_id = Some(known.entry(id).or_insert_with(|| format!("s{next}").into()).clone());
            }
        }
    }
}

/// Whether the text says that it is a trace, of a version that can be read.
fn recognise(file: &str, text: &[u8]) -> Result<(), TraceError> {
    let not_one = |reason: &str| Err(TraceError::new(file, reason, KEEP));
    if text.trim_ascii().is_empty() {
        return not_one("the file is empty");
    }
    // a list would do as the fields of an object, for serde
    let read = if text.trim_ascii().starts_with(b"{") {
        serde_json::from_slice(text).map(Some)
    } else {
        serde_json::from_slice::<IgnoredAny>(text).map(|_| None)
    };
    let anything: Anything = match read {
        Ok(Some(anything)) => anything,
        Ok(None) => return not_one("not a trace"),
        Err(error) => {
            return Err(match error.classify() {
                Category::Data => TraceError::new(file, "not a trace", KEEP),
                Category::Eof => TraceError::at(file, &error, "it breaks off here, in the middle of the JSON", DAMAGED),
                _ => TraceError::at(file, &error, &format!("not JSON: {}", reason(&error)), KEEP),
            });
        }
    };
    match anything.schema.as_ref().map(|schema| schema.as_str().unwrap_or_default()) {
        Some(SCHEMA) => Ok(()),
        None => not_one("not a trace: it has no `schema`"),
        Some("lbctl.probe.v1") => not_one("not a trace, but the report of a probe"),
        Some(other) => match other.strip_prefix(ANY_VERSION) {
            Some(version) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
                let reason = format!("a trace of version {version}; this lbctl judges version 1");
                Err(TraceError::new(file, &reason, NEWER))
            }
            _ => not_one(&format!("not a trace: its schema is `{other}`, not `{SCHEMA}`")),
        },
    }
}

/// serde's words without the place, which is said before them.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What does not fit together, in words.
fn misfit(trace: &Trace) -> Option<String> {
    let mut instances = HashSet::new();
    if let Some(twice) = trace.instances.iter().find(|instance| !instances.insert((&instance.name, &instance.hostname)))
    {
        return Some(format!("the instance `{}` stands there twice", twice.name));
    }
    let mut names = HashSet::new();
    for series in &trace.series {
        let name = series.name.to_string();
        let said = |what: String| Some(format!("series {name}: {what}"));
        if !names.insert(name.clone()) {
            return said("it stands there twice".to_owned());
        }
        if series.conditions.concurrency == 0 {
            return said("no request was under way at once".to_owned());
        }
        let unknown = |id: Option<InstanceId>| {
            let id = id.filter(|id| usize::from(id.0) >= trace.instances.len())?;
            Some(format!("instance {}, but there are {}", id.0, trace.instances.len()))
        };
        // the number after it is counted to, too
        let endless =
            |turn: Option<u64>| (turn == Some(u64::MAX)).then(|| format!("turn {} is past counting", u64::MAX));
        let mut last = 0;
        for request in &series.requests {
            if request.n <= last {
                return said(format!("request {} comes after request {last}", request.n));
            }
            last = request.n;
            if let Some(what) = unknown(request.instance).or_else(|| endless(request.turn)) {
                return said(format!("request {}: {what}", request.n));
            }
        }
        let others = series.others.iter();
        if let Some(what) =
            others.filter_map(|other| unknown(other.instance).or_else(|| endless(Some(other.turn)))).next()
        {
            return said(format!("a turn of another client: {what}"));
        }
    }
    None
}

/// One line, not endless, without what a terminal would obey.
fn printable(text: &str) -> String {
    let mut chars = text.chars();
    let mut line: String = chars
        .by_ref()
        .take(MAX_CHARS)
        .flat_map(|c| if is_hidden(c) { c.escape_default().collect() } else { vec![c] })
        .collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// The layout: the outer levels on lines of their own, what is deeper on one line, so that a mistake has a line and a
/// million requests have not fourteen million.
#[derive(Default)]
struct Lines {
    depth: usize,
    filled: bool,
}

impl Lines {
    fn open(&mut self, to: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        to.write_all(bracket)
    }

    fn separate(&mut self, to: &mut (impl Write + ?Sized), first: bool) -> io::Result<()> {
        if !first {
            to.write_all(b",")?;
        }
        match (self.depth <= LEVELS, first) {
            (true, _) => self.line(to),
            (false, true) => Ok(()),
            (false, false) => to.write_all(b" "),
        }
    }

    fn close(&mut self, to: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled && self.depth < LEVELS {
            self.line(to)?;
        }
        self.filled = true;
        to.write_all(bracket)
    }

    fn line(&self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        write!(to, "\n{:1$}", "", self.depth * 2)
    }
}

impl serde_json::ser::Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.open(to, b"[")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.separate(to, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"]")
    }

    fn begin_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.open(to, b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.separate(to, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.close(to, b"}")
    }
}
