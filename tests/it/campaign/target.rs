//! A target without a network: a sender whose requests a simulated balancer places at once.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    num::NonZeroU16,
    ops::ControlFlow,
    time::Duration,
};

use lbctl::{
    experiment::Sender,
    model::trace::{
        Action, Conditions, Connection, CookieJar, CookieValue, Instance, InstanceId, IssuedValue, NameFeature,
        ObservedCookie, Request, Series, SeriesName, Target, Trace, Via,
    },
    probe::{SeriesPlan, Unreachable},
};

use crate::simulation::balancers::Chance;

/// A request as the balancer sees it.
pub struct Asked<'a> {
    pub source: Option<IpAddr>,
    pub path: &'a str,
    pub header: Option<&'a str>,
    pub cookies: &'a BTreeMap<String, String>,
    /// The number of its connection.
    pub connection: u16,
    /// The instances of the requests that are under way.
    pub busy: &'a [usize],
}

impl Asked<'_> {
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }
}

/// Where a request was placed, and the cookies that its answer sets.
pub struct Placed {
    pub instance: usize,
    pub set: Vec<(String, String)>,
}

impl From<usize> for Placed {
    fn from(instance: usize) -> Placed {
        Placed { instance, set: Vec::new() }
    }
}

pub type Balancer = Box<dyn FnMut(&Asked) -> Placed>;

/// Microseconds that a quick request and a slow one take.
const QUICK: u64 = 900;
const SLOW: u64 = 2_000_000;

pub struct SimulatedTarget {
    balancer: Balancer,
    trace: Trace,
    /// Microseconds since the probe began.
    now: u64,
    connections: u16,
    /// The connection that is kept.
    kept: Option<u16>,
    busy: Vec<usize>,
    jar: BTreeMap<String, String>,
    issued: HashMap<(String, u32), String>,
    numbers: HashMap<String, u16>,
    /// The instance that saw the login.
    logged_in: Option<usize>,
    /// The number of requests after which no answer comes any more.
    pub answers: usize,
    /// Another client that sends one request after the other.
    pub other: Option<OtherClient>,
    /// The lot that draws pauses.
    chance: Chance,
}

/// A client that sends a request as often as this, in microseconds.
pub struct OtherClient {
    pub period: u64,
    /// The time of its next request.
    pub next: u64,
}

impl SimulatedTarget {
    pub fn new(balancer: Balancer) -> SimulatedTarget {
        let target = Target {
            url: "http://demo/".into(),
            connected_to: Some("127.0.0.1:80".into()),
            via: Via::Dns,
            addresses: Vec::new(),
        };
        let identified_by = Some(NameFeature::known("the header x-served-by"));
        SimulatedTarget {
            balancer,
            trace: Trace { target, identified_by, unidentified: None, instances: Vec::new(), series: Vec::new() },
            now: 0,
            connections: 0,
            kept: None,
            busy: Vec::new(),
            jar: BTreeMap::new(),
            issued: HashMap::new(),
            numbers: HashMap::new(),
            logged_in: None,
            answers: usize::MAX,
            other: None,
            chance: Chance(7),
        }
    }

    pub fn sent(&self) -> usize {
        self.trace.series.iter().map(|series| series.requests.len()).sum()
    }

    fn id(&mut self, instance: usize) -> InstanceId {
        let name = format!("web-{}", instance + 1);
        let instances = &mut self.trace.instances;
        let index = instances.iter().position(|known| known.name == name).unwrap_or_else(|| {
            instances.push(Instance { hostname: name.clone(), name });
            instances.len() - 1
        });
        InstanceId(index as u16)
    }

    /// Makes a series the last of the trace, and says where it was.
    fn begin(&mut self, plan: &SeriesPlan) -> Option<usize> {
        let begun = self.trace.series.iter().position(|series| series.name == plan.name);
        let jar = if plan.name == SeriesName::WithJar { CookieJar::Kept } else { CookieJar::None };
        let series = begun.map(|index| self.trace.series.remove(index)).unwrap_or_else(|| Series {
            name: plan.name.clone(),
            conditions: Conditions {
                jar,
                connection: plan.connection,
                path: plan.path.clone(),
                source: plan.name.source(),
                header: plan.name.header().cloned(),
                concurrency: plan.concurrency,
            },
            requests: Vec::new(),
            cookies: Vec::new(),
            others: Vec::new(),
        });
        self.trace.series.push(series);
        begun
    }

    fn put_back(&mut self, index: Option<usize>) {
        if let Some(index) = index {
            self.trace.series[index..].rotate_right(1);
        }
    }

