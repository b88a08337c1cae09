//! Labels: what the `traefik.*` labels of one container ask for.
//!
//! As in Traefik, field names ignore case and element names do not, and one unknown field or bad value makes the whole
//! container unusable. A field that Traefik knows and this proxy does not is said in a note and has no effect.

use std::collections::BTreeMap;

use strum::VariantArray;

use crate::model::{Labels, Strategy, TRAEFIK_ONLY};

use super::{
    middleware::{MiddlewareWish, list},
    sticky::Cookie,
};

/// The label for the strategies that Traefik does not have.
pub const OWN_STRATEGY: &str = "lbctl.strategy";

/// What one container's labels ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Its routers by name.
    pub routers: BTreeMap<String, RouterWish>,
    /// Its services by name.
    pub services: BTreeMap<String, ServiceWish>,
    /// Its middlewares by name.
    pub middlewares: BTreeMap<String, MiddlewareWish>,
    /// `lbctl.strategy`: a strategy that only this proxy has, for every service of the container.
    pub strategy: Option<Strategy>,
    /// A sentence for each label that has no effect here.
    pub notes: Vec<String>,
}

/// `traefik.http.routers.NAME.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouterWish {
    /// The rule as it is written: one that is none turns off its router alone.
    pub rule: Option<String>,
    /// The service it names, if it does.
    pub service: Option<String>,
    /// The middlewares it names, in its order.
    pub middlewares: Vec<String>,
    /// Its priority; 0 stands for the length of the rule.
    pub priority: i64,
    /// Its other fields, which have no effect here and yet make two definitions of it differ.
    pub other: Fields,
}

/// Fields by name, in lower case, as they are written.
pub type Fields = BTreeMap<String, String>;

/// `traefik.http.services.NAME.loadbalancer.*`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceWish {
    /// What it says of the container that has the label.
    pub server: ServerWish,
    /// What it says of the service; every container that defines it must say the same.
    pub balancer: BalancerWish,
}

/// `server.*` of a service, in which its containers may differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerWish {
    /// The port inside the container.
    pub port: Option<u16>,
    /// Its share of the requests beside the others'; without one it counts as 1.
    pub weight: Option<i64>,
}

/// The rest of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BalancerWish {
    /// Whether the client's `Host` header is passed on.
    pub host: HostHeader,
    /// How the next replica is picked.
    pub strategy: Strategy,
    /// The cookie that keeps a client on its replica, if one is asked for.
    pub sticky: Option<Cookie>,
    /// Its other fields, as those of a router.
    pub other: Fields,
}

/// What a replica gets as `Host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// What the client sent (`passhostheader`, the default).
    #[default]
    Passed,
    /// The replica's own address.
    Replaced,
}

/// A label that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("label {label}: {reason}")]
pub struct LabelError {
    /// Its full name.
    pub label: String,
    /// Why.
    pub reason: String,
}

/// `traefik.enable`, where it is said. A container that is off may say whatever it likes beside it.
///
/// # Errors
/// When it is neither true nor false.
pub fn enable(labels: &Labels) -> Result<Option<bool>, LabelError> {
    let said = labels.iter().find(|(label, _)| label.eq_ignore_ascii_case("traefik.enable"));
    let read = |(label, value): (&String, &String)| {
        boolean(value).map_err(|reason| LabelError { label: label.clone(), reason })
    };
    said.map(read).transpose()
}

/// Reads the other labels of one container.
///
/// # Errors
/// The first label that is unknown or has a value that cannot be used.
pub fn read(labels: &Labels) -> Result<Wishes, LabelError> {
    let mut wishes = Wishes::default();
    for (label, value) in labels {
        read_one(&mut wishes, label, value).map_err(|reason| LabelError { label: label.clone(), reason })?;
    }
    wishes.notes.dedup();
    Ok(wishes)
}

fn read_one(wishes: &mut Wishes, label: &str, value: &str) -> Result<(), String> {
    let parts: Vec<&str> = label.split('.').collect();
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower[..] {
        ["lbctl", "strategy"] => {
            wishes.strategy = Some(own_strategy(value)?);
            Ok(())
        }
        ["traefik", "enable"] => boolean(value).map(|_| ()),
        ["traefik", "docker", ..] => Ok(()),
        ["traefik", "http", "routers", _, ref field @ ..] if !field.is_empty() => {
            let router = wishes.routers.entry(parts[3].to_owned()).or_default();
            router_field(router, field, value, parts[3]).map(|note| wishes.notes.extend(note))
        }
        ["traefik", "http", "services", _, "loadbalancer", ref field @ ..] if !field.is_empty() => {
            let service = wishes.services.entry(parts[3].to_owned()).or_default();
            service_field(service, field, value, parts[3]).map(|note| wishes.notes.extend(note))
        }
        ["traefik", "http", "middlewares", _, _, ..] => {
            let middleware = wishes.middlewares.entry(parts[3].to_owned()).or_default();
            let without_effect = middleware.set(&parts[4..], value)?;
            let note = without_effect.map(|why| format!("middleware {} has no effect: {why}", parts[3]));
            wishes.notes.extend(note);
            Ok(())
        }
        ["traefik", kind @ ("tcp" | "udp" | "tls"), _, ..] => {
            wishes.notes.push(format!("traefik.{kind} labels have no effect: the bundled proxy forwards HTTP"));
            Ok(())
        }
        ["traefik", ..] => Err("there is no such field".to_owned()),
        _ => Ok(()),
    }
}

