//! A socket in front of the Docker Engine's, which can be counted and cut.

use std::{
    io,
    net::Shutdown,
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use super::missing;

/// Forwards to the engine's socket.
pub struct Forwarder {
    directory: TempDir,
    engine: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    open: Mutex<Vec<UnixStream>>,
}

impl Forwarder {
    /// One, where the engine has a socket on this machine.
    pub fn new() -> Option<Forwarder> {
        let named = std::env::var("DOCKER_HOST").unwrap_or_default();
        let engine = PathBuf::from(named.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"));
        if !std::fs::metadata(&engine).is_ok_and(|file| file.file_type().is_socket()) {
            missing(&format!("there is no socket {}", engine.display()));
            return None;
        }
        let directory = tempfile::Builder::new().prefix("lb").tempdir().unwrap();
        let forwarder = Forwarder { directory, engine, shared: Arc::default() };
        forwarder.open();
        Some(forwarder)
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("docker.sock")
    }

    /// As `DOCKER_HOST` has it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.path().display())
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The engine's own socket.
    pub fn engine(&self) -> &Path {
        &self.engine
    }

    /// Listens, at first or again.
    pub fn open(&self) {
        let listener = UnixListener::bind(self.path()).unwrap();
        let (engine, shared) = (self.engine.clone(), self.shared.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = UnixStream::connect(&engine) else { return };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                shared.open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    thread::spawn(move || {
                        _ = io::copy(&mut from, &mut to);
                        _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
    }

    /// Ends every connection, and takes the socket away.
    pub fn cut(&self) {
        std::fs::remove_file(self.path()).unwrap();
        for stream in self.shared.open.lock().unwrap().drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
    }
}
