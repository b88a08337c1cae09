//! The prober: series of requests, one after the other, recorded as a trace.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    ops::ControlFlow,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::trace::{
    self, Action, Conditions, Connection, Failure, Instance, InstanceId, Jar as KeepsJar, Request, SeenCookie,
    SeriesName, Target, Trace, Via,
};

use super::{
    client::{Client, Outgoing, Reply, Setup},
    identity::Identity,
    jar::Jar,
    pace::Pace,
    script::{LoggedIn, Script, session_id},
    step::Step,
    target::with_path,
};

/// Failures in a row, from the first request on, after which a target counts as unreachable.
const HOPELESS: u32 = 3;

/// Nothing answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url} does not answer: {} ({tried})", .failure.message)]
pub struct Unreachable {
    /// The target.
    pub url: String,
    /// What was tried.
    pub tried: String,
    /// The last failure.
    pub failure: Failure,
}

/// One series to be sent.
#[derive(Debug, Clone)]
pub struct Series {
    /// Which experiment.
    pub name: SeriesName,
    /// Whether each request has a connection of its own.
    pub connection: Connection,
    /// The path that is asked for.
    pub path: String,
    /// With a jar: log in after the first request, and check the session instead of the path.
    pub script: Option<Script>,
    /// Requests at most.
    pub most: u32,
    /// Requests under way at once.
    pub concurrency: u32,
}

/// Sends series to one target and keeps what it saw.
#[derive(Debug)]
pub struct Prober {
    setup: Setup,
    pub(super) client: Client,
    /// The same, from other addresses of this machine.
    elsewhere: HashMap<IpAddr, Client>,
    pub(super) pace: Pace,
    pub(super) started: Instant,
    /// Told, or found in the first reply that has one.
    identity: Option<Identity>,
    /// Names that people know, by hostname.
    names: HashMap<String, String>,
    ids: HashMap<String, InstanceId>,
    /// The client with a jar.
    jar: Jar,
    /// The cookies that it would send next.
    cookies: Vec<(String, String)>,
    trace: Trace,
}

impl Prober {
    /// A prober for a target. `names` translates what instances say of themselves.
    ///
    /// # Errors
    /// When the target cannot be asked at all.
    pub fn new(
        setup: Setup,
        via: Via,
        identity: Option<Identity>,
        names: HashMap<String, String>,
    ) -> Result<Prober, Unreachable> {
        let client = Client::new(&setup).map_err(|failure| Unreachable {
            url: setup.url.to_string(),
            tried: "nothing was sent".to_owned(),
            failure,
        })?;
        let target = Target { url: setup.url.to_string(), connected_to: setup.connect.map(|to| to.to_string()), via };
        let trace = Trace { target, identified_by: None, instances: Vec::new(), series: Vec::new() };
        let (elsewhere, ids, jar, cookies) = Default::default();
        let (pace, started) = (Pace::new(setup.interval), Instant::now());
        Ok(Prober { setup, client, elsewhere, pace, started, identity, names, ids, jar, cookies, trace })
    }

    /// What was seen so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What was seen, to be completed by what a lab's log tells.
    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// The cookies that the client with a jar ended up with.
    pub fn cookies(&self) -> &[(String, String)] {
        &self.cookies
    }

    /// Sends a series, or goes on with one of that name. After each request, `go_on` sees the trace so far and may end
    /// the series.
    ///
    /// # Errors
    /// When the first requests of all bring no answer; a later failure is an entry of the trace.
    pub async fn send(
        &mut self,
        series: &Series,
        mut go_on: impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let begun = self.begin(series);
        let sent = self.trace.series.last().map_or(0, |series| series.requests.len() as u32);
        let client = match series.name {
            SeriesName::Source(address) => self.bound_to(address)?,
            _ => self.client.clone(),
        };
        let outcome = match series.concurrency {
            1 => self.send_in_turn(&client, series, sent, &mut go_on).await,
            _ => self.send_at_once(series, sent, &mut go_on).await,
        };
        self.put_back(begun);
        outcome
    }

