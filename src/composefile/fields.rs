//! The fields that a compose file may have, and the effect of each in `lbctl`.

use super::{
    error::{Problem, RESOLVE_HINT, quoted},
    position::Position,
    tree::Entry,
};

/// The treatment of unknown fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// An unknown field is a mistake, because only `lbctl` reads the file.
    Strict,
    /// An unknown field is fine, because Compose has checked the file already.
    Lenient,
}

/// The effect of a field of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The field is read, or the lab means the same without it.
    Accepted,
    /// The field changes a container's behaviour. A built-in app ignores it.
    Container,
    /// The field is ignored, with this note.
    Unsupported(&'static str),
    /// The file is refused with this hint, because the lab would mean something else without the field.
    Refused(&'static str),
}

/// The fields at the top of a file, except those that begin with `x-`.
const TOP_LEVEL: &[&str] =
    &["version", "name", "services", "networks", "volumes", "secrets", "configs", "models", "include"];

/// The fields under `deploy`.
const DEPLOY: &[&str] = &[
    "mode",
    "replicas",
    "labels",
    "endpoint_mode",
    "placement",
    "resources",
    "restart_policy",
    "rollback_config",
    "update_config",
];

/// Fields of a service that are read, and fields that make no difference to a lab.
const ACCEPTED: &[&str] = &[
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "device_cgroup_rules",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "expose",
    "external_links",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "privileged",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
];

/// Fields of a service that change the behaviour of its containers or the way to them.
const CONTAINER: &[&str] = &[
    "command",
    "configs",
    "devices",
    "entrypoint",
    "env_file",
    "environment",
    "extra_hosts",
    "gpus",
    "models",
    "network_mode",
    "ports",
    "post_start",
    "pre_stop",
    "provider",
    "secrets",
    "tmpfs",
    "volumes",
    "volumes_from",
    "working_dir",
];

const SPECIAL: &[(&str, Effect)] = &[
    ("profiles", Effect::Unsupported("the service runs whatever the profile")),
    ("develop", Effect::Unsupported("no file is watched")),
    ("extends", Effect::Refused(RESOLVE_HINT)),
    ("label_file", Effect::Refused("write its labels under `labels`")),
];

/// The effect of a service's field; `None` if there is no such field.
pub(super) fn effect(name: &str) -> Option<Effect> {
    if ACCEPTED.contains(&name) || name.starts_with("x-") {
        return Some(Effect::Accepted);
    }
    if CONTAINER.contains(&name) {
        return Some(Effect::Container);
    }
    SPECIAL.iter().find(|(special, _)| *special == name).map(|(_, effect)| *effect)
}

/// The error for an unknown field of a service.
pub(super) fn unknown_in_service(entry: &Entry, path: &str) -> Problem {
    let known = ACCEPTED.iter().chain(CONTAINER).copied().chain(SPECIAL.iter().map(|(name, _)| *name));
    unknown(&entry.key, entry.position, path, known)
}

/// Refuses an unknown field at the top of the file.
pub(super) fn check_top(entry: &Entry) -> Result<(), Problem> {
    check(entry, "", TOP_LEVEL)
}

/// Refuses an unknown field under `deploy`.
pub(super) fn check_deploy(entry: &Entry, path: &str) -> Result<(), Problem> {
    check(entry, path, DEPLOY)
}

fn check(entry: &Entry, path: &str, known: &[&'static str]) -> Result<(), Problem> {
    if known.contains(&entry.key.as_str()) || entry.key.starts_with("x-") {
        return Ok(());
    }
    Err(unknown(&entry.key, entry.position, path, known.iter().copied()))
}

fn unknown(key: &str, position: Option<Position>, path: &str, known: impl Iterator<Item = &'static str>) -> Problem {
    let separator = if path.is_empty() { "" } else { ": " };
    let problem = Problem::new(format!("{path}{separator}unknown field {}", quoted(key))).on_line_of(position);
    problem.hint(match nearest(key, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "compose knows no such field; the names of your own begin with `x-`".to_owned(),
    })
}

/// The known name that is nearest to `key`, if one is near enough.
pub(super) fn nearest(key: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // the time for a comparison grows with the product of both lengths
    if key.len() > 40 {
        return None;
    }
    let key = key.to_lowercase().replace('-', "_");
    known
        .map(|name| (strsim::osa_distance(&key, name), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).clamp(1, 3))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_stands_in_one_list() {
        let mut names: Vec<_> =
            ACCEPTED.iter().chain(CONTAINER).copied().chain(SPECIAL.iter().map(|(name, _)| *name)).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn fields_have_effects() {
        for (name, expected) in [
            ("labels", Some(Effect::Accepted)),
            ("x-mine", Some(Effect::Accepted)),
            ("environment", Some(Effect::Container)),
            ("extends", Some(Effect::Refused(RESOLVE_HINT))),
            ("lables", None),
        ] {
            assert_eq!(effect(name), expected, "{name}");
        }
    }

    #[test]
    fn near_names_are_found() {
        for (key, expected) in [
            ("lables", Some("labels")),
            ("label", Some("labels")),
            ("Labels", Some("labels")),
            ("enviroment", Some("environment")),
            ("depends-on", Some("depends_on")),
            ("port", Some("ports")),
            ("replicas", None),
            ("bananas", None),
            ("", None),
        ] {
            let known = ACCEPTED.iter().chain(CONTAINER).copied();
            assert_eq!(nearest(key, known), expected, "{key}");
        }
    }
}
