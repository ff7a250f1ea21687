//! Jobs: one unit of work on a queue.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Event, JobId, JobKey, JobOptions, QueueName, Timestamp};

/// What a job carries to its handler. The engine never looks inside.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// The bytes of a job that was added on its own; JSON by convention.
    Data(Bytes),
    /// The event that a route made the job from.
    Event(Arc<Event>),
}

impl Payload {
    /// The bytes that the handler deserialises.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        match self {
            Self::Data(data) => data,
            Self::Event(event) => &event.data,
        }
    }

    /// The same with other bytes for the handler.
    #[must_use]
    pub fn with_data(&self, data: Bytes) -> Self {
        match self {
            Self::Data(_) => Self::Data(data),
            Self::Event(event) => Self::Event(Arc::new(Event { data, ..Event::clone(event) })),
        }
    }

    /// The event, when the job was made from one.
    #[must_use]
    pub fn event(&self) -> Option<&Arc<Event>> {
        match self {
            Self::Data(_) => None,
            Self::Event(event) => Some(event),
        }
    }
}

/// A job to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// The queue it goes to.
    pub queue: QueueName,
    /// Its id there.
    pub id: JobId,
    /// What it is: the type of its event, or a name of the caller's.
    pub name: Arc<str>,
    /// What it carries.
    pub payload: Payload,
    /// Its options, the queue's defaults included.
    pub options: Arc<JobOptions>,
    /// Whether it waits for the children that are added with it, or that are there already.
    pub awaits_children: bool,
}

impl NewJob {
    /// The job's queue and id.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey { queue: self.queue.clone(), id: self.id.clone() }
    }
}

/// A job as a store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The queue it is on.
    pub queue: QueueName,
    /// Its id there.
    pub id: JobId,
    /// What it is: the type of its event, or a name of the caller's.
    pub name: Arc<str>,
    /// What it carries.
    pub payload: Payload,
    /// Its options, the queue's defaults included.
    pub options: Arc<JobOptions>,
    /// When it was added.
    pub created_at: Timestamp,
    /// How many attempts have ended, in an error or in a crash.
    pub attempts_made: u32,
    /// How many of them ended in a crash of their worker.
    pub crashes: u32,
}

impl Job {
    /// The job's queue and id.
    #[must_use]
    pub fn key(&self) -> JobKey {
        JobKey { queue: self.queue.clone(), id: self.id.clone() }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Runs as soon as a worker has room, first in first out.
    Waiting,
    /// The same, with a priority.
    Prioritized,
    /// Runs when its time has come.
    Delayed,
    /// A worker holds it under a lease.
    Active,
    /// Done.
    Completed,
    /// Out of attempts, rejected or cancelled: a dead letter.
    Failed,
    /// Would be waiting, on a queue that is paused.
    Paused,
    /// Waits for its children.
    WaitingChildren,
}

impl JobState {
    /// Every state, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Prioritized,
        Self::Delayed,
        Self::Active,
        Self::Completed,
        Self::Failed,
        Self::Paused,
        Self::WaitingChildren,
    ];

    /// The state's name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Prioritized => "prioritized",
            Self::Delayed => "delayed",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::WaitingChildren => "waiting-children",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
