//! Cases: one request, and what both proxies must make of it.
//!
//! What is said of a case is what Traefik does. Where the bundled proxy does something else on purpose, the case says
//! so, with the reason; and it must do something else, so that no reason outlives its difference.

use super::{
    stage::{Kind, Side, Stage},
    wire::{Answer, ask, request},
};

/// Something that is true of an answer. In texts, `{client}`, `{server}`, `{many}` and `{project}` stand for the
/// client's address as the proxy sees it, the proxy's own name, the address of the server that most cases ask, and the
/// project's name.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    Status(u16),
    /// The whole body.
    Body(&'static str),
    /// The values of a response header; none: it is not there.
    Header(&'static str, &'static [&'static str]),
    /// The values of a trailer of the response.
    Trailer(&'static str, &'static [&'static str]),
    /// The `1xx` that came before the answer.
    Informed(&'static [u16]),
    /// The answer breaks off, or there is none.
    Broken,
    /// How the server saw the method.
    Method(&'static str),
    /// How the server saw the target.
    Url(&'static str),
    /// The port that the server was asked at.
    Port(u16),
    /// The length of the body that the server got.
    Length(usize),
    /// The values of a header as the server saw it.
    Saw(&'static str, &'static [&'static str]),
    /// The trailers that the server saw.
    SawTrailers(&'static [(&'static str, &'static str)]),
}

use Fact::*;

/// A plain answer of the proxy, as Go's `http.Error` writes it: what no router takes, and what no server is there for.
pub const NOT_FOUND: &[Fact] = &[
    Status(404),
    Body("404 page not found\n"),
    Header("content-type", &["text/plain; charset=utf-8"]),
    Header("x-content-type-options", &["nosniff"]),
];

/// A server that could not be asked, or hung up: this says no type.
pub const BAD_GATEWAY: &[Fact] = &[
    Status(502),
    Body("Bad Gateway"),
    Header("content-type", &[]),
    Header("content-length", &["11"]),
    Header("x-content-type-options", &[]),
];

/// A server whose answer is no HTTP.
pub const NO_HTTP: &[Fact] = &[Status(500), Body("Internal Server Error"), Header("content-type", &[])];

/// One request and what must be true of its answer.
#[derive(Clone)]
pub struct Case {
    name: String,
    /// With placeholders, as in a fact's texts.
    request: String,
    facts: Vec<Fact>,
    /// Why the bundled proxy differs, and what is true of its answer.
    otherwise: Option<(&'static str, Vec<Fact>)>,
}

impl Case {
    /// A GET of this target from this host.
    pub fn get(host: &str, target: &str) -> Case {
        Case::of(&format!("GET {host} {target}"), request("GET", host, target, &[]))
    }

    /// A GET from the server that most cases ask, with these header lines.
    pub fn with(headers: &[&str]) -> Case {
        Case::of(&headers.join(" | "), request("GET", "many.test", "/", headers))
    }

    /// A request in full; `\n` ends a line of its head.
    pub fn raw(text: &str) -> Case {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        Case::of(text, format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")))
    }

    fn of(name: &str, request: String) -> Case {
        let name = name.chars().take(100).collect::<String>().escape_debug().to_string();
        Case { name, request, facts: Vec::new(), otherwise: None }
    }

    /// What is true of every answer.
    pub fn is(mut self, facts: &[Fact]) -> Case {
        self.facts.extend(facts);
        self
    }

    /// What is true of the bundled proxy's answer instead, and why.
    pub fn but(mut self, why: &'static str, facts: &[Fact]) -> Case {
        self.otherwise = Some((why, facts.to_owned()));
        self
    }

    /// What this proxy does wrong in its answer.
    fn complaints(&self, answer: &Answer, stage: &Stage, side: &Side) -> Vec<String> {
        let wrong = |facts: &[Fact]| -> Vec<String> {
            facts.iter().filter_map(|fact| fact.complaint(answer, stage, side)).collect()
        };
        match &self.otherwise {
            Some((why, facts)) if side.kind == Kind::Bundled => {
                let mut complaints = wrong(facts);
                if wrong(&self.facts).is_empty() {
                    complaints.push(format!("answers as Traefik does, although it is said: {why}"));
                }
                complaints
            }
            _ => wrong(&self.facts),
        }
    }
}

impl Fact {
    fn complaint(self, answer: &Answer, stage: &Stage, side: &Side) -> Option<String> {
        let fill = |text: &str| stage.fill(side, text);
        let list = |values: &[&str]| format!("{:?}", values.iter().map(|value| fill(value)).collect::<Vec<_>>());
        let seen = |field: &str| answer.seen.as_ref().map_or(serde_json::Value::Null, |seen| seen[field].clone());
        let (what, is, should) = match self {
            Status(status) => ("status", answer.status.to_string(), status.to_string()),
            Body(body) => ("body", answer.text(), fill(body)),
            Header(name, values) => (name, format!("{:?}", answer.header(name)), list(values)),
            Trailer(name, values) => {
                let named = answer.trailers.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
                (name, format!("{:?}", named.collect::<Vec<_>>()), list(values))
            }
            Informed(statuses) => ("1xx", format!("{:?}", answer.informed), format!("{statuses:?}")),
            Broken => ("whole", answer.whole.to_string(), "false".to_owned()),
            Method(method) => ("method", seen("method").to_string(), format!("{method:?}")),
            Url(url) => ("url", seen("url").to_string(), serde_json::json!(fill(url)).to_string()),
            Port(port) => ("port", seen("port").to_string(), port.to_string()),
            Length(length) => ("length", seen("length").to_string(), length.to_string()),
            Saw(name, values) => (name, format!("{:?}", answer.saw(name)), list(values)),
            SawTrailers(fields) => ("trailers", seen("trailers").to_string(), serde_json::json!(fields).to_string()),
        };
        let ends = matches!(self, Broken) || answer.whole;
        match (is == should, ends) {
            (true, true) => None,
            (true, false) => Some("the answer breaks off".to_owned()),
            (false, _) => Some(format!("{what} is {is}, not {should}")),
        }
    }
}

/// Asks every case of every proxy, and says all that is wrong at once.
#[track_caller]
pub fn hold(stage: &Stage, cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        let answers: Vec<Answer> =
            stage.sides.iter().map(|side| ask(side.address, &stage.fill(side, &case.request))).collect();
        for (side, answer) in stage.sides.iter().zip(&answers) {
            let complaints = case.complaints(answer, stage, side);
            if !complaints.is_empty() {
                wrong.push(format!("{:?}: {}: {}", side.kind, case.name, complaints.join("; ")));
            }
        }
        if case.otherwise.is_none() {
            let [one, other] = [0, 1].map(|at| essence(&answers[at], stage, &stage.sides[at]));
            let only = |one: &[String], other: &[String]| -> Vec<String> {
                one.iter().filter(|line| !other.contains(line)).cloned().collect()
            };
            if one != other {
                let (one, other) = (only(&one, &other), only(&other, &one));
                wrong.push(format!("{}: Traefik alone: {one:?}; the bundled proxy alone: {other:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// All that a client and a server see of a case, but for what differs everywhere: a line each, sorted.
fn essence(answer: &Answer, stage: &Stage, side: &Side) -> Vec<String> {
    match answer.status {
        // how much of an answer that breaks off is passed on is nobody's business
        _ if !answer.whole => return vec!["breaks off".to_owned()],
        // a request that is none is refused by hyper, or by Go, in words of their own
        400 | 501 => return vec![format!("status {}", answer.status)],
        _ => {}
    }
    let mut lines = vec![format!("status {}", answer.status)];
    lines.extend(answer.informed.iter().map(|status| format!("informed {status}")));
    // who answered (at which port as well), and when; how a body ends is between two ends
    let apart = ["date", "x-served-by", "connection", "keep-alive", "transfer-encoding", "content-length", "trailer"];
    let fields = answer.headers.iter().filter(|(name, _)| !apart.contains(&&**name));
    lines.extend(fields.map(|(name, value)| format!("header {name}: {value}")));
    lines.extend(answer.trailers.iter().map(|(name, value)| format!("trailer {name}: {value}")));
    match &answer.seen {
        None => lines.push(format!("body {:?}", answer.text())),
        Some(seen) => {
            lines.extend(["method", "url", "version", "trailers", "length"].map(|of| format!("{of} {}", seen[of])));
            for header in seen["headers"].as_array().into_iter().flatten() {
                let (name, value) = (header[0].as_str().unwrap().to_ascii_lowercase(), header[1].as_str().unwrap());
                let value = match &*name {
                    "x-forwarded-for" | "x-real-ip" if *value == stage.fill(side, "{client}") => "{client}",
                    "x-forwarded-server" if *value == stage.fill(side, "{server}") => "{server}",
                    // asked for by Traefik's own client; a mark against loops, of routers without a rule of their own
                    "accept-encoding" if value == "gzip" => continue,
                    "x-traefik-router" => continue,
                    _ => value,
                };
                lines.push(format!("saw {name}: {value}"));
            }
        }
    }
    lines.sort();
    lines
}
