//! The read side of a store: for the API, the command line and the dashboard.

mod page;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Document, Event, EventId, Failure, GroupKey, Job, JobId, JobKey, JobState, LeaseToken, Leased,
    QueueLimits, QueueName, StepName, StoreError, Timestamp, WorkerId,
};

pub use self::page::{MAX_PAGE, Page, PageAsk, read_text_place, text_place};

/// How many jobs of a queue are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    counts: [u64; JobState::ALL.len()],
}

impl Counts {
    /// The number of jobs in `state`.
    #[must_use]
    pub fn get(&self, state: JobState) -> u64 {
        self.counts[state as usize]
    }

    /// The number of jobs in `state`, to be changed.
    pub fn get_mut(&mut self, state: JobState) -> &mut u64 {
        &mut self.counts[state as usize]
    }

    /// Every state with its count.
    pub fn iter(&self) -> impl Iterator<Item = (JobState, u64)> {
        JobState::ALL.into_iter().zip(self.counts)
    }

    /// All jobs.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name.
    pub name: QueueName,
    /// Whether it hands out no jobs.
    pub paused: bool,
    /// How many jobs are in each state.
    pub counts: Counts,
    /// What it allows at once.
    pub limits: Arc<QueueLimits>,
}

/// A key of a queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key: GroupKey,
    /// How many of its jobs could run.
    pub waiting: u64,
    /// How many of its jobs are active.
    pub active: u64,
    /// Whether its jobs are not handed out.
    pub paused: bool,
}

/// A child of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The child.
    pub job: JobKey,
    /// How it ended, as far as its parent is concerned.
    pub outcome: ChildOutcome,
}

/// How a child ended, as far as its parent is concerned.
#[derive(Debug, Clone, PartialEq)]
pub enum ChildOutcome {
    /// The parent waits for it.
    Pending,
    /// It is completed, with what its handler returned; JSON.
    Completed(Option<Bytes>),
    /// It failed for good, and the parent does not wait for it.
    Failed(Failure),
    /// It was removed.
    Removed,
}

/// One attempt of a job that did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Its number; the first is 1.
    pub attempt: u32,
    /// Who ran it.
    pub worker: WorkerId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, or was found to have ended.
    pub ended_at: Timestamp,
    /// Why.
    pub failure: Failure,
}

/// A job with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct JobStatus {
    /// The job.
    pub job: Job,
    /// Its state.
    pub state: JobState,
    /// When it runs, while delayed.
    pub due_at: Option<Timestamp>,
    /// When the present or the last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it was completed or failed.
    pub finished_at: Option<Timestamp>,
    /// Who has it, or had it last.
    pub worker: Option<WorkerId>,
    /// When the lease ends, while active.
    pub leased_until: Option<Timestamp>,
    /// What its handler last said about its progress; JSON.
    pub progress: Option<Bytes>,
    /// What its handler returned; JSON.
    pub result: Option<Bytes>,
    /// Why it failed for good.
    pub failure: Option<Failure>,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// The line.
    pub line: String,
}

/// A step of a job that is done, and does not run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedStep {
    /// Its name.
    pub name: StepName,
    /// When it was saved; the last time, if it was saved several times.
    pub saved_at: Timestamp,
    /// What it returned; JSON by convention.
    pub result: Bytes,
}

/// Which events a listing shows; the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this type.
    pub kind: Option<String>,
    /// Only events of this correlation.
    pub correlation_id: Option<String>,
}

/// Which documents a listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFilter {
    /// The collection.
    pub collection: String,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Whether the last key comes first.
    pub newest_first: bool,
}

/// The read side of a store. Everything is paged, and nothing here holds up the hot path.
#[async_trait]
pub trait Inspect: Send + Sync + 'static {
    /// Every queue that the store knows, by name.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn queues(&self) -> Result<BTreeMap<QueueName, QueueStatus>, StoreError>;

    /// The jobs of a queue in a state: those that run next first, finished ones newest first. Without a
    /// queue, those of all queues, newest first; this is meant for `Failed` and `Completed`.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    async fn jobs(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: PageAsk,
    ) -> Result<Page<JobStatus>, StoreError>;

    /// One job.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn job(&self, key: &JobKey) -> Result<Option<JobStatus>, StoreError>;

    /// The children that a job waits for or has waited for, in the order in which they were added.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    async fn children(&self, key: &JobKey, page: PageAsk) -> Result<Page<Child>, StoreError>;

    /// The keys of a queue that have waiting or active jobs or are paused, by key.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, StoreError>;

    /// The queues that have a job with this id.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn queues_of(&self, id: &JobId) -> Result<Vec<QueueName>, StoreError>;

    /// The attempts of a job that did not succeed, oldest first.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn attempts(&self, key: &JobKey) -> Result<Vec<AttemptRecord>, StoreError>;

    /// The log of a job, oldest line first.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn logs(&self, key: &JobKey) -> Result<Vec<LogLine>, StoreError>;

    /// The saved steps of a job, in the order in which they were saved first.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn steps(&self, key: &JobKey) -> Result<Vec<SavedStep>, StoreError>;

    /// The job under this lease, if the lease holds.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn leased(&self, token: LeaseToken) -> Result<Option<Leased>, StoreError>;

    /// The event log, newest first.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    async fn events(&self, filter: EventFilter, page: PageAsk) -> Result<Page<Event>, StoreError>;

    /// One event.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn event(&self, id: &EventId) -> Result<Option<Event>, StoreError>;

    /// One document.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn document(&self, collection: &str, key: &str) -> Result<Option<Document>, StoreError>;

    /// The documents of a collection in the order of their keys.
    ///
    /// # Errors
    /// When the store cannot answer.
    async fn documents(
        &self,
        filter: DocumentFilter,
        page: PageAsk,
    ) -> Result<Page<Document>, StoreError>;
}
