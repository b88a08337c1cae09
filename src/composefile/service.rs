//! One service of a compose file → its role, labels and replicas, with notes about fields without effect.

use super::{
    definition::{APP_LABEL, MAX_REPLICAS, Role, Service},
    error::{Problem, quoted},
    fields::{self, Effect, Strictness},
    labels::{self, LabelEntry},
    tree::{Entry, Node, Value},
};
use crate::model::Labels;

pub(super) fn read(entry: &Entry, strictness: Strictness, notes: &mut Vec<String>) -> Result<Service, Problem> {
    let (name, node) = (&entry.key, &entry.node);
    check_name(entry)?;
    let path = format!("services.{name}");
    let without_effect = check_fields(node, &path, strictness, notes)?;
    let labels = labels::read(node, &path)?;
    let role = role(node, &path, &labels)?;
    if matches!(role, Role::App(_)) {
        notes.extend(without_effect_note(name, &without_effect));
    }
    Ok(Service {
        name: name.clone(),
        role,
        replicas: replicas(node, &path, strictness, notes)?,
        labels: labels.into_iter().map(|(key, value, _)| (key, value)).collect::<Labels>(),
    })
}

fn check_name(entry: &Entry) -> Result<(), Problem> {
    let name = &entry.key;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.chars().all(allowed) {
        return Ok(());
    }
    let problem = Problem::new(format!("services: {} is not the name of a service", quoted(name)));
    Err(problem.on_line_of(entry.position).hint("a name has letters, digits, `.`, `_` and `-`"))
}

/// Checks the names of a service's fields, and returns those that have no effect on a built-in app.
fn check_fields<'a>(
    service: &'a Node,
    path: &str,
    strictness: Strictness,
    notes: &mut Vec<String>,
) -> Result<Vec<&'a str>, Problem> {
    let mut without_effect = Vec::new();
    for field in service.map(path)? {
        match fields::effect(&field.key) {
            _ if strictness == Strictness::Lenient => {}
            None => return Err(fields::unknown_in_service(field, path)),
            Some(Effect::Refused(hint)) => {
                let reason = format!("{path}: `{}` is not supported", field.key);
                return Err(Problem::new(reason).on_line_of(field.position).hint(hint));
            }
            _ if field.node.is_empty() => {}
            Some(Effect::Unsupported(note)) => notes.push(format!("not supported: {path}.{}: {note}", field.key)),
            Some(Effect::Container) => without_effect.push(field.key.as_str()),
            Some(Effect::Accepted) => {}
        }
    }
    Ok(without_effect)
}

fn without_effect_note(service: &str, fields: &[&str]) -> Option<String> {
    let subject = match fields {
        [] => return None,
        [one] => format!("{one} has"),
        [first, last] => format!("{first} and {last} have"),
        [first, middle @ .., last] => format!("{first}, {} and {last} have", middle.join(", ")),
    };
    Some(format!("service {service}: {subject} no effect on a built-in app"))
}

/// The role of a service. The label decides; without it, a service whose image is called `traefik` is the proxy.
fn role(service: &Node, path: &str, labels: &[LabelEntry]) -> Result<Role, Problem> {
    if let Some((_, app, position)) = labels.iter().rev().find(|(key, _, _)| key == APP_LABEL) {
        return app.parse().map(Role::App).map_err(|_| {
            let reason = format!("{path}.labels.{APP_LABEL}: no built-in app {}", quoted(app));
            Problem::new(reason).on_line_of(*position).hint("there are `page` and `api`")
        });
    }
    let Some(node) = service.get("image") else {
        return Ok(Role::Other);
    };
    let image = node.scalar().ok_or_else(|| node.unexpected(&format!("{path}.image"), "the name of an image"))?;
    let name = image.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    Ok(match last.split(':').next() {
        Some("traefik") => Role::Proxy,
        _ => Role::Other,
    })
}

/// Reads `deploy.replicas`, else `scale`. Like Compose, this refuses two different numbers.
fn replicas(
    service: &Node,
    path: &str,
    strictness: Strictness,
    notes: &mut Vec<String>,
) -> Result<Option<u32>, Problem> {
    let mut deployed = None;
    if let Some(deploy) = service.get("deploy").filter(|node| !node.is_empty()) {
        let path = format!("{path}.deploy");
        for field in deploy.map(&path)? {
            if strictness == Strictness::Strict {
                fields::check_deploy(field, &path)?;
            }
        }
        deployed = deploy.get("replicas");
        if deploy.get("labels").is_some_and(|labels| !labels.is_empty()) {
            notes.push(format!(
                "not supported: {path}.labels: they are a Swarm service's, those of its containers stand under labels"
            ));
        }
        if deploy.get("mode").and_then(Node::scalar).is_some_and(|mode| !matches!(mode, "" | "replicated")) {
            notes.push(format!("not supported: {path}.mode: a service always has a number of replicas"));
        }
    }
    let deployed = number(deployed, &format!("{path}.deploy.replicas"))?;
    let scaled = number(service.get("scale"), &format!("{path}.scale"))?;
    match (deployed, scaled) {
        (Some(deployed), Some(scaled)) if deployed != scaled => {
            let reason = format!("{path}: deploy.replicas is {deployed} and scale is {scaled}");
            let problem = Problem::new(reason).on_line_of(service.get("scale").and_then(|node| node.position));
            Err(problem.hint("leave out one of the two"))
        }
        _ => Ok(deployed.or(scaled)),
    }
}

