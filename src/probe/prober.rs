//! The prober: sends series of requests to one target and records them as a trace.

use std::{
    collections::HashMap,
    net::IpAddr,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use http::header::SET_COOKIE;
use url::Url;

use crate::model::trace::{Action, Request, SeriesName, Target, Trace, Via};

use super::{
    cookies::Cookies,
    http::{Client, ClientConfig, OutgoingRequest, Reply},
    identity::Identity,
    pace::Pace,
    plan::{SeriesPlan, user_agent_tag},
    recorder::{Recorder, Unreachable},
    script::LoginCondition,
    target::with_path,
};

/// Sends series of requests to one target and records them in one trace.
#[derive(Debug)]
pub struct Prober {
    pub(super) config: ClientConfig,
    pub(super) client: Client,
    /// Clients whose connections come from other addresses of this machine.
    clients_by_source: HashMap<IpAddr, Client>,
    pub(super) pace: Pace,
    pub(super) started: Instant,
    cookies: Cookies,
    pub(super) recorder: Recorder,
}

impl Prober {
    /// A prober for a target. `via` is the source of the address to connect to. Without an `identity`, the prober finds
    /// the feature that distinguishes instances by itself. `names` are the names by which people know instances, by the
    /// names that the instances give themselves.
    ///
    /// # Errors
    /// Fails when no request can be sent to the target.
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
        let target = Target {
            url: config.url.to_string(),
            connected_to: config.connect.map(|to| to.to_string()),
            via,
            addresses: config.addresses.clone(),
        };
        Ok(Prober {
            client,
            clients_by_source: HashMap::new(),
            pace: Pace::new(config.interval),
            started: Instant::now(),
            cookies: Cookies::default(),
            recorder: Recorder::new(target, identity, names),
            config,
        })
    }

    /// The trace of all requests that were sent so far. Later requests may rename the instances of earlier ones: the
    /// feature that distinguishes instances is learned from the replies.
    pub fn trace(&self) -> &Trace {
        self.recorder.trace()
    }

    /// The whole trace, with the reason where no instance was recognised.
    pub fn into_trace(self) -> Trace {
        self.recorder.into_trace()
    }

    /// Sends requests of a series until it has `plan.most` of them. A series whose name the trace already has is
    /// continued: its requests keep their numbers and its place in the trace. After each request is entered in the
    /// trace, `go_on` gets the trace, in which this series is the last one for as long as this call lasts; with
    /// `ControlFlow::Break`, no further request is sent.
    ///
    /// # Errors
    /// Fails when the target has not answered any request of the whole trace, and there were enough of them to give up.
    /// A failure after the first answer is an entry of the trace.
    pub async fn send(
        &mut self,
        plan: &SeriesPlan,
        mut go_on: impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let place = self.recorder.open(plan);
        let sent = self.recorder.open_series().map_or(0, |series| series.requests.len() as u32);
        let client = match plan.name {
            SeriesName::Source(address) => self.client_from(address)?,
            _ => self.client.clone(),
        };
        let outcome = match plan.concurrency {
            1 => self.send_in_turn(&client, plan, sent, &mut go_on).await,
            _ => self.send_at_once(plan, sent, &mut go_on).await,
        };
        self.recorder.close(place);
        outcome
    }

    /// A client whose connections come from this address.
    fn client_from(&mut self, source: IpAddr) -> Result<Client, Unreachable> {
        if let Some(client) = self.clients_by_source.get(&source) {
            return Ok(client.clone());
        }
        let client = Client::bound_to(&self.config, Some(source)).map_err(|failure| Unreachable {
            url: self.config.url.to_string(),
            tried: format!("from {source}"),
            failure,
        })?;
        self.clients_by_source.insert(source, client.clone());
        Ok(client)
    }

    /// Sends the requests after the first `sent` ones, each after the answer to the one before.
    async fn send_in_turn(
        &mut self,
        client: &Client,
        plan: &SeriesPlan,
        sent: u32,
        go_on: &mut impl FnMut(&Trace) -> ControlFlow<()>,
    ) -> Result<(), Unreachable> {
        let mut last_answer = Duration::ZERO;
        for n in sent + 1..=plan.most {
            let step = plan.step(n);
            let url = with_path(&self.config.url, step.path);
            let (cookies, cookies_sent) = self.cookies.header(&plan.name, &url);
            let outgoing = OutgoingRequest {
                method: step.method.clone(),
                path: step.path,
                body: step.content,
                cookies,
                header: plan.name.header(),
                tag: self.tag(&plan.name, n),
            };
            if plan.pauses.is_before(n) {
                self.pace.next_after_pause(last_answer).await;
            } else {
                self.pace.next().await;
            }
            let at = self.started.elapsed();
            let (took, reply) = client.send(outgoing, plan.connection).await;
            last_answer = took;
            if let Ok(reply) = &reply {
                self.note_cookies(plan, n, &url, reply);
            }
            let request = Request { cookies_sent, ..Request::sent(n, step.action, at, took) };
            self.recorder.record(request, reply, login_condition(plan, step.action))?;
            if go_on(self.trace()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Notes the cookies that the reply to request `n` sets.
    fn note_cookies(&mut self, plan: &SeriesPlan, n: u32, url: &Url, reply: &Reply) {
        if !reply.headers.contains_key(SET_COOKIE) {
            return;
        }
        let next = with_path(&self.config.url, plan.step(n + 1).path);
        if let Some(series) = self.recorder.open_series() {
            self.cookies.note(&plan.name, n, &reply.headers, (url, &next), &mut series.cookies);
        }
    }

    /// The text that request `n` of a series adds to its `User-Agent`, if requests are numbered.
    pub(super) fn tag(&self, series: &SeriesName, n: u32) -> Option<String> {
        self.config.number_requests.then(|| user_agent_tag(series, n))
    }
}

/// The condition under which the reply to a request of a series shows a login; `None` where no reply can show one.
fn login_condition(plan: &SeriesPlan, action: Action) -> Option<&LoginCondition> {
    let condition = &plan.script.as_ref()?.logged_in;
    let shows = match action {
        Action::Open => false,
        // the page after a login may have other words or another status than the check; a JSON field is the same field
        Action::Login => matches!(condition, LoginCondition::Json { .. }),
        Action::Get => true,
    };
    shows.then_some(condition)
}
