//! Load: requests that keep instances busy, and others meanwhile.

use std::{ops::ControlFlow, time::Duration};

use tokio::{task::JoinSet, time::Instant};

use crate::model::trace::{Action, Request, Trace};

use super::{
    http::OutgoingRequest,
    plan::SeriesPlan,
    prober::{Prober, Unreachable},
};

/// How long a balancer may take until it knows that a request is under way.
const SETTLE: Duration = Duration::from_millis(50);

impl Prober {
    /// Sends as many requests of `slow` at once as its concurrency says, and those of `quick` while they are under way,
    /// for as long as `lasting` at most. Both go on where they were before.
    ///
    /// # Errors
    /// As [`Prober::send`].
    pub async fn hold(&mut self, slow: &SeriesPlan, quick: &SeriesPlan, lasting: Duration) -> Result<(), Unreachable> {
        let ends = Instant::now() + lasting;
        let before = self.trace().series(&slow.name).map_or(0, |series| series.requests.len() as u32);
        let mut busy = JoinSet::new();
        for n in before + 1..=before + slow.concurrency {
            self.pace.next().await;
            let (client, path, tag) = (self.client.clone(), slow.path.clone(), self.tag(&slow.name, n));
            let (at, connection) = (self.started.elapsed(), slow.connection);
            busy.spawn(async move {
                let (took, reply) =
                    client.send(OutgoingRequest { tag, ..OutgoingRequest::get(&path) }, connection).await;
                (Request::sent(n, Action::Get, at, took), reply)
            });
        }
        tokio::time::sleep(SETTLE).await;
        if quick.most > 0 {
            let over =
                |_: &Trace| if Instant::now() >= ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            self.send(quick, over).await?;
        }
        let mut answered = Vec::new();
        while let Some(done) = busy.join_next().await {
            // a task of ours neither panics nor is aborted
            answered.extend(done);
        }
        answered.sort_by_key(|(request, _)| request.n);
        let begun = self.begin(slow);
        for (mut request, reply) in answered {
            self.fill(&mut request, reply, None);
            self.enter(request)?;
        }
        self.put_back(begun);
        Ok(())
    }
}
