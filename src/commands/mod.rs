//! The commands: one small file a verb, which wires the other modules together. Only commands print.

mod completions;
mod console;
mod down;
mod draft;
mod export;
mod logs;
mod output_place;
mod probe;
mod proxy;
mod ps;
mod replica;
mod scale;
mod session_test;
mod target;
mod trace_file;
mod up;

use std::{future::Future, process::ExitCode};

use anyhow::Context;
use tokio::runtime::Builder;

use crate::{
    cli::{Cli, Command},
    error::{Error, Exit},
};

/// Runs the command, reports its error if it has one, and returns the exit code.
pub fn run(cli: Cli) -> ExitCode {
    // the only provider that is compiled in; a second call changes nothing
    _ = rustls::crypto::ring::default_provider().install_default();
    let ended = start_log(&cli).and_then(|()| run_command(cli.command));
    let exit = ended.unwrap_or_else(|error| {
        let report = error.report();
        console::say_error(&report);
        report.exit
    });
    ExitCode::from(exit.code())
}

fn run_command(command: Command) -> Result<Exit, Error> {
    match command {
        Command::Up(args) => block_on(up::run(args)),
        Command::Scale(args) => block_on(interruptible(scale::run(args))),
        Command::Ps(args) => block_on(interruptible(ps::run(args))),
        Command::Logs(args) => block_on(interruptible(beside(logs::run(args)))),
        Command::Down(args) => block_on(interruptible(down::run(args))),
        Command::Proxy(args) => block_on(proxy::run(args)),
        Command::Export(args) => export::run(&args),
        Command::Probe(args) => block_on_one_thread(probe::run(*args)),
        Command::SessionTest(args) => block_on(interruptible(session_test::run(args))),
        Command::Completions(args) => completions::run(&args),
        Command::Replica(args) => replica::run(args),
    }
}

/// Starts the debug log. A replica has none: its standard error is the supervisor's, which expects errors there.
fn start_log(cli: &Cli) -> Result<(), Error> {
    let variable = std::env::var_os("LBCTL_LOG").map(|value| value.to_string_lossy().into_owned());
    match cli.command {
        Command::Replica(_) => Ok(()),
        _ => Ok(console::start_debug_log(cli.debug, variable.as_deref())?),
    }
}

fn block_on(command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    complete(Builder::new_multi_thread(), command)
}

/// Runs a command in one thread: with several, a request would have to wake another thread, which costs more than the
/// request.
fn block_on_one_thread(command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    complete(Builder::new_current_thread(), command)
}

fn complete(mut runtime: Builder, command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    let runtime = runtime.enable_all().build().context("cannot start a runtime")?;
    let ended = runtime.block_on(command);
    // a name that is still being resolved is nothing to wait for
    runtime.shutdown_background();
    ended
}

/// Runs a command in a thread of its own, so that ^C ends it even while a reader that has stopped reading holds up a write.
async fn beside(command: impl Future<Output = Result<Exit, Error>> + Send + 'static) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(command)).await.context("the command ended early")?
}

/// A command that ^C or SIGTERM simply ends: what it holds is let go.
async fn interruptible(command: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    console::Signals::listen()?.unless(command).await.unwrap_or(Ok(Exit::Interrupted))
}
