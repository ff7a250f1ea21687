//! Commits: everything that was decided at once, applied together or not at all.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    Event, EventId, Failure, GroupKey, JobId, JobKey, JobState, Keep, Lease, NewJob, QueueLimits,
    QueueName, StepName, Timestamp, document::MAX_DOCUMENT_BYTES, options::MAX_PRIORITY,
};

/// The most lines that a job's log keeps; older ones give way.
pub const MAX_LOG_LINES: u32 = 1000;
/// The longest log line, in bytes; the rest is cut.
pub const MAX_LOG_LINE_BYTES: usize = 8 * 1024;
/// The most attempts whose records a job keeps; older ones give way.
pub const MAX_ATTEMPT_RECORDS: u32 = 100;
/// The most steps that a job may save.
pub const MAX_STEPS: u32 = 1000;
/// The largest result of a step, in bytes.
pub const MAX_STEP_RESULT_BYTES: usize = 1024 * 1024;

/// Writes that belong together.
///
/// With a lease they are in the job's name: if the lease is no longer held, none of them happens.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The lease that the writes depend on.
    pub lease: Option<Lease>,
    /// The writes, in order.
    pub writes: Vec<Write>,
}

impl Commit {
    /// A commit that depends on no lease.
    #[must_use]
    pub fn of(writes: impl IntoIterator<Item = Write>) -> Self {
        Self { lease: None, writes: writes.into_iter().collect() }
    }

    /// A commit in the name of the job that `lease` is on.
    #[must_use]
    pub fn under(lease: Lease, writes: impl IntoIterator<Item = Write>) -> Self {
        Self { lease: Some(lease), writes: writes.into_iter().collect() }
    }