/// Sets a field of a router; returns a note where the field has no effect here.
fn router_field(router: &mut RouterWish, field: &[&str], value: &str, name: &str) -> Result<Option<String>, String> {
    match field {
        ["rule"] => router.rule = Some(value.to_owned()),
        ["service"] => router.service = Some(value.to_owned()),
        ["priority"] => router.priority = whole_number(value)?,
        ["middlewares"] => router.middlewares = list(value).map(str::to_owned).collect(),
        ["entrypoints" | "rulesyntax"] => _ = router.other.insert(field.join("."), value.to_owned()),
        ["tls"] | ["tls" | "observability", ..] => {
            router.other.insert(field.join("."), value.to_owned());
            return Ok(Some(format!("router {name}: {} has no effect in the bundled proxy", field[0])));
        }
        _ => return Err("a router has no such field".to_owned()),
    }
    Ok(None)
}

/// Sets a field of a service; returns a note where the field has no effect here.
fn service_field(service: &mut ServiceWish, field: &[&str], value: &str, name: &str) -> Result<Option<String>, String> {
    let ServiceWish { server, balancer } = service;
    match field {
        ["server", "port"] => {
            let port = value.parse::<u16>().ok().filter(|&port| port > 0);
            server.port = Some(port.ok_or_else(|| format!("`{value}` is not a port (1 to 65535)"))?);
        }
        ["server", "scheme"] if value == "http" => {}
        ["server", "scheme"] => return Err(format!("the bundled proxy speaks http to replicas, not `{value}`")),
        ["passhostheader"] => {
            balancer.host = if boolean(value)? { HostHeader::Passed } else { HostHeader::Replaced };
        }
        ["strategy"] => {
            balancer.strategy = traefiks_strategy(value)?;
        }
        // Traefik's trap: `sticky=true` alone makes nothing sticky
        ["sticky"] => {
            boolean(value)?;
            return Ok(Some(format!(
                "service {name}: sticky alone makes nothing sticky, as in Traefik: it takes sticky.cookie"
            )));
        }
        ["sticky", "cookie"] => match boolean(value)? {
            true => _ = balancer.sticky.get_or_insert_default(),
            false => balancer.sticky = None,
        },
        ["sticky", "cookie", attribute] => cookie_field(balancer.sticky.get_or_insert_default(), attribute, value)?,
        ["server", "weight"] => server.weight = Some(whole_number(value)?),
        ["server", "preservepath" | "url"]
        | ["serverstransport"]
        | ["healthcheck" | "passivehealthcheck" | "responseforwarding", _, ..] => {
            if field[0] != "server" {
                balancer.other.insert(field.join("."), value.to_owned());
            }
            return Ok(Some(format!("service {name}: {} has no effect in the bundled proxy", field.join("."))));
        }
        _ => return Err("a service has no such field".to_owned()),
    }
    Ok(None)
}

/// A strategy that the bundled proxy has and Traefik does not, by its name.
fn own_strategy(name: &str) -> Result<Strategy, String> {
    let own = || Strategy::VARIANTS.iter().copied().filter(|strategy| strategy.traefik_name().is_none());
    own().find(|strategy| strategy.to_string() == name).ok_or_else(|| {
        let known: Vec<String> = own().map(|strategy| format!("`{strategy}`")).collect();
        format!("`{name}` is not a strategy of the bundled proxy alone: there is {}", known.join(", "))
    })
}

/// A strategy that Traefik has, by Traefik's name for it.
fn traefiks_strategy(name: &str) -> Result<Strategy, String> {
    Strategy::from_traefik_name(name).ok_or_else(|| {
        match TRAEFIK_ONLY.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) => format!("the strategy {known} is not supported by the bundled proxy"),
            None => {
                let known =
                    Strategy::VARIANTS.iter().filter_map(|strategy| strategy.traefik_name()).collect::<Vec<_>>();
                format!("there is no strategy `{name}`: there are {}", known.join(", "))
            }
        }
    })
}

