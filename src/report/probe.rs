//! A probe in words: the two series side by side, and the verdict below.

use comfy_table::{Cell, CellAlignment};

use crate::{
    analysis::{Algorithm, BalancesPer, Checked, Order, Outcome, Stickiness, Verdict},
    trace::{Action, InstanceId, Request, SeriesName, Trace, Via},
};

use super::style::{self, Paint, count, millis, printable, shorten};

/// Rows that are shown of long series: so many at the beginning,
const FIRST_ROWS: usize = 30;
/// and so many at the end.
const LAST_ROWS: usize = 5;
/// The longest name that leaves two of them room in 80 columns.
const NAME_WIDTH: usize = 16;
/// Digits of a session id that tell sessions apart.
const SESSION_WIDTH: usize = 8;

/// Whom the requests went to.
pub fn target(trace: &Trace) -> String {
    // a trace that is replayed comes from anybody
    let to = printable(trace.target.connected_to.as_deref().unwrap_or("nowhere"));
    let why = match &trace.target.via {
        Via::Lab(project) => format!("{to}, the lab `{}`", printable(project)),
        Via::Dns => to,
        Via::Flag => format!("{to}, as --connect says"),
    };
    format!("{} at {why}", printable(&trace.target.url))
}

/// The series without and with a cookie jar, side by side.
pub fn table(trace: &Trace, paint: Paint) -> String {
    let requests = |name| trace.series(&name).map_or(&[][..], |series| &series.requests);
    let (without, with) = (requests(SeriesName::WithoutJar), requests(SeriesName::WithJar));
    let sessions = with.iter().any(|request| request.session_id.is_some() || request.logged_in.is_some());
    let mut table = style::table(paint);
    let mut header = vec!["#", "without jar", "ms", "with jar", "ms"];
    if sessions {
        header.extend(["session", "login"]);
    }
    table.set_header(header);
    let rows = without.len().max(with.len());
    for row in 0..rows {
        if rows > FIRST_ROWS + LAST_ROWS && row == FIRST_ROWS {
            table.add_row(["…".to_owned(), format!("… {} more …", rows - FIRST_ROWS - LAST_ROWS)]);
        }
        if rows > FIRST_ROWS + LAST_ROWS && (FIRST_ROWS..rows - LAST_ROWS).contains(&row) {
            continue;
        }
        let mut cells = vec![Cell::new(row + 1)];
        for request in [without.get(row), with.get(row)] {
            cells.push(request.map_or(Cell::new(""), |request| answered(request, trace, paint)));
            cells.push(request.map_or(Cell::new(""), |request| Cell::new(millis(request.us))));
        }
        if sessions {
            let request = with.get(row);
            let session = request.and_then(|request| request.session_id.as_deref());
            cells.push(Cell::new(session.map_or("-".to_owned(), short_session)));
            cells.push(Cell::new(request.map_or("", login)));
        }
        table.add_row(cells);
    }
    for column in [0, 2, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n", table.trim_fmt())
}

/// A session's id, shortened.
pub fn short_session(id: &str) -> String {
    shorten(id, SESSION_WIDTH + 1)
}

/// Who answered a request, or what went wrong; the status where it is not 200.
pub fn answered(request: &Request, trace: &Trace, paint: Paint) -> Cell {
    let status = request.status.filter(|&status| status != 200);
    match (request.instance, &request.error, status) {
        (Some(id), None, None) => style::instance_cell(&label(trace, id, NAME_WIDTH), name(trace, id), paint),
        (Some(id), None, Some(status)) => {
            let label = label(trace, id, NAME_WIDTH - 4);
            style::instance_cell(&format!("{label} {status}"), name(trace, id), paint)
        }
        (_, Some(error), _) => Cell::new(shorten(&error.message, NAME_WIDTH)),
        (None, None, Some(status)) => Cell::new(format!("? {status}")),
        (None, None, None) => Cell::new("?"),
    }
}

/// A name that fits into `width` and still tells instances apart: what all names share at their ends is left out, and
/// where the rest is too long, a number stands for the name.
fn label(trace: &Trace, id: InstanceId, width: usize) -> String {
    let names: Vec<Vec<char>> =
        trace.instances.iter().map(|instance| printable(&instance.name).chars().collect()).collect();
    if names.iter().all(|name| name.len() <= width) {
        return name(trace, id).to_owned();
    }
    let shared = |from_end: bool| {
        let nth = |name: &Vec<char>, n: usize| {
            if from_end { name.iter().rev().nth(n).copied() } else { name.get(n).copied() }
        };
        let first = names.first().map_or(0, Vec::len);
        if names.len() < 2 {
            0
        } else {
            (0..first).take_while(|&n| names.iter().all(|name| nth(name, n) == nth(&names[0], n))).count()
        }
    };
    let own = &names[usize::from(id.0)];
    let (head, tail) = (shared(false), shared(true));
    let (from, to) = (head.saturating_sub(1), own.len().saturating_sub(tail.saturating_sub(1)));
    let mark = |cut: bool| if cut { "…" } else { "" };
    let middle: String = own.get(from..to.max(from)).unwrap_or_default().iter().collect();
    let label = format!("{}{middle}{}", mark(from > 0), mark(to < own.len()));
    if label.chars().count() <= width { label } else { format!("#{}", id.0 + 1) }
}

fn name(trace: &Trace, id: InstanceId) -> &str {
    trace.instances.get(usize::from(id.0)).map_or("?", |instance| &instance.name)
}

fn login(request: &Request) -> &'static str {
    match (request.action, request.logged_in) {
        (Action::Open, _) => "-",
        (Action::Login, _) => "logs in",
        (Action::Get, Some(true)) => "yes",
        (Action::Get, Some(false)) => "no",
        (Action::Get, None) => "-",
    }
}

