//! Middlewares: the fields below `traefik.http.middlewares`.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::label::{Fields, Label, LabelError};

/// Traefik's other kinds of middlewares, which have no effect in the bundled proxy.
const OTHER_KINDS: [&str; 23] = [
    "addprefix",
    "basicauth",
    "buffering",
    "chain",
    "circuitbreaker",
    "compress",
    "contenttype",
    "digestauth",
    "encodedcharacters",
    "errors",
    "forwardauth",
    "grpcweb",
    "inflightreq",
    "ipallowlist",
    "ipwhitelist",
    "passtlsclientcert",
    "plugin",
    "ratelimit",
    "redirectregex",
    "redirectscheme",
    "replacepath",
    "replacepathregex",
    "stripprefixregex",
];

/// The other options of Traefik's kind `headers`, which have no effect in the bundled proxy. Those that begin with
/// `accesscontrol` are options too.
const OTHER_HEADER_OPTIONS: [&str; 24] = [
    "addvaryheader",
    "allowedhosts",
    "browserxssfilter",
    "contentsecuritypolicy",
    "contentsecuritypolicyreportonly",
    "contenttypenosniff",
    "custombrowserxssvalue",
    "customframeoptionsvalue",
    "featurepolicy",
    "forcestsheader",
    "framedeny",
    "hostsproxyheaders",
    "isdevelopment",
    "permissionspolicy",
    "publickey",
    "referrerpolicy",
    "sslforcehost",
    "sslhost",
    "sslproxyheaders",
    "sslredirect",
    "ssltemporaryredirect",
    "stsincludesubdomains",
    "stspreload",
    "stsseconds",
];

/// A middleware that does something in the bundled proxy.
#[derive(Debug, Clone)]
pub enum Middleware {
    /// Takes the first of these prefixes that a path starts with away.
    StripPrefix(Vec<(String, HeaderValue)>),
    /// Sets headers, or removes those whose value is empty.
    Headers { request: HeaderMap, response: HeaderMap },
}

/// `traefik.http.middlewares.NAME.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MiddlewareConfig {
    prefixes: Vec<(String, HeaderValue)>,
    request: HeaderMap,
    response: HeaderMap,
    /// Every field as it is written, by which two definitions differ.
    fields: Fields,
}

/// The error for a middleware that no router can use. Its text continues a sentence that begins with the name of the
/// middleware.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableMiddleware {
    #[error("has no attempts")]
    NoAttempts,
    #[error("is of several kinds, {}", .0.join(" and "))]
    SeveralKinds(Vec<String>),
}

