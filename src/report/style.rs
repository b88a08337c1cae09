//! Style: colours that tell instances apart, and the shape of tables. A colour never carries meaning alone.

use comfy_table::{Cell, Color, ContentArrangement, LineStyle, Table, TableStyle};

use crate::model::trace::without_hidden;

/// Whether output may be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// A terminal that wants it.
    Colour,
    /// Anything else.
    Plain,
}

/// Colours that are told apart on dark and on light ground.
const PALETTE: [(u8, Color); 12] = [
    (36, Color::DarkCyan),
    (33, Color::DarkYellow),
    (35, Color::DarkMagenta),
    (32, Color::DarkGreen),
    (34, Color::DarkBlue),
    (31, Color::DarkRed),
    (96, Color::Cyan),
    (93, Color::Yellow),
    (95, Color::Magenta),
    (92, Color::Green),
    (94, Color::Blue),
    (91, Color::Red),
];

/// The place of an instance's colour: by the number in its name, so that neighbours differ, else by its letters.
fn place(name: &str) -> usize {
    let number = name.rsplit_once('-').and_then(|(_, number)| number.parse::<usize>().ok());
    number.unwrap_or_else(|| name.bytes().map(usize::from).sum()) % PALETTE.len()
}

/// A table's cell that stands for an instance, in the colour of its name.
pub fn instance_cell(label: &str, name: &str, paint: Paint) -> Cell {
    let cell = Cell::new(printable(label));
    match paint {
        Paint::Colour => cell.fg(PALETTE[place(name)].1),
        Paint::Plain => cell,
    }
}

/// An instance's name in its colour, padded to `width`.
pub fn instance(name: &str, width: usize, paint: Paint) -> String {
    sign(&format!("{:<width$}", printable(name)), name, paint)
}

/// A sign that stands for an instance, in the colour of its name.
pub fn sign(sign: &str, name: &str, paint: Paint) -> String {
    match paint {
        Paint::Colour => format!("\x1b[{}m{sign}\x1b[0m", PALETTE[place(name)].0),
        Paint::Plain => sign.to_owned(),
    }
}

/// Text in bold.
pub fn bold(text: &str, paint: Paint) -> String {
    match paint {
        Paint::Colour => format!("\x1b[1m{text}\x1b[0m"),
        Paint::Plain => text.to_owned(),
    }
}

/// A line below the header and nothing else, so that a row is a line.
const HOUSE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// A table in the house style, as wide as its content.
pub fn table(paint: Paint) -> Table {
    let mut table = Table::new();
    table.load_style(HOUSE).set_content_arrangement(ContentArrangement::Disabled);
    // whether to colour was decided outside, for the stream that is written to
    table.force_no_tty();
    if paint == Paint::Colour {
        table.enforce_styling();
    }
    table
}

/// Text from outside, such as a hostname: without hidden characters, and not endless.
pub fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut printable = without_hidden(&text.chars().take(LONGEST).collect::<String>());
    if text.chars().nth(LONGEST).is_some() {
        printable.push('…');
    }
    printable
}

/// The start of a text that is too long, with a sign that it is.
pub fn shorten(text: &str, width: usize) -> String {
    let text = printable(text);
    match text.chars().count() > width {
        true => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        false => text,
    }
}

/// `1 replica`, `2 replicas`
pub fn count(n: impl Into<u64>, noun: &str) -> String {
    match n.into() {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// Microseconds as milliseconds with a sensible number of digits.
pub fn millis(us: u64) -> String {
    let ms = us as f64 / 1000.0;
    match us {
        0..100_000 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// A sentence on lines of at most 80 columns.
pub fn wrapped(sentence: &str, first: &str, rest: &str) -> String {
    let mut text = first.to_owned();
    let mut width = first.chars().count();
    let mut empty = true;
    // names in it come from outside
    let sentence = without_hidden(sentence);
    // nothing is wider than a line, not even a name
    let most = 80 - first.chars().count().max(rest.chars().count());
    let words = sentence.split_whitespace().map(|word| word.chars().collect::<Vec<_>>());
    let words: Vec<String> =
        words.flat_map(|word| word.chunks(most).map(|part| part.iter().collect()).collect::<Vec<String>>()).collect();
    for word in &words {
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

/// Cells in columns, on lines of at most 80 columns of which all but the first begin with `indent`. Of each cell: how wide
/// it is, and its text, which may be coloured.
pub fn columns(cells: &[(usize, String)], indent: &str) -> String {
    const GAP: usize = 2;
    let widest = cells.iter().map(|(width, _)| *width).max().unwrap_or(0);
    let a_line = ((80 - indent.len() + GAP) / (widest + GAP)).max(1);
    let line = |cells: &[(usize, String)]| {
        let padded = cells.iter().map(|(width, text)| format!("{text}{}", " ".repeat(widest - width)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    cells.chunks(a_line).map(line).collect::<Vec<_>>().join(&format!("\n{indent}"))
}