    /// Makes a series the last of the trace, where its requests are entered, and says where it was before.
    pub(super) fn begin(&mut self, series: &Series) -> Option<usize> {
        let begun = self.trace.series.iter().position(|begun| begun.name == series.name);
        let recorded = match begun {
            Some(index) => self.trace.series.remove(index),
            None => trace::Series {
                name: series.name.clone(),
                conditions: Conditions {
                    jar: if series.name == SeriesName::WithJar { KeepsJar::Kept } else { KeepsJar::None },
                    connection: series.connection,
                    path: series.script.as_ref().map_or(&series.path, |script| &script.check.path).clone(),
                    source: series.name.source(),
                    header: series.name.header().cloned(),
                    concurrency: series.concurrency,
                },
                requests: Vec::new(),
                cookies: Vec::new(),
                others: Vec::new(),
            },
        };
        self.trace.series.push(recorded);
        begun
    }

    /// Puts the last series back to where it was.
    pub(super) fn put_back(&mut self, index: Option<usize>) {
        if let Some(index) = index {
            self.trace.series[index..].rotate_right(1);
        }
    }

    /// A client whose connections come from this address.
    fn bound_to(&mut self, source: IpAddr) -> Result<Client, Unreachable> {
        if let Some(client) = self.elsewhere.get(&source) {
            return Ok(client.clone());
        }
        let url = self.setup.url.to_string();
        let client = Client::bound_to(&self.setup, Some(source)).map_err(|failure| Unreachable {
            url,
            tried: format!("from {source}"),
            failure,
        })?;
        self.elsewhere.insert(source, client.clone());
        Ok(client)
    }

