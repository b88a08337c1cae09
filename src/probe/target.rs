//! The target: the URL that a user means, and the addresses of its name.

use std::{net::SocketAddr, time::Duration};

use url::Url;

use super::{http::resolve_host, recorder::Unreachable};

/// The error for a text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is not a target: {reason}")]
pub struct TargetError {
    pub target: String,
    pub reason: String,
}

/// Reads a host (`demo.api.ch`, `demo.api.ch:8080/api/`, `[::1]:80`) or an http or https URL.
///
/// # Errors
/// Fails when the text is neither of these, or holds a password.
pub fn parse_target(target: &str) -> Result<Url, TargetError> {
    let failed = |reason: String| TargetError { target: target.escape_debug().to_string(), reason };
    let text = if target.contains("://") { target.to_owned() } else { format!("http://{target}") };
    let mut url = Url::parse(&text).map_err(|error| failed(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(failed(format!("{}:// is neither http nor https", url.scheme())));
    }
    if !url.has_host() {
        return Err(failed("it names no host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(failed("a password does not belong in a URL; use -H 'Authorization: …'".to_owned()));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The addresses of a target's name, with the target's port. None where nothing is resolved here, because the target is an
/// address or a proxy resolves its name.
///
/// # Errors
/// Fails when the name does not resolve within `most`.
pub async fn resolve_addresses(url: &Url, most: Duration) -> Result<Vec<SocketAddr>, Unreachable> {
    resolve_host(url, most).await.map_err(|failure| Unreachable {
        url: url.to_string(),
        tried: "nothing was sent".to_owned(),
        failure,
    })
}

/// The URL with the path and the query of `path` in place of its own.
pub fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
    url
}

/// The path and the query of a URL.
pub fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_host_is_asked_over_http() {
        for (target, url) in [
            ("demo.api.ch", "http://demo.api.ch/"),
            ("demo.api.ch/api/?x=1", "http://demo.api.ch/api/?x=1"),
            ("localhost:8080", "http://localhost:8080/"),
            ("[::1]:80/x#y", "http://[::1]/x"),
            ("https://a.b", "https://a.b/"),
        ] {
            assert_eq!(parse_target(target).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_text_that_is_no_target_is_refused_with_its_reason() {
        for (target, words) in [
            ("", "empty host"),
            ("ftp://a", "neither http nor https"),
            ("http://u:p@a/", "password"),
            ("a b", "invalid"),
            ("http://:80", "empty host"),
        ] {
            let error = parse_target(target).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
