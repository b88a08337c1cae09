//! `lbctl proxy`: the bundled proxy on its own.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use jiff::tz::TimeZone;
use tokio::sync::{
    broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
    watch,
};

use crate::{
    cli::Proxy as Args,
    error::{Exit, Failure},
    lab::{Port, Wanted, bind},
    proxy::{Proxy, Settings, Strategy, Unmarked},
    replica::{self, Labels, Replica, Replicas, State},
    report,
    trace::{Access, Entry},
};

use super::console::{self, Signals};

/// How long requests under way may take after ^C.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// Lines of the log that are written together at most, in bytes.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// Forwards until ^C.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(twice) = repeated(&args.upstreams) {
        return Err(Failure::usage(format!("two upstreams are called {twice}")).into());
    }
    let labels = Arc::new(labels(&args));
    let replicas: Replicas =
        args.upstreams.iter().enumerate().map(|(index, upstream)| replica(index, upstream, &labels)).collect();
    let settings = Settings {
        unmarked: Unmarked::Routed,
        workers: args.threads.map_or_else(|| thread::available_parallelism().map_or(1, Into::into), Into::into),
    };
    let mut signals = Signals::listen()?;
    let bound = bind(Wanted { bind: args.bind, port: Port::Exactly(args.port) })?;
    let (_unchanged, replicas) = watch::channel(replicas);
    let proxy = Proxy::start(bound.listeners, replicas, &settings)?;
    if let Some(problem) = proxy.problems().into_iter().next() {
        return Err(Failure::usage(problem).into());
    }
    // before anybody can know the address, so that no request is missed
    let events = (!args.quiet).then(|| proxy.events());
    let upstreams = report::style::count(args.upstreams.len() as u64, "upstream");
    console::say(&format!("listening on http://{}/ for {upstreams}; ^C stops", bound.address));
    let mut log = std::pin::pin!(log(events));
    let exit = tokio::select! {
        () = signals.next() => Ok(Exit::Interrupted),
        written = &mut log, if !args.quiet => written.map(|()| Exit::Done),
    };
    let last_requests = async {
        proxy.stop(LAST_REQUESTS).await;
        // the end of the events
        drop(proxy);
    };
    let last_lines = async {
        if exit.is_ok() {
            _ = log.await;
        }
    };
    tokio::select! {
        _ = async { tokio::join!(last_requests, last_lines) } => {}
        () = signals.next() => {}
    }
    exit
}

/// Prints a line per request, as long as there are any and somebody reads them.
async fn log(events: Option<broadcast::Receiver<Arc<Access>>>) -> anyhow::Result<()> {
    let Some(mut events) = events else { return Ok(()) };
    let (zone, paint) = (TimeZone::system(), console::paint());
    loop {
        let mut entry = match events.recv().await {
            Ok(access) => Entry::Request(access),
            Err(RecvError::Lagged(missed)) => Entry::Missed { missed },
            Err(RecvError::Closed) => return Ok(()),
        };
        // all that came at once is written at once
        let mut lines = String::new();
        loop {
            lines += &report::log::line(&entry, &zone, paint);
            lines.push('\n');
            if lines.len() >= WRITTEN_AT_ONCE {
                break;
            }
            entry = match events.try_recv() {
                Ok(access) => Entry::Request(access),
                Err(TryRecvError::Lagged(missed)) => Entry::Missed { missed },
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
        }
        console::data(&lines)?;
    }
}

/// A name that two upstreams have.
fn repeated(upstreams: &[(Option<String>, SocketAddr)]) -> Option<&str> {
    let mut names: Vec<&str> = upstreams.iter().filter_map(|(name, _)| name.as_deref()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// The flags as labels, which is all that the proxy reads.
fn labels(args: &Args) -> Labels {
    let service = |field: &str| format!("traefik.http.services.proxy.loadbalancer.{field}");
    let mut labels = Labels::new();
    labels.insert("traefik.http.routers.proxy.rule".to_owned(), args.rule.clone());
    labels.insert(service("passhostheader"), "true".to_owned());
    if args.sticky {
        labels.insert(service("sticky.cookie"), "true".to_owned());
    }
    labels.extend([Strategy::from(args.strategy).label("proxy")]);
    labels
}

fn replica(index: usize, (name, address): &(Option<String>, SocketAddr), labels: &Arc<Labels>) -> Replica {
    let name: Arc<str> = name.clone().unwrap_or_else(|| address.to_string()).into();
    Replica {
        hostname: name.to_string(),
        name,
        service: "upstream".into(),
        base: "proxy".into(),
        number: index as u32 + 1,
        address: Some(*address),
        port: replica::Port::Bound,
        state: State::Ready,
        restarts: 0,
        ended: None,
        labels: labels.clone(),
    }
}
