//! Overlap: requests of which several are under way at once.
//!
//! Each worker sends one after the other, as long as there are any; what comes back is entered in the order of the
//! answers, and brought into that of sending at the end.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use http::header;
use tokio::{sync::mpsc, task::JoinSet};

use crate::model::trace::{self, Action, Connection, Failure, Request, Trace};

use super::{
    http::{OutgoingRequest, Reply},
    plan::{SeriesPlan, user_agent_tag},
    prober::{Prober, Unreachable},
};

/// Connections that overlapping requests go over at least, kept ones too, where there are as many requests: enough to
/// tell one instance from two.
const CONNECTIONS: u32 = 128;

impl Prober {
    /// Sends the rest of a series, as many requests at once as it says.
    pub(super) async fn send_at_once(
        &mut self,
        series: &SeriesPlan,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let next = Arc::new(AtomicU32::new(sent + 1));
        let (answered, mut answers) = mpsc::channel(series.concurrency as usize);
        // ended with this function
        let mut workers = JoinSet::new();
        for _ in 0..series.concurrency {
            workers.spawn(self.worker(series, next.clone(), answered.clone()));
        }
        drop(answered);
        while let Some((mut request, reply)) = answers.recv().await {
            self.fill(&mut request, reply, None);
            self.enter(request)?;
            if go_on(&self.trace).is_break() {
                break;
            }
        }
        if let Some(series) = self.trace.series.last_mut() {
            series.requests.sort_unstable_by_key(|request| request.n);
        }
        Ok(())
    }

    /// Sends one request of a series after the other, until the last of them was taken.
    fn worker(
        &self,
        series: &SeriesPlan,
        next: Arc<AtomicU32>,
        answered: mpsc::Sender<(Request, Result<Reply, Failure>)>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (client, pace, started) = (self.client.clone(), self.pace.clone(), self.started);
        let (series, numbered) = (series.clone(), self.config.number_requests);
        // who picks once a connection shows no more picks than there are connections: one is given up now and then
        let (close, every) = (close(), series.most.div_ceil(CONNECTIONS));
        async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n > series.most {
                    return;
                }
                let tag = numbered.then(|| user_agent_tag(&series.name, n));
                let header = (series.connection == Connection::Reused && n.is_multiple_of(every)).then_some(&close);
                let outgoing = OutgoingRequest { tag, header, ..OutgoingRequest::get(&series.path) };
                pace.next().await;
                let at = started.elapsed();
                let (took, reply) = client.send(outgoing, series.connection).await;
                if answered.send((Request::sent(n, Action::Get, at, took), reply)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What asks a server to close a connection after its answer.
fn close() -> trace::Header {
    trace::Header { name: header::CONNECTION.to_string(), value: "close".to_owned() }
}
