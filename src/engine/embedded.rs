//! The embedded engine: every replica is a child process that runs a built-in app.

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
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The longest such delay.
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// A replica that lived this long has recovered: the delay starts over.
const RECOVERED: Duration = Duration::from_secs(10);

/// A service that the engine can run.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The compose service.
    pub service: Arc<str>,
    /// What Traefik calls it where its labels give it no name.
    pub base: Arc<str>,
    /// The app that stands in for its image.
    pub app: App,
    /// Its labels.
    pub labels: Arc<Labels>,
}

/// Replicas as child processes. Dropping it ends them.
#[derive(Debug)]
pub struct Embedded {
    specs: Vec<Spec>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    slots: Mutex<BTreeMap<Key, Slot>>,
    publish: watch::Sender<Replicas>,
}

/// Index of the service, and number: the order in which replicas are published.
type Key = (usize, u32);

type Slots<'a> = MutexGuard<'a, BTreeMap<Key, Slot>>;

#[derive(Debug)]
struct Slot {
    replica: Replica,
    /// Sends how long the replica may take to end.
    stop: oneshot::Sender<Duration>,
    keeper: JoinHandle<Sessions>,
}

impl Embedded {
    /// An engine that can run these services, and runs nothing yet.
    pub fn new(specs: Vec<Spec>) -> Self {
        let publish = watch::Sender::new(Replicas::default());
        Embedded { specs, shared: Arc::new(Shared { slots: Mutex::default(), publish }) }
    }

    /// What runs where, from now on.
    pub fn replicas(&self) -> watch::Receiver<Replicas> {
        self.shared.publish.subscribe()
    }

    /// How many replicas of a service there are; `None` for an unknown service.
    pub fn count(&self, service: &str) -> Option<u32> {
        let index = self.index(service)?;
        let slots = self.shared.slots();
        Some(slots.range((index, 0)..=(index, u32::MAX)).count() as u32)
    }

    /// Starts these replicas and waits until each listens. If one does not, none of them stays.
    ///
    /// # Errors
    /// The first replica that did not start.
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
            // a keeper that is gone without a word was stopped
            if let Ok(Ok(Err(error))) = joined {
                self.stop(&names, Duration::ZERO).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// The names of replicas `from` and above of a service.
    pub fn names_from(&self, service: &str, from: u32) -> Vec<String> {
        let Some(index) = self.index(service) else { return Vec::new() };
        self.shared
            .slots()
            .range((index, from)..=(index, u32::MAX))
            .map(|(_, slot)| slot.replica.name.to_string())
            .collect()
    }

    /// The names of all replicas.
    pub fn names(&self) -> Vec<String> {
        self.shared.slots().values().map(|slot| slot.replica.name.to_string()).collect()
    }

    /// Gives these replicas no more requests.
    pub fn drain(&self, names: &[String]) {
        let mut slots = self.shared.slots();
        for slot in slots.values_mut().filter(|slot| names.iter().any(|name| **name == *slot.replica.name)) {
            slot.replica.state = State::Draining;
        }
        self.shared.publish(&slots);
    }

    /// Ends these replicas, each within `grace`, and forgets them; returns the sessions that lived in them.
    pub async fn stop(&self, names: &[String], grace: Duration) -> Sessions {
        let removed: BTreeMap<Key, Slot> = {
            let mut slots = self.shared.slots();
            let (removed, kept) = std::mem::take(&mut *slots)
                .into_iter()
                .partition(|(_, slot)| names.iter().any(|name| **name == *slot.replica.name));
            *slots = kept;
            removed
        };
        let keepers: Vec<_> = removed
            .into_values()
            .map(|Slot { stop, keeper, .. }| {
                // a keeper that waits for nothing more has ended
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

impl Drop for Embedded {
    fn drop(&mut self) {
        // each keeper holds its process, which is killed with it
        self.shared.slots().values().for_each(|slot| slot.keeper.abort());
    }
}

impl Shared {
    fn slots(&self) -> Slots<'_> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what the lock guards while it is held, so that nothing older is published after something newer.
    fn publish(&self, slots: &Slots<'_>) {
        self.publish.send_replace(slots.values().map(|slot| slot.replica.clone()).collect());
    }

    /// Enters a replica and starts its keeper; returns its name.
    fn open(self: &Arc<Self>, key: Key, spec: &Spec, listens: oneshot::Sender<Result<(), StartError>>) -> String {
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

/// Keeps one replica running.
struct Keeper {
    shared: Arc<Shared>,
    key: Key,
    name: String,
    app: App,
}

impl Keeper {
    async fn run(
        self,
        listens: oneshot::Sender<Result<(), StartError>>,
        mut stopped: oneshot::Receiver<Duration>,
    ) -> Sessions {
        let mut first = Some(listens);
        let mut delay = FIRST_DELAY;
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
                        ended = process.ended() => ended,
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
            self.update(|replica| {
                replica.ended = Some(ended.as_str().into());
                replica.address = None;
                replica.state = State::Restarting;
                replica.restarts += 1;
            });
            if started.elapsed() >= RECOVERED {
                delay = FIRST_DELAY;
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = &mut stopped => return Sessions::default(),
            }
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    /// Changes what is published of the replica. One that drains is left alone: it is about to end.
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
