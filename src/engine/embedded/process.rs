//! The process of one replica, from its start to its end.
//!
//! A replica is this same executable with the hidden `replica` command, in a process group of its own, so that ^C in
//! the terminal reaches the supervisor alone. Its standard input is the read end of a pipe whose only write end is held
//! here: when the supervisor ends, however it ended, the replica sees the end of the file and leaves. It writes two
//! lines: the address at which it listens, and, after a signal to end, the number of its sessions.

use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};
use tracing::debug;

use crate::model::{App, Sessions};

/// The longest time that a replica may take to report its address. A thousand that start at once share the machine.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of last lines of a replica's standard error that become part of a message.
const MAX_ERROR_LINES: usize = 3;

/// The first line that a replica writes: the address at which it listens.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadyLine {
    pub address: SocketAddr,
}

/// A replica that did not start.
#[derive(Debug, thiserror::Error)]
#[error("{replica} did not start: {reason}")]
pub struct StartError {
    pub replica: String,
    pub reason: StartFailure,
}

/// The reason why a replica did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// The system could not create the process or its pipes.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The process did not report the address at which it listens.
    #[error("{0}")]
    Process(String),
}

impl StartError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        let StartFailure::System(error) = &self.reason else { return None };
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some("ask for fewer replicas, or raise the limit of open files (ulimit -n)".to_owned()),
            Errno::AGAIN => Some("ask for fewer replicas, or raise the limit of processes (ulimit -u)".to_owned()),
            _ => None,
        }
    }
}

/// The process of a replica that listens.
#[derive(Debug)]
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    /// The write end of the pipe whose end makes the replica leave.
    _lifeline: Option<ChildStdin>,
    errors: JoinHandle<String>,
}

impl Process {
    /// Starts a replica and waits until it listens.
    ///
    /// # Errors
    /// Fails when the process cannot be started, ends, or does not listen in time.
    pub async fn start(name: &str, app: App) -> Result<Process, StartError> {
        let failed = |reason: StartFailure| StartError { replica: name.to_owned(), reason };
        let mut child = spawn(name, app).map_err(|error| failed(error.into()))?;
        let lifeline = child.stdin.take();
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed(StartFailure::Process("its output is not a pipe".to_owned())));
        };
        let mut output = BufReader::new(output).lines();
        let errors = tokio::spawn(last_lines(errors));
        let reason = match tokio::time::timeout(STARTUP_TIMEOUT, output.next_line()).await {
            Ok(Ok(Some(line))) => match serde_json::from_str::<ReadyLine>(&line) {
                Ok(ReadyLine { address }) => {
                    debug!(replica = name, pid = child.id(), %address, "replica started");
                    return Ok(Process { address, child, output, _lifeline: lifeline, errors });
                }
                Err(_) => format!("it said `{line}` instead of where it listens"),
            },
            Ok(Ok(None)) => format!("it ended at once: {}", errors.await.unwrap_or_default()),
            Ok(Err(error)) => return Err(failed(error.into())),
            Err(_) => format!("it did not listen within {} s", STARTUP_TIMEOUT.as_secs()),
        };
        Err(failed(StartFailure::Process(reason)))
    }

    /// Waits until the process ends by itself. Returns its exit status and its last errors as text.
    pub async fn wait(&mut self) -> String {
        let status = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let errors = (&mut self.errors).await.unwrap_or_default();
        if errors.is_empty() { status } else { format!("{status}: {errors}") }
    }

    /// Asks the process to end, and kills it after `grace`. Returns the sessions that it reported at its end.
    pub async fn stop(mut self, grace: Duration) -> Sessions {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            // the process may have ended at this moment
            _ = kill_process(pid, Signal::TERM);
        }
        let report = async {
            let line = self.output.next_line().await.ok().flatten();
            _ = self.child.wait().await;
            line.and_then(|line| serde_json::from_str(&line).ok())
        };
        match tokio::time::timeout(grace, report).await {
            Ok(sessions) => sessions.unwrap_or_default(),
            Err(_) => {
                _ = self.child.kill().await;
                Sessions::default()
            }
        }
    }
}

fn spawn(name: &str, app: App) -> io::Result<Child> {
    let (program, arg0) = own_executable()?;
    // Linux makes pipes that no other process inherits in one step. Where that takes two, a replica that is started
    // between them would inherit another's lifeline and keep it alive.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = cfg!(not(target_os = "linux")).then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
    Command::new(program)
        .arg0(arg0)
        .args(["replica", "--app", app.as_str(), "--name", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// The path of the running executable, and the name to start it under (its `argv[0]`). The path also holds when the
/// file was replaced meanwhile, as an upgrade or a build does.
///
/// # Errors
/// Fails when the system does not name the executable.
pub fn own_executable() -> io::Result<(PathBuf, OsString)> {
    let path = std::env::current_exe()?;
    let arg0 = std::env::args_os().next().unwrap_or_else(|| path.clone().into());
    Ok(if cfg!(target_os = "linux") { (PathBuf::from("/proc/self/exe"), arg0) } else { (path, arg0) })
}

/// Reads standard error until its end. Returns its last lines, joined into one.
async fn last_lines(errors: ChildStderr) -> String {
    let mut lines = BufReader::new(errors).lines();
    let mut last = VecDeque::new();
    while let Ok(Some(line)) = lines.next_line().await {
        last.push_back(line);
        if last.len() > MAX_ERROR_LINES {
            last.pop_front();
        }
    }
    Vec::from(last).join("; ")
}
