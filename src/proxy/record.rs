//! Records: the event of a request that is under way. The event goes out when the record is dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::Access;
use http::{Request, StatusCode, header};
use tracing::debug;

use super::{
    peer::{Events, Peer},
    upstream::Upstream,
};

/// The status when the client went away before there was an answer; nginx and Traefik log it too.
const CLIENT_CLOSED: u16 = 499;

/// The event of a request that is under way.
pub struct Record {
    worker: usize,
    /// The record holds this until the request is over, so that its connection counts it.
    _request: Option<Arc<()>>,
    /// The event, if there is a reader of events.
    pending: Option<Box<PendingEvent>>,
}

struct PendingEvent {
    events: Events,
    started: Instant,
    access: Access,
}

impl Record {
    /// Starts the record of a request that has just been read from `peer`.
    pub fn start<B>(peer: &Peer, request: &Request<B>) -> Self {
        let &Peer { worker, client, ref events, .. } = peer;
        let _request = Some(peer.requests.clone());
        if events.receiver_count() == 0 {
            return Record { worker, _request, pending: None };
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
            _request,
            pending: Some(Box::new(PendingEvent { events: events.clone(), started: Instant::now(), access })),
        }
    }

    /// A record without an event.
    pub fn none() -> Self {
        Record { worker: 0, _request: None, pending: None }
    }

    pub fn worker(&self) -> usize {
        self.worker
    }

    /// Records the router that matched, and the service of the lab to which it leads.
    pub fn record_route(&mut self, router: &Arc<str>, service: &Arc<str>) {
        if let Some(pending) = &mut self.pending {
            pending.access.router = Some(router.clone());
            pending.access.service = Some(service.clone());
        }
    }

    /// Records the replica that was picked, and the turn of the strategy; a cookie picks without a turn.
    pub fn record_pick(&mut self, upstream: &Upstream, turn: Option<u64>) {
        debug!(service = %upstream.service, replica = %upstream.name, turn, "pick");
        if let Some(pending) = &mut self.pending {
            pending.access.service = Some(upstream.service.clone());
            pending.access.replica = Some(upstream.name.clone());
            pending.access.turn = turn;
        }
    }

    /// Records that the picked replica refused the connection, so that another one is picked.
    pub fn record_failover(&mut self) {
        debug!("the replica refused the connection: another one is picked");
        if let Some(pending) = &mut self.pending {
            pending.access.failed_over.extend(pending.access.replica.take());
        }
    }

    /// Records the status that the client gets.
    pub fn record_status(&mut self, status: StatusCode) {
        if let Some(pending) = &mut self.pending {
            pending.access.status = status.as_u16();
        }
    }

    /// Counts bytes of the body that were forwarded.
    pub fn count(&mut self, bytes: usize) {
        if let Some(pending) = &mut self.pending {
            pending.access.bytes += bytes as u64;
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(mut pending) = self.pending.take() {
            pending.access.duration_us = micros(pending.started.elapsed());
            // it is no error if the last reader has left meanwhile
            _ = pending.events.send(Arc::new(pending.access));
        }
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap_or(u64::MAX)
}
