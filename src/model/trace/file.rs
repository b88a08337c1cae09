//! The trace as a JSON text with one request per line (`lbctl.trace.v1`), to keep it and to judge it again.
//!
//! The text that is read may come from an attacker: all parts that the analysis and the reports rely on are checked
//! here.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, error::Category};

use super::{
    Instance, InstanceId, NameCertainty, NameFeature, PROBE_SCHEMA, Series, SessionId, TRACE_SCHEMA, Target, Trace,
    is_hidden,
};

/// The schema without its version.
const SCHEMA_OF_ANY_VERSION: &str = "lbctl.trace.v";
/// The longest reason, in characters: an error quotes the file, which can hold any amount of text.
const MAX_REASON_CHARS: usize = 300;
/// The number of outer levels of the JSON that have lines of their own: the levels above a request, which is one line.
const MULTILINE_LEVELS: usize = 4;

/// The reason why a file cannot be judged as a trace, as one line: `trace.json:12:7: expected …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct TraceError {
    place: String,
    reason: String,
    hint: &'static str,
}

const HINT_SAVE: &str = "`lbctl probe --save FILE` keeps a trace";
const HINT_NEWER: &str = "a newer lbctl may have written it; that one can judge it";
const HINT_DAMAGED: &str = "the file is damaged, or was changed by hand; `lbctl probe --save FILE` keeps another";

impl TraceError {
    fn new(file: &str, reason: &str, hint: &'static str) -> TraceError {
        TraceError { place: printable(file), reason: printable(reason), hint }
    }

    fn at(file: &str, error: &serde_json::Error, reason: &str, hint: &'static str) -> TraceError {
        TraceError::new(&format!("{file}:{}:{}", error.line(), error.column()), reason, hint)
    }

    /// The next step that the user can take.
    pub fn hint(&self) -> String {
        self.hint.to_owned()
    }
}

/// The content of a file, for reading.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileContent {
    #[serde(rename = "schema")]
    _schema: String,
    target: Target,
    #[serde(default)]
    identified_by: Option<String>,
    #[serde(default)]
    name_certainty: NameCertainty,
    #[serde(default)]
    unidentified: Option<String>,
    instances: Vec<Instance>,
    series: Vec<Series>,
}

/// The content of a file, for writing.
#[derive(Serialize)]
struct FileContentRef<'a> {
    schema: &'static str,
    target: &'a Target,
    identified_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_certainty: Option<NameCertainty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unidentified: &'a Option<String>,
    instances: &'a [Instance],
    series: &'a [Series],
}

/// The schema of any JSON object.
#[derive(Deserialize)]
struct SchemaOnly {
    #[serde(default)]
    schema: Option<Value>,
}

impl Trace {
    /// Writes the trace as the text of a file.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut to: impl Write) -> io::Result<()> {
        // the fields are named one by one, so that a new one is not forgotten
        let Trace { target, identified_by, unidentified, instances, series } = self;
        let content = FileContentRef {
            schema: TRACE_SCHEMA,
            target,
            identified_by: identified_by.as_ref().map(|feature| feature.words.as_str()),
            name_certainty: identified_by.as_ref().map(|feature| feature.certainty),
            unidentified,
            instances,
            series,
        };
        content.serialize(&mut serde_json::Serializer::with_formatter(&mut to, LineLayout::default()))?;
        to.write_all(b"\n")
    }

    /// Reads a trace from the text of the file that is called `file`.
    ///
    /// # Errors
    /// When the text is no trace, or its parts contradict each other.
    pub fn from_json(file: &str, text: &[u8]) -> Result<Trace, TraceError> {
        check_schema(file, text)?;
        let content: FileContent = serde_json::from_slice(text).map_err(|error| {
            let reason = reason(&error);
            let hint = if reason.starts_with("unknown ") { HINT_NEWER } else { HINT_DAMAGED };
            TraceError::at(file, &error, &reason, hint)
        })?;
        let FileContent { _schema, target, identified_by, name_certainty, unidentified, instances, series } = content;
        let identified_by = identified_by.map(|words| NameFeature { words, certainty: name_certainty });
        let trace = Trace { target, identified_by, unidentified, instances, series };
        match contradiction(&trace) {
            Some(contradiction) => Err(TraceError::new(file, &contradiction, HINT_DAMAGED)),
            None => Ok(trace),
        }
    }

    /// Replaces session ids by `s1`, `s2`, …, equal ones by equal ones. The id of a session gives access to it, and a
    /// trace is made to be shown; the analysis only compares the ids.
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

