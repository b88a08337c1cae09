//! Which Docker Engine is meant, and what is said where there is none.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixListener, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use sha2::{Digest, Sha256};

use super::routed::Proxy;
use crate::support::{Ended, Place, docker::Project, forwarder::Forwarder, missing, peer};

/// `lbctl proxy --docker`, which needs an engine before anything else.
fn proxy(place: &Place, environment: &[(&str, &str)]) -> Ended {
    let mut command = place.command(["proxy", "--docker", "--port", "0"]);
    for variable in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY"] {
        command.env_remove(variable);
    }
    command.env("DOCKER_CONFIG", place.path()).envs(environment.iter().copied()).output().unwrap().into()
}

/// Writes a context; returns the directory of its certificates.
fn context(config: &Path, name: &str, host: &str, skip_tls_verify: bool) -> PathBuf {
    let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = config.join("contexts/meta").join(&digest);
    fs::create_dir_all(&directory).unwrap();
    let endpoint = format!(r#"{{"Host":"{host}","SkipTLSVerify":{skip_tls_verify}}}"#);
    let meta = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{endpoint}}}}}"#);
    fs::write(directory.join("meta.json"), meta).unwrap();
    config.join("contexts/tls").join(digest).join("docker")
}

#[test]
fn the_environment_or_a_context_says_which_engine_is_meant() {
    let (Some(_), Some(forwarder)) = (Project::new(), Forwarder::new()) else { return };
    let config = tempfile::tempdir().unwrap();
    context(config.path(), "elsewhere", &forwarder.host(), false);
    fs::write(config.path().join("config.json"), r#"{"currentContext":"elsewhere"}"#).unwrap();
    let config = config.path().to_str().unwrap();
    let (host, nowhere) = (forwarder.host(), "unix:///nowhere");
    for environment in [
        [("DOCKER_HOST", &*host), ("DOCKER_CONTEXT", "nix"), ("DOCKER_CONFIG", "/nowhere")],
        [("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "elsewhere"), ("DOCKER_CONFIG", config)],
        [("DOCKER_HOST", ""), ("DOCKER_CONTEXT", ""), ("DOCKER_CONFIG", config)],
    ] {
        let before = forwarder.connections();
        let _proxy = Proxy::start(&environment, &[]);
        assert!(forwarder.connections() > before, "{environment:?}");
    }
    context(Path::new(config), "elsewhere", nowhere, false);
    let place = Place::with_docker();
    proxy(&place, &[("DOCKER_CONFIG", config)]).fails(3, "no Docker Engine at unix:///nowhere: no such file");
}

#[test]
fn no_engine_is_an_error_that_says_where_and_why() {
    let place = Place::with_docker();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    // nobody listens any more
    let dead = place.path().join("dead");
    drop(UnixListener::bind(&dead).unwrap());
    for (host, words) in [
        ("unix:///nowhere/docker.sock".to_owned(), "no Docker Engine at unix:///nowhere/docker.sock: no such file"),
        (format!("unix://{}", file.display()), "it is no socket"),
        (format!("unix://{}", dead.display()), "connection refused"),
        ("tcp://127.0.0.1:1".to_owned(), "no Docker Engine at tcp://127.0.0.1:1: connection refused"),
        ("https://127.0.0.1:1".to_owned(), "no Docker Engine at https://127.0.0.1:1: connection refused"),
    ] {
        let ended = proxy(&place, &[("DOCKER_HOST", &host)]);
        ended.fails(3, words);
        assert!(ended.stderr.contains("hint: start Docker, or leave --engine compose out"), "{ended:?}");
    }
    proxy(&place, &[("DOCKER_HOST", "gopher://x")]).fails(3, "DOCKER_HOST cannot be used: `gopher` is no way");
    proxy(&place, &[("DOCKER_CONTEXT", "nix")]).fails(3, "no Docker context is called nix");
}

#[test]
fn a_socket_of_somebody_else_is_not_allowed() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = directory.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    let place = Place::with_docker();
    let mut command = place.command(["proxy", "--docker", "--port", "0"]);
    command.env("DOCKER_HOST", format!("unix://{}", path.display()));
    if rustix::process::geteuid().is_root() {
        // nothing is forbidden to root, so somebody else asks
        command.uid(65534).gid(65534).current_dir("/");
    }
    match command.output() {
        Ok(output) => {
            let ended = Ended::from(output);
            ended.fails(3, &format!("not allowed to use the Docker Engine at unix://{}", path.display()));
            assert!(ended.stderr.contains("hint: add this user to the group `docker`"), "{ended:?}");
        }
        Err(error) => missing(&format!("another user may not run lbctl: {error}")),
    }
}

#[test]
fn an_engine_that_says_nothing_is_not_waited_for() {
    let place = Place::with_docker();
    let path = place.path().join("silent.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    proxy(&place, &[("DOCKER_HOST", &format!("unix://{}", path.display()))]).fails(3, "does not answer");
}

#[test]
fn another_machines_engine_is_reached_through_ssh() {
    let Some(_) = Project::new() else { return };
    // where ssh would go is this machine
    let directory = tempfile::tempdir().unwrap();
    let said = directory.path().join("said");
    let script = format!("#!/bin/sh\necho \"$*\" >> {}\nexec docker system dial-stdio\n", said.display());
    let ssh = directory.path().join("ssh");
    fs::write(&ssh, script).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let environment = |host| [("DOCKER_HOST", host), ("PATH", &*path)];
    // `docker` in its turn must not go there
    fs::write(&ssh, fs::read_to_string(&ssh).unwrap().replace("exec docker", "exec env -u DOCKER_HOST docker"))
        .unwrap();
    let _proxy = Proxy::start(&environment("ssh://me@far.example:2222"), &[]);
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("-l me -p 2222 -- far.example docker system dial-stdio"), "{said}");
    fs::write(&ssh, "#!/bin/sh\necho 'Host key verification failed.' >&2; exit 255\n").unwrap();
    let refused = proxy(&Place::with_docker(), &environment("ssh://me@far.example"));
    refused.fails(3, "no Docker Engine at ssh://me@far.example: host key verification failed");
}

/// An engine behind TLS that lets in whoever has the certificate of `files`, which is its own as well.
async fn secure(files: &Path, engine: &Path) -> u16 {
    _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from_pem_file(files.join("cert.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let key = PrivateKeyDer::from_pem_file(files.join("key.pem")).unwrap();
    let config = ServerConfig::builder().with_client_cert_verifier(clients);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let engine = engine.to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, engine) = (acceptor.clone(), engine.clone());
            tokio::spawn(async move {
                let mut client = acceptor.accept(stream).await?;
                let mut server = tokio::net::UnixStream::connect(engine).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_shown_and_looked_at() {
    let (Some(_), Some(forwarder), Some(openssl)) = (Project::new(), Forwarder::new(), peer("openssl")) else { return };
    let files = tempfile::tempdir().unwrap();
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=engine.test"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(files.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let port = secure(files.path(), forwarder.engine()).await;
    let (host, directory) = (format!("tcp://127.0.0.1:{port}"), files.path().to_str().unwrap());
    let environment = [("DOCKER_HOST", &*host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", directory)];
    let place = Place::with_docker();
    proxy(&place, &environment).fails(3, &format!("no secure connection to the Docker Engine at {host}: "));
    fs::copy(files.path().join("cert.pem"), files.path().join("ca.pem")).unwrap();
    drop(Proxy::start(&environment, &[]));
    // nobody says who may have signed it, and nobody asks
    let config = tempfile::tempdir().unwrap();
    let own = context(config.path(), "far", &host, true);
    let environment =
        [("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "far"), ("DOCKER_CONFIG", config.path().to_str().unwrap())];
    let stranger = proxy(&place, &environment);
    stranger.fails(3, &format!("no secure connection to the Docker Engine at {host}: "));
    fs::create_dir_all(&own).unwrap();
    for name in ["cert.pem", "key.pem"] {
        fs::copy(files.path().join(name), own.join(name)).unwrap();
    }
    drop(Proxy::start(&environment, &[]));
}
