//! Turns: what a lab's own log tells of the order of requests, ours and others', put into the trace.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use tokio::task::JoinHandle;

use crate::{
    lab::LogQuery,
    probe,
    trace::{Access, Entry, Instance, InstanceId, OtherTurn, Series, SeriesName, Trace},
};

use super::Resolved;

/// How long the log may take to have the last of our requests, which it gets a moment after we have the answer.
const LOG_LIMIT: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The log of the service that is probed, followed from before the first request.
pub struct Turns {
    /// What our requests' `User-Agent` begins with.
    prefix: String,
    seen: Arc<Mutex<Vec<Arc<Access>>>>,
    follower: JoinHandle<()>,
}

impl Turns {
    /// Follows the log, where a lab keeps one.
    pub async fn follow(resolved: &Resolved) -> anyhow::Result<Option<Turns>> {
        let Some(lab) = &resolved.lab else { return Ok(None) };
        let Some(client) = &lab.client else { return Ok(None) };
        let mut entries = client
            .log(&LogQuery { service: Some(lab.service.clone()), follow: true, since: Some(jiff::Timestamp::now()) })
            .await?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let follower = tokio::spawn({
            let seen = seen.clone();
            async move {
                // a log that ends or breaks tells no more turns, and the order of sending has to do
                while let Some(Ok(entry)) = entries.next().await {
                    if let Entry::Request(access) = entry {
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push(access);
                    }
                }
            }
        });
        Ok(Some(Turns { prefix: format!("{} ", resolved.agent), seen, follower }))
    }

    /// A series as far as the log has come, with its turns.
    pub fn so_far(&self, trace: &Trace, name: &SeriesName) -> Option<Series> {
        let mut trace = trace.clone();
        trace.series.retain(|series| series.name == *name);
        self.attach(&mut trace);
        let mut series = trace.series.pop()?;
        let logged = series.requests.iter().rposition(|request| request.turn.is_some()).map_or(0, |last| last + 1);
        series.requests.truncate(logged);
        Some(series)
    }

    /// Waits until the log has all of our requests, and puts every turn into the trace.
    pub async fn finish(self, trace: &mut Trace) {
        let requests = trace.series.iter().flat_map(|series| &series.requests);
        let answered = requests.filter(|request| request.status.is_some()).count();
        let started = Instant::now();
        while self.ours().len() < answered && started.elapsed() < LOG_LIMIT {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.attach(trace);
    }

    /// Our requests by what they call themselves.
    fn ours(&self) -> HashMap<String, Option<u64>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter_map(|access| Some((self.tag(access)?.to_owned(), access.turn))).collect()
    }

    fn tag<'a>(&self, access: &'a Access) -> Option<&'a str> {
        access.user_agent.as_deref()?.strip_prefix(&self.prefix)
    }

    fn attach(&self, trace: &mut Trace) {
        let ours = self.ours();
        for index in 0..trace.series.len() {
            let name = trace.series[index].name.clone();
            let requests = &mut trace.series[index].requests;
            for request in requests.iter_mut() {
                request.turn = ours.get(&probe::tag(&name, request.n)).copied().flatten();
            }
            let turns = requests.iter().filter_map(|request| request.turn);
            let Some((first, last)) = turns.clone().min().zip(turns.max()) else { continue };
            let others: Vec<(u64, Option<Arc<str>>)> = {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let others = seen.iter().filter(|access| self.tag(access).is_none());
                others
                    .filter_map(|access| Some((access.turn?, access.replica.clone())))
                    .filter(|(turn, _)| (first..=last).contains(turn))
                    .collect()
            };
            for (turn, replica) in others {
                let instance = replica.and_then(|replica| instance(trace, &replica));
                trace.series[index].others.push(OtherTurn { turn, instance });
            }
        }
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// The instance of this name, entered if it never answered us.
fn instance(trace: &mut Trace, name: &str) -> Option<InstanceId> {
    let known = trace.instances.iter().position(|instance| instance.name == name);
    let index = known.unwrap_or_else(|| {
        trace.instances.push(Instance { name: name.to_owned(), hostname: name.to_owned() });
        trace.instances.len() - 1
    });
    u16::try_from(index).ok().map(InstanceId)
}
