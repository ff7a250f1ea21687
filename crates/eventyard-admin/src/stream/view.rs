//! An event of the stream as it is shown.

use axum::response::sse;
use eventyard::model::{
    JobId, JobState, QueueEvent, QueueEventKind, QueueName, Timestamp, WorkerId, feed::FeedPosition,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::filter::Kind;
use crate::{
    Masks,
    job::{Reason, State, json_or_text},
    request::{JobText, QueueText},
};

/// Something that happened on a queue. What is told besides depends on the kind, under the names of a job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = QueueEvent)]
pub(super) struct EventView {
    #[schema(value_type = Kind)]
    event: &'static str,
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// The job, unless it is about the whole queue (`paused`, `resumed`, `drained`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobText>)]
    job_id: Option<JobId>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `added`: what the job is.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `waiting` and `removed`: the state that the job was in; absent when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<State>)]
    prev: Option<JobState>,
    /// `delayed`: when it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// `active`: the number of the attempt; the first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    /// `active`: who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "worker-7")]
    worker: Option<WorkerId>,
    /// `progress`: what its worker told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    progress: Option<Box<RawValue>>,
    /// `completed`: what its handler returned, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    result: Option<Box<RawValue>>,
    /// `failed`: why it failed for good; `delayed`: why the attempt before failed, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_reason: Option<Reason>,
}

impl EventView {
    /// The same without what is not to be shown.
    fn masked(mut self, masks: &Masks) -> Self {
        for json in [&mut self.progress, &mut self.result] {
            masks.json(json);
        }
        self
    }

    fn of(QueueEvent { queue, at, kind }: &QueueEvent) -> Self {
        let view = Self {
            event: kind.name(),
            queue: queue.clone(),
            job_id: kind.job().cloned(),
            at: *at,
            name: None,
            prev: None,
            due_at: None,
            attempt: None,
            worker: None,
            progress: None,
            result: None,
            failed_reason: None,
        };
        match kind {
            QueueEventKind::Added { name, .. } => Self { name: Some(name.to_string()), ..view },
            QueueEventKind::Waiting { from, .. } => Self { prev: *from, ..view },
            QueueEventKind::Removed { from, .. } => Self { prev: Some(*from), ..view },
            QueueEventKind::Delayed { until, failure, .. } => {
                let failed_reason = failure.clone().map(Reason::of);
                Self { due_at: Some(*until), failed_reason, ..view }
            }
            QueueEventKind::Active { attempt, worker, .. } => {
                Self { attempt: Some(*attempt), worker: Some(worker.clone()), ..view }
            }
            QueueEventKind::Progress { progress, .. } => {
                Self { progress: Some(json_or_text(progress)), ..view }
            }
            QueueEventKind::Completed { result, .. } => {
                Self { result: result.as_deref().map(json_or_text), ..view }
            }
            QueueEventKind::Failed { failure, .. } => {
                Self { failed_reason: Some(Reason::of(failure.clone())), ..view }
            }
            QueueEventKind::WaitingChildren { .. }
            | QueueEventKind::Stalled { .. }
            | QueueEventKind::Paused
            | QueueEventKind::Resumed
            | QueueEventKind::Drained => view,
        }
    }
}

/// The event as it goes over the line.
pub(super) fn event(position: FeedPosition, event: &QueueEvent, masks: &Masks) -> sse::Event {
    let json = serde_json::to_string(&EventView::of(event).masked(masks)).unwrap_or_else(|error| {
        tracing::error!(%error, "an event of the stream cannot be written as JSON");
        "null".to_owned()
    });
    let named = sse::Event::default().id(position.to_string()).event(event.kind.name());
    // What handlers gave may be over several lines. Inside of JSON's strings there are no line ends.
    named.data(json.replace(['\r', '\n'], " "))
}