    async fn send_in_turn(
        &mut self,
        client: &Client,
        series: &Series,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let with_jar = series.name == SeriesName::WithJar;
        let alone = match &series.name {
            SeriesName::CookieAlone(cookie) => self.cookies.iter().find(|(name, _)| name == cookie),
            _ => None,
        };
        let alone = alone.map(|(name, value)| format!("{name}={value}"));
        for n in sent + 1..=series.most {
            let step = Step::of(series, n);
            let url = with_path(&self.setup.url, step.path);
            let (cookies, cookies_sent) = match with_jar {
                true => self.jar.header(&url).map_or((None, 0), |(header, count)| (Some(header), count)),
                false => (alone.clone(), u16::from(alone.is_some())),
            };
            let outgoing = Outgoing {
                method: step.method.clone(),
                path: step.path,
                body: step.content,
                cookies,
                header: series.name.header(),
                tag: self.tag(&series.name, n),
            };
            self.pace.next().await;
            let at = self.started.elapsed();
            let (took, reply) = client.send(outgoing, series.connection).await;
            let mut request = Request { cookies_sent, ..blank(n, step.action, at, took) };
            if let (true, Ok(reply)) = (with_jar, &reply) {
                let next = with_path(&self.setup.url, Step::of(series, n + 1).path);
                let set = self.jar.take(&reply.headers, &url, &next);
                if let Some(recorded) = self.trace.series.last_mut() {
                    for cookie in set {
                        match recorded.cookies.iter_mut().find(|seen| seen.name == cookie.name) {
                            Some(seen) => seen.withheld = cookie.withheld,
                            None => recorded
                                .cookies
                                .push(SeenCookie { name: clean(&cookie.name), withheld: cookie.withheld }),
                        }
                    }
                }
                self.cookies = self.jar.cookies(&next);
            }
            let shows = series.script.as_ref().filter(|script| match step.action {
                Action::Open => false,
                // a page after a login may well say something else than the check does; a JSON field is the same field
                Action::Login => matches!(script.logged_in, LoggedIn::Json { .. }),
                Action::Get => true,
            });
            self.fill(&mut request, reply, shows);
            self.enter(request)?;
            if go_on(&self.trace).is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn send_at_once(
        &mut self,
        series: &Series,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let (client, pace, started) = (self.client.clone(), self.pace.clone(), self.started);
        let tags: Vec<_> = (sent + 1..=series.most).map(|n| (n, self.tag(&series.name, n))).collect();
        let sent = stream::iter(tags).map(|(n, tag)| {
            let (client, pace) = (&client, &pace);
            async move {
                let outgoing = Outgoing { tag, ..Outgoing::get(&series.path) };
                pace.next().await;
                let at = started.elapsed();
                let (took, reply) = client.send(outgoing, series.connection).await;
                (blank(n, Action::Get, at, took), reply)
            }
        });
        let mut sent = std::pin::pin!(sent.buffer_unordered(series.concurrency as usize));
        while let Some((mut request, reply)) = sent.next().await {
            self.fill(&mut request, reply, None);
            self.enter(request)?;
            if go_on(&self.trace).is_break() {
                break;
            }
        }
        if let Some(series) = self.trace.series.last_mut() {
            series.requests.sort_by_key(|request| request.n);
        }
        Ok(())
    }

    /// Completes a request by what came back.
    pub(super) fn fill(&mut self, request: &mut Request, reply: Result<Reply, Failure>, script: Option<&Script>) {
        match reply {
            Ok(reply) => {
                request.instance = self.instance(&reply);
                request.status = Some(reply.status.as_u16());
                request.port = reply.port;
                request.session_id = session_id(&reply);
                request.logged_in = script.and_then(|script| script.logged_in.read(&reply));
                self.note_server(reply.server);
                request.error = reply.cut;
            }
            Err(failure) => request.error = Some(failure),
        }
    }

    /// Enters a request; gives up where nothing has answered yet and nothing will.
    pub(super) fn enter(&mut self, request: Request) -> Result<(), Unreachable> {
        let failure = request.error.clone();
        if let Some(series) = self.trace.series.last_mut() {
            series.requests.push(request);
        }
        let Some(failure) = failure else { return Ok(()) };
        let mut requests = self.trace.series.iter().flat_map(|series| &series.requests);
        let sent = requests.clone().count() as u32;
        match sent >= HOPELESS && requests.all(|request| request.error.is_some()) {
            true => Err(Unreachable {
                url: self.trace.target.url.clone(),
                tried: match &self.trace.target.connected_to {
                    Some(address) => format!("{sent} requests to {address}"),
                    None => format!("{sent} requests"),
                },
                failure,
            }),
            false => Ok(()),
        }
    }

    /// Who sent a reply.
    fn instance(&mut self, reply: &Reply) -> Option<InstanceId> {
        if self.identity.is_none() {
            self.identity = Identity::discover(reply);
        }
        let identity = self.identity.as_ref()?;
        let hostname = clean(&identity.read(reply)?);
        self.trace.identified_by.get_or_insert_with(|| identity.to_string());
        if let Some(id) = self.ids.get(&hostname) {
            return Some(*id);
        }
        // more instances than this are not told apart
        let id = InstanceId(u16::try_from(self.trace.instances.len()).ok()?);
        let name = self.names.get(&hostname).unwrap_or(&hostname).clone();
        self.trace.instances.push(Instance { name, hostname: hostname.clone() });
        self.ids.insert(hostname, id);
        Some(id)
    }

    fn note_server(&mut self, server: Option<SocketAddr>) {
        if self.trace.target.connected_to.is_none() {
            self.trace.target.connected_to = server.map(|server| server.to_string());
        }
    }

    /// What a request of a series adds to its `User-Agent`.
    pub(super) fn tag(&self, series: &SeriesName, n: u32) -> Option<String> {
        self.setup.number_requests.then(|| tag(series, n))
    }
}

/// A name from outside as it may be shown: no characters that a terminal would obey, and not endless.
fn clean(name: &str) -> String {
    const LONGEST: usize = 200;
    name.chars().take(LONGEST).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// What request `n` of a series adds to its `User-Agent`.
pub fn tag(series: &SeriesName, n: u32) -> String {
    format!("{series}/{n}")
}

/// A request of which nothing is known yet but when it was sent and how long it took.
pub(super) fn blank(n: u32, action: Action, at: Duration, took: Duration) -> Request {
    let us = |duration: Duration| duration.as_micros().try_into().unwrap_or(u64::MAX);
    Request {
        n,
        action,
        at_us: us(at),
        us: us(took),
        port: None,
        cookies_sent: 0,
        instance: None,
        status: None,
        session_id: None,
        logged_in: None,
        error: None,
        turn: None,
    }
}
