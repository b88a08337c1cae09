//! `lbctl replica`: one replica, as the embedded engine starts it.

use std::{io, thread};

use anyhow::Context;
use tokio::{net::TcpListener, signal::unix};

use crate::{
    app,
    cli::Replica,
    engine::ReadyLine,
    error::{Error, Exit},
};

use super::console;

/// Serves until SIGTERM, or until the supervisor has ended.
pub fn run(args: Replica) -> Result<Exit, Error> {
    thread::spawn(leave_with_the_supervisor);
    // one thread is enough for one of many replicas, and keeps it small
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
    runtime.block_on(async {
        let mut terminate = unix::signal(unix::SignalKind::terminate()).context("cannot listen for signals")?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
        console::json_line(&ReadyLine { address: listener.local_addr().context("cannot listen on 127.0.0.1")? })?;
        let stop = async move { _ = terminate.recv().await };
        console::json_line(&app::serve(args.app, args.name, listener, stop).await.context("cannot serve")?)?;
        Ok(Exit::Done)
    })
}

/// Standard input is a pipe whose other end the supervisor holds: its end is the supervisor's.
fn leave_with_the_supervisor() {
    _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    std::process::exit(0);
}
