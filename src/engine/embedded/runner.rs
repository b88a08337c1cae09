//! The runner: keeps replicas running as child processes, and publishes them.
//!
//! Each replica has a keeper, a task that starts its process and starts it again when it ended by itself. All keepers
//! write into one map of slots, whose lock also orders what is published.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};

use crate::model::{App, Labels, Port, Replica, Replicas, Sessions, State, replica_name};

use super::process::{Process, StartError};

/// The first delay before a replica that ended by itself is started again; it doubles each time.
const FIRST_RESTART_DELAY: Duration = Duration::from_millis(100);
/// The longest delay before a replica is started again.
const MAX_RESTART_DELAY: Duration = Duration::from_secs(10);
/// A replica that lived this long has recovered: the delay starts over.
const RECOVERY_TIME: Duration = Duration::from_secs(10);

/// A service that the engine can run.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// The name of the compose service.
    pub service: Arc<str>,
    /// The name that Traefik gives the service where its labels give it none.
    pub base: Arc<str>,
    /// The built-in app that stands in for the service's image.
    pub app: App,
    pub labels: Arc<Labels>,
}

/// Replicas as child processes. They end when this is dropped.
#[derive(Debug)]
pub struct EmbeddedEngine {
    specs: Vec<ServiceSpec>,
    shared: Arc<ReplicaSlots>,
}

#[derive(Debug)]
struct ReplicaSlots {
    slots: Mutex<BTreeMap<SlotKey, Slot>>,
    publish: watch::Sender<Replicas>,
}

/// The index of the service and the number of the replica. Replicas are published in this order.
type SlotKey = (usize, u32);

type Slots<'a> = MutexGuard<'a, BTreeMap<SlotKey, Slot>>;

#[derive(Debug)]
struct Slot {
    replica: Replica,
    /// Asks the keeper to stop the replica, within the time that is sent.
    stop: oneshot::Sender<Duration>,
    keeper: JoinHandle<Sessions>,
}

impl EmbeddedEngine {
    /// An engine that can run these services. It starts none of them.
    pub fn new(specs: Vec<ServiceSpec>) -> Self {
        let publish = watch::Sender::new(Replicas::default());
        EmbeddedEngine { specs, shared: Arc::new(ReplicaSlots { slots: Mutex::default(), publish }) }
    }