/// The label that asks for a strategy, for the balancer of this name. A strategy that Traefik does not have is asked for
/// by a label of lbctl's own.
pub fn strategy_label(strategy: Strategy, balancer: &str) -> (String, String) {
    match strategy.traefik_name() {
        Some(name) => (format!("traefik.http.services.{balancer}.loadbalancer.strategy"), name.to_owned()),
        None => (OWN_STRATEGY.to_owned(), strategy.to_string()),
    }
}

fn cookie_field(cookie: &mut Cookie, attribute: &str, value: &str) -> Result<(), String> {
    let text = |value: &str| match value.chars().all(|c| c.is_ascii_graphic() && !";,\"\\".contains(c)) {
        true => Ok(value.to_owned()),
        false => Err(format!("`{value}` cannot stand in a cookie")),
    };
    match attribute {
        "name" if value.is_empty() || value.contains('=') => return Err(format!("`{value}` is not a cookie's name")),
        "name" => cookie.name = Some(text(value)?),
        "path" => cookie.path = Some(text(value)?),
        "domain" => cookie.domain = Some(text(value)?),
        "maxage" => cookie.max_age = whole_number(value)?,
        "secure" => cookie.secure = boolean(value)?,
        "httponly" => cookie.http_only = boolean(value)?,
        "samesite" => {
            cookie.same_site = match value.to_ascii_lowercase().as_str() {
                "none" => Some("None"),
                "lax" => Some("Lax"),
                "strict" => Some("Strict"),
                "" => None,
                _ => return Err(format!("`{value}` is not a SameSite value: none, lax, strict")),
            };
        }
        _ => return Err("a sticky cookie has no such field".to_owned()),
    }
    Ok(())
}

/// As Go's `strconv.ParseBool`, which Traefik uses.
fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("`{value}` is neither true nor false")),
    }
}

fn whole_number(value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| format!("`{value}` is not a whole number"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn routers_and_services_are_read() {
        let wishes = read(&labels(&[
            ("traefik.http.routers.Web.Rule", "Host(`a`)"),
            ("traefik.http.routers.Web.priority", "7"),
            ("traefik.http.services.web.loadBalancer.server.port", "80"),
            ("traefik.http.services.web.loadbalancer.sticky.cookie.name", "srv"),
            ("com.example.other", "anything"),
        ]))
        .unwrap();
        assert_eq!(wishes.routers["Web"].priority, 7);
        assert_eq!(wishes.services["web"].server.port, Some(80));
        assert_eq!(wishes.services["web"].balancer.sticky.as_ref().unwrap().name.as_deref(), Some("srv"));
        assert!(wishes.notes.is_empty());
    }

    #[test]
    fn an_unusable_label_is_named() {
        for (label, value, words) in [
            ("traefik.enable", "yes", "neither true nor false"),
            ("traefik.http.routers.web.rul", "x", "no such field"),
            ("traefik.http.routers.web", "x", "no such field"),
            ("traefik.htp.routers.web.rule", "x", "no such field"),
            ("traefik.http.routers.web.priority", "high", "whole number"),
            ("traefik.http.services.web.loadbalancer.server.port", "0", "not a port"),
            ("traefik.http.services.web.loadbalancer.server.port", "80a", "not a port"),
            ("traefik.http.services.web.loadbalancer.server.weight", "1.5", "whole number"),
            ("traefik.http.services.web.loadbalancer.strategy", "fair", "no strategy"),
            ("traefik.http.services.web.loadbalancer.sticky.cookie.color", "red", "no such field"),
            ("traefik.http.services.web.loadbalancer.sticky.cookie.name", "a;b", "cannot stand in a cookie"),
        ] {
            let error = read(&labels(&[(label, value)])).unwrap_err();
            assert_eq!(error.label, label);
            assert!(error.reason.contains(words), "{error}");
        }
    }

    #[test]
    fn sticky_alone_is_a_trap_and_is_said() {
        let sticky = |field| {
            let label = format!("traefik.http.services.web.loadbalancer.{field}");
            read(&labels(&[(&label, "true")])).unwrap()
        };
        let trap = sticky("sticky");
        assert_eq!(trap.services["web"].balancer.sticky, None);
        assert_eq!(trap.notes.len(), 1);
        assert!(sticky("sticky.cookie").services["web"].balancer.sticky.is_some());
        assert!(sticky("sticky.cookie.secure").services["web"].balancer.sticky.is_some());
    }

    #[test]
    fn what_traefik_has_and_this_proxy_has_not_is_said() {
        let wishes = read(&labels(&[
            ("traefik.http.middlewares.small.compress.minresponsebodybytes", "1"),
            ("traefik.http.routers.web.middlewares", "small,again"),
            ("traefik.http.middlewares.again.retry.attempts", "3"),
            ("traefik.http.services.web.loadbalancer.healthcheck.path", "/"),
            ("traefik.tcp.routers.db.rule", "HostSNI(`*`)"),
        ]))
        .unwrap();
        assert_eq!(wishes.notes.len(), 3, "{:?}", wishes.notes);
    }
}
