//! The prober: series of requests, one after the other, recorded as a trace.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    ops::ControlFlow,
    time::Instant,
};

use http::header::SET_COOKIE;

use crate::model::trace::{Action, Failure, Instance, InstanceId, Request, SeriesName, SessionId, Target, Trace, Via};

use super::{
    cookies::Cookies,
    http::{Client, ClientConfig, OutgoingRequest, Reply},
    identity::{Identity, Recogniser, Recognition, Relabel, RequestContext},
    pace::Pace,
    plan::{SeriesPlan, user_agent_tag},
    script::{LoginCondition, Script, session_id},
    target::with_path,
    text::printable_name,
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

/// Sends series to one target and keeps what it saw.
#[derive(Debug)]
pub struct Prober {
    pub(super) config: ClientConfig,
    pub(super) client: Client,
    /// The same, from other addresses of this machine.
    elsewhere: HashMap<IpAddr, Client>,
    pub(super) pace: Pace,
    pub(super) started: Instant,
    recogniser: Recogniser,
    /// Names that people know, by hostname.
    names: HashMap<String, String>,
    ids: HashMap<String, InstanceId>,
    cookies: Cookies,
    /// The session that was shown last.
    session: Option<SessionId>,
    pub(super) trace: Trace,
}

impl Prober {
    /// A prober for a target. `names` translates what instances say of themselves.
    ///
    /// # Errors
    /// When the target cannot be asked at all.
    pub fn new(
        config: ClientConfig,
        via: Via,
        identity: Option<Identity>,
        names: HashMap<String, String>,
    ) -> Result<Prober, Unreachable> {
        let client = Client::new(&config).map_err(|failure| Unreachable {
            url: config.url.to_string(),
            tried: "nothing was sent".to_owned(),
            failure,
        })?;
        let target = Target { url: config.url.to_string(), connected_to: config.connect.map(|to| to.to_string()), via };
        let trace =
            Trace { target, identified_by: None, unidentified: None, instances: Vec::new(), series: Vec::new() };
        let (elsewhere, ids, cookies, session) = Default::default();
        let recogniser = Recogniser::new(identity);
        let (pace, started) = (Pace::new(config.interval), Instant::now());
        Ok(Prober { config, client, elsewhere, pace, started, recogniser, names, ids, cookies, session, trace })
    }

    /// What was seen so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What was seen, to be completed by what a lab's log tells.
    pub fn into_trace(mut self) -> Trace {
        if self.trace.instances.is_empty() {
            self.trace.unidentified = self.recogniser.unidentified();
        }
        self.trace
    }

    /// Sends a series, or goes on with one of that name. After each request, `go_on` sees the trace so far and may end
    /// the series.
    ///
    /// # Errors
    /// When the first requests of all bring no answer; a later failure is an entry of the trace.
    pub async fn send(
        &mut self,
        series: &SeriesPlan,
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
    pub(super) fn begin(&mut self, series: &SeriesPlan) -> Option<usize> {
        let begun = self.trace.series.iter().position(|begun| begun.name == series.name);
        let recorded = match begun {
            Some(index) => self.trace.series.remove(index),
            None => series.empty_record(),
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
        let url = self.config.url.to_string();
        let client = Client::bound_to(&self.config, Some(source)).map_err(|failure| Unreachable {
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
        series: &SeriesPlan,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        for n in sent + 1..=series.most {
            let step = series.step(n);
            let url = with_path(&self.config.url, step.path);
            let (cookies, cookies_sent) = self.cookies.header(&series.name, &url);
            let outgoing = OutgoingRequest {
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
            let mut request = Request { cookies_sent, ..Request::sent(n, step.action, at, took) };
            if let (Ok(reply), Some(recorded)) = (&reply, self.trace.series.last_mut())
                && reply.headers.contains_key(SET_COOKIE)
            {
                let next = with_path(&self.config.url, series.step(n + 1).path);
                self.cookies.note(&series.name, n, &reply.headers, (&url, &next), &mut recorded.cookies);
            }
            let shows = series.script.as_ref().filter(|script| match step.action {
                Action::Open => false,
                // a page after a login may well say something else than the check does; a JSON field is the same field
                Action::Login => matches!(script.logged_in, LoginCondition::Json { .. }),
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

    /// Completes a request by what came back.
    pub(super) fn fill(&mut self, request: &mut Request, reply: Result<Reply, Failure>, script: Option<&Script>) {
        match reply {
            Ok(reply) => {
                request.instance = self.instance(request, &reply);
                request.status = NonZeroU16::new(reply.status.as_u16());
                request.port = reply.port.and_then(NonZeroU16::new);
                request.session_id = session_id(&reply).map(|id| self.session(id));
                request.logged_in = script.and_then(|script| script.logged_in.read(&reply));
                self.note_server(reply.server);
                request.error = reply.cut.map(Box::new);
            }
            Err(failure) => request.error = Some(Box::new(failure)),
        }
    }

    /// A session's id: the same text for as long as it stays the same.
    fn session(&mut self, id: String) -> SessionId {
        match &self.session {
            Some(last) if **last == *id => last.clone(),
            _ => self.session.insert(id.into()).clone(),
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
        let sent = self.trace.series.iter().map(|series| series.requests.len()).sum::<usize>() as u32;
        match sent >= HOPELESS && requests.all(|request| request.error.is_some()) {
            true => Err(Unreachable {
                url: self.trace.target.url.clone(),
                tried: match &self.trace.target.connected_to {
                    Some(address) => format!("{sent} requests to {address}"),
                    None => format!("{sent} requests"),
                },
                failure: *failure,
            }),
            false => Ok(()),
        }
    }

    /// Who sent a reply to a request of the last series.
    fn instance(&mut self, request: &Request, reply: &Reply) -> Option<InstanceId> {
        let series = self.trace.series.last()?;
        let (n, action) = (request.n, request.action);
        let request = RequestContext { series: &series.name, path: &series.conditions.path, n, action };
        match self.recogniser.recognise(request, reply) {
            Recognition::Name(name) => self.id(&name?),
            Recognition::Relabel(relabels) => self.relabel(relabels),
        }
    }

    /// Names the requests of the trace again, and says whose the last name is, which stands in no trace yet.
    fn relabel(&mut self, relabels: Vec<Relabel>) -> Option<InstanceId> {
        self.trace.instances.clear();
        self.trace.identified_by = None;
        self.ids.clear();
        let mut last = None;
        let mut known: HashMap<u32, Vec<(SeriesName, Option<InstanceId>)>> = HashMap::new();
        for Relabel { series, n, name } in relabels {
            last = name.and_then(|name| self.id(&name));
            known.entry(n).or_default().push((series, last));
        }
        for series in &mut self.trace.series {
            for request in &mut series.requests {
                let named = known.get(&request.n).and_then(|all| all.iter().find(|(name, _)| *name == series.name));
                request.instance = named.and_then(|(_, id)| *id);
            }
        }
        last
    }

    /// The instance with this name.
    fn id(&mut self, name: &str) -> Option<InstanceId> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        let hostname = printable_name(name);
        if let Some(id) = self.ids.get(&hostname) {
            return Some(*id);
        }
        // more instances than this are not told apart
        let id = InstanceId(u16::try_from(self.trace.instances.len()).ok()?);
        if self.trace.identified_by.is_none() {
            self.trace.identified_by = self.recogniser.identified_by().map(str::to_owned);
        }
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
        self.config.number_requests.then(|| user_agent_tag(series, n))
    }
}
