//! Style: colours that distinguish instances, and the shape of tables. A colour never carries meaning alone.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, Color, ContentArrangement, LineStyle, Table, TableStyle};

use super::text::{pad, printable};

/// The permission to colour output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Output goes to a terminal that shows colours, or the user asked for colours.
    Colour,
    Plain,
}

impl Paint {
    fn apply(self, style: Style, text: &str) -> String {
        match self {
            Paint::Colour => format!("{style}{text}{style:#}"),
            Paint::Plain => text.to_owned(),
        }
    }
}

/// Colours that can be distinguished on dark and on light ground, as an escape sequence and in a table's cell.
const PALETTE: [(AnsiColor, Color); 12] = [
    (AnsiColor::Cyan, Color::DarkCyan),
    (AnsiColor::Yellow, Color::DarkYellow),
    (AnsiColor::Magenta, Color::DarkMagenta),
    (AnsiColor::Green, Color::DarkGreen),
    (AnsiColor::Blue, Color::DarkBlue),
    (AnsiColor::Red, Color::DarkRed),
    (AnsiColor::BrightCyan, Color::Cyan),
    (AnsiColor::BrightYellow, Color::Yellow),
    (AnsiColor::BrightMagenta, Color::Magenta),
    (AnsiColor::BrightGreen, Color::Green),
    (AnsiColor::BrightBlue, Color::Blue),
    (AnsiColor::BrightRed, Color::Red),
];

/// The place of an instance's colour in the palette: by the number in its name, so that neighbours differ, else by the
/// sum of its bytes.
fn palette_index(name: &str) -> usize {
    let number = name.rsplit_once('-').and_then(|(_, number)| number.parse::<usize>().ok());
    number.unwrap_or_else(|| name.bytes().map(usize::from).sum()) % PALETTE.len()
}

/// A table's cell for an instance, in the colour of its name.
pub fn instance_cell(label: &str, name: &str, paint: Paint) -> Cell {
    let cell = Cell::new(printable(label));
    match paint {
        Paint::Colour => cell.fg(PALETTE[palette_index(name)].1),
        Paint::Plain => cell,
    }
}

/// The name of an instance in its colour, padded to `columns`.
pub fn instance(name: &str, columns: usize, paint: Paint) -> String {
    sign(&pad(&printable(name), columns), name, paint)
}

/// A sign that stands for an instance, in the colour of the instance's name.
pub fn sign(sign: &str, name: &str, paint: Paint) -> String {
    paint.apply(PALETTE[palette_index(name)].0.on_default(), sign)
}

pub fn bold(text: &str, paint: Paint) -> String {
    paint.apply(Style::new().bold(), text)
}

/// The style of all tables: a line below the header and no other, so that each row is one line of text.
const TABLE_STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// An empty table in the style of all tables, as wide as its content.
pub fn table(paint: Paint) -> Table {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE).set_content_arrangement(ContentArrangement::Disabled);
    // the caller decided whether to colour, because it knows the stream that the table is written to
    table.force_no_tty();
    if paint == Paint::Colour {
        table.enforce_styling();
    }
    table
}
