//! The child: runs a program to its end, or cancels it.
//!
//! The program gets a process group of its own: ^C in the terminal is for this program to handle, and a signal that
//! cancels the child also reaches the programs that the child started. A caller may stop waiting at any moment, by
//! dropping the future; the child is then cancelled too.
//!
//! The crate `process-wrap` does not fit: dropping its child kills the leader of a group alone, while here the whole
//! group must end, and its `wait` takes the group's end for the child's.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
};

/// The longest time that a child may take to end after it was interrupted.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest time that the output may stay open after the child's end: a program that the child started may hold it.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs programs, and cancels those that run.
#[derive(Debug, Clone)]
pub(super) struct ProcessRunner {
    /// The number of running programs.
    running: watch::Sender<usize>,
    /// The number of cancellations so far; a change of it cancels all running programs.
    cancellations: watch::Sender<u64>,
}

/// The way in which a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completion {
    Success,
    Failure,
    Cancelled,
}

impl From<ExitStatus> for Completion {
    fn from(status: ExitStatus) -> Completion {
        if status.success() { Completion::Success } else { Completion::Failure }
    }
}

/// A part of a program's output.
#[derive(Debug)]
enum Output {
    Data(Vec<u8>),
    Line(String),
}

impl Default for ProcessRunner {
    fn default() -> Self {
        ProcessRunner { running: watch::Sender::new(0), cancellations: watch::Sender::new(0) }
    }
}

impl ProcessRunner {
    /// Runs the command. `on_line` gets each line of standard output and standard error as it comes. With `data`, the
    /// standard output goes there instead, byte by byte.
    pub async fn run(
        &self,
        mut command: Command,
        mut data: Option<&mut Vec<u8>>,
        mut on_line: impl FnMut(&str),
    ) -> io::Result<Completion> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let cancellations = self.cancellations.subscribe();
        let mut child = command.spawn()?;
        let (sender, mut parts) = mpsc::unbounded_channel();
        let outputs = (child.stdout.take(), child.stderr.take());
        let errors = tokio::spawn(read_lines(outputs.1, sender.clone()));
        let output = match data {
            Some(_) => tokio::spawn(read_data(outputs.0, sender)),
            None => tokio::spawn(read_lines(outputs.0, sender)),
        };
        let running = RunningGuard::new(&self.running);
        let (ended, end) = oneshot::channel();
        // dropped with this future, which tells the task that the caller stopped waiting
        let (_waiting, caller_gone) = oneshot::channel::<()>();
        // a task of its own, so that the child is cancelled in order even then
        tokio::spawn(async move {
            let completion = wait(child, cancellations, caller_gone).await;
            _ = tokio::time::timeout(READ_TIMEOUT, async { tokio::join!(output, errors) }).await;
            drop(running);
            _ = ended.send(completion);
        });
        let mut end = std::pin::pin!(end);
        let mut pass_on = |part: Output| match (part, &mut data) {
            (Output::Data(bytes), Some(data)) => data.extend_from_slice(&bytes),
            (Output::Data(_), None) => {}
            (Output::Line(line), _) => on_line(&line),
        };
        let end = loop {
            tokio::select! {
                biased;
                Some(part) = parts.recv() => pass_on(part),
                end = &mut end => break end,
            }
        };
        while let Ok(part) = parts.try_recv() {
            pass_on(part);
        }
        end.unwrap_or_else(|_| Err(io::Error::other("nothing waits for it any more")))
    }

    /// Cancels all running programs, and waits for their ends.
    pub async fn cancel(&self) {
        self.cancellations.send_modify(|count| *count += 1);
        // waiting fails only without a sender, and this handle is one
        _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

/// Waits for the end of a child, or cancels it when the runner is cancelled or the caller stops waiting.
async fn wait(
    mut child: Child,
    mut cancellations: watch::Receiver<u64>,
    caller_gone: oneshot::Receiver<()>,
) -> io::Result<Completion> {
    let mut group = ProcessGroup::led_by(&child);
    let completion = tokio::select! {
        status = child.wait() => status.map(Completion::from),
        _ = cancellations.changed() => cancel(&mut child, &group).await,
        _ = caller_gone => cancel(&mut child, &group).await,
    };
    group.release();
    completion
}

/// Interrupts a child and its group, and kills them if the child does not end in time.
async fn cancel(child: &mut Child, group: &ProcessGroup) -> io::Result<Completion> {
    group.send(Signal::INT);
    if tokio::time::timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
        group.send(Signal::KILL);
        child.wait().await?;
    }
    // programs that the child started and left behind; as long as one of them runs, the group's id is not used again
    group.send(Signal::KILL);
    Ok(Completion::Cancelled)
}

/// The process group that a child leads. It is killed when this is dropped before the child has ended, as at the end of
/// this program.
#[derive(Debug)]
struct ProcessGroup {
    leader: Option<Pid>,
}

