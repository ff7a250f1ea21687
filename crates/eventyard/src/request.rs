//! Jobs that are asked for directly, without an event.

use bytes::Bytes;
use eventyard_core::{Backoff, JobId, JobOptions};
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

    /// Runs no earlier than this long after it is added.
    #[must_use]
    pub fn delay(mut self, delay: std::time::Duration) -> Self {
        self.options.delay = Some(delay);
        self
    }

    /// A lower number runs sooner.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.options.priority = Some(priority);
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
