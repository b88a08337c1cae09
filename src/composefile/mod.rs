//! The compose file reader: it turns a `docker-compose.yml` into the [`Definition`] of a lab.
//!
//! The reader follows the Compose specification as far as a lab needs it: YAML with anchors and merge keys, variables
//! with defaults, the `.env` beside the file, labels as a map or as a list. A field that the reader does not support leads
//! to a note if the lab means the same without it, and to an error otherwise.
//!
//! | file | task |
//! | --- | --- |
//! | `tree.rs` | YAML → a tree of values with their positions |
//! | `position.rs` | a place in the file |
//! | `yaml_error.rs` | plain words for the YAML reader's errors |
//! | `interpolation.rs` | replaces `${VAR:-default}` in one text |
//! | `dotenv.rs` | the `.env` file |
//! | `file.rs` | the tree → the definition |
//! | `definition.rs` | the definition |
//! | `service.rs`, `labels.rs` | one service: its role, labels and replicas |
//! | `fields.rs` | the known fields and their effects |
//! | `traefik.rs`, `ports.rs` | the proxy's own service: flags and ports |
//! | `error.rs` | the error of the reader |

mod definition;
mod dotenv;
mod error;
mod fields;
mod file;
mod interpolation;
mod labels;
mod ports;
mod position;
mod service;
mod traefik;
mod tree;
mod yaml_error;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

pub use self::definition::{APP_LABEL, Definition, MAX_REPLICAS, Origin, Role, Service};
use self::error::Problem;
pub use self::{
    error::{Cause, ComposeError},
    traefik::{AccessLog, TraefikFlags, traefik_flags},
};

/// The compose file of the lab that is compiled into the binary.
const BUILT_IN: &str = include_str!("../../lab/docker-compose.yml");

/// The largest file that is read. No real compose file is as large, and memory holds it easily.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a compose file. Its variables come from the process's environment and, second, from the `.env` beside the file.
pub fn load(path: &Path) -> Result<Definition, ComposeError> {
    load_with(path, &process_variable)
}

/// Reads the compose file that is compiled into the binary. Its variables come from the process's environment.
pub fn load_built_in() -> Result<Definition, ComposeError> {
    parse(BUILT_IN, Origin::BuiltIn, &process_variable)
}

/// Reads the output of `docker compose config`, which has no variables any more.
pub fn parse_resolved(text: &str) -> Result<Definition, ComposeError> {
    parse(text, Origin::Resolved, &|_| None)
}

/// Reads the text of a compose file, with the values that `variables` gives to its variables.
pub fn parse(
    text: &str,
    origin: Origin,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Definition, ComposeError> {
    let name = match &origin {
        Origin::BuiltIn => "the built-in lab".to_owned(),
        Origin::File(path) => path.display().to_string(),
        Origin::Resolved => "the file as Compose resolves it".to_owned(),
    };
    file::read(text, origin, variables).map_err(|problem| ComposeError::new(&name, problem))
}

/// Does the work of [`load`], with the environment as an argument.
fn load_with(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Definition, ComposeError> {
    let text = text_of(path).map_err(|problem| ComposeError::new(&path.display().to_string(), problem))?;
    let (dotenv, notes) = dotenv_beside(path, environment)?;
    let variables = |name: &str| environment(name).or_else(|| dotenv.get(name).cloned());
    let mut definition = parse(&text, Origin::File(path.to_path_buf()), &variables)?;
    definition.notes.splice(0..0, notes);
    Ok(definition)
}

fn process_variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The variables of the `.env` beside the compose file, and the notes about them.
fn dotenv_beside(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(BTreeMap<String, String>, Vec<String>), ComposeError> {
    let dotenv = path.with_file_name(".env");
    // Compose ignores a directory of this name too: a Python environment is often called so
    if !dotenv.exists() || dotenv.is_dir() {
        return Ok(Default::default());
    }
    text_of(&dotenv)
        .and_then(|text| dotenv::read(&text, environment))
        .map_err(|problem| ComposeError::new(&dotenv.display().to_string(), problem))
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Problem::unreadable("no such file")
            .hint("name a compose file with `-f FILE`, or leave `-f` out for the built-in lab"),
        ErrorKind::PermissionDenied => {
            Problem::unreadable("permission denied").hint("make the file readable for this user")
        }
        _ => Problem::unreadable(format!("cannot be read: {error}")),
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(Problem::unreadable("a directory, not a file").hint("name the compose file in it"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::new("larger than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        Problem::new("not UTF-8 text").at_line(line as u64).hint("save the file as UTF-8")
    })
}

#[cfg(test)]
mod tests;
