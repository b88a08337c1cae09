//! Sticky cookies: the fields below `sticky.cookie`, and the name that a cookie has by default.

use sha1::{Digest, Sha1};

use super::label::{Label, LabelError};

/// `sticky.cookie.*`: the cookie that keeps a client on its replica.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StickyCookieConfig {
    /// The name, if it is not the default one.
    pub name: Option<String>,
    /// `Path`, `/` by default.
    pub path: Option<String>,
    /// `Domain`
    pub domain: Option<String>,
    /// `Max-Age` in seconds: 0 leaves it out, a negative number deletes the cookie at once.
    pub max_age: i64,
    /// `HttpOnly`
    pub http_only: bool,
    /// `Secure`
    pub secure: bool,
    /// `SameSite`
    pub same_site: Option<SameSite>,
}

/// A value of the attribute `SameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(ascii_case_insensitive)]
pub enum SameSite {
    None,
    Lax,
    Strict,
}

impl StickyCookieConfig {
    /// Sets the field `sticky.cookie.ATTRIBUTE`.
    ///
    /// # Errors
    /// Fails when there is no such field, or it cannot have this value.
    pub fn set_attribute(&mut self, attribute: &str, label: Label<'_>) -> Result<(), LabelError> {
        let value = label.value;
        match attribute {
            "name" if value.is_empty() || value.contains('=') => {
                return Err(label.error(format!("`{value}` is not a cookie's name")));
            }
            "name" => self.name = Some(cookie_text(label)?),
            "path" => self.path = Some(cookie_text(label)?),
            "domain" => self.domain = Some(cookie_text(label)?),
            "maxage" => self.max_age = label.whole_number()?,
            "secure" => self.secure = label.boolean()?,
            "httponly" => self.http_only = label.boolean()?,
            "samesite" if value.is_empty() => self.same_site = None,
            "samesite" => {
                let unknown = |_| label.error(format!("`{value}` is not a SameSite value: none, lax, strict"));
                self.same_site = Some(value.parse().map_err(unknown)?);
            }
            _ => return Err(label.error("a sticky cookie has no such field")),
        }
        Ok(())
    }

    /// The name that the cookie has for the service `service`: by default `_` and the first 5 hexadecimal digits of
    /// `sha1("_TRAEFIK_BACKEND_<service>@docker")`.
    pub fn name_for(&self, service: &str) -> String {
        self.name.clone().unwrap_or_else(|| {
            let digest = Sha1::digest(format!("_TRAEFIK_BACKEND_{service}@docker"));
            format!("_{}", &hex::encode(digest)[..5])
        })
    }
}

/// The value of the label, if a cookie can have it as a name or an attribute.
fn cookie_text(label: Label<'_>) -> Result<String, LabelError> {
    let value = label.value;
    if value.chars().all(|c| c.is_ascii_graphic() && !";,\"\\".contains(c)) {
        Ok(value.to_owned())
    } else {
        Err(label.error(format!("`{value}` cannot stand in a cookie")))
    }
}
