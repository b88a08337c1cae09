//! Workers: they send a series of which several requests are under way at once.
//!
//! Each worker sends one request after the other, as long as there are any. Requests are recorded in the order of their
//! answers, and are brought into the order of sending at the end.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use http::header;
use tokio::{sync::mpsc, task::JoinSet};

use crate::model::trace::{Action, Connection, Failure, Header, Request, Trace};

use super::{
    http::{OutgoingRequest, Reply},
    plan::{SeriesPlan, user_agent_tag},
    prober::Prober,
    recorder::Unreachable,
};

/// The smallest number of connections that carry the requests of a series, reused ones included, where there are as
/// many requests. A balancer that picks once per connection shows no more picks than there are connections, and this
/// many are enough to distinguish one instance from two.
const MIN_CONNECTIONS: u32 = 128;

impl Prober {
    /// Sends the requests after the first `sent` ones, `plan.concurrency` of them at once.
    pub(super) async fn send_at_once(
        &mut self,
        plan: &SeriesPlan,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let next = Arc::new(AtomicU32::new(sent + 1));
        let (answered, mut answers) = mpsc::channel(plan.concurrency as usize);
        // the workers end with this function
        let mut workers = JoinSet::new();
        for _ in 0..plan.concurrency {
            workers.spawn(self.worker(plan, next.clone(), answered.clone()));
        }
        drop(answered);
        while let Some((request, reply)) = answers.recv().await {
            self.recorder.record(request, reply, None)?;
            if go_on(self.trace()).is_break() {
                break;
            }
        }
        if let Some(series) = self.recorder.open_series() {
            series.requests.sort_unstable_by_key(|request| request.n);
        }
        Ok(())
    }

    /// Sends one request of a series after the other, until all of them are taken. `next` is the number of the next
    /// request that no worker has taken.
    fn worker(
        &self,
        plan: &SeriesPlan,
        next: Arc<AtomicU32>,
        answered: mpsc::Sender<(Request, Result<Reply, Failure>)>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (client, pace, started) = (self.client.clone(), self.pace.clone(), self.started);
        let (plan, is_numbered) = (plan.clone(), self.config.number_requests);
        let close = Header { name: header::CONNECTION.to_string(), value: "close".to_owned() };
        let requests_per_connection = plan.most.div_ceil(MIN_CONNECTIONS);
        async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n > plan.most {
                    return;
                }
                let tag = is_numbered.then(|| user_agent_tag(&plan.name, n));
                let gives_up = plan.connection == Connection::Reused && n.is_multiple_of(requests_per_connection);
                let header = gives_up.then_some(&close);
                let outgoing = OutgoingRequest { tag, header, ..OutgoingRequest::get(&plan.path) };
                pace.next().await;
                let at = started.elapsed();
                let (took, reply) = client.send(outgoing, plan.connection).await;
                if answered.send((Request::sent(n, Action::Get, at, took), reply)).await.is_err() {
                    return;
                }
            }
        }
    }
}
