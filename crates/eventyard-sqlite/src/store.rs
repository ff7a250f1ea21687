//! The store's handle: carries requests to the writer thread and answers back.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use async_trait::async_trait;
use eventyard_core::{
    Capabilities, Claim, Commit, CommitError, Feed, Lease, LeaseToken, Leased, Maintenance,
    Receipt, Renewal, Store, StoreError, StoreErrorKind, Upkeep,
};
use tokio::{
    runtime::Handle,
    sync::{broadcast, oneshot},
    task::AbortHandle,
};

use crate::{
    inspect::Readers,
    options::Options,
    request::{Reply, Request, Waiter, Withdrawal},
    shared::Shared,
    timekeeper, writer,
};

/// A durable store in one SQLite file, for one process.
///
/// Dropping it finishes what was taken up and closes the file, as [`close`](Store::close) does.
pub struct SqliteStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
    timekeeper: AbortHandle,
    next_claim: AtomicU64,
}

impl SqliteStore {
    /// Opens the store, creating it when it does not exist. Call it in a tokio runtime that lives as
    /// long as the store.
    ///
    /// # Errors
    /// `Locked` when another process holds the store, and which one; `Corrupt` when the file is not a
    /// store that this version can read; `Unavailable` or `Full` when it cannot be opened.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let Ok(runtime) = Handle::try_current() else {
            let message = "the SQLite store needs a tokio runtime; open it inside of one";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        };
        let shared = Shared::new(options);
        runtime.spawn(shared.postman.work());
        let (writer, opened) = writer::spawn(shared.clone())?;
        opened.await.map_err(|_| shared.closed())??;
        Ok(Self {
            readers: Readers::new(&shared),
            writer: Mutex::new(Some(writer)),
            timekeeper: runtime.spawn(timekeeper::run(shared.clone())).abort_handle(),
            next_claim: AtomicU64::new(0),
            shared,
        })
    }

    /// Sends a request and waits for its answer.
    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.shared.inbox.send(request(reply)).await;
        sent.map_err(|_| self.shared.closed())?;
        answer.await.map_err(|_| self.shared.closed())?
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.shared.path()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        let durability = self.shared.options.synchronous.durability();
        Capabilities { name: "sqlite", durability, shared: false }
    }

    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError> {
        self.ask(|reply| Request::Commit(commits, reply)).await
    }

    async fn claim(&self, ask: Claim) -> Result<Vec<Leased>, StoreError> {
        let id = self.next_claim.fetch_add(1, Ordering::Relaxed);
        let (queue, wait) = (ask.queue.clone(), ask.wait);
        let (reply, mut answer) = oneshot::channel();
        let sent = self.shared.inbox.send(Request::Claim(Waiter { id, ask, reply })).await;
        sent.map_err(|_| self.shared.closed())?;
        let mut withdrawal = Withdrawal::new(&self.shared, queue, id);
        let answered = if wait.is_zero() {
            answer.await
        } else {
            tokio::select! {
                biased;
                answered = &mut answer => answered,
                () = self.shared.clock().sleep(wait) => {
                    withdrawal.send();
                    answer.await
                }
            }
        };
        withdrawal.answered();
        Ok(answered.map_err(|_| self.shared.closed())??.take())
    }

    async fn renew(
        &self,
        leases: Vec<Lease>,
        lease_for: Duration,
    ) -> Result<Vec<Renewal>, StoreError> {
        self.ask(|reply| Request::Renew(leases, lease_for, reply)).await
    }

    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError> {
        self.ask(|reply| Request::Maintain(upkeep, reply)).await
    }

    fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    fn cancellations(&self) -> broadcast::Receiver<LeaseToken> {
        self.shared.cancelled.subscribe()
    }

    async fn close(&self) {
        self.timekeeper.abort();
        self.readers.close();
        let (done, closed) = oneshot::channel();
        self.shared.inbox.push_now(Request::Close(done));
        // An error says that the thread has ended already.
        let _ = closed.await;
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.timekeeper.abort();
        let (done, _) = oneshot::channel();
        self.shared.inbox.push_now(Request::Close(done));
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic of the thread was reported where it happened.
        let _ = writer.map(JoinHandle::join);
    }
}
