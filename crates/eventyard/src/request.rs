//! Jobs that are asked for directly, without an event.

use std::time::Duration;

use bytes::Bytes;
use eventyard_core::{
    Backoff, Deduplication, GroupKey, JobId, JobOptions, Keep, Parent, Timestamp,
};
use serde::Serialize;

use crate::Error;

/// A job to be added to a queue.
///
/// ```
/// # use eventyard::{JobRequest, secs};
/// let job = JobRequest::new("report", "monthly")
///     .data(&serde_json::json!({"month": "2026-01"}))?
///     .delay(secs(60));
/// # Ok::<(), eventyard::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JobRequest {
    /// The queue.
    pub queue: String,
    /// What the job is; it selects the handler.
    pub name: String,
    /// What the job carries; JSON by convention.
    pub data: Bytes,
    /// Its options; what is left out comes from the queue's defaults.
    pub options: JobOptions,
}

impl JobRequest {
    /// A job named `name` for `queue`, with no data.
    #[must_use]
    pub fn new(queue: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            name: name.into(),
            data: Bytes::from_static(b"null"),
            options: JobOptions::default(),
        }
    }

    /// Sets the data.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn data(mut self, data: &impl Serialize) -> Result<Self, Error> {
        self.data = serde_json::to_vec(data)
            .map_err(|source| Error::Encode {
                what: format!("the data of job `{}`", self.name),
                source,
            })?
            .into();
        Ok(self)
    }

    /// Sets the job's own id: adding it again changes nothing.
    #[must_use]
    pub fn id(mut self, id: JobId) -> Self {
        self.options.job_id = Some(id);
        self
    }

    /// What the job has in common with others of its queue, such as a tenant. The queue is fair between keys.
    #[must_use]
    pub fn key(mut self, key: GroupKey) -> Self {
        self.options.key = Some(key);
        self
    }

    /// Runs no earlier than this long after it is added.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.options.delay = Some(delay);
        self
    }

    /// Runs no earlier than this instant.
    #[must_use]
    pub fn run_at(mut self, at: Timestamp) -> Self {
        self.options.run_at = Some(at);
        self
    }

    /// Fails as expired unless its first attempt begins within this long after it could first have begun.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.options.ttl = Some(ttl);
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// A lower number runs sooner.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.options.priority = Some(priority);
        self
    }

    /// Runs before the jobs that wait already.
    #[must_use]
    pub fn lifo(mut self) -> Self {
        self.options.lifo = Some(true);
        self
    }

    /// Is dropped if a job that says the same is there, by this rule.
    #[must_use]
    pub fn deduplication(mut self, rule: Deduplication) -> Self {
        self.options.deduplication = Some(rule);
        self
    }

    /// Is dropped while a job that says the same is not finished.
    #[must_use]
    pub fn deduplicate(self, id: GroupKey) -> Self {
        self.deduplication(rule(id, None))
    }

    /// Is dropped if a job that says the same was added within the last `window`: the first one runs.
    #[must_use]
    pub fn throttle(self, id: GroupKey, window: Duration) -> Self {
        self.deduplication(rule(id, Some(window)))
    }

    /// Waits for `window`, and gives way to a job that says the same and is added in that time: the last one
    /// runs, when none has come for `window`.
    #[must_use]
    pub fn debounce(self, id: GroupKey, window: Duration) -> Self {
        let rule = Deduplication { extend: true, replace: true, ..rule(id, Some(window)) };
        self.delay(window).deduplication(rule)
    }

    /// Makes a job that exists wait for this one, while it waits for others or is active.
    #[must_use]
    pub fn parent(mut self, parent: Parent) -> Self {
        self.options.parent = Some(parent);
        self
    }

    /// How long it stays once completed.
    #[must_use]
    pub fn keep_completed(mut self, keep: Keep) -> Self {
        self.options.remove_on_complete = Some(keep);
        self
    }

    /// How long it stays once failed.
    #[must_use]
    pub fn keep_failed(mut self, keep: Keep) -> Self {
        self.options.remove_on_fail = Some(keep);
        self
    }

    /// How often it is tried in all.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.options.attempts = Some(attempts);
        self
    }

    /// The waits between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.options.backoff = Some(backoff);
        self
    }
}

fn rule(id: GroupKey, ttl: Option<Duration>) -> Deduplication {
    Deduplication { id, ttl, extend: false, replace: false, keep_last_if_active: false }
}
