//! The fields of a compose file: which there are, and what becomes of each.

use super::{
    error::{Problem, quoted},
    tree::{Entry, Position},
};

/// Whether a field that is not known is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// It is: nobody else looks at the file.
    Strict,
    /// It is not: Compose has read the file already.
    Lenient,
}

/// What becomes of a field of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is read, or the lab means the same without it.
    Silent,
    /// It changes what a container does; a built-in app ignores it.
    Container,
    /// It is passed over with this note.
    Unsupported(&'static str),
    /// The lab would mean something else without it: this is the hint.
    Refused(&'static str),
}

/// What makes one file of several, with every field resolved.
pub(super) const RESOLVE: &str = "run `docker compose config > resolved.yml` and give lbctl resolved.yml";

/// The fields of the whole file, but for `include` and `x-…`.
const TOP: &[&str] = &["version", "name", "services", "networks", "volumes", "secrets", "configs", "models", "include"];

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

/// Fields of a service that are read, and those that a lab does not need.
const SILENT: &[&str] = &[
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

/// Fields of a service that change what its containers do or how they are reached.
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
    ("extends", Effect::Refused(RESOLVE)),
    ("label_file", Effect::Refused("write its labels under `labels`")),
];

/// What becomes of a service's field, where there is one of this name.
pub(super) fn effect(name: &str) -> Option<Effect> {
    if SILENT.contains(&name) || name.starts_with("x-") {
        return Some(Effect::Silent);
    }
    if CONTAINER.contains(&name) {
        return Some(Effect::Container);
    }
    SPECIAL.iter().find(|(special, _)| *special == name).map(|(_, effect)| *effect)
}

/// The error for a field of a service that does not exist.
pub(super) fn unknown_in_service(entry: &Entry, path: &str) -> Problem {
    let known = SILENT.iter().chain(CONTAINER).copied().chain(SPECIAL.iter().map(|(name, _)| *name));
    unknown(&entry.key, entry.position, path, known)
}

/// Refuses a field of the whole file that does not exist.
pub(super) fn check_top(entry: &Entry) -> Result<(), Problem> {
    check(entry, "", TOP)
}

/// Refuses a field under `deploy` that does not exist.
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

/// The known name that `key` was probably meant to be.
pub(super) fn nearest(key: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // comparing costs time in the product of the lengths
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
            SILENT.iter().chain(CONTAINER).copied().chain(SPECIAL.iter().map(|(name, _)| *name)).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn fields_have_effects() {
        for (name, expected) in [
            ("labels", Some(Effect::Silent)),
            ("x-mine", Some(Effect::Silent)),
            ("environment", Some(Effect::Container)),
            ("extends", Some(Effect::Refused(RESOLVE))),
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
            let known = SILENT.iter().chain(CONTAINER).copied();
            assert_eq!(nearest(key, known), expected, "{key}");
        }
    }
}
