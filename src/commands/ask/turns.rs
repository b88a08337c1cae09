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
    model::{
        Access, Balancer, Entry,
        trace::{Instance, InstanceId, OtherTurn, Series, SeriesName, Trace},
    },
    probe,
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
    /// The service that is probed.
    service: String,
    counting: Counting,
    seen: Arc<Mutex<Vec<Arc<Access>>>>,
    follower: JoinHandle<()>,
}

/// What the turns in a log count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// The requests of each balancer by itself.
    EachBalancer,
    /// All requests together: those for other services come between.
    Together,
}

impl Turns {
    /// Follows the log, where a lab keeps one.
    pub async fn follow(resolved: &Resolved) -> anyhow::Result<Option<Turns>> {
        let Some(lab) = &resolved.lab else { return Ok(None) };
        let Some(client) = &lab.client else { return Ok(None) };
        let counting = match lab.view.proxy {
            Balancer::Bundled => Counting::EachBalancer,
            // its log does not tell which requests a cookie placed
            Balancer::Traefik if lab.is_sticky() => return Ok(None),
            Balancer::Traefik => Counting::Together,
        };
        let service = Some(lab.service.clone()).filter(|_| counting == Counting::EachBalancer);
        let query = LogQuery { service, follow: true, since: Some(jiff::Timestamp::now()) };
        let mut entries = client.log(&query).await?;
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
        let prefix = format!("{} ", resolved.agent);
        Ok(Some(Turns { prefix, service: lab.service.clone(), counting, seen, follower }))
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
        let turns = self.turns(&seen);
        let turn = |access: &Access| turns.get(&access.turn?).copied();
        seen.iter().filter_map(|access| Some((self.tag(access)?.to_owned(), turn(access)))).collect()
    }

    /// The turns of the balancer that is probed, by the log's own numbers. A number that is missing in the log may have
    /// been a turn: it leaves a gap.
    fn turns(&self, seen: &[Arc<Access>]) -> HashMap<u64, u64> {
        let mut numbers: Vec<(u64, &Access)> =
            seen.iter().filter_map(|access| Some((access.turn?, &**access))).collect();
        if self.counting == Counting::EachBalancer {
            return numbers.into_iter().map(|(number, _)| (number, number)).collect();
        }
        numbers.sort_by_key(|(number, _)| *number);
        let (mut turns, mut next) = (HashMap::new(), 0);
        let mut before = None;
        for (number, access) in numbers {
            if before.is_some_and(|before| number > before + 1) {
                next += 1;
            }
            before = Some(number);
            if access.replica.is_some() && access.service.as_deref() == Some(&self.service) {
                turns.insert(number, next);
                next += 1;
            }
        }
        turns
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
                request.turn = ours.get(&probe::user_agent_tag(&name, request.n)).copied().flatten();
            }
            let turns = requests.iter().filter_map(|request| request.turn);
            let Some((first, last)) = turns.clone().min().zip(turns.max()) else { continue };
            let others: Vec<(u64, Option<Arc<str>>)> = {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let turns = self.turns(&seen);
                let others = seen.iter().filter(|access| self.tag(access).is_none());
                others
                    .filter_map(|access| Some((*turns.get(&access.turn?)?, access.replica.clone())))
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
