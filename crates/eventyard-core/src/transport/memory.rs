//! The in-memory transport: the executable specification that every driver is tested against.

mod group;
mod source;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Notify;

use self::{
    group::MemoryGroup,
    source::{Ear, MemorySource},
};
use super::{
    Deliveries, Subscription, Topology, Transport, TransportCapabilities, TransportError,
    TransportStatus,
};
use crate::{Clock, Durability, Event};

/// How a [`MemoryBroker`] behaves.
#[derive(Debug, Clone, Copy)]
pub struct MemoryOptions {
    /// How long an event stays with a consumer before it goes to another.
    pub redeliver_after: Duration,
    /// How many times an event is delivered before it is a dead letter.
    pub max_deliveries: u32,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { redeliver_after: Duration::from_secs(30), max_deliveries: 5 }
    }
}

/// What was published, by which node.
#[derive(Debug)]
struct Message {
    event: Event,
    node: Arc<str>,
}

/// A broker in this process. Clones share one broker.
#[derive(Clone)]
pub struct MemoryBroker {
    hall: Arc<Hall>,
}

struct Hall {
    clock: Arc<dyn Clock>,
    options: MemoryOptions,
    state: Mutex<State>,
    /// Rings when something is there for somebody.
    bell: Notify,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<String, MemoryGroup>,
    ears: Vec<Weak<Ear>>,
}

impl Hall {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryBroker {
    /// A broker that lives by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, options: MemoryOptions) -> Self {
        let (state, bell) = (Mutex::default(), Notify::new());
        Self { hall: Arc::new(Hall { clock, options, state, bell }) }
    }

    /// The transport of one node.
    #[must_use]
    pub fn transport(&self, node: impl Into<Arc<str>>) -> MemoryTransport {
        MemoryTransport {
            hall: Arc::clone(&self.hall),
            node: node.into(),
            status: Arc::default(),
            closed: Arc::default(),
        }
    }

    /// Loses the connection of every subscription without a group for a moment: each is told of a gap.
    pub fn interrupt(&self) {
        let now = self.hall.clock.now();
        for ear in self.hall.lock().ears.iter().filter_map(Weak::upgrade) {
            ear.miss(now);
        }
        self.hall.bell.notify_waiters();
    }

    /// The events that a group has given up, with the reasons, oldest first.
    #[must_use]
    pub fn dead_letters(&self, group: &str) -> Vec<(Event, String)> {
        let state = self.hall.lock();
        state.groups.get(group).map(MemoryGroup::dead_letters).unwrap_or_default()
    }
}

impl std::fmt::Debug for MemoryBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryBroker").finish_non_exhaustive()
    }
}

/// A node's way to a [`MemoryBroker`].
#[derive(Clone)]
pub struct MemoryTransport {
    hall: Arc<Hall>,
    node: Arc<str>,
    status: Arc<Mutex<TransportStatus>>,
    closed: Arc<AtomicBool>,
}

impl std::fmt::Debug for MemoryTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryTransport").field("node", &self.node).finish_non_exhaustive()
    }
}

impl MemoryTransport {
    fn open(&self) -> Result<(), TransportError> {
        if self.closed.load(Ordering::Acquire) { Err(TransportError::closed()) } else { Ok(()) }
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities {
            name: "memory",
            broadcast: true,
            groups: true,
            replay: false,
            durability: Durability::Process,
        }
    }

    async fn declare(&self, topology: &Topology) -> Result<(), TransportError> {
        self.open()?;
        let mut state = self.hall.lock();
        for group in &topology.groups {
            let known = state.groups.entry(group.name.clone()).or_default();
            known.patterns.clone_from(&group.patterns);
        }
        Ok(())
    }

    async fn publish(
        &self,
        events: &[Arc<Event>],
    ) -> Result<Vec<Result<(), TransportError>>, TransportError> {
        self.open()?;
        let mut state = self.hall.lock();
        for event in events {
            let message =
                Arc::new(Message { event: (**event).clone(), node: Arc::clone(&self.node) });
            state.groups.values_mut().for_each(|group| group.publish(&message));
            state.ears.retain(|ear| ear.upgrade().is_some_and(|ear| ear.tell(&message)));
        }
        drop(state);
        self.status.lock().unwrap_or_else(PoisonError::into_inner).published += events.len() as u64;
        self.hall.bell.notify_waiters();
        Ok(events.iter().map(|_| Ok(())).collect())
    }

    async fn consume(&self, subscription: Subscription) -> Result<Deliveries, TransportError> {
        self.open()?;
        let mut state = self.hall.lock();
        let source = match &subscription.group {
            Some(name) => {
                let group = state.groups.entry(name.clone()).or_default();
                group.patterns.clone_from(&subscription.patterns);
                group.consumers += 1;
                MemorySource::group(self, name.clone(), subscription)
            }
            None => {
                let ear = Arc::new(Ear::new(subscription.clone()));
                state.ears.push(Arc::downgrade(&ear));
                MemorySource::broadcast(self, ear, subscription)
            }
        };
        Ok(Deliveries::new(source))
    }

    async fn status(&self) -> Result<TransportStatus, TransportError> {
        self.open()?;
        let counted = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = self.hall.lock();
        let groups = state.groups.iter().map(|(name, group)| group.status(name)).collect();
        Ok(TransportStatus { connected: true, groups, ..counted })
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.hall.bell.notify_waiters();
    }
}
