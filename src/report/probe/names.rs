//! Names of instances in few columns.

use comfy_table::Cell;
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    model::trace::{Instance, InstanceId, Request, Trace},
    report::{
        style::{self, Paint},
        text::{printable, shorten, width},
    },
};

/// The columns of a name in the table: two names and the other cells fit into 80 columns.
const NAME_WIDTH: usize = 16;
/// The digits of a session id that are enough to distinguish sessions.
const SESSION_WIDTH: usize = 8;

/// The first digits of a session id.
pub fn short_session_id(id: &str) -> String {
    shorten(id, SESSION_WIDTH + 1)
}

/// The cell for the answer to a request: the name of the instance, with the status where that is not 200, or the error.
pub fn answer_cell(request: &Request, trace: &Trace, paint: Paint) -> Cell {
    let status = request.status.filter(|status| status.get() != 200);
    match (request.instance, &request.error, status) {
        (Some(id), None, None) => style::instance_cell(&label(trace, id), trace.instance_name(id), paint),
        (Some(id), None, Some(status)) => {
            let label = fitted(trace, id, NAME_WIDTH - 4);
            style::instance_cell(&format!("{label} {status}"), trace.instance_name(id), paint)
        }
        (_, Some(error), _) => Cell::new(shorten(&error.message, NAME_WIDTH)),
        (None, None, Some(status)) => Cell::new(format!("? {status}")),
        (None, None, None) => Cell::new("?"),
    }
}

/// The name of an instance, in the columns of a cell of the table.
pub fn label(trace: &Trace, id: InstanceId) -> String {
    fitted(trace, id, NAME_WIDTH)
}

/// The name of an instance where it fits into `columns`, else the part of it that distinguishes the instance.
pub fn in_width(trace: &Trace, name: &str, columns: usize) -> String {
    let name_of = |instance: &Instance| instance.name == name;
    match trace.instances.iter().position(name_of).filter(|_| width(name) > columns) {
        Some(place) => printable(&fitted(trace, InstanceId(place as u16), columns)),
        None => shorten(name, columns),
    }
}

/// The name of an instance in `columns`, still different from the names of the others. What all names share at their
/// beginning and at their end is left out; where the rest is too wide, a number stands for the name.
fn fitted(trace: &Trace, id: InstanceId, columns: usize) -> String {
    let names: Vec<String> = trace.instances.iter().map(|instance| printable(&instance.name)).collect();
    if names.iter().all(|name| width(name) <= columns) {
        return trace.instance_name(id).to_owned();
    }
    // letters with their accents, so that none of them is cut in two
    let names: Vec<Vec<&str>> = names.iter().map(|name| name.graphemes(true).collect()).collect();
    let reversed: Vec<Vec<&str>> = names.iter().map(|name| name.iter().rev().copied().collect()).collect();
    let own = &names[usize::from(id.0)];
    // one letter of each shared part stays, as a hint of what was there
    let from = shared_letters(&names).saturating_sub(1);
    let to = own.len().saturating_sub(shared_letters(&reversed).saturating_sub(1));
    let mark = |cut: bool| if cut { "…" } else { "" };
    let middle = own.get(from..to.max(from)).unwrap_or_default().concat();
    let label = format!("{}{middle}{}", mark(from > 0), mark(to < own.len()));
    if width(&label) <= columns { label } else { format!("#{}", id.0 + 1) }
}

/// The number of letters with which all names begin; 0 where there is only one name.
fn shared_letters(names: &[Vec<&str>]) -> usize {
    match names {
        [first, others @ ..] if !others.is_empty() => {
            (0..first.len()).take_while(|&n| others.iter().all(|name| name.get(n) == first.get(n))).count()
        }
        _ => 0,
    }
}
