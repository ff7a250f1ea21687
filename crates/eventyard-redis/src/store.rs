//! The store on BullMQ's data layout.

mod answer;
mod claimed;
mod desk;
mod inspect;
mod leased;
mod news;
mod options;
mod others;
mod reserved;
mod scheduler;
mod standing;
mod tokens;
mod wake;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventyard_core::{
    Capabilities, Claim, Clock, Commit, CommitError, Durability, Feed, Lease, LeaseToken, Leased,
    Maintenance, Receipt, Renewal, Store, StoreError, StoreErrorKind, Upkeep,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub use self::options::Options;
use self::{
    desk::{Answer, Desk, MAX_WAITING, Request},
    options::grace,
    standing::Standing,
    wake::Bells,
};
use crate::{
    connect::{self, Connections},
    durability,
    inspect::Reader,
    script,
};

/// How many cancellations a listener may fall behind.
const CANCELLATIONS: usize = 1024;
/// A claim that waits looks again after this long, should nobody wake it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A store in Redis that several processes share, with services on BullMQ among them. Clones share one store.
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    reader: Reader,
    clock: Arc<dyn Clock>,
    requests: mpsc::Sender<Request>,
    bells: Arc<Bells>,
    standing: Arc<Standing>,
    feed: Feed,
    cancelled: broadcast::Sender<LeaseToken>,
    durability: Durability,
    closed: watch::Sender<bool>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Connects, and reads from the server what it promises.
    ///
    /// # Errors
    /// When Redis is not reached or refuses, or the prefix does not fit.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let prefix = options.find_prefix()?;
        let connections = Connections::new(options.address, options.connections);
        connections.shared().connect().await?;
        let promise = durability::read(&connections, &prefix).await?;
        for warning in &promise.warnings {
            tracing::warn!("{warning}");
        }
        let durability = promise.level;
        let runs = script::load(&mut connections.shared()).await;
        let runs = runs.map_err(|error| StoreError::from(connect::Error::from(error)))?;
        let (high, low) = uuid::Uuid::now_v7().as_u64_pair();
        let node: Arc<str> = format!("{low:016x}")[8..].into();
        let (requests, asked) = mpsc::channel(MAX_WAITING);
        let standing = Arc::new(Standing::default());
        let (closed, is_closed) = watch::channel(false);
        let (feed, cancelled) = (Feed::default(), broadcast::Sender::new(CANCELLATIONS));
        let desk = Desk {
            connection: connections.shared(),
            clock: Arc::clone(&options.clock),
            prefix: Arc::clone(&prefix),
            node: Arc::clone(&node),
            feed: feed.clone(),
            cancelled: cancelled.clone(),
            nonce: high.rotate_left(16) ^ low,
            claims: 0,
            grace: grace(&*options.clock),
            standing: Arc::clone(&standing),
            unwanted: mpsc::unbounded_channel(),
            runs,
            next_jobs: Vec::new(),
            late_jobs: Vec::new(),
        };
        tokio::spawn(desk.run(asked));
        let reader = Reader::new(&connections, Arc::clone(&prefix));
        let bells =
            Arc::new(Bells::new(connections.clone(), Arc::clone(&prefix), is_closed.clone()));
        let others = others::Others {
            connections: connections.clone(),
            prefix: Arc::clone(&prefix),
            node,
            feed: feed.clone(),
            cancelled: cancelled.clone(),
            bells: Arc::clone(&bells),
        };
        others.listen(&is_closed);
        let shared = Shared {
            reader,
            clock: options.clock,
            requests,
            bells,
            standing,
            feed,
            cancelled,
            durability,
            closed,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    fn reader(&self) -> Result<&Reader, StoreError> {
        if *self.shared.closed.borrow() { Err(closed()) } else { Ok(&self.shared.reader) }
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, StoreError> {
        if *self.shared.closed.borrow() {
            return Err(closed());
        }
        let (answer, answered) = oneshot::channel();
        self.shared.requests.send(request(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "the redis store was closed; open a new one")
}

#[async_trait]
impl Store for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "redis", durability: self.shared.durability, shared: true }
    }

    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        self.ask(|answer| Request::Commit(commits, answer)).await
    }

    async fn claim(&self, ask: Claim) -> Result<Vec<Leased>, StoreError> {
        let Shared { clock, bells, standing, closed: is_closed, .. } = &*self.shared;
        let deadline = clock.now() + ask.wait;
        let mut closed_now = is_closed.subscribe();
        let mut waiting = None;
        let claim_now = || self.ask(|answer| Request::Claim(ask.clone(), answer));
        let mut claimed = claim_now().await?;
        while claimed.is_empty() && ask.max > 0 && clock.now() < deadline {
            let bell = waiting.get_or_insert_with(|| bells.wait(&ask.queue, &ask.worker));
            let wake_at = claimed.opens.map_or(deadline, |opens| opens.min(deadline));
            let look_again = tokio::select! {
                biased;
                along = standing.put(ask.clone()) => {
                    claimed = along.map_err(|_| closed())??;
                    false
                }
                () = bell.rung() => true,
                () = clock.sleep_until(wake_at) => true,
                () = tokio::time::sleep(LOOK_AGAIN) => true,
                _ = closed_now.wait_for(|closed| *closed) => return Err(closed()),
            };
            if look_again {
                claimed = claim_now().await?;
            }
        }
        Ok(claimed.take())
    }

    async fn renew(
        &self,
        leases: Vec<Lease>,
        lease_for: Duration,
    ) -> Result<Vec<Renewal>, StoreError> {
        self.ask(|answer| Request::Renew(leases, lease_for, answer)).await
    }

    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError> {
        self.ask(|answer| Request::Maintain(upkeep, answer)).await
    }

    fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    fn cancellations(&self) -> broadcast::Receiver<LeaseToken> {
        self.shared.cancelled.subscribe()
    }

    async fn close(&self) {
        // Whoever waits is told; what was asked before is still answered.
        self.shared.closed.send_replace(true);
    }
}
