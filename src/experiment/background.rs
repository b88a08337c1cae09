//! Background traffic: the order of requests, the probe's and those of other clients, by the lab's own log.
//!
//! The log numbers the requests that a balancer places. With these numbers a series can be read in the order in which its
//! balancer picked, and with gaps where other clients were served.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt};
use tokio::task::JoinHandle;

use crate::{
    model::{
        Access, Entry, ProxyKind,
        trace::{BackgroundRequest, Instance, InstanceId, Series, SeriesName, Trace},
    },
    probe,
};

use super::plan::LabService;

/// The longest wait for the last request of the probe in the log, which gets it a moment after the answer.
const LOG_TIMEOUT: Duration = Duration::from_secs(1);
/// The time between two looks at the log.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The requests that the numbers in a log count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// The requests of each balancer by itself.
    PerBalancer,
    /// The requests of all balancers together, so that requests for other services come between.
    Together,
}

impl Numbering {
    /// The numbering in the log of a lab; `None` where its numbers show no picks.
    pub fn of_lab_log(lab: &LabService) -> Option<Numbering> {
        match lab.proxy {
            ProxyKind::Bundled => Some(Numbering::PerBalancer),
            // its log does not mark the requests that a cookie placed
            ProxyKind::Traefik if lab.view.sticky_cookie.is_some() => None,
            ProxyKind::Traefik => Some(Numbering::Together),
        }
    }
}

/// The log of the service under test, followed from before the first request of a probe.
pub struct LogCorrelation {
    source: LogSource,
    seen: Arc<Mutex<Vec<Arc<Access>>>>,
    follower: JoinHandle<()>,
}

/// The properties of a log that are known before its first entry.
struct LogSource {
    numbering: Numbering,
    /// The service under test.
    service: String,
    /// The beginning of the `User-Agent` of the probe's requests.
    prefix: String,
}

impl LogCorrelation {
    /// Follows the log of a service. `agent` is the beginning of the `User-Agent` of the probe's requests.
    pub fn follow(
        mut entries: impl Stream<Item = Entry> + Send + Unpin + 'static,
        numbering: Numbering,
        service: &str,
        agent: &str,
    ) -> LogCorrelation {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let follower = tokio::spawn({
            let seen = seen.clone();
            async move {
                // where a log ends or breaks, the order of sending has to do
                while let Some(entry) = entries.next().await {
                    if let Entry::Request(access) = entry {
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push(access);
                    }
                }
            }
        });
        let source = LogSource { numbering, service: service.to_owned(), prefix: format!("{agent} ") };
        LogCorrelation { source, seen, follower }
    }

    /// A series with its turns, as far as the log has come.
    pub fn series_so_far(&self, trace: &Trace, name: &SeriesName) -> Option<Series> {
        let mut trace = trace.clone();
        trace.series.retain(|series| series.name == *name);
        self.attach(&mut trace);
        let mut series = trace.series.pop()?;
        let logged = series.requests.iter().rposition(|request| request.turn.is_some()).map_or(0, |last| last + 1);
        series.requests.truncate(logged);
        Some(series)
    }

