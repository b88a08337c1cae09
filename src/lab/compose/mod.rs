//! The compose file reader: it turns a `docker-compose.yml` into the [`Definition`] of a lab.
//!
//! It follows the Compose specification as far as a lab needs it: YAML with anchors and merge keys, variables with
//! defaults, labels as a map or as a list. What it does not support it says, in a note of
//! the definition where the lab still means the same, in an error where it would not.
//!
//! | file | what it does |
//! | --- | --- |
//! | `tree.rs` | YAML → a tree of values that know their line |
//! | `syntax.rs` | what is wrong with broken YAML, in plain words |
//! | `interpolate.rs` | `${VAR:-default}` in one text |
//! | `file.rs` | the tree → the definition |
//! | `service.rs`, `labels.rs` | one service: its role, labels and replicas |
//! | `fields.rs` | which fields there are, and what becomes of each |
//! | `traefik.rs`, `ports.rs` | what the proxy's own service says of ports and exposure |
//! | `error.rs` | the one error of all this |

mod error;
mod fields;
mod file;
mod interpolate;
mod labels;
mod ports;
mod service;
mod syntax;
mod traefik;
mod tree;

pub use self::error::{Cause, ComposeError};
use crate::lab::definition::{Definition, Origin};

/// The lab that is compiled in.
const BUILT_IN: &str = include_str!("../../../lab/docker-compose.yml");

/// The lab that is compiled in, interpolated with the process's environment.
pub fn built_in() -> Result<Definition, ComposeError> {
    parse(BUILT_IN, Origin::BuiltIn, &process)
}

/// Text and variables → definition: no file, no environment.
pub fn parse(
    text: &str,
    origin: Origin,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Definition, ComposeError> {
    let name = match &origin {
        Origin::BuiltIn => "the built-in lab".to_owned(),
        Origin::File(path) => path.display().to_string(),
    };
    file::read(text, origin, variables).map_err(|problem| ComposeError::new(&name, problem))
}

fn process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
