//! The table: the series without and with a cookie jar, side by side.

use comfy_table::{Cell, CellAlignment};

use crate::{
    model::trace::{Action, Request, SeriesName, Trace},
    report::{
        style::{self, Paint},
        text::millis,
    },
};

use super::names::{answer_cell, short_session_id};

/// Series of at most this many requests are shown whole.
pub const MAX_ROWS: usize = 36;
/// The rows that are shown of longer series: they show what a request is, and the strips below show all requests.
const FIRST_ROWS: usize = 10;

pub fn render_table(trace: &Trace, paint: Paint) -> String {
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
    let shown = if rows > MAX_ROWS { FIRST_ROWS } else { rows };
    for row in 0..shown {
        let mut cells = vec![Cell::new(row + 1)];
        for request in [without.get(row), with.get(row)] {
            cells.push(request.map_or(Cell::new(""), |request| answer_cell(request, trace, paint)));
            cells.push(request.map_or(Cell::new(""), |request| Cell::new(millis(request.us))));
        }
        if sessions {
            let request = with.get(row);
            let session = |request: &Request| request.session_id.as_deref().map_or("-".to_owned(), short_session_id);
            cells.push(Cell::new(request.map_or(String::new(), session)));
            cells.push(Cell::new(request.map_or("", login)));
        }
        table.add_row(cells);
    }
    if shown < rows {
        table.add_row(["…".to_owned(), format!("… {} more …", rows - shown)]);
    }
    for column in [0, 2, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n", table.trim_fmt())
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
