//! The recorder: enters replies and failures into a trace, and names the instances in it.

use std::{collections::HashMap, net::SocketAddr, num::NonZeroU16};

use crate::model::trace::{self, Failure, Instance, InstanceId, Request, SeriesName, SessionId, Target, Trace};

use super::{
    http::Reply,
    identity::{Identity, NewName, Recogniser, Recognition, RequestContext},
    plan::SeriesPlan,
    script::{LoginCondition, session_id},
    text::printable_name,
};

/// The number of failed requests, from the first one on, after which the target counts as unreachable.
const MAX_FAILURES: u32 = 3;

/// The target has answered no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url} does not answer: {} ({tried})", .failure.message)]
pub struct Unreachable {
    pub url: String,
    /// The requests that were sent, in words.
    pub tried: String,
    pub failure: Failure,
}

#[derive(Debug)]
pub struct Recorder {
    trace: Trace,
    recogniser: Recogniser,
    /// The names by which people know instances, by hostname.
    names: HashMap<String, String>,
    /// The instances by the names in their replies.
    ids: HashMap<String, InstanceId>,
    /// The session of the last reply that had one.
    last_session: Option<SessionId>,
}

impl Recorder {
    pub fn new(target: Target, identity: Option<Identity>, names: HashMap<String, String>) -> Recorder {
        let trace =
            Trace { target, identified_by: None, unidentified: None, instances: Vec::new(), series: Vec::new() };
        let recogniser = Recogniser::new(identity);
        Recorder { trace, recogniser, names, ids: HashMap::new(), last_session: None }
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The trace, with the reason why no instance was recognised where none was.
    pub fn into_trace(mut self) -> Trace {
        if self.trace.instances.is_empty() {
            self.trace.unidentified = self.recogniser.unidentified();
        }
        self.trace
    }

    /// Makes the series of a plan the last one of the trace, where requests are entered. Returns its place if the trace
    /// had it before.
    pub fn open(&mut self, plan: &SeriesPlan) -> Option<usize> {
        let place = self.trace.series.iter().position(|series| series.name == plan.name);
        let series = match place {
            Some(index) => self.trace.series.remove(index),
            None => plan.empty_record(),
        };
        self.trace.series.push(series);
        place
    }

    /// Puts the open series back to the place that [`Recorder::open`] returned.
    pub fn close(&mut self, place: Option<usize>) {
        if let Some(index) = place {
            self.trace.series[index..].rotate_right(1);
        }
    }

    /// The series that was opened last.
    pub fn open_series(&mut self) -> Option<&mut trace::Series> {
        self.trace.series.last_mut()
    }

    /// Completes a request of the open series by its reply or its failure, and enters it. `condition` is the condition
    /// under which the reply shows a login.
    ///
    /// # Errors
    /// Fails when this and all requests before it failed, and there were enough of them.
    pub fn record(
        &mut self,
        mut request: Request,
        reply: Result<Reply, Failure>,
        condition: Option<&LoginCondition>,
    ) -> Result<(), Unreachable> {
        match reply {
            Ok(reply) => {
                request.instance = self.instance(&request, &reply);
                request.status = NonZeroU16::new(reply.status.as_u16());
                request.port = reply.port.and_then(NonZeroU16::new);
                request.session_id = session_id(&reply).map(|id| self.session(id));
                request.logged_in = condition.and_then(|condition| condition.is_met_by(&reply));
                self.note_server(reply.server);
                request.error = reply.cut.map(Box::new);
            }
            Err(failure) => request.error = Some(Box::new(failure)),
        }
        self.enter(request)
    }

    fn enter(&mut self, request: Request) -> Result<(), Unreachable> {
        let failure = request.error.clone();
        if let Some(series) = self.trace.series.last_mut() {
            series.requests.push(request);
        }
        let Some(failure) = failure else { return Ok(()) };
        let mut requests = self.trace.series.iter().flat_map(|series| &series.requests);
        let sent = self.trace.series.iter().map(|series| series.requests.len()).sum::<usize>() as u32;
        if sent < MAX_FAILURES || requests.any(|request| request.error.is_none()) {
            return Ok(());
        }
        let tried = match &self.trace.target.connected_to {
            Some(address) => format!("{sent} requests to {address}"),
            None => format!("{sent} requests"),
        };
        Err(Unreachable { url: self.trace.target.url.clone(), tried, failure: *failure })
    }

    /// The id of a session; an id that stays the same is one text.
    fn session(&mut self, id: String) -> SessionId {
        match &self.last_session {
            Some(last) if **last == *id => last.clone(),
            _ => self.last_session.insert(id.into()).clone(),
        }
    }

    /// The instance that sent a reply to a request of the open series.
    fn instance(&mut self, request: &Request, reply: &Reply) -> Option<InstanceId> {
        let series = self.trace.series.last()?;
        let (n, action) = (request.n, request.action);
        let request = RequestContext { series: &series.name, path: &series.conditions.path, n, action };
        match self.recogniser.recognise(request, reply) {
            Recognition::Name(name) => self.id(&name?),
            Recognition::NewNames(names) => self.rename_instances(names),
        }
    }

    /// Gives the requests of the trace their new instances, and returns the last one: its request is not in the trace
    /// yet.
    fn rename_instances(&mut self, new_names: Vec<NewName>) -> Option<InstanceId> {
        self.trace.instances.clear();
        self.trace.identified_by = None;
        self.ids.clear();
        let mut last = None;
        let mut by_number: HashMap<u32, Vec<(SeriesName, Option<InstanceId>)>> = HashMap::new();
        for NewName { series, n, name } in new_names {
            last = name.and_then(|name| self.id(&name));
            by_number.entry(n).or_default().push((series, last));
        }
        for series in &mut self.trace.series {
            for request in &mut series.requests {
                let instances = by_number.get(&request.n);
                let instance = instances.and_then(|all| all.iter().find(|(name, _)| *name == series.name));
                request.instance = instance.and_then(|(_, id)| *id);
            }
        }
        last
    }

    /// The instance with this name; it is added to the trace where it is new.
    fn id(&mut self, name: &str) -> Option<InstanceId> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        let hostname = printable_name(name);
        if let Some(id) = self.ids.get(&hostname) {
            return Some(*id);
        }
        // a trace holds no more instances than this number can count
        let id = InstanceId(u16::try_from(self.trace.instances.len()).ok()?);
        if self.trace.identified_by.is_none() {
            self.trace.identified_by = self.recogniser.identified_by().cloned();
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
}
