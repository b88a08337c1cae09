//! Load: slow requests that keep instances busy, and quick ones meanwhile.

use std::{ops::ControlFlow, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use crate::model::trace::{Action, Failure, Request, Trace};

use super::{
    http::{OutgoingRequest, Reply},
    plan::SeriesPlan,
    prober::Prober,
    recorder::Unreachable,
};

/// The time after which a balancer knows that a request is under way.
const SETTLE_TIME: Duration = Duration::from_millis(50);

impl Prober {
    /// Sends `slow.concurrency` requests of `slow` at once (its `most` does not count) and, while they are under way,
    /// requests of `quick` until that series has `quick.most` of them or `lasting` is over. Then it waits for the slow
    /// answers. Both series are continued where the trace already has them.
    ///
    /// # Errors
    /// Fails as [`Prober::send`] does.
    pub async fn hold(&mut self, slow: &SeriesPlan, quick: &SeriesPlan, lasting: Duration) -> Result<(), Unreachable> {
        let end = Instant::now() + lasting;
        let mut busy = self.start_slow(slow).await;
        tokio::time::sleep(SETTLE_TIME).await;
        if quick.most > 0 {
            let until_end =
                |_: &Trace| if Instant::now() >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            self.send(quick, until_end).await?;
        }
        let mut answered = Vec::new();
        while let Some(done) = busy.join_next().await {
            // these tasks neither panic nor are they aborted
            answered.extend(done);
        }
        answered.sort_by_key(|(request, _)| request.n);
        let place = self.recorder.open(slow);
        for (request, reply) in answered {
            self.recorder.record(request, reply, None)?;
        }
        self.recorder.close(place);
        Ok(())
    }

    /// Starts `slow.concurrency` requests, each in a task of its own.
    async fn start_slow(&self, slow: &SeriesPlan) -> JoinSet<(Request, Result<Reply, Failure>)> {
        let before = self.trace().series_length(&slow.name);
        let mut busy = JoinSet::new();
        for n in before + 1..=before + slow.concurrency {
            self.pace.next().await;
            let (client, path, tag) = (self.client.clone(), slow.path.clone(), self.tag(&slow.name, n));
            let (at, connection) = (self.started.elapsed(), slow.connection);
            busy.spawn(async move {
                let outgoing = OutgoingRequest { tag, ..OutgoingRequest::get(&path) };
                let (took, reply) = client.send(outgoing, connection).await;
                (Request::sent(n, Action::Get, at, took), reply)
            });
        }
        busy
    }
}
