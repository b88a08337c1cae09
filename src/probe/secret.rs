//! Secrets of a command line: values that stand in the environment or in a file.

/// The value for which `env:NAME` or `file:PATH` stands; `None` for a text that stands for itself.
///
/// # Errors
/// When the environment has no such variable, or the file cannot be read.
pub fn reveal_secret(text: &str) -> Option<Result<String, String>> {
    match text.split_once(':')? {
        ("env", name) => Some(std::env::var(name).map_err(|_| format!("the environment has no {name}"))),
        ("file", path) => {
            let content = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
            // an editor ends a file with a newline, which is no part of a password
            Some(content.map(|text| text.trim_end_matches(['\n', '\r']).to_owned()))
        }
        _ => None,
    }
}
