//! Places in a compose file.

/// A line and perhaps a column, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: Option<u64>,
}

impl Position {
    /// The place that the YAML reader reports; `None` if it reports none.
    pub(super) fn from_location(location: &serde_saphyr::Location) -> Option<Position> {
        let column = Some(location.column()).filter(|column| *column > 0);
        (location.line() > 0).then(|| Position { line: location.line(), column })
    }
}
