//! Labels: reads the `traefik.*` labels of one container into its configuration.
//!
//! As in Traefik, field names ignore case and element names do not, and one unknown field or bad value makes the whole
//! container unusable. A field that Traefik knows and the bundled proxy does not has no effect, and a note names it.

use strum::VariantArray;

use crate::model::{Labels, Strategy, TRAEFIK_ONLY};

use super::{
    config::{DynamicConfig, HostHeader, RouterConfig, ServiceConfig},
    label::{Label, LabelError},
};

/// The label for the strategies that Traefik does not have.
pub const OWN_STRATEGY: &str = "lbctl.strategy";

/// The value of `traefik.enable`, if the container has that label. The other labels of a container that is turned off
/// do not matter, so they are read apart.
///
/// # Errors
/// Fails when the value is neither true nor false.
pub fn read_enable(labels: &Labels) -> Result<Option<bool>, LabelError> {
    let label = labels.iter().find(|(name, _)| name.eq_ignore_ascii_case("traefik.enable"));
    label.map(|(name, value)| Label { name, value }.boolean()).transpose()
}

/// Reads the other labels of one container.
///
/// # Errors
/// Returns the first label that is unknown or has a value that cannot be used.
pub fn read_labels(labels: &Labels) -> Result<DynamicConfig, LabelError> {
    let mut config = DynamicConfig::default();
    for (name, value) in labels {
        let note = set_label(&mut config, Label { name, value })?;
        config.notes.extend(note);
    }
    config.notes.dedup();
    Ok(config)
}

/// Sets the field of one label; returns a note if the label has no effect in the bundled proxy.
fn set_label(config: &mut DynamicConfig, label: Label<'_>) -> Result<Option<String>, LabelError> {
    let parts: Vec<&str> = label.name.split('.').collect();
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower[..] {
        _ if label.name.eq_ignore_ascii_case(OWN_STRATEGY) => config.strategy = Some(own_strategy(label)?),
        ["traefik", "enable"] => _ = label.boolean()?,
        ["traefik", "docker", ..] => {}
        ["traefik", "http", "routers", _, ref field @ ..] if !field.is_empty() => {
            let router = config.routers.entry(parts[3].to_owned()).or_default();
            return set_router_field(router, parts[3], field, label);
        }
        ["traefik", "http", "services", _, "loadbalancer", ref field @ ..] if !field.is_empty() => {
            let service = config.services.entry(parts[3].to_owned()).or_default();
            return set_service_field(service, parts[3], field, label);
        }
        ["traefik", "http", "middlewares", _, _, ..] => {
            let middleware = config.middlewares.entry(parts[3].to_owned()).or_default();
            let without_effect = middleware.set_field(&parts[4..], label)?;
            return Ok(without_effect.map(|why| format!("middleware {} has no effect: {why}", parts[3])));
        }
        ["traefik", kind @ ("tcp" | "udp" | "tls"), _, ..] => {
            return Ok(Some(format!("traefik.{kind} labels have no effect: the bundled proxy forwards HTTP")));
        }
        ["traefik", ..] => return Err(label.error("there is no such field")),
        _ => {}
    }
    Ok(None)
}

/// Sets a field of the router `name`; returns a note if the field has no effect in the bundled proxy.
fn set_router_field(
    router: &mut RouterConfig,
    name: &str,
    field: &[&str],
    label: Label<'_>,
) -> Result<Option<String>, LabelError> {
    match field {
        ["rule"] => router.rule = Some(label.value.to_owned()),
        ["service"] => router.service = Some(label.value.to_owned()),
        ["priority"] => router.priority = label.whole_number()?,
        ["middlewares"] => router.middlewares = label.list().map(str::to_owned).collect(),
        ["entrypoints" | "rulesyntax"] => _ = router.other.insert(field.join("."), label.value.to_owned()),
        ["tls"] | ["tls" | "observability", ..] => {
            router.other.insert(field.join("."), label.value.to_owned());
            return Ok(Some(format!("router {name}: {} has no effect in the bundled proxy", field[0])));
        }
        _ => return Err(label.error("a router has no such field")),
    }
    Ok(None)
}

