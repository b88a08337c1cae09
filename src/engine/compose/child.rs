//! A program that is run to its end, or cut off.
//!
//! It has a process group of its own: ^C in the terminal is this program's to handle, and what cuts it off reaches the
//! programs that it started in turn. Whoever waits for it may stop waiting at any moment; then it is cut off too.

use std::{io, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
};

/// How long it may take to end after it was interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// How long its output may stay open after its end: something that it started may hold it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs one program at a time, and cuts it off.
#[derive(Debug, Clone)]
pub(super) struct Runner {
    /// How many are running.
    running: watch::Sender<usize>,
    /// How often what runs was to be cut off.
    cuts: watch::Sender<u64>,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With success.
    Well,
    /// Otherwise.
    Badly,
    /// It was cut off.
    Cut,
}

/// What a program wrote.
#[derive(Debug)]
enum Said {
    Data(Vec<u8>),
    Line(String),
}

impl Default for Runner {
    fn default() -> Self {
        Runner { running: watch::Sender::new(0), cuts: watch::Sender::new(0) }
    }
}

impl Runner {
    /// Runs it; its lines, those of both outputs, go to `said` as they come. With `data`, its standard output goes there
    /// instead, as it is.
    pub async fn run(
        &self,
        mut command: Command,
        mut data: Option<&mut Vec<u8>>,
        mut said: impl FnMut(&str),
    ) -> io::Result<End> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut cuts = self.cuts.subscribe();
        let mut child = command.spawn()?;
        let (sender, mut lines) = mpsc::unbounded_channel();
        let outputs = (child.stdout.take(), child.stderr.take());
        let errors = tokio::spawn(read_lines(outputs.1, sender.clone()));
        let output = match data {
            Some(_) => tokio::spawn(read_data(outputs.0, sender)),
            None => tokio::spawn(read_lines(outputs.0, sender)),
        };
        let running = Running::enter(&self.running);
        let (ended, end) = oneshot::channel();
        // a task of its own, so that it is cut off in order even if nobody waits for it any more
        let (waiting, gone) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let mut group = Group::of(&child);
            let end = tokio::select! {
                status = child.wait() => status.map(|status| if status.success() { End::Well } else { End::Badly }),
                _ = cuts.changed() => cut_off(&mut child, &group).await,
                _ = gone => cut_off(&mut child, &group).await,
            };
            group.over();
            let readers = async { tokio::join!(output, errors) };
            _ = tokio::time::timeout(LAST_WORDS, readers).await;
            drop(running);
            _ = ended.send(end);
        });
        let mut end = std::pin::pin!(end);
        let mut hear = |what: Said| match (what, &mut data) {
            (Said::Data(bytes), Some(data)) => data.extend_from_slice(&bytes),
            (Said::Data(_), None) => {}
            (Said::Line(line), _) => said(&line),
        };
        let end = loop {
            tokio::select! {
                biased;
                Some(what) = lines.recv() => hear(what),
                end = &mut end => break end,
            }
        };
        while let Ok(what) = lines.try_recv() {
            hear(what);
        }
        drop(waiting);
        end.unwrap_or_else(|_| Err(io::Error::other("nothing waits for it any more")))
    }

    /// Cuts off what runs, and waits for its end.
    pub async fn abandon(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
        // this very handle is a sender, so it cannot fail
        _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

/// Interrupts it, and kills it if that does not end it in time.
async fn cut_off(child: &mut Child, group: &Group) -> io::Result<End> {
    group.send(Signal::INT);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        group.send(Signal::KILL);
        child.wait().await?;
    }
    // what it started and left behind; as long as there is any of that, the group's number is nobody else's
    group.send(Signal::KILL);
    Ok(End::Cut)
}

/// A child's process group. Dropped before the child's end was seen, as at the end of this program, it is killed.
#[derive(Debug)]
struct Group {
    leader: Option<Pid>,
}