    fn cookies(&self, name: &SeriesName) -> BTreeMap<String, String> {
        let one = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value)).into_iter().collect();
        match name {
            SeriesName::WithJar | SeriesName::JarByLot => self.jar.clone(),
            SeriesName::CookieAlone(name) => one(name, self.jar.get(name).cloned()),
            SeriesName::CookieIssued(CookieValue { name, n }) => {
                one(name, self.issued.get(&(name.clone(), *n)).cloned())
            }
            SeriesName::CookieMadeUp(CookieValue { name, n }) => one(name, Some(format!("made up {n}"))),
            _ => BTreeMap::new(),
        }
    }

    /// Lets the other client take its turns up to now.
    fn serve_other(&mut self) {
        let nothing = BTreeMap::new();
        while let Some(other) = self.other.as_mut().filter(|other| other.next <= self.now) {
            other.next += other.period;
            self.connections += 1;
            let (connection, busy) = (self.connections, self.busy.as_slice());
            let asked = Asked { source: None, path: "/", header: None, cookies: &nothing, connection, busy };
            (self.balancer)(&asked);
        }
    }

    /// Sends request `n` of the series that is the last of the trace.
    fn request(&mut self, plan: &SeriesPlan, n: u32, us: u64) -> usize {
        self.serve_other();
        let connection = match (plan.connection, self.kept) {
            (Connection::Reused, Some(kept)) => kept,
            (use_of, _) => {
                self.connections += 1;
                if use_of == Connection::Reused {
                    self.kept = Some(self.connections);
                }
                self.connections
            }
        };
        let cookies = self.cookies(&plan.name);
        let placed = (self.balancer)(&Asked {
            source: plan.name.source(),
            path: &plan.path,
            header: plan.name.header().map(|header| header.value.as_str()),
            cookies: &cookies,
            connection,
            busy: &self.busy,
        });
        let action = match (&plan.script, n) {
            (Some(_), 1) if plan.name == SeriesName::WithJar => Action::Open,
            (Some(_), 2) if plan.name == SeriesName::WithJar => Action::Login,
            _ => Action::Get,
        };
        if action == Action::Login {
            self.logged_in = Some(placed.instance);
        }
        let with_jar = matches!(plan.name, SeriesName::WithJar | SeriesName::JarByLot) && plan.script.is_some();
        let sees_the_login = (with_jar && action != Action::Open).then_some(self.logged_in == Some(placed.instance));
        self.note(&plan.name, n, placed.set);
        let (at, took) = (Duration::from_micros(self.now), Duration::from_micros(us));
        let request = Request {
            instance: Some(self.id(placed.instance)),
            status: NonZeroU16::new(200),
            port: NonZeroU16::new(connection),
            cookies_sent: cookies.len() as u16,
            logged_in: sees_the_login,
            ..Request::sent(n, action, at, took)
        };
        self.trace.series.last_mut().unwrap().requests.push(request);
        placed.instance
    }

    fn note(&mut self, series: &SeriesName, n: u32, set: Vec<(String, String)>) {
        if !matches!(series, SeriesName::WithJar | SeriesName::WithoutJar) {
            return;
        }
        for (name, value) in set {
            let next = self.numbers.len() as u16;
            let issued =
                IssuedValue { n, value: *self.numbers.entry(value.clone()).or_insert(next), head: None, tail: None };
            let seen = &mut self.trace.series.last_mut().unwrap().cookies;
            if !seen.iter().any(|cookie| cookie.name == name) {
                seen.push(ObservedCookie { name: name.clone(), form: Some("w8".into()), ..ObservedCookie::default() });
            }
            seen.iter_mut().find(|cookie| cookie.name == name).unwrap().issued.push(issued);
            match series {
                SeriesName::WithJar => self.jar.insert(name, value),
                _ => self.issued.insert((name, n), value),
            };
        }
    }
}

impl Sender for SimulatedTarget {
    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn can_send_from(&self, source: IpAddr) -> bool {
        source.is_loopback()
    }

    async fn send(
        &mut self,
        plan: &SeriesPlan,
        mut go_on: impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let begun = self.begin(plan);
        let sent = self.trace.series.last().unwrap().requests.len() as u32;
        for n in sent + 1..=plan.most {
            if self.sent() >= self.answers {
                std::future::pending::<()>().await;
            }
            if plan.pauses.is_before(n) {
                self.now += self.chance.below(QUICK as usize) as u64;
            }
            self.request(plan, n, QUICK);
            if plan.concurrency == 1 || n.is_multiple_of(plan.concurrency) {
                self.now += 1000;
            }
            if go_on(&self.trace).is_break() {
                break;
            }
        }
        self.put_back(begun);
        Ok(())
    }

    async fn hold(&mut self, slow: &SeriesPlan, quick: &SeriesPlan, _: Duration) -> Result<(), Unreachable> {
        let start = self.now;
        let begun = self.begin(slow);
        let sent = self.trace.series.last().unwrap().requests.len() as u32;
        for n in sent + 1..=sent + slow.concurrency {
            let instance = self.request(slow, n, SLOW);
            self.busy.push(instance);
        }
        self.put_back(begun);
        self.now += 50_000;
        if quick.most > 0 {
            self.send(quick, |_| ControlFlow::Continue(())).await?;
        }
        self.busy.clear();
        self.now = start + SLOW;
        Ok(())
    }
}