/// The verdict in plain words.
pub fn verdict(trace: &Trace, verdict: &Verdict, paint: Paint) -> String {
    let mut lines = vec![style::bold(&wrapped(&headline(verdict), "", "  "), paint)];
    if !verdict.cycle.is_empty() {
        let names = verdict.cycle.iter().chain(verdict.cycle.first());
        let names: Vec<String> = names.map(|name| style::instance(name, 0, paint)).collect();
        lines.push(wrap_cycle(&names, &verdict.cycle));
    }
    lines.push(format!("  requests:  {}", hits(verdict)));
    lines.push(format!("  sticky:    {}", sticky(verdict)));
    if verdict.balances_per != BalancesPer::Undetermined {
        lines.push(format!("  picks:     once a {}", verdict.balances_per.as_str()));
    }
    if let Some(how) = &trace.identified_by {
        lines.push(format!("  known by:  {}", shorten(how, 66)));
    }
    if verdict.algorithm != Algorithm::Undetermined {
        lines.push(match verdict.chance > 0.0 {
            true => format!("  certainty: by chance this would be wrong {}", verdict.chance_in_words()),
            false => "  certainty: what is ruled out could not have looked like this".to_owned(),
        });
    }
    lines.push("  because:".to_owned());
    lines.extend(verdict.evidence.iter().map(|sentence| wrapped(sentence, "    - ", "      ")));
    lines.join("\n") + "\n"
}

/// What became of what was expected, a line each.
pub fn expected(checked: &[Checked]) -> String {
    let line = |Checked { expect, outcome, found }: &Checked| match outcome {
        Outcome::Met => format!("as expected: {expect}"),
        Outcome::Contradicted => format!("not as expected: {expect}, it is {found}"),
        Outcome::Undetermined => format!("undecided: {expect}, it is {found}"),
    };
    checked.iter().map(|checked| wrapped(&line(checked), "", "  ") + "\n").collect()
}