    /// Refuses what no state of a store could make right. A store asks before it applies the commit.
    ///
    /// # Errors
    /// [`CommitError::Malformed`], with what is wrong.
    pub fn check_form(&self) -> Result<(), CommitError> {
        let mut settled = false;
        for write in &self.writes {
            match write {
                Write::Settle(_) | Write::Progress(_) | Write::Log(_) | Write::Step { .. }
                    if self.lease.is_none() =>
                {
                    return Err(CommitError::Malformed(
                        "it writes in a job's name without a lease",
                    ));
                }
                Write::Cancel { job, .. }
                    if self.lease.as_ref().is_some_and(|lease| lease.job == *job) =>
                {
                    return Err(CommitError::Malformed(
                        "it cancels its own job; settle it instead",
                    ));
                }
                Write::Settle(_) if settled => {
                    return Err(CommitError::Malformed("it settles its job twice"));
                }
                Write::Settle(_) => settled = true,
                Write::Progress(_) | Write::Log(_) | Write::Step { .. } if settled => {
                    return Err(CommitError::Malformed(
                        "it writes in its job's name after settling it",
                    ));
                }
                Write::Reprioritize { priority, .. } if *priority > MAX_PRIORITY => {
                    return Err(CommitError::Malformed("a priority is larger than 2097151"));
                }
                Write::Put { value, .. } if value.len() > MAX_DOCUMENT_BYTES => {
                    return Err(CommitError::Malformed("a document is larger than 1 MiB"));
                }
                Write::Step { result, .. } if result.len() > MAX_STEP_RESULT_BYTES => {
                    return Err(CommitError::Malformed(
                        "the result of a step is larger than 1 MiB",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// One write. What it did is told by the [`Effect`] at its place in the [`Receipt`].
#[derive(Debug, Clone)]
pub enum Write {
    /// Records an event in the log together with the jobs that its routes make of it. An event whose
    /// id is in the log already changes nothing, on no queue.
    Publish {
        /// The event.
        event: Arc<Event>,
        /// One job for each queue that it is routed to.
        jobs: Vec<NewJob>,
    },
    /// Adds a job, unless its id exists on its queue or one that says the same is there.
    ///
    /// A child is added only while its parent waits for children or is active; later it is told as a duplicate.
    Enqueue(NewJob),
    /// Ends the attempt that the commit's lease is on. It is the last thing done under the lease.
    Settle(Settlement),
    /// Replaces the progress of the job that the commit's lease is on; JSON.
    Progress(Bytes),
    /// Adds a line to the log of the job that the commit's lease is on.
    Log(String),
    /// Saves a step of the job that the commit's lease is on. It stays as long as the job, whatever becomes of the
    /// attempt; one of the same name is replaced at its place.
    Step {
        /// The step.
        name: StepName,
        /// What it returned; JSON by convention.
        result: Bytes,
    },
    /// Writes a document.
    Put {
        /// Its collection.
        collection: String,
        /// Its key.
        key: String,
        /// Its new value.
        value: Bytes,
        /// The version that it must have now: 0 for none; any when absent.
        expected: Option<u64>,
    },
    /// Removes a document, if it exists.
    Delete {
        /// Its collection.
        collection: String,
        /// Its key.
        key: String,
    },
    /// Makes a failed or completed job wait again, with all its attempts; its history stays.
    Retry(JobKey),
    /// Makes a delayed job wait at once.
    Promote(JobKey),
    /// Removes a job that is not active.
    Remove(JobKey),
    /// Stops (`true`) or goes on (`false`) handing out the jobs of a queue.
    Pause(QueueName, bool),
    /// Removes jobs of a queue: the oldest first, those that wait in the order of their listing; at most `limit`
    /// of them.
    Clean {
        /// The queue.
        queue: QueueName,
        /// The state that the jobs are in; `Active` removes nothing.
        state: JobState,
        /// Only jobs that have been in the state (for `Delayed`, on the queue) for at least this long.
        older_than: Duration,
        /// The most jobs to remove.
        limit: usize,
    },
    /// Removes what the store knows of a queue that has no jobs.
    Forget(QueueName),
    /// Ends a job that is not finished as cancelled. If it is active its lease ends, and whoever holds it is told.
    Cancel {
        /// The job.
        job: JobKey,
        /// Why, for a person to read.
        reason: String,
    },
    /// Replaces the data of a job that is not finished; the next attempt gets it.
    Update {
        /// The job.
        job: JobKey,
        /// What its handler gets instead; JSON by convention.
        data: Bytes,
    },
    /// Gives a waiting or delayed job another priority; it goes behind those that have it already.
    Reprioritize {
        /// The job.
        job: JobKey,
        /// The priority.
        priority: u32,
    },
    /// Makes a waiting or delayed job run at another time: at once when that is not in the future.
    Reschedule {
        /// The job.
        job: JobKey,
        /// When it runs.
        at: Timestamp,
    },
    /// Replaces the limits of a queue.
    Limit(QueueName, QueueLimits),
    /// Stops (`true`) or goes on (`false`) handing out the jobs of one key of a queue.
    PauseKey(QueueName, GroupKey, bool),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The job is done.
    Complete {
        /// What the handler returned; JSON.
        result: Option<Bytes>,
        /// How long completed jobs stay.
        keep: Keep,
    },
    /// The attempt failed and the job runs again.
    Retry {
        /// When it runs again.
        at: Timestamp,
        /// Why the attempt failed.
        failure: Failure,
    },
    /// The job runs again later; the attempt is not counted.
    Snooze {
        /// When it runs again.
        at: Timestamp,
    },
    /// The job goes back to where it was before it was claimed; the attempt is not counted.
    Release,
    /// The job runs again when all its children have ended; the attempt is not counted.
    AwaitChildren,
    /// The job failed for good: it is a dead letter.
    Fail {
        /// Why.
        failure: Failure,
        /// How long failed jobs stay.
        keep: Keep,
    },
}

/// What one write did.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// An event was published, or was in the log already.
    Published {
        /// The event.
        event: EventId,
        /// True when the log had it already, and nothing was changed.
        duplicate: bool,
        /// The jobs made of it, in the order given.
        jobs: Vec<Enqueued>,
    },
    /// A job was added, or existed already.
    Enqueued(Enqueued),
    /// The write took effect.
    Done,
    /// A document has this version now.
    Version(u64),
    /// This many jobs were removed.
    Removed(u64),
}

/// A job that was added, or that existed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// The queue.
    pub queue: QueueName,
    /// The job's id.
    pub id: JobId,
    /// True when a job with this id existed, or one that says the same, and none was added. The id is that job's.
    pub duplicate: bool,
}

/// What a commit did: one effect for each write.
pub type Receipt = Vec<Effect>;

/// Why a commit was refused. None of its writes happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The lease has ended or passed to another worker.
    #[error("attempt {attempt} of job {job} no longer holds its lease; another worker may have it")]
    StaleLease {
        /// The job.
        job: JobKey,
        /// The attempt whose lease it was.
        attempt: u32,
    },
    /// There is no such job.
    #[error("there is no job {0}")]
    NoSuchJob(JobKey),
    /// The job is in a state in which this cannot be done to it.
    #[error("job {job} is {state}; this can be done to {allowed} jobs only")]
    WrongState {
        /// The job.
        job: JobKey,
        /// The state it is in.
        state: JobState,
        /// The states in which it could be done, in words.
        allowed: &'static str,
    },
    /// A document has another version than expected.
    #[error("document {collection}/{key} has version {actual}, not {expected}")]
    VersionConflict {
        /// The document's collection.
        collection: String,
        /// The document's key.
        key: String,
        /// The version that the commit expected.
        expected: u64,
        /// The version that it has; 0 when there is none.
        actual: u64,
    },
    /// The queue takes no more jobs for now.
    #[error(
        "queue {queue} lets at most {limit} jobs wait, and has no room for these; add them when some are done, at most {limit} at once"
    )]
    QueueFull {
        /// The queue.
        queue: QueueName,
        /// The most jobs that may wait on it.
        limit: u64,
    },
    /// The store keeps something else under the name that the job would have.
    #[error(
        "job {0} has an id that the store needs for itself, such as `meta` or `7:lock`; choose another id"
    )]
    ReservedId(JobKey),
    /// A child was added to a parent that does not exist.
    #[error("job {child} names {parent} as its parent, which does not exist; add the parent first")]
    NoSuchParent {
        /// The child.
        child: JobKey,
        /// The parent.
        parent: JobKey,
    },
    /// A child exists already, without this parent.
    #[error("job {child} exists already and is no child of {parent}; give the child another id")]
    NotItsChild {
        /// The child.
        child: JobKey,
        /// The parent.
        parent: JobKey,
    },
    /// A job has as many steps as it may have.
    #[error(
        "job {job} has {limit} steps, the most that are allowed; make its steps larger, or split it into several jobs"
    )]
    TooManySteps {
        /// The job.
        job: JobKey,
        /// The most steps that it may have.
        limit: u32,
    },
    /// The queue still has jobs.
    #[error("queue {0} still has jobs; remove them first")]
    QueueNotEmpty(QueueName),
    /// The writes contradict each other or the commit's lease: a mistake in the caller's code.
    #[error("the commit is malformed: {0}")]
    Malformed(&'static str),
}

impl CommitError {
    /// The stable code of the error, the name of its page in the documentation.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StaleLease { .. } => "stale-lease",
            Self::NoSuchJob(_) => "no-such-job",
            Self::WrongState { .. } => "wrong-state",
            Self::VersionConflict { .. } => "version-conflict",
            Self::QueueFull { .. } => "queue-full",
            Self::ReservedId(_) => "invalid-job",
            Self::NoSuchParent { .. } => "no-such-parent",
            Self::NotItsChild { .. } => "not-its-child",
            Self::TooManySteps { .. } => "too-many-steps",
            Self::QueueNotEmpty(_) => "queue-not-empty",
            Self::Malformed(_) => "malformed-commit",
        }
    }
}
