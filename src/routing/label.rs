//! One label on its way into the configuration: its value as the type that a field needs, or the error that names it.

use std::collections::BTreeMap;

/// Fields by name, in lower case, with their values as they are written.
pub type Fields = BTreeMap<String, String>;

/// A label as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// The full name: `traefik.http.routers.web.rule`.
    pub name: &'a str,
    pub value: &'a str,
}

/// A label that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("label {label}: {reason}")]
pub struct LabelError {
    /// The full name of the label.
    pub label: String,
    pub reason: String,
}

impl<'a> Label<'a> {
    /// The error that this label cannot be used, for this reason.
    pub fn error(&self, reason: impl Into<String>) -> LabelError {
        LabelError { label: self.name.to_owned(), reason: reason.into() }
    }

    /// The value as Go's `strconv.ParseBool` reads it, which Traefik uses.
    pub fn boolean(&self) -> Result<bool, LabelError> {
        match self.value {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
            value => Err(self.error(format!("`{value}` is neither true nor false"))),
        }
    }

    /// The value as a whole number.
    pub fn whole_number(&self) -> Result<i64, LabelError> {
        self.value.parse().map_err(|_| self.error(format!("`{}` is not a whole number", self.value)))
    }

    /// The elements of a value that is a list.
    pub fn list(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let value = self.value;
        value.split(',').map(str::trim).filter(move |_| !value.is_empty())
    }
}
