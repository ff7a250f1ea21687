//! The in-memory store: the executable specification that every other store is tested against.
//!
//! All it knows is one `State`, which changes by pure functions of the state, the
//! operation and the time. The shell around it is a lock, a clock, and bells that wake waiting claims.

mod admin;
mod apply;
mod bells;
mod children;
mod claim;
mod duplicate;
mod entry;
mod event_log;
mod inspect;
mod lane;
mod listing;
mod settle;
mod state;
mod steps;
mod undo;
mod upkeep;

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::broadcast;

use self::{bells::Bells, state::State};
use crate::{
    Capabilities, Claim, Clock, Commit, CommitError, Durability, Feed, Lease, LeaseToken, Leased,
    Maintenance, Receipt, Renewal, Store, StoreError, StoreErrorKind, Timestamp, Upkeep,
};

/// How many cancellations a listener may fall behind.
const CANCELLATIONS: usize = 1024;

/// A store that lives in this process and forgets everything with it. Clones share one store.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    /// Absent once the store is closed. Never locked across an await.
    state: Mutex<Option<State>>,
    bells: Bells,
    feed: Feed,
    cancelled: broadcast::Sender<LeaseToken>,
}

impl MemoryStore {
    /// An empty store that lives by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        // Tokens begin elsewhere in each store, so that no lease outlives the store that gave it.
        let (_, nonce) = uuid::Uuid::now_v7().as_u64_pair();
        let shared = Shared {
            clock,
            state: Mutex::new(Some(State::new(nonce))),
            bells: Bells::default(),
            feed: Feed::default(),
            cancelled: broadcast::Sender::new(CANCELLATIONS),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Runs `change` on the state at the present time, then wakes the claims that it concerns.
    fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp) -> T) -> Result<T, StoreError> {
        let mut guard = self.shared.state.lock().expect("no operation panics");
        let state = guard.as_mut().ok_or_else(closed)?;
        // The time is read under the lock, so that it rises with the order of operations.
        let now = self.shared.clock.now();
        state.is_heard = self.shared.feed.is_recording();
        state.catch_up(now);
        let outcome = change(state, now);
        let ringing = std::mem::take(&mut state.ringing);
        let cancelled = std::mem::take(&mut state.cancelled);
        if !state.news.is_empty() {
            self.shared.feed.tell(std::mem::take(&mut state.news));
        }
        drop(guard);
        for token in cancelled {
            // Nobody needs to listen.
            let _ = self.shared.cancelled.send(token);
        }
        for queue in ringing {
            self.shared.bells.of(&queue).notify_waiters();
        }
        Ok(outcome)
    }

    /// Runs `read` on the state.
    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        let guard = self.shared.state.lock().expect("no operation panics");
        guard.as_ref().map(read).ok_or_else(closed)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the in-memory store was closed; open a new one")
}

#[async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "memory", durability: Durability::Process, shared: false }
    }

    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        self.change(|state, now| {
            commits.into_iter().map(|commit| state.apply(commit, now)).collect()
        })
    }

    async fn claim(&self, ask: Claim) -> Result<Vec<Leased>, StoreError> {
        let deadline = self.shared.clock.now() + ask.wait;
        loop {
            // The bell is heard from before the look at the state, so no ring falls in between.
            let mut ring = pin!(self.shared.bells.of(&ask.queue).notified());
            ring.as_mut().enable();
            let (leased, now, next_due) = self
                .change(|state, now| (state.claim(&ask, now), now, state.next_due(&ask.queue)))?;
            // Nothing is awaited after a claim: a dropped future cannot hold jobs.
            if !leased.is_empty() || ask.max == 0 || now >= deadline {
                return Ok(leased);
            }
            let wake_at = next_due.map_or(deadline, |due| due.min(deadline));
            tokio::select! {
                () = ring => {}
                () = self.shared.clock.sleep_until(wake_at) => {}
            }
        }
    }

    async fn renew(
        &self,
        leases: Vec<Lease>,
        lease_for: Duration,
    ) -> Result<Vec<Renewal>, StoreError> {
        self.change(|state, now| {
            leases.iter().map(|lease| state.renew(lease, now + lease_for)).collect()
        })
    }

    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError> {
        self.change(|state, now| state.maintain(&upkeep, now))
    }

    fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    fn cancellations(&self) -> broadcast::Receiver<LeaseToken> {
        self.shared.cancelled.subscribe()
    }

    async fn close(&self) {
        *self.shared.state.lock().expect("no operation panics") = None;
        self.shared.bells.ring_all();
    }
}
