//! What runs where, from now on: the containers of an engine, kept up with by its events.
//!
//! Nothing is asked on a timer. An event names a container, and that container is asked about; what comes of it is
//! published if it differs. An engine that goes away may come back, as a restarted one does: then everything is listed
//! anew. What happens while nobody listens is not lost, because the events are asked for from a moment before the
//! listing, by the engine's own clock.

use std::{
    collections::{BTreeMap, HashSet},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bollard::{
    models::{EventMessage, EventMessageTypeEnum},
    query_parameters::EventsOptionsBuilder,
};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::model::{Replica, Replicas, State};

use super::{
    connect::Docker,
    container::{Container, Naming, PROJECT},
    error::DockerError,
    look::Which,
};

/// The events that change what is published. A health check's own commands are events too, and far more frequent.
const EVENTS: [&str; 12] = [
    "create",
    "start",
    "die",
    "destroy",
    "health_status",
    "pause",
    "unpause",
    "rename",
    "restart",
    "update",
    "connect",
    "disconnect",
];
/// How long an engine may be away.
const ABSENCE: Duration = Duration::from_secs(10);
/// The first pause before an engine that went away is tried again; it doubles up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The containers of an engine, followed until this is dropped.
#[derive(Debug)]
pub struct Containers {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    docker: Docker,
    which: Which,
    naming: Naming,
    known: Mutex<Known>,
    containers: watch::Sender<Arc<[Container]>>,
    replicas: watch::Sender<Replicas>,
    lost: watch::Sender<Option<DockerError>>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: BTreeMap<String, Container>,
    /// The ids of those that get no more requests.
    draining: HashSet<String>,
}

impl Known {
    /// Forgets what is gone.
    fn forget(&mut self) {
        let Known { by_id, draining } = self;
        draining.retain(|id| by_id.contains_key(id));
    }
}

impl Containers {
    /// Lists the containers, and follows them from then on.
    ///
    /// # Errors
    /// When the engine does not list them.
    pub async fn follow(docker: Docker, which: Which, naming: Naming) -> Result<Containers, DockerError> {
        let shared = Arc::new(Shared {
            docker,
            which,
            naming,
            known: Mutex::default(),
            containers: watch::Sender::new(Arc::default()),
            replicas: watch::Sender::new(Arc::default()),
            lost: watch::Sender::new(None),
        });
        let events = shared.begin().await?;
        let keeper = tokio::spawn(keep(shared.clone(), events));
        Ok(Containers { shared, keeper })
    }

    /// The containers, by service and number.
    pub fn containers(&self) -> watch::Receiver<Arc<[Container]>> {
        self.shared.containers.subscribe()
    }

    /// The same as replicas, without Traefik's own.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        self.shared.replicas.subscribe()
    }

    /// Lists everything anew, without waiting for the events that say the same.
    ///
    /// # Errors
    /// When the engine does not list them.
    pub async fn refresh(&self) -> Result<(), DockerError> {
        self.shared.list().await
    }

    /// Gives these replicas no more requests, until they are gone.
    pub fn drain(&self, names: &[String]) {
        let mut known = self.shared.known();
        let named = replicas(&known, self.shared.naming)
            .into_iter()
            .filter(|(_, replica)| names.iter().any(|name| **name == *replica.name))
            .map(|(id, _)| id.to_owned());
        let named: Vec<_> = named.collect();
        known.draining.extend(named);
        self.shared.publish(&known);
    }

    /// Waits until the engine has stopped answering and has not come back within 10 s.
    pub fn lost(&self) -> impl Future<Output = DockerError> + Send + use<> {
        let mut lost = self.shared.lost.subscribe();
        async move {
            match lost.wait_for(Option::is_some).await.map(|error| error.clone()) {
                Ok(Some(error)) => error,
                // nobody follows any more, so nobody can notice
                Ok(None) | Err(_) => std::future::pending().await,
            }
        }
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to the events, then lists everything.
    async fn begin(&self) -> Result<Events, DockerError> {
        let events = Events::subscribe(&self.docker).await?;
        self.list().await?;
        Ok(events)
    }

    /// Lists everything.
    async fn list(&self) -> Result<(), DockerError> {
        let listed = self.docker.containers(&self.which).await?;
        let mut known = self.known();
        let before = std::mem::take(&mut known.by_id);
        for container in listed {
            let exit = before.get(&container.id).and_then(|earlier| earlier.exit.clone());
            known.by_id.insert(container.id.clone(), remembering(container, exit));
        }
        known.forget();
        self.publish(&known);
        Ok(())
    }

    /// Asks about the containers that events named, and how they ended meanwhile if they did.
    async fn refresh(&self, touched: BTreeMap<String, Option<String>>) -> Result<(), DockerError> {
        let found = self.docker.inspect_all(touched.keys().cloned()).await?;
        let mut known = self.known();
        let mut found: BTreeMap<_, _> = found.into_iter().map(|container| (container.id.clone(), container)).collect();
        for (id, ended) in touched {
            let earlier = known.by_id.remove(&id).and_then(|earlier| earlier.exit);
            match found.remove(&id) {
                Some(container) if self.which.includes(&container) => {
                    known.by_id.insert(id, remembering(container, ended.or(earlier)));
                }
                _ => {}
            }
        }
        known.forget();
        self.publish(&known);
        Ok(())
    }

    /// Whether an event is about one of the containers that are followed.
    fn concerns(&self, event: &Event) -> bool {
        let followed = self.known().by_id.contains_key(&event.container);
        followed
            || match (&self.which, event.about) {
                // a network says nothing of what joins it
                (_, About::Network) => false,
                (Which::All, About::Container) => true,
                (Which::Project(name), About::Container) => event.project.as_ref() == Some(name),
            }
    }

    /// Publishes while the lock is held, so that nothing older is published after something newer; nothing at all where
    /// nothing changed.
    fn publish(&self, known: &MutexGuard<'_, Known>) {
        let mut containers: Vec<Container> = known.by_id.values().cloned().collect();
        containers.sort_by(|a, b| a.order().cmp(&b.order()));
        let replicas: Vec<Replica> = replicas(known, self.naming).into_iter().map(|(_, replica)| replica).collect();
        self.containers.send_if_modified(|published| replace(published, containers));
        self.replicas.send_if_modified(|published| replace(published, replicas));
    }
}

fn replace<T: PartialEq>(published: &mut Arc<[T]>, new: Vec<T>) -> bool {
    let changed = **published != *new;
    if changed {
        *published = new.into();
    }
    changed
}

/// The replicas that containers are, with their ids, in the order of the containers.
fn replicas(known: &Known, naming: Naming) -> Vec<(&str, Replica)> {
    let mut containers: Vec<_> = known.by_id.values().filter(|container| !container.is_traefik()).collect();
    containers.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut names = HashSet::new();
    let named = containers.into_iter().map(|container| {
        let mut replica = container.replica(naming);
        if !names.insert(replica.name.clone()) {
            // a container that is being replaced has the number of the one that replaces it
            replica.name = container.name.as_str().into();
        }
        if known.draining.contains(&container.id) {
            replica.state = State::Draining;
        }
        (container.id.as_str(), replica)
    });
    named.collect()
}

/// A container with how it ended the last time, which Docker forgets when it starts it again.
fn remembering(mut container: Container, exit: Option<String>) -> Container {
    if container.exit.is_none() && container.restarts > 0 {
        container.exit = exit;
    }
    container
}

/// Follows until the engine is gone for good.
async fn keep(shared: Arc<Shared>, mut events: Events) {
    loop {
        let Err(mut error) = follow(&shared, &mut events).await else { continue };
        let (gone, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let left = ABSENCE.saturating_sub(gone.elapsed());
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match tokio::time::timeout(left, shared.begin()).await {
                Ok(Ok(again)) => {
                    events = again;
                    break;
                }
                Ok(Err(again)) if gone.elapsed() < ABSENCE => error = again,
                Ok(Err(_)) | Err(_) => {
                    shared.lost.send_replace(Some(error.lost()));
                    return;
                }
            }
        }
    }
}

/// Waits for an event, takes those that came with it, and asks about what they name.
async fn follow(shared: &Shared, events: &mut Events) -> Result<(), DockerError> {
    let mut touched: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut next = Some(events.next().await?);
    while let Some(event) = next {
        if shared.concerns(&event) {
            let ended = touched.entry(event.container).or_default();
            *ended = event.exit.or(ended.take());
        }
        next = events.at_hand();
    }
    match touched.is_empty() {
        true => Ok(()),
        false => shared.refresh(touched).await,
    }
}

/// The engine's events, read as they come, so that they wait here and not there, where only some are kept.
#[derive(Debug)]
struct Events {
    receiver: mpsc::UnboundedReceiver<Result<Event, DockerError>>,
    ended: DockerError,
    reader: JoinHandle<()>,
}

/// That something happened to a container.
#[derive(Debug)]
struct Event {
    about: About,
    container: String,
    project: Option<String>,
    /// How it ended: before anybody asks it may run again.
    exit: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum About {
    Container,
    Network,
}

impl Events {
    /// All from this moment on, by the engine's clock.
    async fn subscribe(docker: &Docker) -> Result<Events, DockerError> {
        let info = docker.api.info().await.map_err(|error| docker.explain(&error))?;
        let now = info.system_time.and_then(|time| time.parse().ok()).unwrap_or_else(Timestamp::now);
        let since = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
        let filters = [("type", vec!["container", "network"]), ("event", EVENTS.to_vec())].into();
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let mut stream = docker.api.events(Some(options));
        let (sender, receiver) = mpsc::unbounded_channel();
        let explaining = docker.clone();
        let reader = tokio::spawn(async move {
            while let Some(message) = stream.next().await {
                let event = match message {
                    Ok(message) => Event::read(message).map(Ok),
                    Err(error) => Some(Err(explaining.explain(&error))),
                };
                if event.is_some_and(|event| sender.send(event).is_err()) {
                    return;
                }
            }
        });
        let cause = "its events ended".to_owned();
        Ok(Events { receiver, ended: DockerError::Lost { endpoint: docker.endpoint().into(), cause }, reader })
    }

    /// The next; an error when there will be no more.
    async fn next(&mut self) -> Result<Event, DockerError> {
        self.receiver.recv().await.unwrap_or_else(|| Err(self.ended.clone()))
    }

    /// One that is there already.
    fn at_hand(&mut self) -> Option<Event> {
        // an error is followed by the end, which the next call of `next` meets
        self.receiver.try_recv().ok()?.ok()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Event {
    fn read(message: EventMessage) -> Option<Event> {
        let actor = message.actor?;
        let mut attributes = actor.attributes.unwrap_or_default();
        Some(match message.typ? {
            EventMessageTypeEnum::CONTAINER => {
                let exit = attributes.remove("exitCode").map(|code| format!("exit code {code}"));
                Event { about: About::Container, container: actor.id?, project: attributes.remove(PROJECT), exit }
            }
            EventMessageTypeEnum::NETWORK => {
                Event { about: About::Network, container: attributes.remove("container")?, project: None, exit: None }
            }
            _ => return None,
        })
    }
}
