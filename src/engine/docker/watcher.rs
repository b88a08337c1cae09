//! The watcher: follows the containers of an engine by its events, and publishes them.
//!
//! There is no polling. An event names a container, and that container is inspected; the result is published if it
//! differs. An engine that goes away may come back, as a restarted one does: then all containers are listed anew. An
//! event during the listing is not lost, because the subscription starts at a moment before it, by the engine's own
//! clock.

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
use tracing::debug;

use crate::model::{Replica, Replicas, State};

use super::{
    connection::Docker,
    container::{Container, Naming, PROJECT},
    error::DockerError,
    inspection::Scope,
};

/// The events that may change a published container. The commands of health checks are events too, and far more frequent.
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
/// The longest time that a lost engine may take to come back.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before the first attempt to reach a lost engine. Each further pause is twice as long.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The longest pause between two attempts.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The containers of an engine, watched until this is dropped.
#[derive(Debug)]
pub struct Containers {
    shared: Arc<WatchState>,
    watcher: JoinHandle<()>,
}

#[derive(Debug)]
struct WatchState {
    docker: Docker,
    scope: Scope,
    naming: Naming,
    inventory: Mutex<Inventory>,
    containers: watch::Sender<Arc<[Container]>>,
    replicas: watch::Sender<Replicas>,
    lost: watch::Sender<Option<DockerError>>,
}

/// The containers that exist, as far as this program knows.
#[derive(Debug, Default)]
struct Inventory {
    by_id: BTreeMap<String, Container>,
    /// The ids of the containers that get no more requests.
    draining: HashSet<String>,
}

impl Inventory {
    /// Forgets the draining containers that no longer exist.
    fn forget_removed(&mut self) {
        let Inventory { by_id, draining } = self;
        draining.retain(|id| by_id.contains_key(id));
    }
}

impl Containers {
    /// Lists the containers, and watches them from then on.
    ///
    /// # Errors
    /// Fails when the engine does not list them.
    pub async fn watch(docker: Docker, scope: Scope, naming: Naming) -> Result<Containers, DockerError> {
        let shared = Arc::new(WatchState {
            docker,
            scope,
            naming,
            inventory: Mutex::default(),
            containers: watch::Sender::new(Arc::default()),
            replicas: watch::Sender::new(Arc::default()),
            lost: watch::Sender::new(None),
        });
        let events = shared.begin().await?;
        let watcher = tokio::spawn(watch(shared.clone(), events));
        Ok(Containers { shared, watcher })
    }

    /// The containers, sorted by service and number.
    pub fn containers(&self) -> watch::Receiver<Arc<[Container]>> {
        self.shared.containers.subscribe()
    }

