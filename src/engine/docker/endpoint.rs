//! Finds the Docker Engine that the `docker` command would use, in the same places: the environment, the contexts of
//! Docker's configuration, the default socket.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::engine::text::one_line;

use super::error::{DockerError, io_message};

/// The address of an engine on this machine.
const DEFAULT_ADDRESS: &str = "unix:///var/run/docker.sock";
/// The context that has no file: it stands for the default socket.
const DEFAULT_CONTEXT: &str = "default";

/// The environment variables that name the engine. An empty value counts as none.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
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

impl Environment {
    pub fn of_process() -> Environment {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = set("DOCKER_CONFIG").map(PathBuf::from);
        Environment {
            host: set("DOCKER_HOST"),
            context: set("DOCKER_CONTEXT"),
            config: config.or_else(|| set("HOME").map(|home| Path::new(&home).join(".docker"))),
            tls_verify: set("DOCKER_TLS_VERIFY").is_some(),
            certificates: set("DOCKER_CERT_PATH").map(PathBuf::from),
        }
    }
}

/// The address of an engine, and the way to connect to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The address as a person wrote it.
    pub name: Arc<str>,
    pub transport: Transport,
}

/// A way to connect to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transport {
    /// A Unix socket at this path.
    Unix(PathBuf),
    /// HTTP to HOST:PORT.
    Http(String),
    /// HTTPS to HOST:PORT.
    Https(String, Tls),
    /// `docker system dial-stdio` on another machine: [USER@]HOST[:PORT].
    Ssh(String),
}

/// The files and the checks of a TLS connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    /// The file of a certificate authority that is trusted besides those of this machine.
    pub ca: Option<PathBuf>,
    /// The files of this user's certificate and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    pub verify: CertificateCheck,
}

/// The check of the engine's certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum CertificateCheck {
    #[default]
    Full,
    /// Any certificate is accepted, because the context asks for it.
    Skip,
}

impl Endpoint {
    /// Finds the engine: by `DOCKER_HOST`, else by the context that `DOCKER_CONTEXT` or Docker's configuration names, else
    /// at the default socket.
    pub fn resolve(environment: &Environment) -> Result<Endpoint, DockerError> {
        if let Some(host) = &environment.host {
            let tls = environment.tls_verify.then(|| {
                let directory = environment.certificates.as_ref().or(environment.config.as_ref());
                directory.map(|directory| Tls::from_directory(directory)).unwrap_or_default()
            });
            return Endpoint::parse("DOCKER_HOST", host, tls);
        }
        let configured = match (&environment.context, &environment.config) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(config)) => current_context(&config.join("config.json"))?,
            (None, None) => None,
        };
        match (configured, &environment.config) {
            (Some(name), Some(config)) if name != DEFAULT_CONTEXT => from_context(&name, config),
            (Some(name), None) if name != DEFAULT_CONTEXT => Err(DockerError::Context { name }),
            _ => Endpoint::parse("the default", DEFAULT_ADDRESS, None),
        }
    }

    /// Reads an address. `setting` names the place where it was written, for messages.
    fn parse(setting: &str, text: &str, tls: Option<Tls>) -> Result<Endpoint, DockerError> {
        let refused = |cause: String| DockerError::setting(setting, cause);
        // as the docker command does, an address without a scheme is TCP
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() {
            return Err(refused(format!("`{text}` names no place")));
        }
        let transport = match (scheme, tls) {
            ("unix", _) => Transport::Unix(PathBuf::from(rest)),
            ("ssh", _) => Transport::Ssh(rest.split('/').next().unwrap_or_default().to_owned()),
            ("tcp", Some(tls)) | ("https", Some(tls)) => Transport::Https(with_port(rest, 2376), tls),
            ("https", None) => Transport::Https(with_port(rest, 2376), Tls::default()),
            ("tcp" | "http", _) => Transport::Http(with_port(rest, 2375)),
            _ => return Err(refused(format!("`{scheme}` is no way to a Docker Engine"))),
        };
        Ok(Endpoint { name: text.into(), transport })
    }

    /// The engine's machine, where it is not this one.
    pub fn host(&self) -> Option<&str> {
        let authority = match &self.transport {
            Transport::Unix(_) => return None,
            Transport::Http(address) | Transport::Https(address, _) | Transport::Ssh(address) => address,
        };
        let host = host_of(authority);
        let loopback = host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback());
        (!loopback).then_some(host)
    }
}

impl Tls {
    /// Uses the files of a directory, as far as they exist.
    fn from_directory(directory: &Path) -> Tls {
        let existing = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
        let identity = existing("cert.pem").zip(existing("key.pem"));
        Tls { ca: existing("ca.pem"), identity, verify: CertificateCheck::Full }
    }
}

/// The host of [USER@]HOST[:PORT]. An IPv6 address loses its brackets.
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
    if after_address.contains(':') { authority.to_owned() } else { format!("{authority}:{port}") }
}

/// The context that Docker's configuration names. It is no error if there is no file, or if the file names none.
fn current_context(file: &Path) -> Result<Option<String>, DockerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        current_context: Option<String>,
    }
    let config: Option<Config> = read_json(file)?;
    Ok(config.and_then(|config| config.current_context).filter(|name| !name.is_empty()))
}