    /// Waits until the log has every request of the probe, and puts all turns into the trace.
    pub async fn finish(self, trace: &mut Trace) {
        let requests = trace.series.iter().flat_map(|series| &series.requests);
        let answered = requests.filter(|request| request.status.is_some()).count();
        let started = Instant::now();
        while self.logged() < answered && started.elapsed() < LOG_TIMEOUT {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        self.attach(trace);
    }

    /// The number of the probe's requests that the log has.
    fn logged(&self) -> usize {
        self.source.turns_by_tag(&self.seen.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }

    fn attach(&self, trace: &mut Trace) {
        self.source.attach(&self.seen.lock().unwrap_or_else(PoisonError::into_inner), trace);
    }
}

impl Drop for LogCorrelation {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl LogSource {
    /// The tag of a request of the probe's; `None` for a request of another client.
    fn tag<'a>(&self, access: &'a Access) -> Option<&'a str> {
        access.user_agent.as_deref()?.strip_prefix(&self.prefix)
    }

    /// The turns of the probe's requests by their tags.
    fn turns_by_tag(&self, seen: &[Arc<Access>]) -> HashMap<String, Option<u64>> {
        let turns = self.turns(seen);
        let turn = |access: &Access| turns.get(&access.turn?).copied();
        seen.iter().filter_map(|access| Some((self.tag(access)?.to_owned(), turn(access)))).collect()
    }

    /// The turns of the balancer under test by the log's own numbers. A number that is missing in the log may have been a
    /// turn, so it leaves a gap.
    fn turns(&self, seen: &[Arc<Access>]) -> HashMap<u64, u64> {
        let mut numbers: Vec<(u64, &Access)> =
            seen.iter().filter_map(|access| Some((access.turn?, &**access))).collect();
        if self.numbering == Numbering::PerBalancer {
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

    /// Puts the turns of the probe's requests into the trace, and between them those of other clients.
    fn attach(&self, seen: &[Arc<Access>], trace: &mut Trace) {
        let (own, turns) = (self.turns_by_tag(seen), self.turns(seen));
        for index in 0..trace.series.len() {
            let name = trace.series[index].name.clone();
            let requests = &mut trace.series[index].requests;
            for request in requests.iter_mut() {
                request.turn = own.get(&probe::user_agent_tag(&name, request.n)).copied().flatten();
            }
            let ours = requests.iter().filter_map(|request| request.turn);
            let Some((first, last)) = ours.clone().min().zip(ours.max()) else { continue };
            let others = seen.iter().filter(|access| self.tag(access).is_none());
            let others = others
                .filter_map(|access| Some((*turns.get(&access.turn?)?, access.replica.clone())))
                .filter(|(turn, _)| (first..=last).contains(turn));
            for (turn, replica) in others {
                let instance = replica.and_then(|replica| instance(trace, &replica));
                trace.series[index].others.push(BackgroundRequest { turn, instance });
            }
        }
    }
}

/// The instance of this name, which is entered if it never answered the probe.
fn instance(trace: &mut Trace, name: &str) -> Option<InstanceId> {
    let known = trace.instances.iter().position(|instance| instance.name == name);
    let index = known.unwrap_or_else(|| {
        trace.instances.push(Instance { name: name.to_owned(), hostname: name.to_owned() });
        trace.instances.len() - 1
    });
    u16::try_from(index).ok().map(InstanceId)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::trace::{Action, Conditions, Connection, CookieJar, Request, Target, Via};

    /// A log entry: the service and replica that answered, the number, and the client.
    fn access(service: &str, replica: &str, turn: u64, agent: &str) -> Arc<Access> {
        Arc::new(Access {
            at: jiff::Timestamp::UNIX_EPOCH,
            client: "127.0.0.1:1".parse().unwrap(),
            method: "GET".into(),
            host: "demo".into(),
            path: "/".into(),
            user_agent: Some(agent.into()),
            router: None,
            service: Some(service.into()),
            replica: Some(replica.into()),
            turn: Some(turn),
            failed_over: Vec::new(),
            status: 200,
            bytes: 0,
            duration_us: 1,
        })
    }

    fn trace(requests: u32) -> Trace {
        let request = |n| Request::sent(n, Action::Get, Duration::ZERO, Duration::ZERO);
        let conditions = Conditions {
            jar: CookieJar::None,
            connection: Connection::Fresh,
            path: "/".to_owned(),
            source: None,
            header: None,
            concurrency: 1,
        };
        let series = Series {
            name: SeriesName::WithoutJar,
            conditions,
            requests: (1..=requests).map(request).collect(),
            cookies: Vec::new(),
            others: Vec::new(),
        };
        Trace {
            target: Target { url: "http://demo/".to_owned(), connected_to: None, via: Via::Dns, addresses: Vec::new() },
            identified_by: None,
            unidentified: None,
            instances: Vec::new(),
            series: vec![series],
        }
    }

    fn source(numbering: Numbering) -> LogSource {
        LogSource { numbering, service: "web".to_owned(), prefix: "probe ".to_owned() }
    }

    fn turns(trace: &Trace) -> Vec<Option<u64>> {
        trace.series[0].requests.iter().map(|request| request.turn).collect()
    }

    #[test]
    fn requests_of_other_clients_stand_between_ours() {
        let log = [
            access("web", "web-1", 6, "curl"),
            access("web", "web-1", 7, "probe without-jar/1"),
            access("web", "web-2", 8, "curl"),
            access("web", "web-1", 9, "probe without-jar/2"),
        ];
        let mut trace = trace(3);
        source(Numbering::PerBalancer).attach(&log, &mut trace);
        assert_eq!(turns(&trace), [Some(7), Some(9), None]);
        assert_eq!(trace.series[0].others, [BackgroundRequest { turn: 8, instance: Some(InstanceId(0)) }]);
        assert_eq!(trace.instances[0].name, "web-2");
    }

    #[test]
    fn where_all_balancers_count_together_other_services_take_no_turns_and_missing_numbers_may() {
        let log = [
            access("web", "web-1", 1, "probe without-jar/1"),
            access("api", "api-1", 2, "curl"),
            access("web", "web-2", 3, "probe without-jar/2"),
            // number 4 is missing
            access("web", "web-1", 5, "probe without-jar/3"),
        ];
        let mut trace = trace(3);
        source(Numbering::Together).attach(&log, &mut trace);
        assert_eq!(turns(&trace), [Some(0), Some(1), Some(3)]);
        assert!(trace.series[0].others.is_empty());
    }
}
