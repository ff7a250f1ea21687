//! What templates can name.

use eventyard::model::{Job, Timestamp};
use serde_json::{Map, Value, json};

/// What is known about an event, for its templates: its data, and its attributes as `event`.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The event's type.
    pub kind: &'a str,
    /// Its id.
    pub id: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// Its data.
    pub data: &'a Map<String, Value>,
}

impl<'a> Facts<'a> {
    /// What is known about the event that a job is about. A job that was added by hand counts as an event
    /// of its own name.
    #[must_use]
    pub fn of(job: &'a Job, data: &'a Map<String, Value>) -> Self {
        let time = job.payload.event().map_or(job.created_at, |event| event.time);
        Self { kind: Self::kind_of(job), id: Self::id_of(job), time, data }
    }

    /// The type of the event that a job is about, whatever the job itself is called.
    #[must_use]
    pub fn kind_of(job: &'a Job) -> &'a str {
        job.payload.event().map_or(&job.name, |event| &event.kind)
    }

    /// The id of the event that a job is about.
    #[must_use]
    pub fn id_of(job: &'a Job) -> &'a str {
        job.payload.event().map_or(job.id.as_str(), |event| event.id.as_str())
    }

    /// The data with `none` for each of `fields` that it leaves out.
    pub(super) fn context(&self, fields: &[String]) -> Map<String, Value> {
        let mut context: Map<_, _> =
            fields.iter().map(|field| (field.clone(), Value::Null)).collect();
        context.extend(self.data.clone());
        let event = json!({"id": self.id, "type": self.kind, "time": self.time});
        context.insert("event".to_owned(), event);
        context
    }
}