/// Sets a field of the service `name`; returns a note if the field has no effect in the bundled proxy.
fn set_service_field(
    service: &mut ServiceConfig,
    name: &str,
    field: &[&str],
    label: Label<'_>,
) -> Result<Option<String>, LabelError> {
    let ServiceConfig { server, balancer } = service;
    match field {
        ["server", "port"] => {
            let port = label.value.parse::<u16>().ok().filter(|&port| port > 0);
            let not_a_port = || label.error(format!("`{}` is not a port (1 to 65535)", label.value));
            server.port = Some(port.ok_or_else(not_a_port)?);
        }
        ["server", "scheme"] if label.value == "http" => {}
        ["server", "scheme"] => {
            return Err(label.error(format!("the bundled proxy speaks http to replicas, not `{}`", label.value)));
        }
        ["passhostheader"] => {
            balancer.host = if label.boolean()? { HostHeader::Passed } else { HostHeader::Replaced };
        }
        ["strategy"] => balancer.strategy = traefik_strategy(label)?,
        // Traefik's trap: `sticky=true` alone makes nothing sticky
        ["sticky"] => {
            label.boolean()?;
            return Ok(Some(format!(
                "service {name}: sticky alone makes nothing sticky, as in Traefik: it takes sticky.cookie"
            )));
        }
        ["sticky", "cookie"] => {
            if label.boolean()? {
                balancer.sticky.get_or_insert_default();
            } else {
                balancer.sticky = None;
            }
        }
        ["sticky", "cookie", attribute] => balancer.sticky.get_or_insert_default().set_attribute(attribute, label)?,
        ["server", "weight"] => server.weight = Some(label.whole_number()?),
        ["server", "preservepath" | "url"]
        | ["serverstransport"]
        | ["healthcheck" | "passivehealthcheck" | "responseforwarding", _, ..] => {
            if field[0] != "server" {
                balancer.other.insert(field.join("."), label.value.to_owned());
            }
            return Ok(Some(format!("service {name}: {} has no effect in the bundled proxy", field.join("."))));
        }
        _ => return Err(label.error("a service has no such field")),
    }
    Ok(None)
}

/// The strategy that the label names and that Traefik does not have.
fn own_strategy(label: Label<'_>) -> Result<Strategy, LabelError> {
    let own = || Strategy::VARIANTS.iter().copied().filter(|strategy| strategy.traefik_name().is_none());
    own().find(|strategy| strategy.to_string() == label.value).ok_or_else(|| {
        let known: Vec<String> = own().map(|strategy| format!("`{strategy}`")).collect();
        let name = label.value;
        label.error(format!("`{name}` is not a strategy of the bundled proxy alone: there is {}", known.join(", ")))
    })
}

/// The strategy that the label names by Traefik's name for it.
fn traefik_strategy(label: Label<'_>) -> Result<Strategy, LabelError> {
    let name = label.value;
    if let Some(strategy) = Strategy::from_traefik_name(name) {
        return Ok(strategy);
    }
    if let Some(traefiks) = TRAEFIK_ONLY.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Err(label.error(format!("the strategy {traefiks} is not supported by the bundled proxy")));
    }
    let known: Vec<&str> = Strategy::VARIANTS.iter().filter_map(|strategy| strategy.traefik_name()).collect();
    Err(label.error(format!("there is no strategy `{name}`: there are {}", known.join(", "))))
}

/// The label that asks for a strategy, for the balancer of this name. A strategy that Traefik does not have has a label
/// of lbctl's own.
pub fn strategy_label(strategy: Strategy, balancer: &str) -> (String, String) {
    match strategy.traefik_name() {
        Some(name) => (format!("traefik.http.services.{balancer}.loadbalancer.strategy"), name.to_owned()),
        None => (OWN_STRATEGY.to_owned(), strategy.to_string()),
    }
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
        let config = read_labels(&labels(&[
            ("traefik.http.routers.Web.Rule", "Host(`a`)"),
            ("traefik.http.routers.Web.priority", "7"),
            ("traefik.http.services.web.loadBalancer.server.port", "80"),
            ("traefik.http.services.web.loadbalancer.sticky.cookie.name", "srv"),
            ("com.example.other", "anything"),
        ]))
        .unwrap();
        assert_eq!(config.routers["Web"].priority, 7);
        assert_eq!(config.services["web"].server.port, Some(80));
        assert_eq!(config.services["web"].balancer.sticky.as_ref().unwrap().name.as_deref(), Some("srv"));
        assert!(config.notes.is_empty());
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
            let error = read_labels(&labels(&[(label, value)])).unwrap_err();
            assert_eq!(error.label, label);
            assert!(error.reason.contains(words), "{error}");
        }
    }

    #[test]
    fn sticky_alone_is_a_trap_and_is_said() {
        let sticky = |field| {
            let label = format!("traefik.http.services.web.loadbalancer.{field}");
            read_labels(&labels(&[(&label, "true")])).unwrap()
        };
        let trap = sticky("sticky");
        assert_eq!(trap.services["web"].balancer.sticky, None);
        assert_eq!(trap.notes.len(), 1);
        assert!(sticky("sticky.cookie").services["web"].balancer.sticky.is_some());
        assert!(sticky("sticky.cookie.secure").services["web"].balancer.sticky.is_some());
    }

    #[test]
    fn what_traefik_has_and_this_proxy_has_not_is_said() {
        let config = read_labels(&labels(&[
            ("traefik.http.middlewares.small.compress.minresponsebodybytes", "1"),
            ("traefik.http.routers.web.middlewares", "small,again"),
            ("traefik.http.middlewares.again.retry.attempts", "3"),
            ("traefik.http.services.web.loadbalancer.healthcheck.path", "/"),
            ("traefik.tcp.routers.db.rule", "HostSNI(`*`)"),
        ]))
        .unwrap();
        assert_eq!(config.notes.len(), 3, "{:?}", config.notes);
    }
}