    /// The replicas, now and whenever they change.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        self.shared.publish.subscribe()
    }

    /// The number of replicas of a service; `None` for an unknown service.
    pub fn count(&self, service: &str) -> Option<u32> {
        let index = self.index(service)?;
        let slots = self.shared.slots();
        Some(slots.range((index, 0)..=(index, u32::MAX)).count() as u32)
    }

    /// Starts replicas by service and number, and waits until each listens. If one does not, all of them are stopped.
    ///
    /// # Errors
    /// Returns the error of the first replica that did not start.
    pub async fn start(&self, starts: &[(&str, RangeInclusive<u32>)]) -> Result<(), StartError> {
        let mut started = JoinSet::new();
        let mut names = Vec::new();
        for (service, numbers) in starts {
            let Some(index) = self.index(service) else { continue };
            for number in numbers.clone() {
                let (listens, first) = oneshot::channel();
                let replica = self.shared.open((index, number), &self.specs[index], listens);
                names.push(replica);
                started.spawn(first);
            }
        }
        while let Some(joined) = started.join_next().await {
            // a keeper that ended without an answer was stopped
            if let Ok(Ok(Err(error))) = joined {
                self.stop(&names, Duration::ZERO).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// The names of a service's replicas with the number `from` or a higher one.
    pub fn names_from(&self, service: &str, from: u32) -> Vec<String> {
        let Some(index) = self.index(service) else { return Vec::new() };
        self.shared
            .slots()
            .range((index, from)..=(index, u32::MAX))
            .map(|(_, slot)| slot.replica.name.to_string())
            .collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.shared.slots().values().map(|slot| slot.replica.name.to_string()).collect()
    }

    /// Marks these replicas as draining, so that the proxy gives them no more requests.
    pub fn drain(&self, names: &[String]) {
        let mut slots = self.shared.slots();
        for slot in slots.values_mut().filter(|slot| names.iter().any(|name| **name == *slot.replica.name)) {
            slot.replica.state = State::Draining;
        }
        self.shared.publish(&slots);
    }

    /// Ends these replicas, each within `grace`, and forgets them. Returns the sessions that lived in them.
    pub async fn stop(&self, names: &[String], grace: Duration) -> Sessions {
        let removed: BTreeMap<SlotKey, Slot> = {
            let mut slots = self.shared.slots();
            let (removed, remaining) = std::mem::take(&mut *slots)
                .into_iter()
                .partition(|(_, slot)| names.iter().any(|name| **name == *slot.replica.name));
            *slots = remaining;
            removed
        };
        let keepers: Vec<_> = removed
            .into_values()
            .map(|Slot { stop, keeper, .. }| {
                // the send fails where the keeper has ended already
                _ = stop.send(grace);
                keeper
            })
            .collect();
        let mut sessions = Sessions::default();
        for keeper in keepers {
            sessions = sessions + keeper.await.unwrap_or_default();
        }
        self.shared.publish(&self.shared.slots());
        sessions
    }

    fn index(&self, service: &str) -> Option<usize> {
        self.specs.iter().position(|spec| &*spec.service == service)
    }
}

impl Drop for EmbeddedEngine {
    fn drop(&mut self) {
        // each keeper holds its process, which is killed with it
        self.shared.slots().values().for_each(|slot| slot.keeper.abort());
    }
}

impl ReplicaSlots {
    fn slots(&self) -> Slots<'_> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the slots while their lock is held, so that an older state is never published after a newer one.
    fn publish(&self, slots: &Slots<'_>) {
        self.publish.send_replace(slots.values().map(|slot| slot.replica.clone()).collect());
    }

    /// Enters a replica and starts its keeper. Returns the replica's name.
    fn open(
        self: &Arc<Self>,
        key: SlotKey,
        spec: &ServiceSpec,
        listens: oneshot::Sender<Result<(), StartError>>,
    ) -> String {
        let name = replica_name(&spec.service, key.1);
        let (stop, stopped) = oneshot::channel();
        let keeper = Keeper { shared: self.clone(), key, name: name.clone(), app: spec.app };
        let replica = Replica {
            name: name.as_str().into(),
            service: spec.service.clone(),
            base: spec.base.clone(),
            number: key.1,
            hostname: name.clone(),
            address: None,
            port: Port::Bound,
            state: State::Starting,
            restarts: 0,
            ended: None,
            labels: spec.labels.clone(),
        };
        let mut slots = self.slots();
        // the lock is held until the slot is entered, so that the keeper finds it
        let keeper = tokio::spawn(keeper.run(listens, stopped));
        slots.insert(key, Slot { replica, stop, keeper });
        name
    }
}

/// Keeps one replica running until it is stopped.
struct Keeper {
    shared: Arc<ReplicaSlots>,
    key: SlotKey,
    name: String,
    app: App,
}

impl Keeper {
    /// Starts the replica, again and again, until `stopped` gives the time that it has to end. `listens` gets the
    /// result of the first start; if that failed, there is no second.
    async fn run(
        self,
        listens: oneshot::Sender<Result<(), StartError>>,
        mut stopped: oneshot::Receiver<Duration>,
    ) -> Sessions {
        let mut first = Some(listens);
        let mut delay = FIRST_RESTART_DELAY;
        loop {
            let start = Process::start(&self.name, self.app);
            let process = tokio::select! {
                process = start => process,
                _ = &mut stopped => return Sessions::default(),
            };
            let started = Instant::now();
            let ended = match process {
                Ok(mut process) => {
                    self.update(|replica| {
                        replica.address = Some(process.address);
                        replica.state = State::Ready;
                    });
                    _ = first.take().map(|listens| listens.send(Ok(())));
                    tokio::select! {
                        ended = process.wait() => ended,
                        grace = &mut stopped => return process.stop(grace.unwrap_or_default()).await,
                    }
                }
                Err(error) => {
                    if let Some(listens) = first.take() {
                        _ = listens.send(Err(error));
                        return Sessions::default();
                    }
                    error.to_string()
                }
            };
            self.note_end(&ended);
            if started.elapsed() >= RECOVERY_TIME {
                delay = FIRST_RESTART_DELAY;
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = &mut stopped => return Sessions::default(),
            }
            delay = (delay * 2).min(MAX_RESTART_DELAY);
        }
    }

    /// Publishes that the process ended by itself and will be started again.
    fn note_end(&self, how: &str) {
        self.update(|replica| {
            replica.ended = Some(how.into());
            replica.address = None;
            replica.state = State::Restarting;
            replica.restarts += 1;
        });
    }

    /// Changes the published replica. A draining replica stays as it is, because it is about to end.
    fn update(&self, change: impl FnOnce(&mut Replica)) {
        let mut slots = self.shared.slots();
        let Some(slot) = slots.get_mut(&self.key) else { return };
        if slot.replica.state == State::Draining {
            return;
        }
        change(&mut slot.replica);
        self.shared.publish(&slots);
    }
}
