//! Names of instances in little room.

use comfy_table::Cell;

use crate::{
    model::trace::{Instance, InstanceId, Request, Trace},
    report::style::{self, Paint, printable, shorten},
};

/// The longest name that leaves two of them room in 80 columns.
const NAME_WIDTH: usize = 16;
/// Digits of a session id that tell sessions apart.
const SESSION_WIDTH: usize = 8;

/// A session's id, shortened.
pub fn short_session(id: &str) -> String {
    shorten(id, SESSION_WIDTH + 1)
}

/// Who answered a request, or what went wrong; the status where it is not 200.
pub fn answered(request: &Request, trace: &Trace, paint: Paint) -> Cell {
    let status = request.status.filter(|status| status.get() != 200);
    match (request.instance, &request.error, status) {
        (Some(id), None, None) => style::instance_cell(&label(trace, id), name(trace, id), paint),
        (Some(id), None, Some(status)) => {
            let label = fitted(trace, id, NAME_WIDTH - 4);
            style::instance_cell(&format!("{label} {status}"), name(trace, id), paint)
        }
        (_, Some(error), _) => Cell::new(shorten(&error.message, NAME_WIDTH)),
        (None, None, Some(status)) => Cell::new(format!("? {status}")),
        (None, None, None) => Cell::new("?"),
    }
}

/// A name that fits into a cell of the table.
pub fn label(trace: &Trace, id: InstanceId) -> String {
    fitted(trace, id, NAME_WIDTH)
}

/// An instance's name where it fits into `width`, else what tells it from the others.
pub fn in_width(trace: &Trace, name: &str, width: usize) -> String {
    let name_of = |instance: &Instance| instance.name == name;
    match trace.instances.iter().position(name_of).filter(|_| name.chars().count() > width) {
        Some(place) => printable(&fitted(trace, InstanceId(place as u16), width)),
        None => shorten(name, width),
    }
}

/// A name that fits into `width` and still tells instances apart: what all names share at their ends is left out, and
/// where the rest is too long, a number stands for the name.
fn fitted(trace: &Trace, id: InstanceId, width: usize) -> String {
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

/// What it calls itself.
pub fn name(trace: &Trace, id: InstanceId) -> &str {
    trace.instances.get(usize::from(id.0)).map_or("?", |instance| &instance.name)
}