fn number(node: Option<&Node>, path: &str) -> Result<Option<u32>, Problem> {
    let Some(node) = node else { return Ok(None) };
    if matches!(node.value, Value::Null) {
        return Ok(None);
    }
    let number = node.scalar().and_then(|text| text.trim().parse().ok()).filter(|number| *number <= MAX_REPLICAS);
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(node.unexpected(path, &format!("a whole number from 0 to {MAX_REPLICAS}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{super::tree, *};
    use crate::model::App;

    /// Reads the one service `s`, whose fields are `yaml`.
    fn service(yaml: &str) -> Result<(Service, Vec<String>), String> {
        let text = format!("s:\n  {}", yaml.replace('\n', "\n  "));
        let tree = tree::read(&text).unwrap();
        let mut notes = Vec::new();
        read(&tree.map("services").unwrap()[0], Strictness::Strict, &mut notes)
            .map(|service| (service, notes))
            .map_err(|problem| crate::composefile::ComposeError::new("f", problem).to_string())
    }

    #[test]
    fn the_role_is_the_labels_or_the_images() {
        for (yaml, expected) in [
            ("build: .", Role::Other),
            ("image: nginx", Role::Other),
            ("image:", Role::Other),
            ("image: traefik", Role::Proxy),
            ("image: traefik:v3.7", Role::Proxy),
            ("image: traefik@sha256:0123", Role::Proxy),
            ("image: docker.io/library/traefik:v3@sha256:0123", Role::Proxy),
            ("image: localhost:5000/traefik", Role::Proxy),
            ("image: traefik/whoami", Role::Other),
            ("image: my-traefik", Role::Other),
            ("labels: [lbctl.app=page]", Role::App(App::Page)),
            ("image: traefik\nlabels: {lbctl.app: api}", Role::App(App::Api)),
            ("labels: [lbctl.app=page, lbctl.app=api]", Role::App(App::Api)),
        ] {
            assert_eq!(service(yaml).unwrap().0.role, expected, "{yaml}");
        }
    }

    #[test]
    fn replicas_are_deployed_or_scaled() {
        for (yaml, expected) in [
            ("image: x", None),
            ("deploy: {replicas: 3}", Some(3)),
            ("deploy: {replicas: '3'}", Some(3)),
            ("deploy:\nscale: 0", Some(0)),
            ("scale: 1000", Some(1000)),
            ("deploy: {replicas: 2}\nscale: 2", Some(2)),
            ("deploy: {replicas: null}\nscale: 2", Some(2)),
        ] {
            assert_eq!(service(yaml).unwrap().0.replicas, expected, "{yaml}");
        }
    }

    #[test]
    fn what_has_no_effect_is_noted() {
        let app = "labels: [lbctl.app=page]";
        for (yaml, expected) in [
            ("build: .\nhealthcheck: {test: x}\nnetworks: [a]\ndepends_on: [b]\nrestart: always", None),
            ("environment:\nvolumes: []", None),
            ("environment: [A=1]", Some("service s: environment has no effect on a built-in app")),
            ("volumes: [a:/b]\ncommand: x", Some("service s: volumes and command have no effect on a built-in app")),
            (
                "ports: ['1:1']\ncommand: x\nenv_file: y",
                Some("service s: ports, command and env_file have no effect on a built-in app"),
            ),
            ("profiles: [a]", Some("not supported: services.s.profiles: the service runs whatever the profile")),
            ("develop: {watch: [x]}", Some("not supported: services.s.develop: no file is watched")),
            (
                "deploy: {labels: [a=b]}",
                Some(
                    "not supported: services.s.deploy.labels: they are a Swarm service's, those of its containers stand under labels",
                ),
            ),
            (
                "deploy: {mode: global}",
                Some("not supported: services.s.deploy.mode: a service always has a number of replicas"),
            ),
        ] {
            let notes = service(&format!("{yaml}\n{app}")).unwrap().1;
            assert_eq!(notes.iter().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(expected), "{yaml}");
        }
        assert_eq!(service("image: nginx\ncommand: x").unwrap().1, Vec::<String>::new());
    }

    #[test]
    fn mistakes_have_their_line() {
        for (yaml, expected) in [
            ("- a", "f:2: services.s: expected a map (`name: value`), found a list"),
            ("image: x\nlables: {}", "f:3: services.s: unknown field `lables`"),
            ("extends: {service: x}", "f:2: services.s: `extends` is not supported"),
            ("label_file: x", "f:2: services.s: `label_file` is not supported"),
            ("image: [x]", "f:2: services.s.image: expected the name of an image, found a list"),
            ("labels:\n  a: 1\n  lbctl.app: web", "f:4: services.s.labels.lbctl.app: no built-in app `web`"),
            ("scale: -1", "f:2: services.s.scale: expected a whole number from 0 to 1000, found `-1`"),
            ("scale: 1001", "f:2: services.s.scale: expected a whole number from 0 to 1000, found `1001`"),
            ("scale: ''", "f:2: services.s.scale: expected a whole number from 0 to 1000, found nothing"),
            ("scale: [1]", "f:2: services.s.scale: expected a whole number from 0 to 1000, found a list"),
            (
                "deploy:\n  replicas: 2.5",
                "f:3: services.s.deploy.replicas: expected a whole number from 0 to 1000, found `2.5`",
            ),
            ("deploy:\n  replica: 2", "f:3: services.s.deploy: unknown field `replica`"),
            ("deploy: 2", "f:2: services.s.deploy: expected a map (`name: value`), found `2`"),
            ("deploy: {replicas: 2}\nscale: 3", "f:3: services.s: deploy.replicas is 2 and scale is 3"),
        ] {
            assert_eq!(service(yaml).unwrap_err(), expected, "{yaml}");
        }
    }
}
