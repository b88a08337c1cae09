//! Runs the proxy until ^C.

use std::{convert::Infallible, thread};

use anyhow::Context;

use crate::{
    cli::Proxy as Args,
    commands::console::{self, Signals},
    error::{Error, Exit, UsageError},
    lab::{ListenRequest, PortChoice, bind},
    proxy::{GRACE_PERIOD, Proxy, Settings},
};

use super::{log::log, source::Source};

/// Forwards until ^C.
pub async fn run(args: Args) -> Result<Exit, Error> {
    let mut signals = Signals::listen()?;
    let (source, what) = tokio::select! {
        opened = Source::open(&args) => opened?,
        () = signals.next() => return Ok(Exit::Interrupted),
    };
    let settings = Settings {
        exposed_by_default: source.exposed_by_default(&args),
        workers: args.threads.map_or_else(|| thread::available_parallelism().map_or(1, Into::into), Into::into),
    };
    let bound = bind(ListenRequest { bind: args.bind, port: PortChoice::Required(args.port) })?;
    let proxy = Proxy::start(bound.listeners, source.replicas(), &settings).context("the proxy did not start")?;
    if let (Source::Flags(_), Some(problem)) = (&source, proxy.problems().into_iter().next()) {
        return Err(UsageError::ProxyFlags(problem).into());
    }
    // before anybody can know the address, so that no request is missed
    let events = (!args.quiet).then(|| proxy.events());
    console::say(&format!("listening on http://{}/ for {what}; ^C stops", bound.address));
    let mut log = std::pin::pin!(log(events));
    let mut to_write = Rest::Comes;
    let exit = tokio::select! {
        () = signals.next() => Ok(Exit::Interrupted),
        written = &mut log, if !args.quiet => {
            to_write = Rest::Over;
            written.map(|()| Exit::Done).map_err(Error::from)
        }
        error = source.lost() => Err(error.into()),
        never = say_problems(&proxy) => match never {},
    };
    let last_requests = async {
        proxy.stop(GRACE_PERIOD).await;
        // the end of the events
        drop(proxy);
    };
    let last_lines = async {
        if to_write == Rest::Comes {
            _ = log.await;
        }
    };
    tokio::select! {
        _ = async { tokio::join!(last_requests, last_lines) } => {}
        () = signals.next() => {}
    }
    exit
}

/// The rest of the log when the proxy is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// The lines of the last requests.
    Comes,
    /// Nothing: no reader is left.
    Over,
}

/// Says once of each problem with the labels that it is there, for as long as it stays.
async fn say_problems(proxy: &Proxy) -> Infallible {
    let mut known = Vec::new();
    loop {
        let problems = proxy.other_problems(&known).await;
        for problem in problems.iter().filter(|problem| !known.contains(problem)) {
            console::say(&format!("note: {problem}"));
        }
        known = problems;
    }
}