/// Finds the engine that a context names.
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

    // Docker keeps a context in a directory that is called by the digest of its name
    let digest = hex::encode(Sha256::digest(name));
    let meta: Option<Meta> = read_json(&config.join("contexts/meta").join(&digest).join("meta.json"))?;
    let Some(meta) = meta else { return Err(DockerError::Context { name: name.to_owned() }) };
    let setting = format!("the Docker context {name}");
    let target = meta.endpoints.docker.ok_or_else(|| DockerError::setting(&setting, "it names no Docker Engine"))?;
    let host = target.host.filter(|host| !host.is_empty()).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    let files = config.join("contexts/tls").join(&digest).join("docker");
    let tls = (files.is_dir() || target.skip_tls_verify).then(|| Tls {
        verify: if target.skip_tls_verify { CertificateCheck::Skip } else { CertificateCheck::Full },
        ..Tls::from_directory(&files)
    });
    Endpoint::parse(&setting, &host, tls)
}

/// Reads a JSON file. Returns `None` if there is no such file.
fn read_json<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<Option<T>, DockerError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DockerError::setting(file.display().to_string(), io_message(&error))),
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
            let meta = directory.path().join("contexts/meta").join(hex::encode(Sha256::digest(name)));
            fs::create_dir_all(&meta).unwrap();
            let text = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{endpoints}}}}}"#);
            fs::write(meta.join("meta.json"), text).unwrap();
        }
        directory
    }

    fn resolved(environment: Environment) -> Endpoint {
        Endpoint::resolve(&environment).unwrap()
    }

    #[test]
    fn without_any_setting_it_is_the_default_socket() {
        let default = Transport::Unix("/var/run/docker.sock".into());
        assert_eq!(resolved(Environment::default()).transport, default);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(
            resolved(Environment { config: Some(empty.path().into()), ..Environment::default() }).transport,
            default
        );
        let named = configuration("default", &[]);
        assert_eq!(
            resolved(Environment { config: Some(named.path().into()), ..Environment::default() }).transport,
            default
        );
    }

    #[test]
    fn the_environment_goes_before_the_configuration() {
        let own = r#"{"Host":"unix:///run/one.sock","SkipTLSVerify":false}"#;
        let directory = configuration("one", &[("one", own), ("two", r#"{"Host":"tcp://two:1234"}"#)]);
        let config = Some(directory.path().to_owned());
        let mut environment = Environment { config, ..Environment::default() };
        assert_eq!(resolved(environment.clone()).transport, Transport::Unix("/run/one.sock".into()));
        environment.context = Some("two".to_owned());
        assert_eq!(resolved(environment.clone()).transport, Transport::Http("two:1234".to_owned()));
        environment.context = Some("default".to_owned());
        assert_eq!(resolved(environment.clone()).transport, Transport::Unix("/var/run/docker.sock".into()));
        environment.context = Some("three".to_owned());
        let unknown = Endpoint::resolve(&environment).unwrap_err();
        assert_eq!(unknown, DockerError::Context { name: "three".to_owned() });
        environment.host = Some("ssh://me@host:2222".to_owned());
        assert_eq!(resolved(environment).transport, Transport::Ssh("me@host:2222".to_owned()));
    }

    #[test]
    fn a_context_brings_its_certificates() {
        let directory = configuration("far", &[("far", r#"{"Host":"tcp://far:2376","SkipTLSVerify":true}"#)]);
        let digest = hex::encode(Sha256::digest("far"));
        let files = directory.path().join("contexts/tls").join(digest).join("docker");
        fs::create_dir_all(&files).unwrap();
        for name in ["cert.pem", "key.pem"] {
            fs::write(files.join(name), "").unwrap();
        }
        let config = Some(directory.path().to_owned());
        let identity = Some((files.join("cert.pem"), files.join("key.pem")));
        let tls = Tls { ca: None, identity, verify: CertificateCheck::Skip };
        let endpoint = resolved(Environment { config, ..Environment::default() });
        assert_eq!(endpoint.transport, Transport::Https("far:2376".to_owned(), tls));
    }

    #[test]
    fn a_broken_configuration_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.json"), "{").unwrap();
        let config = Some(directory.path().to_owned());
        let error = Endpoint::resolve(&Environment { config, ..Environment::default() }).unwrap_err().to_string();
        assert!(error.contains("config.json cannot be used: "), "{error}");
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        let transport = |text: &str| Endpoint::parse("DOCKER_HOST", text, None).map(|endpoint| endpoint.transport);
        assert_eq!(transport("tcp://10.0.0.1").unwrap(), Transport::Http("10.0.0.1:2375".to_owned()));
        assert_eq!(transport("http://[fd00::1]:99/").unwrap(), Transport::Http("[fd00::1]:99".to_owned()));
        assert_eq!(transport("tcp://[fd00::1]").unwrap(), Transport::Http("[fd00::1]:2375".to_owned()));
        assert_eq!(transport("host:1").unwrap(), Transport::Http("host:1".to_owned()));
        assert_eq!(transport("https://host").unwrap(), Transport::Https("host:2376".to_owned(), Tls::default()));
        let secure = Endpoint::parse("DOCKER_HOST", "tcp://host", Some(Tls::default())).unwrap();
        assert_eq!(secure.transport, Transport::Https("host:2376".to_owned(), Tls::default()));
        for wrong in ["npipe:////./pipe/docker_engine", "unix://", "fd://1"] {
            assert!(matches!(transport(wrong), Err(DockerError::Setting { .. })), "{wrong}");
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
