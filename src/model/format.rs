//! Formats of printed data.

/// A format of printed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    Table,
    Json,
}

impl Format {
    /// The readers of this format, in two words for a help text.
    pub fn summary(self) -> &'static str {
        match self {
            Format::Table => "For people",
            Format::Json => "For scripts",
        }
    }
}
