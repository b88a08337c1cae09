//! Headers that the user adds to every request.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::secret::reveal_secret;

/// A line that is no header. The error has only the header's name, because the value may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("-H `{name}`: {reason}")]
pub struct HeaderError {
    name: String,
    reason: String,
}

/// Reads lines of the form `NAME: VALUE`; a value may be `env:NAME` or `file:PATH`.
///
/// # Errors
/// When a line has another form, its secret is missing, or the value cannot stand in a header.
pub fn parse_headers(lines: &[String]) -> Result<HeaderMap, HeaderError> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = parse_header(line)?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn parse_header(line: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let shown = line.split(':').next().unwrap_or_default().escape_debug().to_string();
    let wrong = |reason: &str| HeaderError { name: shown.clone(), reason: reason.to_owned() };
    let header = line.split_once(':').and_then(|(name, value)| {
        Some((name.trim().parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
    });
    let (name, value) = header.ok_or_else(|| wrong("not NAME: VALUE"))?;
    let value = match value.to_str().ok().and_then(reveal_secret) {
        Some(secret) => HeaderValue::from_str(&secret.map_err(|reason| wrong(&reason))?)
            .map_err(|_| wrong("its value cannot stand in a header"))?,
        None => value,
    };
    Ok((name, value))
}
