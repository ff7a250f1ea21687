//! What is known of queues, jobs and leases: plain data.

use eventyard_core::{JobId, Timestamp, WorkerId, inspect::Counts};

/// A queue's number in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::writer) struct QueueId(pub(in crate::writer) i64);

/// The number of a lane: of the jobs of a key, or of those of a queue that have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::writer) struct LaneId(pub(in crate::writer) i64);

impl QueueId {
    /// The lane of the jobs without a key.
    pub(in crate::writer) const fn lane(self) -> LaneId {
        LaneId(self.0)
    }
}

impl LaneId {
    /// Whether it is the lane of a key.
    pub(in crate::writer) const fn has_key(self) -> bool {
        self.0 < 0
    }
}

/// A job's place in the run order and its account: what goes with it from table to table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::writer) struct Ticket {
    pub(in crate::writer) seq: i64,
    pub(in crate::writer) queue: QueueId,
    /// The lane it is in while it is runnable or active. A job with a key that is neither is in none: its lane is then
    /// given as the one without a key.
    pub(in crate::writer) lane: LaneId,
    pub(in crate::writer) priority: i64,
    /// Its place among the runnable jobs of its priority, kept while it is active.
    pub(in crate::writer) ord: i64,
    pub(in crate::writer) attempts: i64,
    pub(in crate::writer) crashes: i64,
    pub(in crate::writer) flags: i64,
}

/// A job under a lease.
#[derive(Debug, Clone)]
pub(in crate::writer) struct Active {
    pub(in crate::writer) ticket: Ticket,
    pub(in crate::writer) id: JobId,
    pub(in crate::writer) fence: i64,
    /// Its row in `lease`.
    pub(in crate::writer) row: i64,
    pub(in crate::writer) worker: WorkerId,
    pub(in crate::writer) started_at: Timestamp,
    pub(in crate::writer) until: Timestamp,
}

/// What changes about a queue.
#[derive(Debug, Clone, Copy)]
pub(in crate::writer) struct Figures {
    pub(in crate::writer) paused: bool,
    /// The jobs in each state; waiting ones count as `Waiting` also while the queue is paused.
    pub(in crate::writer) counts: Counts,
    /// How many of the runnable ones have a key.
    pub(in crate::writer) keyed: i64,
    /// No delayed job of the queue runs before this.
    pub(in crate::writer) next_due: Timestamp,
    /// When the rate of the queue allows a job that waits.
    pub(in crate::writer) reopens: Timestamp,
    /// Some job of it may be tied to others: what the end of a job does to them is done at once.
    pub(in crate::writer) has_ties: bool,
}

/// The time of what never comes.
pub(in crate::writer) const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// A row in `lease`: leases that were given out together.
#[derive(Debug, Clone, Copy)]
pub(in crate::writer) struct LeaseRow {
    /// The number of the first job, and how many there were.
    pub(in crate::writer) seq: i64,
    pub(in crate::writer) n: i64,
    /// How many of the leases have not ended.
    pub(in crate::writer) held: i64,
}
