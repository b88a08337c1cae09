//! The processes that a test has started, directly or not, and `lbctl up` in the foreground.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{DEADLINE, Place, eventually};

/// A process that was started in a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    pub pid: i32,
    pub command: String,
}

impl Process {
    pub fn signal(&self, signal: Signal) {
        send(self.pid, signal);
    }
}

/// Sends a signal; a process that has ended meanwhile does not mind.
pub fn send(pid: i32, signal: Signal) {
    _ = kill_process(Pid::from_raw(pid).expect("a process id"), signal);
}

impl Place {
    /// Every process that runs and has this place in its environment.
    pub fn processes(&self) -> Vec<Process> {
        let mine = format!("XDG_RUNTIME_DIR={}", self.path().display());
        if !cfg!(target_os = "linux") {
            let listed = std::process::Command::new("ps").args(["-axEww", "-o", "pid=,command="]).output().expect("ps");
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            let rows = listed.lines().filter(|row| row.contains(&mine));
            let split = rows.filter_map(|row| row.trim_start().split_once(' '));
            return split
                .map(|(pid, command)| Process { pid: pid.parse().expect("a number"), command: command.to_owned() })
                .collect();
        }
        let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter_map(|pid| {
            // of one that has ended and was not waited for, the environment is gone
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment.split(|&byte| byte == 0).find(|&variable| variable == mine.as_bytes())?;
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some(Process { pid, command: String::from_utf8_lossy(&command).replace('\0', " ") })
        })
        .collect()
    }

    /// The replicas among them.
    pub fn replicas(&self) -> Vec<Process> {
        let mut processes = self.processes();
        processes.retain(|process| process.command.contains(" replica --app "));
        processes
    }

    /// The process of the replica with this name.
    #[track_caller]
    pub fn replica(&self, name: &str) -> Process {
        let named = |process: &Process| process.command.contains(&format!("--name {name} "));
        eventually(name, || self.replicas().into_iter().find(named))
    }

    /// The supervisor, where there is one.
    #[track_caller]
    pub fn supervisor(&self) -> Process {
        let is_supervisor = |process: &Process| process.command.contains(" --background");
        self.processes().into_iter().find(is_supervisor).expect("a supervisor")
    }

    /// That no process is left, and no file where labs are found.
    #[track_caller]
    pub fn is_left_clean(&self) {
        let start = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "left running: {left:#?}");
            thread::sleep(Duration::from_millis(5));
        }
        let files = std::fs::read_dir(self.path().join("lbctl")).into_iter().flatten().flatten();
        let files: Vec<_> = files.map(|entry| entry.file_name()).collect();
        assert!(files.is_empty(), "left behind: {files:?}");
    }

    /// `lbctl up --port 0` in the foreground; returns when it has said what runs where.
    #[track_caller]
    pub fn foreground(&self, arguments: &[&str]) -> Foreground {
        let mut foreground = self.starting(arguments);
        let mut text = String::new();
        for line in foreground.output.by_ref().lines() {
            let line = line.expect("its output");
            text += &line;
            if line == "}" {
                break;
            }
        }
        foreground.view = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
        foreground
    }

    /// The same, and returns at once.
    #[track_caller]
    pub fn starting(&self, arguments: &[&str]) -> Foreground {
        let always = ["up", "--port", "0", "--format", "json"];
        let mut command = self.command(always.iter().chain(arguments));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let reader = thread::spawn({
            let said = said.clone();
            move || errors.lines().map_while(Result::ok).for_each(|line| said.lock().expect("lines").push(line))
        });
        Foreground { child, output, view: Value::Null, said, reader: Some(reader) }
    }
}

/// A lab in the foreground; killed when it is dropped.
pub struct Foreground {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    pub view: Value,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Foreground {
    pub fn address(&self) -> String {
        self.view["proxy_address"].as_str().expect("an address").to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        send(self.child.id() as i32, signal);
    }

    /// Waits until a line of its standard error has these words.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        let found = || self.said.lock().expect("lines").iter().find(|line| line.contains(words)).cloned();
        eventually(words, found)
    }

    /// Waits for its end; how it ended, and every line of its standard error.
    #[track_caller]
    pub fn end(&mut self) -> (ExitStatus, Vec<String>) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its end") {
                break status;
            }
            assert!(start.elapsed() < DEADLINE, "lbctl does not end: {:?}", self.said.lock());
            thread::sleep(Duration::from_millis(2));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("lines");
        }
        (status, self.said.lock().expect("lines").clone())
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
