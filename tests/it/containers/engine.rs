//! A Docker Engine that goes away: in the middle of the start, and while the lab runs.
//!
//! The engine is this machine's, behind a socket of the test's own that can be cut. What `lbctl` cannot remove without an
//! engine, it removes by the real socket.

use std::{
    io,
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use crate::support::{Ended, compose::PATIENCE, eventually_within, http::Connection, missing};

use super::{Start, hints};

/// Where this machine's engine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// A socket that leads to the engine until it is cut.
struct Forwarder {
    directory: TempDir,
    streams: Arc<Mutex<Vec<UnixStream>>>,
    open: Arc<AtomicBool>,
}

impl Forwarder {
    /// Where the engine is elsewhere, the test says that it is skipped.
    fn open() -> Option<Forwarder> {
        if !Path::new(SOCKET).exists() {
            missing(&format!("there is no {SOCKET}"));
            return None;
        }
        let directory = TempDir::new().unwrap();
        let listener = UnixListener::bind(directory.path().join("docker.sock")).unwrap();
        let (streams, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
        let forwarder = Forwarder { directory, streams: streams.clone(), open: open.clone() };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut kept = streams.lock().unwrap_or_else(PoisonError::into_inner);
                if !open.load(Ordering::SeqCst) {
                    return;
                }
                let engine = UnixStream::connect(SOCKET).unwrap();
                kept.extend([client.try_clone().unwrap(), engine.try_clone().unwrap()]);
                pass_on(&client, &engine);
                pass_on(&engine, &client);
            }
        });
        Some(forwarder)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("docker.sock")
    }

    /// What `DOCKER_HOST` says.
    fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The engine is gone: its connections end, and it takes no more.
    fn cut(&self) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        self.open.store(false, Ordering::SeqCst);
        for stream in streams.iter() {
            _ = stream.shutdown(Shutdown::Both);
        }
        drop(streams);
        // the listener sees it when somebody knocks
        _ = UnixStream::connect(self.socket());
        _ = std::fs::remove_file(self.socket());
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.cut();
    }
}

fn pass_on(from: &UnixStream, to: &UnixStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        _ = io::copy(&mut from, &mut to);
        _ = to.shutdown(Shutdown::Write);
    });
}

/// How it must end, in whichever way it learned that the engine is gone.
#[track_caller]
fn lost(start: &Start, ended: &Ended, engine: &Forwarder) {
    ended.fails(3, &format!("lost the Docker Engine at {}: ", engine.endpoint()));
    hints(ended, "was Docker stopped?");
    start.place.is_left_clean();
    // what it could not remove it says, and removes it when the engine is back
    let project = &start.project.name;
    assert!(ended.stderr.contains(&format!("`lbctl down -p {project}` removes them")), "{ended:#?}");
    assert_ne!(start.project.containers(), []);
    start.place.lbctl(["down", "-p", project]).ok();
    start.leaves_nothing();
}

#[test]
fn an_engine_that_stops_in_the_middle_of_the_start() {
    let Some(start) = Start::new() else { return };
    let Some(engine) = Forwarder::open() else { return };
    let small = start.arguments(&["--port", "0", "--web-static", "3", "--web-dynamic", "0"]);
    let mut lbctl = start.place.command(small);
    lbctl.env("DOCKER_HOST", engine.endpoint());
    let ended = thread::scope(|scope| {
        let ended = scope.spawn(|| -> Ended { lbctl.output().unwrap().into() });
        eventually_within(PATIENCE, "a container", || (!start.project.containers().is_empty()).then_some(()));
        engine.cut();
        ended.join().unwrap()
    });
    lost(&start, &ended, &engine);
}

#[test]
fn an_engine_that_stops_while_the_lab_runs() {
    let Some(start) = Start::new() else { return };
    let Some(engine) = Forwarder::open() else { return };
    let small = start.arguments(&["--port", "0", "--web-static", "1", "--web-dynamic", "0"]);
    let mut lbctl = start.place.command(small);
    lbctl.env("DOCKER_HOST", engine.endpoint());
    let ended: Ended = thread::scope(|scope| {
        let ended = scope.spawn(|| -> Ended { lbctl.output().unwrap().into() });
        let up = || {
            // the control API answers before the lab is ready; what a person sees comes when it is
            let view = start.place.lbctl(["ps", "-p", &start.project.name, "--format", "json"]);
            let view = serde_json::from_str::<serde_json::Value>(&view.stdout).ok()?;
            let ready = view["services"]["web_static"]["replicas"][0]["state"] == "ready";
            let address = view["proxy_address"].as_str().filter(|_| ready)?;
            let answer = Connection::open(address).ok()?.request("GET", "/session", &[], "").ok()?;
            (answer.status == 200).then_some(())
        };
        eventually_within(PATIENCE, "the lab", up);
        engine.cut();
        ended.join().unwrap()
    });
    lost(&start, &ended, &engine);
}