    /// The containers as replicas, without those of Traefik.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        self.shared.replicas.subscribe()
    }

    /// Lists all containers anew, without waiting for events.
    ///
    /// # Errors
    /// Fails when the engine does not list them.
    pub async fn refresh(&self) -> Result<(), DockerError> {
        self.shared.list().await
    }

    /// Marks these replicas as draining until they end, so that the proxy gives them no more requests.
    pub fn drain(&self, names: &[String]) {
        let mut inventory = self.shared.inventory();
        let named = replicas(&inventory, self.shared.naming)
            .into_iter()
            .filter(|(_, replica)| names.iter().any(|name| **name == *replica.name))
            .map(|(id, _)| id.to_owned());
        let named: Vec<_> = named.collect();
        inventory.draining.extend(named);
        self.shared.publish(&inventory);
    }

    /// Waits until the engine stops answering and does not come back within 10 s.
    pub fn lost(&self) -> impl Future<Output = DockerError> + Send + use<> {
        let mut lost = self.shared.lost.subscribe();
        async move {
            match lost.wait_for(Option::is_some).await.map(|error| error.clone()) {
                Ok(Some(error)) => error,
                // the watcher has ended, so there is no more news
                Ok(None) | Err(_) => std::future::pending().await,
            }
        }
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl WatchState {
    fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to the events, then lists all containers.
    async fn begin(&self) -> Result<Events, DockerError> {
        debug!(scope = ?self.scope, "Docker: follow events");
        let events = Events::subscribe(&self.docker).await?;
        self.list().await?;
        Ok(events)
    }

    /// Lists all containers and publishes them.
    async fn list(&self) -> Result<(), DockerError> {
        let listed = self.docker.containers(&self.scope).await?;
        let mut inventory = self.inventory();
        let before = std::mem::take(&mut inventory.by_id);
        for container in listed {
            let exit = before.get(&container.id).and_then(|earlier| earlier.exit.clone());
            inventory.by_id.insert(container.id.clone(), with_last_exit(container, exit));
        }
        inventory.forget_removed();
        self.publish(&inventory);
        Ok(())
    }

    /// Inspects the containers that events named, and publishes them. `touched` maps an id to the way in which that
    /// container ended, if it ended.
    async fn refresh(&self, touched: BTreeMap<String, Option<String>>) -> Result<(), DockerError> {
        let found = self.docker.inspect_all(touched.keys().cloned()).await?;
        let mut inventory = self.inventory();
        let mut found: BTreeMap<_, _> = found.into_iter().map(|container| (container.id.clone(), container)).collect();
        for (id, ended) in touched {
            let earlier = inventory.by_id.remove(&id).and_then(|earlier| earlier.exit);
            match found.remove(&id) {
                Some(container) if self.scope.includes(&container) => {
                    inventory.by_id.insert(id, with_last_exit(container, ended.or(earlier)));
                }
                _ => {}
            }
        }
        inventory.forget_removed();
        self.publish(&inventory);
        Ok(())
    }

    /// Returns whether an event is about one of the watched containers.
    fn concerns(&self, event: &Event) -> bool {
        let watched = self.inventory().by_id.contains_key(&event.container);
        watched
            || match (&self.scope, event.source) {
                // an event of a network does not name the project of the container that joins
                (_, EventSource::Network) => false,
                (Scope::All, EventSource::Container) => true,
                (Scope::Project(name), EventSource::Container) => event.project.as_ref() == Some(name),
            }
    }

    /// Publishes the containers while their lock is held, so that an older state is never published after a newer one.
    /// An unchanged list is not published again.
    fn publish(&self, inventory: &MutexGuard<'_, Inventory>) {
        let mut containers: Vec<Container> = inventory.by_id.values().cloned().collect();
        containers.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let replicas: Vec<Replica> = replicas(inventory, self.naming).into_iter().map(|(_, replica)| replica).collect();
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

/// The containers as replicas, each with the id of its container, in the order of the containers.
fn replicas(inventory: &Inventory, naming: Naming) -> Vec<(&str, Replica)> {
    let mut containers: Vec<_> = inventory.by_id.values().filter(|container| !container.is_traefik()).collect();
    containers.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    let mut names = HashSet::new();
    let named = containers.into_iter().map(|container| {
        let mut replica = container.replica(naming);
        if !names.insert(replica.name.clone()) {
            // while a container is being replaced, the new one has the same number
            replica.name = container.name.as_str().into();
        }
        if inventory.draining.contains(&container.id) {
            replica.state = State::Draining;
        }
        (container.id.as_str(), replica)
    });
    named.collect()
}

/// The container with its last exit, which Docker forgets when it starts the container again.
fn with_last_exit(mut container: Container, exit: Option<String>) -> Container {
    if container.exit.is_none() && container.restarts > 0 {
        container.exit = exit;
    }
    container
}

/// Watches until the engine is lost.
async fn watch(shared: Arc<WatchState>, mut events: Events) {
    loop {
        let Err(mut error) = apply_next(&shared, &mut events).await else { continue };
        let (lost, mut pause) = (Instant::now(), FIRST_RETRY_DELAY);
        loop {
            let left = RECONNECT_TIMEOUT.saturating_sub(lost.elapsed());
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(MAX_RETRY_DELAY);
            match tokio::time::timeout(left, shared.begin()).await {
                Ok(Ok(again)) => {
                    events = again;
                    break;
                }
                Ok(Err(again)) if lost.elapsed() < RECONNECT_TIMEOUT => error = again,
                Ok(Err(_)) | Err(_) => {
                    shared.lost.send_replace(Some(error.into_lost()));
                    return;
                }
            }
        }
    }
}

/// Waits for an event, takes those that came with it, and inspects the containers that they name.
async fn apply_next(shared: &WatchState, events: &mut Events) -> Result<(), DockerError> {
    let mut touched: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut next = Some(events.next().await?);
    while let Some(event) = next {
        if shared.concerns(&event) {
            let ended = touched.entry(event.container).or_default();
            *ended = event.exit.or(ended.take());
        }
        next = events.waiting();
    }
    if touched.is_empty() { Ok(()) } else { shared.refresh(touched).await }
}

/// The engine's events. They are read as they come, so that they wait here: the engine stores only some of them.
#[derive(Debug)]
struct Events {
    receiver: mpsc::UnboundedReceiver<Result<Event, DockerError>>,
    ended: DockerError,
    reader: JoinHandle<()>,
}

/// A change of a container.
#[derive(Debug)]
struct Event {
    source: EventSource,
    container: String,
    project: Option<String>,
    /// The way in which the container ended. It is taken from the event, because the container may run again when it is
    /// inspected.
    exit: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum EventSource {
    Container,
    Network,
}

impl Events {
    /// Subscribes to all events from this moment on, by the engine's clock.
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
                    Ok(message) => Event::from_api(message).map(Ok),
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

    /// Waits for the next event. Returns an error when there will be no more.
    async fn next(&mut self) -> Result<Event, DockerError> {
        self.receiver.recv().await.unwrap_or_else(|| Err(self.ended.clone()))
    }

    /// Takes an event that has come already.
    fn waiting(&mut self) -> Option<Event> {
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
    fn from_api(message: EventMessage) -> Option<Event> {
        let actor = message.actor?;
        let mut attributes = actor.attributes.unwrap_or_default();
        Some(match message.typ? {
            EventMessageTypeEnum::CONTAINER => {
                let exit = attributes.remove("exitCode").map(|code| format!("exit code {code}"));
                Event {
                    source: EventSource::Container,
                    container: actor.id?,
                    project: attributes.remove(PROJECT),
                    exit,
                }
            }
            EventMessageTypeEnum::NETWORK => Event {
                source: EventSource::Network,
                container: attributes.remove("container")?,
                project: None,
                exit: None,
            },
            _ => return None,
        })
    }
}