impl MiddlewareConfig {
    /// Sets a field, whose first part is the kind of the middleware; returns the reason if the field has no effect in
    /// the bundled proxy.
    ///
    /// # Errors
    /// Fails when there is no such field, or it cannot have this value.
    pub fn set_field(&mut self, field: &[&str], label: Label<'_>) -> Result<Option<String>, LabelError> {
        let lower: Vec<String> = field.iter().map(|part| part.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        self.fields.insert(lower.join("."), label.value.to_owned());
        match lower[..] {
            ["stripprefix", "prefixes"] => {
                self.prefixes = label.list().map(|prefix| read_prefix(prefix, label)).collect::<Result<_, _>>()?;
            }
            // it does so anyway: a target begins with a slash
            ["stripprefix", "forceslash"] => {}
            ["headers", "customrequestheaders", _, ..] => return set_header(&mut self.request, &field[2..], label),
            ["headers", "customresponseheaders", _, ..] => return set_header(&mut self.response, &field[2..], label),
            ["headers", other, ..] if other.starts_with("accesscontrol") || OTHER_HEADER_OPTIONS.contains(&other) => {
                return Ok(Some(format!("the bundled proxy does not have headers.{other}")));
            }
            ["retry", "attempts"] => _ = label.whole_number()?,
            // the bundled proxy gives a request that reached no server to the next one without being asked to
            [
                "retry",
                "initialinterval"
                | "timeout"
                | "maxrequestbodybytes"
                | "status"
                | "disableretryonnetworkerror"
                | "retrynonidempotentmethod",
            ] => {}
            ["stripprefix" | "headers" | "retry", ..] => return Err(label.error("a middleware has no such field")),
            [kind, ..] if OTHER_KINDS.contains(&kind) => {
                return Ok(Some(format!("the bundled proxy does not have {kind}")));
            }
            _ => return Err(label.error("there is no such kind of middleware")),
        }
        Ok(None)
    }

    /// The middleware, if it does anything in the bundled proxy.
    ///
    /// # Errors
    /// Fails when no router can use it.
    pub fn middleware(&self) -> Result<Option<Middleware>, UnusableMiddleware> {
        let mut kinds: Vec<&str> = self.fields.keys().filter_map(|field| field.split('.').next()).collect();
        kinds.dedup();
        match kinds[..] {
            ["stripprefix"] => Ok(Some(Middleware::StripPrefix(self.prefixes.clone()))),
            ["headers"] => {
                Ok(Some(Middleware::Headers { request: self.request.clone(), response: self.response.clone() }))
            }
            ["retry"] if self.fields.get("retry.attempts").is_none_or(|attempts| attempts.starts_with(['-', '0'])) => {
                Err(UnusableMiddleware::NoAttempts)
            }
            [_] => Ok(None),
            _ => Err(UnusableMiddleware::SeveralKinds(kinds.into_iter().map(str::to_owned).collect())),
        }
    }
}

/// A prefix of paths, and the same as the value of a header.
fn read_prefix(prefix: &str, label: Label<'_>) -> Result<(String, HeaderValue), LabelError> {
    let value = HeaderValue::from_bytes(prefix.as_bytes())
        .map_err(|_| label.error(format!("`{prefix}` is not a path's prefix")))?;
    Ok((prefix.to_owned(), value))
}

/// Sets a header that the middleware is to set; returns the reason if this has no effect.
fn set_header(headers: &mut HeaderMap, name: &[&str], label: Label<'_>) -> Result<Option<String>, LabelError> {
    // the name of a header may have dots
    let name = name.join(".");
    let header = HeaderName::try_from(&name).map_err(|_| label.error(format!("`{name}` is not a header's name")))?;
    if header == CONTENT_LENGTH || header == TRANSFER_ENCODING {
        return Ok(Some(format!("{header} is what the body says")));
    }
    let value = HeaderValue::from_bytes(label.value.as_bytes())
        .map_err(|_| label.error(format!("`{}` is not a header's value", label.value)))?;
    headers.insert(header, value);
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(config: &mut MiddlewareConfig, field: &str, value: &str) -> Result<Option<String>, LabelError> {
        config.set_field(&field.split('.').collect::<Vec<_>>(), Label { name: field, value })
    }

    fn config(fields: &[(&str, &str)]) -> MiddlewareConfig {
        let mut config = MiddlewareConfig::default();
        for (field, value) in fields {
            assert_eq!(set(&mut config, field, value).unwrap(), None, "{field}");
        }
        config
    }

    #[test]
    fn what_cannot_be_is_said() {
        let mut config = MiddlewareConfig::default();
        for (field, words) in [
            ("stripprefix", "no such field"),
            ("stripprefix.oops", "no such field"),
            ("headers.oops", "no such field"),
            ("headers.customrequestheaders", "no such field"),
            ("headers.customrequestheaders.a b", "not a header's name"),
            ("retry", "no such field"),
            ("retry.attempts", "not a whole number"),
            ("nosuch.kind", "no such kind"),
        ] {
            let error = set(&mut config, field, "x").unwrap_err();
            assert!(error.reason.contains(words), "{field}: {error}");
        }
        for field in ["compress.x", "headers.stsSeconds", "headers.customresponseheaders.Content-Length"] {
            let note = set(&mut MiddlewareConfig::default(), field, "1").unwrap();
            assert!(note.is_some(), "{field}");
        }
    }

    #[test]
    fn a_middleware_is_of_one_kind() {
        let usable = |fields| {
            config(fields).middleware().map(|middleware| middleware.is_some()).map_err(|error| error.to_string())
        };
        assert_eq!(usable(&[("retry.attempts", "3"), ("retry.status", "502")]), Ok(false));
        assert_eq!(usable(&[("retry.attempts", "0")]), Err("has no attempts".to_owned()));
        let both = [("stripprefix.prefixes", "/a"), ("headers.customrequestheaders.x", "1")];
        assert_eq!(usable(&both), Err("is of several kinds, headers and stripprefix".to_owned()));
    }
}
