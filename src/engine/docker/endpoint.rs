//! Where the Docker Engine is: what the `docker` command would use, found out from the same places.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::error::{DockerError, in_words, one_line};

/// Where an engine on this machine listens.
const DEFAULT: &str = "unix:///var/run/docker.sock";
/// The context that is no file: the default socket.
const DEFAULT_CONTEXT: &str = "default";

/// What of the environment says where the engine is; empty values are as good as none.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// `DOCKER_HOST`
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`
    pub context: Option<String>,
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub config: Option<PathBuf>,
    /// `DOCKER_TLS_VERIFY`
    pub tls_verify: bool,
    /// `DOCKER_CERT_PATH`
    pub certificates: Option<PathBuf>,
}

impl Surroundings {
    /// This process's.
    pub fn of_process() -> Surroundings {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = set("DOCKER_CONFIG").map(PathBuf::from);
        Surroundings {
            host: set("DOCKER_HOST"),
            context: set("DOCKER_CONTEXT"),
            config: config.or_else(|| set("HOME").map(|home| Path::new(&home).join(".docker"))),
            tls_verify: set("DOCKER_TLS_VERIFY").is_some(),
            certificates: set("DOCKER_CERT_PATH").map(PathBuf::from),
        }
    }
}

/// An engine's place and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// As a person wrote it.
    pub name: Arc<str>,
    /// How to get there.
    pub way: Way,
}

/// How to get to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// A Unix socket.
    Unix(PathBuf),
    /// HTTP to HOST:PORT.
    Http(String),
    /// The same over TLS.
    Https(String, Tls),
    /// `docker system dial-stdio` on another machine: [USER@]HOST[:PORT].
    Ssh(String),
}

/// What a TLS connection is made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    /// Who may have signed the engine's certificate, besides those that this machine trusts.
    pub ca: Option<PathBuf>,
    /// This user's certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether the engine's certificate is looked at.
    pub verify: Verify,
}

/// Whether the engine's certificate is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Verify {
    /// It must be right.
    #[default]
    Strictly,
    /// Any will do, as the context says.
    Skipped,
}

impl Endpoint {
    /// `DOCKER_HOST`, else the context that `DOCKER_CONTEXT` or Docker's configuration names, else the default socket.
    pub fn find(surroundings: &Surroundings) -> Result<Endpoint, DockerError> {
        if let Some(host) = &surroundings.host {
            let tls = surroundings.tls_verify.then(|| {
                let directory = surroundings.certificates.as_ref().or(surroundings.config.as_ref());
                directory.map(|directory| Tls::within(directory)).unwrap_or_default()
            });
            return Endpoint::parse("DOCKER_HOST", host, tls);
        }
        let configured = match (&surroundings.context, &surroundings.config) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(config)) => current_context(&config.join("config.json"))?,
            (None, None) => None,
        };
        match (configured, &surroundings.config) {
            (Some(name), Some(config)) if name != DEFAULT_CONTEXT => from_context(&name, config),
            (Some(name), None) if name != DEFAULT_CONTEXT => Err(DockerError::Context { name }),
            _ => Endpoint::parse("the default", DEFAULT, None),
        }
    }

    /// Reads an address; `setting` says where it was written.
    fn parse(setting: &str, text: &str, tls: Option<Tls>) -> Result<Endpoint, DockerError> {
        let refused = |cause: String| DockerError::setting(setting, cause);
        // as the docker command does, an address without a scheme is TCP
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() {
            return Err(refused(format!("`{text}` names no place")));
        }
        let way = match (scheme, tls) {
            ("unix", _) => Way::Unix(PathBuf::from(rest)),
            ("ssh", _) => Way::Ssh(rest.split('/').next().unwrap_or_default().to_owned()),
            ("tcp", Some(tls)) | ("https", Some(tls)) => Way::Https(with_port(rest, 2376), tls),
            ("https", None) => Way::Https(with_port(rest, 2376), Tls::default()),
            ("tcp" | "http", _) => Way::Http(with_port(rest, 2375)),
            _ => return Err(refused(format!("`{scheme}` is no way to a Docker Engine"))),
        };
        Ok(Endpoint { name: text.into(), way })
    }

    /// The machine, if it is not this one.
    pub fn host(&self) -> Option<&str> {
        let authority = match &self.way {
            Way::Unix(_) => return None,
            Way::Http(address) | Way::Https(address, _) | Way::Ssh(address) => address,
        };
        let host = host_of(authority);
        let loopback = host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback());
        (!loopback).then_some(host)
    }
}

impl Tls {
    /// With the files of a directory, as far as they are there.
    fn within(directory: &Path) -> Tls {
        let there = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
        let identity = there("cert.pem").zip(there("key.pem"));
        Tls { ca: there("ca.pem"), identity, verify: Verify::Strictly }
    }
}

/// HOST of [USER@]HOST[:PORT], an IPv6 address without its brackets.
pub(super) fn host_of(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    }
}

fn with_port(authority: &str, port: u16) -> String {
    let authority = authority.split('/').next().unwrap_or_default();
    let after_address = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    match after_address.contains(':') {
        true => authority.to_owned(),
        false => format!("{authority}:{port}"),
    }
}

/// The context that Docker's configuration names; no file, or none named, is no error.
fn current_context(file: &Path) -> Result<Option<String>, DockerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        current_context: Option<String>,
    }
    let config: Option<Config> = read_json(file)?;
    Ok(config.and_then(|config| config.current_context).filter(|name| !name.is_empty()))
}

/// The engine that a context names.
fn from_context(name: &str, config: &Path) -> Result<Endpoint, DockerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Meta {
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Option<Target>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Target {
        host: Option<String>,
        #[serde(default, rename = "SkipTLSVerify")]
        skip_tls_verify: bool,
    }

    let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let meta: Option<Meta> = read_json(&config.join("contexts/meta").join(&digest).join("meta.json"))?;
    let Some(meta) = meta else { return Err(DockerError::Context { name: name.to_owned() }) };
    let setting = format!("the Docker context {name}");
    let target = meta.endpoints.docker.ok_or_else(|| DockerError::setting(&setting, "it names no Docker Engine"))?;
    let host = target.host.filter(|host| !host.is_empty()).unwrap_or_else(|| DEFAULT.to_owned());
    let files = config.join("contexts/tls").join(&digest).join("docker");
    let tls = (files.is_dir() || target.skip_tls_verify).then(|| Tls {
        verify: if target.skip_tls_verify { Verify::Skipped } else { Verify::Strictly },
        ..Tls::within(&files)
    });
    Endpoint::parse(&setting, &host, tls)
}

/// What a file says; `None` if there is none.
fn read_json<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<Option<T>, DockerError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DockerError::setting(file.display().to_string(), in_words(&error))),
    };
    let parsed = serde_json::from_str(&text);
    parsed.map(Some).map_err(|error| DockerError::setting(file.display().to_string(), one_line(&error.to_string())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn configuration(current: &str, contexts: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.json"), format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#))
            .unwrap();
        for (name, endpoints) in contexts {
            let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
            let meta = directory.path().join("contexts/meta").join(digest);
            fs::create_dir_all(&meta).unwrap();
            let text = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{endpoints}}}}}"#);
            fs::write(meta.join("meta.json"), text).unwrap();
        }
        directory
    }

    fn found(surroundings: Surroundings) -> Endpoint {
        Endpoint::find(&surroundings).unwrap()
    }

    #[test]
    fn without_a_word_it_is_the_default_socket() {
        let default = Way::Unix("/var/run/docker.sock".into());
        assert_eq!(found(Surroundings::default()).way, default);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(found(Surroundings { config: Some(empty.path().into()), ..Surroundings::default() }).way, default);
        let named = configuration("default", &[]);
        assert_eq!(found(Surroundings { config: Some(named.path().into()), ..Surroundings::default() }).way, default);
    }

    #[test]
    fn the_environment_goes_before_the_configuration() {
        let own = r#"{"Host":"unix:///run/one.sock","SkipTLSVerify":false}"#;
        let directory = configuration("one", &[("one", own), ("two", r#"{"Host":"tcp://two:1234"}"#)]);
        let config = Some(directory.path().to_owned());
        let mut surroundings = Surroundings { config, ..Surroundings::default() };
        assert_eq!(found(surroundings.clone()).way, Way::Unix("/run/one.sock".into()));
        surroundings.context = Some("two".to_owned());
        assert_eq!(found(surroundings.clone()).way, Way::Http("two:1234".to_owned()));
        surroundings.context = Some("default".to_owned());
        assert_eq!(found(surroundings.clone()).way, Way::Unix("/var/run/docker.sock".into()));
        surroundings.context = Some("three".to_owned());
        let unknown = Endpoint::find(&surroundings).unwrap_err();
        assert_eq!(unknown, DockerError::Context { name: "three".to_owned() });
        surroundings.host = Some("ssh://me@host:2222".to_owned());
        assert_eq!(found(surroundings).way, Way::Ssh("me@host:2222".to_owned()));
    }

    #[test]
    fn a_context_brings_its_certificates() {
        let directory = configuration("far", &[("far", r#"{"Host":"tcp://far:2376","SkipTLSVerify":true}"#)]);
        let digest: String = Sha256::digest("far").iter().map(|byte| format!("{byte:02x}")).collect();
        let files = directory.path().join("contexts/tls").join(digest).join("docker");
        fs::create_dir_all(&files).unwrap();
        for name in ["cert.pem", "key.pem"] {
            fs::write(files.join(name), "").unwrap();
        }
        let config = Some(directory.path().to_owned());
        let identity = Some((files.join("cert.pem"), files.join("key.pem")));
        let tls = Tls { ca: None, identity, verify: Verify::Skipped };
        let endpoint = found(Surroundings { config, ..Surroundings::default() });
        assert_eq!(endpoint.way, Way::Https("far:2376".to_owned(), tls));
    }

    #[test]
    fn a_broken_configuration_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.json"), "{").unwrap();
        let config = Some(directory.path().to_owned());
        let error = Endpoint::find(&Surroundings { config, ..Surroundings::default() }).unwrap_err().to_string();
        assert!(error.contains("config.json cannot be used: "), "{error}");
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        let way = |text: &str| Endpoint::parse("DOCKER_HOST", text, None).map(|endpoint| endpoint.way);
        assert_eq!(way("tcp://10.0.0.1").unwrap(), Way::Http("10.0.0.1:2375".to_owned()));
        assert_eq!(way("http://[fd00::1]:99/").unwrap(), Way::Http("[fd00::1]:99".to_owned()));
        assert_eq!(way("tcp://[fd00::1]").unwrap(), Way::Http("[fd00::1]:2375".to_owned()));
        assert_eq!(way("host:1").unwrap(), Way::Http("host:1".to_owned()));
        assert_eq!(way("https://host").unwrap(), Way::Https("host:2376".to_owned(), Tls::default()));
        let secure = Endpoint::parse("DOCKER_HOST", "tcp://host", Some(Tls::default())).unwrap();
        assert_eq!(secure.way, Way::Https("host:2376".to_owned(), Tls::default()));
        for wrong in ["npipe:////./pipe/docker_engine", "unix://", "fd://1"] {
            assert!(matches!(way(wrong), Err(DockerError::Setting { .. })), "{wrong}");
        }
    }

    #[test]
    fn published_ports_answer_on_the_engines_machine() {
        for (text, host) in [
            ("unix:///run/docker.sock", None),
            ("tcp://127.0.0.1:2375", None),
            ("tcp://localhost:2375", None),
            ("tcp://[::1]:2375", None),
            ("tcp://10.1.2.3:2375", Some("10.1.2.3")),
            ("tcp://[fd00::1]:2375", Some("fd00::1")),
            ("ssh://me@far.example", Some("far.example")),
            ("ssh://me@far.example:22/run/docker.sock", Some("far.example")),
        ] {
            assert_eq!(Endpoint::parse("DOCKER_HOST", text, None).unwrap().host(), host, "{text}");
        }
    }
}