impl Group {
    fn of(child: &Child) -> Group {
        Group { leader: child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) }
    }

    fn send(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // it may have ended this very moment
            _ = kill_process_group(leader, signal);
        }
    }

    /// Its number may be another's from now on.
    fn over(&mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

/// One more that runs, until it is dropped.
#[derive(Debug)]
struct Running(watch::Sender<usize>);

impl Running {
    fn enter(count: &watch::Sender<usize>) -> Running {
        count.send_modify(|running| *running += 1);
        Running(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

async fn read_data(output: Option<impl AsyncRead + Unpin>, to: mpsc::UnboundedSender<Said>) {
    let Some(mut output) = output else { return };
    let mut data = Vec::new();
    // what was read before an error is as much as there is
    _ = output.read_to_end(&mut data).await;
    _ = to.send(Said::Data(data));
}

async fn read_lines(output: Option<impl AsyncRead + Unpin>, to: mpsc::UnboundedSender<Said>) {
    let Some(output) = output else { return };
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes);
        // a line that was drawn anew several times is as good as its last state
        let drawn = plain(text.trim_end()).trim_end().rsplit('\r').next().unwrap_or_default().to_owned();
        if !drawn.is_empty() && to.send(Said::Line(drawn)).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// A line without the sequences that move a terminal's cursor and change its colours.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => match rest.next() {
                // ESC [ parameters letter
                Some('[') => _ = rest.by_ref().find(|letter| ('@'..='~').contains(letter)),
                // ESC ] text, up to BEL or ESC \
                Some(']') => {
                    let end = rest.by_ref().find(|letter| matches!(letter, '\u{7}' | '\u{1b}'));
                    if end == Some('\u{1b}') {
                        rest.next();
                    }
                }
                _ => {}
            },
            '\t' | '\r' => plain.push(letter),
            letter if letter.is_control() => {}
            letter => plain.push(letter),
        }
    }
    plain
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

    /// Whether a process is there, or waits as a zombie for somebody to ask.
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
        let end = Runner::default().run(shell(script), None, |line| heard.push(line.to_owned())).await.unwrap();
        heard.sort();
        assert_eq!((end, heard), (End::Badly, ["four", "one", "three", "two done"].map(String::from).to_vec()));
    }

    #[tokio::test]
    async fn data_is_kept_apart_as_it_is() {
        let (mut data, mut heard) = (Vec::new(), Vec::new());
        let command = shell("printf 'a\\n  b'; echo warning >&2");
        let end = Runner::default().run(command, Some(&mut data), |line| heard.push(line.to_owned())).await.unwrap();
        assert_eq!((end, &*data, &*heard), (End::Well, &b"a\n  b"[..], &["warning".to_owned()][..]));
    }

    #[tokio::test]
    async fn what_is_abandoned_is_interrupted_with_what_it_started() {
        let runner = Runner::default();
        let (heard, mut pids) = mpsc::unbounded_channel();
        let running = {
            let runner = runner.clone();
            let script = "trap 'echo bye; exit 7' INT; sleep 1000 & echo $!; wait";
            tokio::spawn(async move { runner.run(shell(script), None, |line| _ = heard.send(line.to_owned())).await })
        };
        let sleeper = pids.recv().await.unwrap();
        runner.abandon().await;
        assert_eq!(running.await.unwrap().unwrap(), End::Cut);
        assert_eq!(pids.recv().await.unwrap(), "bye");
        // a shell makes what it starts in the background ignore ^C
        ends(&sleeper).await;
        // there is nothing left to wait for
        runner.abandon().await;
    }

    #[tokio::test]
    async fn what_ignores_that_is_killed() {
        let runner = Runner::default();
        let (heard, mut pids) = mpsc::unbounded_channel();
        let running = {
            let runner = runner.clone();
            let script = "trap '' INT; echo $$; while :; do sleep 1000; done";
            tokio::spawn(async move { runner.run(shell(script), None, |line| _ = heard.send(line.to_owned())).await })
        };
        let stubborn = pids.recv().await.unwrap();
        runner.abandon().await;
        assert_eq!(running.await.unwrap().unwrap(), End::Cut);
        ends(&stubborn).await;
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_cut_off() {
        let runner = Runner::default();
        let mut pid = None;
        let run = runner.run(shell("echo $$; exec sleep 1000"), None, |line| pid = Some(line.to_owned()));
        assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err());
        runner.abandon().await;
        ends(&pid.unwrap()).await;
    }
}
