//! The write port of the engine: a durable home for queues, events and documents.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::{
    Capabilities, Commit, CommitError, Feed, Keep, Lease, LeaseToken, Leased, QueueName, Receipt,
    StoreError, Timestamp, WorkerId,
};

/// Asks for jobs of one queue.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The queue.
    pub queue: QueueName,
    /// The most jobs to hand out.
    pub max: usize,
    /// How long each lease holds before it must be renewed.
    pub lease_for: Duration,
    /// Who asks.
    pub worker: WorkerId,
    /// How long to wait for the first job when there is none.
    pub wait: Duration,
}

/// Whether a lease still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It holds until this instant.
    Until(Timestamp),
    /// It has ended or passed to another worker; the attempt can finish nothing.
    Lost,
}

/// What [`Store::maintain`] is to do.
#[derive(Debug, Clone)]
pub struct Upkeep {
    /// The most jobs and the most events to touch in this call.
    pub limit: usize,
    /// How many crashes of its worker make a job a dead letter.
    pub max_crashes: u32,
    /// How long events stay in the log. One that a job still carries stays with the job.
    pub keep_events: Keep,
}

/// What [`Store::maintain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintenance {
    /// Jobs whose lease had ended and that wait again.
    pub taken_over: u64,
    /// Jobs whose lease had ended and that failed, because their worker crashed too often.
    pub buried: u64,
    /// Finished jobs that were removed because of their age.
    pub expired: u64,
    /// Events that were removed from the log.
    pub forgotten_events: u64,
    /// True when the limit was reached and there may be more to do.
    pub more: bool,
}

/// A durable home for queues, events and documents.
///
/// # Guarantees
/// - Each commit is applied as a whole or not at all, and is durable at the store's
///   [`Durability`](crate::Durability) when [`commit`](Store::commit) returns.
/// - A job is under at most one valid lease; a write under any other is refused.
/// - The keys of one queue take turns by their weights. Jobs of one key, and jobs without a key, are handed out by
///   priority, then in the order in which they became runnable; LIFO jobs before those that wait already.
/// - A queue's limits hold over all workers.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What this store promises.
    fn capabilities(&self) -> Capabilities;

    /// Applies each commit atomically; concurrent calls may share one durable write.
    ///
    /// The answer has one entry for each commit, in order. A repeat of a commit that publishes or enqueues changes
    /// nothing and says `duplicate`; a repeat of one with a lease is refused as stale.
    ///
    /// # Errors
    /// A [`CommitError`] refuses one commit; a [`StoreError`] means that none of the batch took effect, or,
    /// where a connection broke in the middle, that it is not known and the call should be repeated.
    ///
    /// # Cancel safety
    /// Once polled, the commits may take effect although the future is dropped.
    async fn commit(
        &self,
        commits: Vec<Commit>,
    ) -> Result<Vec<Result<Receipt, CommitError>>, StoreError>;

    /// Leases up to `max` runnable jobs; waits up to `wait` for the first, and returns an empty list if none came.
    ///
    /// A job whose time has come counts as runnable. Nothing is handed out of a paused queue.
    ///
    /// # Errors
    /// When the store cannot answer; nothing is leased then.
    ///
    /// # Cancel safety
    /// Jobs that were claimed for a future that is dropped go back to where they were, their attempt uncounted.
    async fn claim(&self, claim: Claim) -> Result<Vec<Leased>, StoreError>;

    /// Makes each lease hold for `lease_for` from now; one answer for each, in order.
    ///
    /// # Errors
    /// When the store cannot answer; the leases then end when they would have.
    async fn renew(
        &self,
        leases: Vec<Lease>,
        lease_for: Duration,
    ) -> Result<Vec<Renewal>, StoreError>;

    /// Takes over ended leases and applies retention: bounded work per call, safe to call from every node.
    ///
    /// A job whose lease ended waits again at the back, with one attempt and one crash more on its account;
    /// after `max_crashes` it fails with that reason.
    ///
    /// # Errors
    /// When the store cannot answer; call again.
    async fn maintain(&self, upkeep: Upkeep) -> Result<Maintenance, StoreError>;

    /// Tells what happens on the queues, from now on or from where a subscriber left off.
    fn feed(&self) -> &Feed;

    /// Tells the tokens of leases that end because their job is cancelled.
    fn cancellations(&self) -> broadcast::Receiver<LeaseToken>;

    /// Finishes what was acknowledged and lets go of the store. Later calls fail with
    /// [`Closed`](crate::StoreErrorKind::Closed). A second close does nothing.
    async fn close(&self);
}