impl ProcessGroup {
    fn led_by(child: &Child) -> ProcessGroup {
        ProcessGroup { leader: child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) }
    }

    fn send(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // the group may have ended at this moment
            _ = kill_process_group(leader, signal);
        }
    }

    /// Sends no more signals: the system may give the group's id to another group from now on.
    fn release(&mut self) {
        self.leader = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

/// Counts one more running program until it is dropped.
#[derive(Debug)]
struct RunningGuard(watch::Sender<usize>);

impl RunningGuard {
    fn new(count: &watch::Sender<usize>) -> RunningGuard {
        count.send_modify(|running| *running += 1);
        RunningGuard(count.clone())
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

async fn read_data(output: Option<impl AsyncRead + Unpin>, to: mpsc::UnboundedSender<Output>) {
    let Some(mut output) = output else { return };
    let mut data = Vec::new();
    // after an error there is no more data than what was read until then
    _ = output.read_to_end(&mut data).await;
    _ = to.send(Output::Data(data));
}

async fn read_lines(output: Option<impl AsyncRead + Unpin>, to: mpsc::UnboundedSender<Output>) {
    let Some(output) = output else { return };
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes);
        // of a line that was drawn anew several times, the last state counts
        let drawn = strip_controls(text.trim_end()).trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
        if !drawn.is_empty() && to.send(Output::Line(drawn)).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// The line without control characters and without the sequences that move a terminal's cursor or change its colours.
/// Carriage returns stay: after one, a terminal draws the line anew.
fn strip_controls(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\t' | '\r')).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// Returns whether a process runs. A zombie, which only waits for its parent, does not.
    fn lives(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    async fn ends(pid: &str) {
        let start = Instant::now();
        while lives(pid) {
            assert!(start.elapsed() < Duration::from_secs(20), "{pid} lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn both_outputs_are_heard_line_by_line() {
        let mut heard = Vec::new();
        let script = r"printf 'one\r\ntwo ...\rtwo done\r\n\n\033[1m\033[32mthree\033[0m'; printf '\033]0;title\007four\n' >&2; exit 3";
        let end = ProcessRunner::default().run(shell(script), None, |line| heard.push(line.to_owned())).await.unwrap();
        heard.sort();
        assert_eq!(
            (end, heard),
            (Completion::Failure, ["four", "one", "three", "two done"].map(String::from).to_vec())
        );
    }

    #[tokio::test]
    async fn data_is_kept_apart_as_it_is() {
        let (mut data, mut heard) = (Vec::new(), Vec::new());
        let command = shell("printf 'a\\n  b'; echo warning >&2");
        let end =
            ProcessRunner::default().run(command, Some(&mut data), |line| heard.push(line.to_owned())).await.unwrap();
        assert_eq!((end, &*data, &*heard), (Completion::Success, &b"a\n  b"[..], &["warning".to_owned()][..]));
    }

    #[tokio::test]
    async fn a_cancelled_program_is_interrupted_with_the_programs_it_started() {
        let runner = ProcessRunner::default();
        let (heard, mut pids) = mpsc::unbounded_channel();
        let running = {
            let runner = runner.clone();
            let script = "trap 'echo bye; exit 7' INT; sleep 1000 & echo $!; wait";
            tokio::spawn(async move { runner.run(shell(script), None, |line| _ = heard.send(line.to_owned())).await })
        };
        let sleeper = pids.recv().await.unwrap();
        runner.cancel().await;
        assert_eq!(running.await.unwrap().unwrap(), Completion::Cancelled);
        assert_eq!(pids.recv().await.unwrap(), "bye");
        // a shell makes what it starts in the background ignore ^C
        ends(&sleeper).await;
        // there is nothing left to wait for
        runner.cancel().await;
    }

    #[tokio::test]
    async fn a_program_that_ignores_the_interrupt_is_killed() {
        let runner = ProcessRunner::default();
        let (heard, mut pids) = mpsc::unbounded_channel();
        let running = {
            let runner = runner.clone();
            let script = "trap '' INT; echo $$; while :; do sleep 1000; done";
            tokio::spawn(async move { runner.run(shell(script), None, |line| _ = heard.send(line.to_owned())).await })
        };
        let stubborn = pids.recv().await.unwrap();
        runner.cancel().await;
        assert_eq!(running.await.unwrap().unwrap(), Completion::Cancelled);
        ends(&stubborn).await;
    }

    #[tokio::test]
    async fn a_program_is_cancelled_when_the_caller_stops_waiting() {
        let runner = ProcessRunner::default();
        let mut pid = None;
        let run = runner.run(shell("echo $$; exec sleep 1000"), None, |line| pid = Some(line.to_owned()));
        assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err());
        runner.cancel().await;
        ends(&pid.unwrap()).await;
    }
}
