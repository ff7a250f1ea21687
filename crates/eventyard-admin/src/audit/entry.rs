//! What is written down.

use std::sync::atomic::{AtomicU64, Ordering};

use eventyard::{
    Error,
    model::{EventId, JobKey, QueueName, Timestamp, Write},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Caller;

/// The collection of the entries.
pub(super) const COLLECTION: &str = "audit";

/// What is done, and to what.
#[derive(Debug, Clone, Default)]
pub struct Deed {
    what: &'static str,
    queue: Option<String>,
    job_id: Option<String>,
    event_id: Option<String>,
    schedule: Option<String>,
    details: Option<Value>,
}

impl Deed {
    /// Something that is done, as `job.retry`.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    /// To a queue.
    #[must_use]
    pub fn queue(self, queue: &QueueName) -> Self {
        Self { queue: Some(queue.to_string()), ..self }
    }

    /// To a queue, if to one.
    #[must_use]
    pub fn any_queue(self, queue: Option<&QueueName>) -> Self {
        Self { queue: queue.map(ToString::to_string), ..self }
    }

    /// To a job.
    #[must_use]
    pub fn job(self, key: &JobKey) -> Self {
        Self { job_id: Some(key.id.to_string()), ..self.queue(&key.queue) }
    }

    /// To an event.
    #[must_use]
    pub fn event(self, id: &EventId) -> Self {
        Self { event_id: Some(id.to_string()), ..self }
    }

    /// To a schedule.
    #[must_use]
    pub fn schedule(self, name: &str) -> Self {
        Self { schedule: Some(name.to_owned()), ..self }
    }

    /// How, in JSON; no payloads, which may hold secrets.
    #[must_use]
    pub fn details(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }
}

/// An entry of the audit trail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub(super) struct Entry {
    /// Its id; later ones have larger ids.
    #[schema(example = "001767225600000-0-01890a5d")]
    id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who: the name of the credential.
    #[schema(example = "ada")]
    who: String,
    /// The role that the credential gave.
    #[schema(example = "operator")]
    role: String,
    /// What was done.
    #[schema(example = "job.retry")]
    what: String,
    /// The queue that it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "emails")]
    queue: Option<String>,
    /// The job that it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
    /// The event that it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// The schedule that it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    /// How many jobs it was done to, where it is done to many; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// How it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    /// Why, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the mail server is back")]
    why: Option<String>,
}

/// What is smaller than the id of every entry from an instant on, and larger than those before.
pub(super) fn first_id(at: Timestamp) -> String {
    format!("{:015}", at.as_millis())
}

/// Orders entries of one millisecond.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Entry {
    pub(super) fn new(at: Timestamp, caller: &Caller, why: Option<String>, deed: Deed) -> Self {
        let Deed { what, queue, job_id, event_id, schedule, details } = deed;
        // The clock orders, then the number; the rest tells processes apart.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed) % 1_000_000;
        let chance = Uuid::now_v7().as_u64_pair().1 & 0xffff_ffff;
        Self {
            id: format!("{}-{number:06}-{chance:08x}", first_id(at)),
            at,
            who: caller.name.to_string(),
            role: caller.role.to_string(),
            what: what.to_owned(),
            queue,
            job_id,
            event_id,
            schedule,
            count: None,
            details,
            why,
        }
    }

    pub(super) fn count(&mut self, count: u64) {
        self.count = Some(count);
    }

    pub(super) fn key(&self) -> &str {
        &self.id
    }

    pub(super) fn write(&self) -> Result<Write, Error> {
        let what = || format!("the entry {} of the audit trail", self.id);
        let value = serde_json::to_vec(self)
            .map_err(|source| Error::Encode { what: what(), source })?
            .into();
        let (collection, key) = (COLLECTION.to_owned(), self.id.clone());
        Ok(Write::Put { collection, key, value, expected: None })
    }

    /// Whether it is about this queue, and about this job.
    pub(super) fn is_about(&self, queue: Option<&str>, job: Option<&str>) -> bool {
        queue.is_none_or(|queue| self.queue.as_deref() == Some(queue))
            && job.is_none_or(|job| self.job_id.as_deref() == Some(job))
    }
}