fn headline(verdict: &Verdict) -> String {
    let instances = count(verdict.instances.len() as u64, "instance");
    let others: Vec<&str> = verdict.candidates.iter().skip(1).map(|other| other.as_str()).collect();
    let or = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
    match (verdict.algorithm, verdict.order) {
        (Algorithm::Undetermined, _) => format!("undetermined: {instances} answered"),
        (Algorithm::Single, _) => format!("one instance answers{or}"),
        (Algorithm::RoundRobin, Some(Order::Fixed)) => {
            format!("round-robin over {instances}, every round the same{or}")
        }
        (Algorithm::RoundRobin, Some(Order::Changing)) => {
            let after = verdict.repeats_after.map_or(String::new(), |n| format!(", repeating after {n}"));
            format!("round-robin over {instances}, in an order that changes each round{after}{or}")
        }
        (Algorithm::RoundRobin, Some(Order::Interleaved)) => {
            format!("round-robin over {instances}, by several counters that take turns{or}")
        }
        (Algorithm::WeightedRoundRobin, _) => format!("weighted-round-robin over {instances}{}{or}", weights(verdict)),
        (algorithm, _) => format!("{} over {instances}{or}", algorithm.as_str()),
    }
}

/// The weights in the order of the names, where all of them are known.
fn weights(verdict: &Verdict) -> String {
    let weights: Option<Vec<String>> =
        verdict.instances.iter().map(|instance| Some(instance.weight?.to_string())).collect();
    weights.filter(|weights| !weights.is_empty()).map_or(String::new(), |weights| format!(", {}", weights.join(":")))
}

/// The ring on lines of at most 80 columns; `plain` gives the widths, `names` may be coloured.
fn wrap_cycle(names: &[String], plain: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = "  order:     ".to_owned();
    let mut width = text.len();
    for (index, name) in names.iter().enumerate().take(MOST) {
        let length = plain[index % plain.len()].chars().count() + 3;
        if index > 0 && width + length > 80 {
            text += "\n             ";
            width = 13;
        } else if index > 0 {
            text.push(' ');
        }
        text += name;
        if index + 1 < names.len() {
            text += " →";
        }
        width += length;
    }
    if names.len() > MOST {
        text += "…";
    }
    text
}

fn hits(verdict: &Verdict) -> String {
    const MOST: usize = 50;
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    match (hits.iter().min(), hits.iter().max()) {
        (Some(least), Some(most)) if least == most && hits.len() > 1 => format!("{least} to each"),
        (Some(least), Some(most)) if hits.len() > MOST => format!("{least} to {most} to each"),
        (Some(_), Some(_)) => {
            let each: Vec<String> = verdict
                .instances
                .iter()
                .map(|instance| format!("{} {}", printable(&instance.name), instance.hits))
                .collect();
            // the label before it is as wide
            wrapped(&each.join(", "), "             ", "             ").trim_start().to_owned()
        }
        _ => "no instance was recognised".to_owned(),
    }
}

fn sticky(verdict: &Verdict) -> String {
    match (verdict.stickiness, &verdict.sticky_cookie) {
        (Stickiness::None, _) => "no".to_owned(),
        (Stickiness::Cookie, Some(cookie)) => format!("by the cookie {}", printable(cookie)),
        (Stickiness::Cookie, None) => "by a cookie".to_owned(),
        (Stickiness::Source, _) => "by the client's address".to_owned(),
        (Stickiness::Undetermined, _) => "undetermined".to_owned(),
    }
}

/// A sentence on lines of at most 80 columns.
pub fn wrapped(sentence: &str, first: &str, rest: &str) -> String {
    let mut text = first.to_owned();
    let mut width = first.chars().count();
    let mut empty = true;
    // names in it come from outside
    let sentence: String =
        sentence.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if !empty && width + 1 + length > 80 {
            text += &format!("\n{rest}");
            width = rest.chars().count();
            empty = true;
        }
        if !empty {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += length;
        empty = false;
    }
    text
}
