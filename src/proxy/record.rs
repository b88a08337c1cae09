//! Records: one request's event in the making, sent when its last owner lets go of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, StatusCode, header};
use tokio::sync::broadcast;

use crate::model::Access;

use super::{forward::Peer, upstream::Upstream};

/// Where events go.
pub type Events = broadcast::Sender<Arc<Access>>;

/// The client went away before there was an answer; nginx and Traefik log this status too.
const CLIENT_CLOSED: u16 = 499;

/// The event of a request that is under way.
pub struct Record {
    worker: usize,
    _under_way: Option<Arc<()>>,
    /// Nothing is recorded while nobody listens.
    open: Option<Box<Open>>,
}

struct Open {
    events: Events,
    started: Instant,
    access: Access,
}

impl Record {
    /// Starts the record of a request that has just been read from `peer`.
    pub fn start<B>(peer: &Peer, request: &Request<B>) -> Self {
        let &Peer { worker, client, ref events, .. } = peer;
        let _under_way = Some(peer.under_way.clone());
        if events.receiver_count() == 0 {
            return Record { worker, _under_way, open: None };
        }
        let header = |name| request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        let access = Access {
            at: jiff::Timestamp::now(),
            client,
            method: request.method().as_str().into(),
            host: header(header::HOST).unwrap_or_default().into(),
            path: path.into(),
            user_agent: header(header::USER_AGENT).map(Into::into),
            router: None,
            service: None,
            replica: None,
            turn: None,
            failed_over: Vec::new(),
            status: CLIENT_CLOSED,
            bytes: 0,
            duration_us: 0,
        };
        Record {
            worker,
            _under_way,
            open: Some(Box::new(Open { events: events.clone(), started: Instant::now(), access })),
        }
    }

    /// Records nothing.
    pub fn none() -> Self {
        Record { worker: 0, _under_way: None, open: None }
    }

    /// The worker that has the request.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// A router matched, which leads to this service of the lab.
    pub fn routed(&mut self, router: &Arc<str>, service: &Arc<str>) {
        if let Some(open) = &mut self.open {
            open.access.router = Some(router.clone());
            open.access.service = Some(service.clone());
        }
    }

    /// A replica was picked, in this turn of the strategy, or by a cookie.
    pub fn picked(&mut self, upstream: &Upstream, turn: Option<u64>) {
        if let Some(open) = &mut self.open {
            open.access.service = Some(upstream.service.clone());
            open.access.replica = Some(upstream.name.clone());
            open.access.turn = turn;
        }
    }

    /// The picked replica refused the connection.
    pub fn failed_over(&mut self) {
        if let Some(open) = &mut self.open {
            open.access.failed_over.extend(open.access.replica.take());
        }
    }

    /// The client gets this status.
    pub fn answered(&mut self, status: StatusCode) {
        if let Some(open) = &mut self.open {
            open.access.status = status.as_u16();
        }
    }

    /// Some of the body was forwarded.
    pub fn count(&mut self, bytes: usize) {
        if let Some(open) = &mut self.open {
            open.access.bytes += bytes as u64;
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.access.duration_us = micros(open.started.elapsed());
            // that the last listener has left meanwhile is no error
            _ = open.events.send(Arc::new(open.access));
        }
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap_or(u64::MAX)
}