/// Checks that the text is a trace of a version that can be read.
fn check_schema(file: &str, text: &[u8]) -> Result<(), TraceError> {
    let not_a_trace = |reason: &str| Err(TraceError::new(file, reason, HINT_SAVE));
    if text.trim_ascii().is_empty() {
        return not_a_trace("the file is empty");
    }
    // serde would take a list for the fields of an object
    let read = if text.trim_ascii().starts_with(b"{") {
        serde_json::from_slice(text).map(Some)
    } else {
        serde_json::from_slice::<IgnoredAny>(text).map(|_| None)
    };
    let object: SchemaOnly = match read {
        Ok(Some(object)) => object,
        Ok(None) => return not_a_trace("not a trace"),
        Err(error) => {
            return Err(match error.classify() {
                Category::Data => TraceError::new(file, "not a trace", HINT_SAVE),
                Category::Eof => {
                    TraceError::at(file, &error, "it breaks off here, in the middle of the JSON", HINT_DAMAGED)
                }
                _ => TraceError::at(file, &error, &format!("not JSON: {}", reason(&error)), HINT_SAVE),
            });
        }
    };
    match object.schema.as_ref().map(|schema| schema.as_str().unwrap_or_default()) {
        Some(TRACE_SCHEMA) => Ok(()),
        None => not_a_trace("not a trace: it has no `schema`"),
        Some(PROBE_SCHEMA) => not_a_trace("not a trace, but the report of a probe"),
        Some(other) => match other.strip_prefix(SCHEMA_OF_ANY_VERSION) {
            Some(version) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
                let reason = format!("a trace of version {version}; this lbctl judges version 1");
                Err(TraceError::new(file, &reason, HINT_NEWER))
            }
            _ => not_a_trace(&format!("not a trace: its schema is `{other}`, not `{TRACE_SCHEMA}`")),
        },
    }
}

/// The message of serde without the place, which stands before it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The first contradiction between the parts of a trace, in words.
fn contradiction(trace: &Trace) -> Option<String> {
    let mut instances = HashSet::new();
    if let Some(twice) = trace.instances.iter().find(|instance| !instances.insert((&instance.name, &instance.hostname)))
    {
        return Some(format!("the instance `{}` stands there twice", twice.name));
    }
    let mut names = HashSet::new();
    trace.series.iter().find_map(|series| {
        let name = series.name.to_string();
        let twice = (!names.insert(name.clone())).then(|| "it stands there twice".to_owned());
        let contradiction = twice.or_else(|| contradiction_in(series, trace.instances.len()))?;
        Some(format!("series {name}: {contradiction}"))
    })
}

/// The first contradiction in a series of a trace with this number of instances.
fn contradiction_in(series: &Series, instances: usize) -> Option<String> {
    if series.conditions.concurrency == 0 {
        return Some("no request was under way at once".to_owned());
    }
    let mut last = 0;
    for request in &series.requests {
        if request.n <= last {
            return Some(format!("request {} comes after request {last}", request.n));
        }
        last = request.n;
        if let Some(error) = unknown_instance(request.instance, instances).or_else(|| endless_turn(request.turn)) {
            return Some(format!("request {}: {error}", request.n));
        }
    }
    let error = series
        .others
        .iter()
        .find_map(|other| unknown_instance(other.instance, instances).or_else(|| endless_turn(Some(other.turn))))?;
    Some(format!("a turn of another client: {error}"))
}

fn unknown_instance(id: Option<InstanceId>, instances: usize) -> Option<String> {
    let id = id.filter(|id| usize::from(id.0) >= instances)?;
    Some(format!("instance {}, but there are {instances}", id.0))
}

/// The greatest number is no turn, because the analysis also counts to the number after a turn.
fn endless_turn(turn: Option<u64>) -> Option<String> {
    (turn == Some(u64::MAX)).then(|| format!("turn {} is past counting", u64::MAX))
}

/// The text as one line that is not endless and has nothing that a terminal would obey.
fn printable(text: &str) -> String {
    let mut chars = text.chars();
    let mut line: String = chars
        .by_ref()
        .take(MAX_REASON_CHARS)
        .flat_map(|c| if is_hidden(c) { c.escape_default().collect() } else { vec![c] })
        .collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// The layout of the JSON: the outer levels have lines of their own, and everything deeper is on one line. So a mistake
/// has a line number, and a million requests are a million lines, not fourteen million.
#[derive(Default)]
struct LineLayout {
    depth: usize,
    filled: bool,
}

impl LineLayout {
    fn open(&mut self, to: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        to.write_all(bracket)
    }

    fn separate(&mut self, to: &mut (impl Write + ?Sized), first: bool) -> io::Result<()> {
        if !first {
            to.write_all(b",")?;
        }
        if self.depth <= MULTILINE_LEVELS {
            self.line(to)
        } else if first {
            Ok(())
        } else {
            to.write_all(b" ")
        }
    }

    fn close(&mut self, to: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled && self.depth < MULTILINE_LEVELS {
            self.line(to)?;
        }
        self.filled = true;
        to.write_all(bracket)
    }

    fn line(&self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        write!(to, "\n{:1$}", "", self.depth * 2)
    }
}

impl serde_json::ser::Formatter for LineLayout {
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
