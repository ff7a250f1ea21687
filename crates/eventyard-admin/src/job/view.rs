//! A job as it is shown.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use eventyard::model::{
    Event, Failure, FailureKind, Job, JobOptions, JobState, Leased, Payload, StepName, Timestamp,
    WorkerId,
    inspect::{AttemptRecord, JobStatus, SavedStep},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::options::Options;
use crate::{Masks, event::Attributes, request::StepText};

/// A job with where it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub(crate) struct JobView {
    /// Its id on the queue.
    #[schema(example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    id: String,
    /// The queue it is on.
    #[schema(example = "emails")]
    queue: String,
    /// What it is: the type of its event, or a name of the caller's.
    #[schema(example = "booking.created")]
    name: String,
    /// What it carries, when that is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    data: Option<Box<RawValue>>,
    /// What it carries, in Base64, when that is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Byte)]
    data_base64: Option<String>,
    /// Its options, the queue's defaults included.
    #[schema(value_type = Options)]
    opts: Arc<JobOptions>,
    #[schema(value_type = State)]
    state: JobState,
    /// How many attempts have ended, in an error or in a crash.
    attempts_made: u32,
    /// How many of them ended in a crash of their worker.
    crashes: u32,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it runs, while delayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// When the present or the last attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it was completed or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// Who has it, or had it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "worker-7")]
    worker: Option<WorkerId>,
    /// When the lease ends, while active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    leased_until: Option<Timestamp>,
    /// What its worker last said about its progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    progress: Option<Box<RawValue>>,
    /// What its handler returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    result: Option<Box<RawValue>>,
    /// Why it failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_reason: Option<Reason>,
    /// The attempts that did not succeed, oldest first; only where one job or dead letters are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<Attempt>>,
    /// What it has done already and does not do again, in the order in which it was saved first; only where one job is
    /// shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Step>>,
    /// Where the jobs that it waits for or has waited for are listed; only where one job with children is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/api/v1/queues/emails/jobs/welcome-42/children")]
    children: Option<String>,
    /// The attributes of the event that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Attributes>,
    /// The right to work on it, given to who claimed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseView>,
}

/// Where a job stands.
#[derive(ToSchema)]
#[schema(as = JobState, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(crate) enum State {
    Waiting,
    Prioritized,
    Delayed,
    Active,
    Completed,
    Failed,
    Paused,
    WaitingChildren,
}

/// Why an attempt did not succeed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct Reason {
    #[schema(value_type = Kind)]
    kind: FailureKind,
    /// The error, for a person to read.
    #[schema(example = "the mail server refused the connection")]
    message: String,
    /// The chain of causes or the stack, one per line.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
}

/// What ended an attempt.
#[derive(ToSchema)]
#[schema(as = FailureKind, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes the engine's own")]
enum Kind {
    Error,
    Timeout,
    Crash,
    Panic,
    Payload,
    Rejected,
    Cancelled,
    Expired,
    Child,
}

/// One attempt of a job that did not succeed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FailedAttempt)]
pub(crate) struct Attempt {
    /// Its number; the first is 1.
    attempt: u32,
    /// Who ran it.
    #[schema(value_type = String, example = "worker-7")]
    worker: WorkerId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended, or was found to have ended.
    #[schema(value_type = String, format = DateTime)]
    ended_at: Timestamp,
    /// Why.
    error: Reason,
}

/// A step of a job that is done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SavedStep)]
pub(crate) struct Step {
    #[schema(value_type = StepText)]
    name: StepName,
    /// When it was saved; the last time, if it was saved several times.
    #[schema(value_type = String, format = DateTime)]
    saved_at: Timestamp,
    /// What it returned.
    #[schema(value_type = Value)]
    result: Box<RawValue>,
}

/// The right to work on a job for a while.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lease)]
pub(crate) struct LeaseView {
    /// What every call about this attempt names.
    #[schema(example = "00000000000000000000000000000001")]
    token: String,
    /// The number of the attempt; the first is 1.
    attempt: u32,
    /// When the lease ends unless it is renewed.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl JobView {
    /// A job where it stands.
    pub(crate) fn of(status: JobStatus) -> Self {
        let JobStatus { job, state, due_at, started_at, finished_at, worker, .. } = status;
        Self {
            due_at,
            started_at,
            finished_at,
            worker,
            leased_until: status.leased_until,
            progress: status.progress.as_deref().map(json_or_text),
            result: status.result.as_deref().map(json_or_text),
            failed_reason: status.failure.map(Reason::of),
            ..Self::plain(job, state)
        }
    }

    /// A job that `worker` has just claimed.
    pub(crate) fn leased(leased: Leased, worker: &WorkerId) -> Self {
        let Leased { job, lease, until } = leased;
        Self {
            worker: Some(worker.clone()),
            leased_until: Some(until),
            lease: Some(LeaseView {
                token: lease.token.to_string(),
                attempt: lease.attempt,
                until,
            }),
            ..Self::plain(job, JobState::Active)
        }
    }

    /// The same without what is not to be shown.
    pub(crate) fn masked(mut self, masks: &Masks) -> Self {
        for json in [&mut self.data, &mut self.progress, &mut self.result] {
            masks.json(json);
        }
        self
    }

    /// The same without what may be large: its data, its result, and the stack of its failure.
    pub(crate) fn brief(mut self) -> Self {
        (self.data, self.data_base64, self.result) = (None, None, None);
        if let Some(reason) = &mut self.failed_reason {
            reason.stack = None;
        }
        self
    }

    /// Adds the attempts that did not succeed.
    pub(crate) fn with_attempts(mut self, attempts: Vec<AttemptRecord>) -> Self {
        self.attempts = Some(attempts.into_iter().map(Attempt::of).collect());
        self
    }

    /// Adds the steps that are saved.
    pub(crate) fn with_steps(mut self, steps: Vec<Step>) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Says where its children are listed.
    pub(crate) fn with_children(mut self) -> Self {
        let part = |text| form_urlencoded::byte_serialize(text).collect::<String>();
        // In a path a plus is a plus.
        let [queue, id] =
            [&self.queue, &self.id].map(|text| part(text.as_bytes()).replace('+', "%20"));
        self.children = Some(format!("/api/v1/queues/{queue}/jobs/{id}/children"));
        self
    }

    fn plain(job: Job, state: JobState) -> Self {
        let Job { queue, id, name, payload, options, created_at, attempts_made, crashes } = job;
        let (data, data_base64) = data(payload.data());
        let event = match payload {
            Payload::Data(_) => None,
            Payload::Event(event) => Some(Attributes::of(Arc::<Event>::unwrap_or_clone(event))),
        };
        Self {
            id: id.to_string(),
            queue: queue.to_string(),
            name: name.to_string(),
            data,
            data_base64,
            opts: options,
            state,
            attempts_made,
            crashes,
            created_at,
            due_at: None,
            started_at: None,
            finished_at: None,
            worker: None,
            leased_until: None,
            progress: None,
            result: None,
            failed_reason: None,
            attempts: None,
            steps: None,
            children: None,
            event,
            lease: None,
        }
    }
}

impl Reason {
    pub(crate) fn of(failure: Failure) -> Self {
        let Failure { kind, message, stack } = failure;
        Self { kind, message, stack }
    }
}

impl Attempt {
    fn of(record: AttemptRecord) -> Self {
        let AttemptRecord { attempt, worker, started_at, ended_at, failure } = record;
        Self { attempt, worker, started_at, ended_at, error: Reason::of(failure) }
    }
}

impl Step {
    pub(crate) fn of(step: SavedStep) -> Self {
        let SavedStep { name, saved_at, result } = step;
        Self { name, saved_at, result: json_or_text(&result) }
    }

    /// The same without what is not to be shown.
    pub(crate) fn masked(mut self, masks: &Masks) -> Self {
        masks.raw(&mut self.result);
        self
    }
}

/// Bytes as JSON, or else in Base64. No bytes are null.
fn data(bytes: &[u8]) -> (Option<Box<RawValue>>, Option<String>) {
    if bytes.is_empty() {
        return (Some(RawValue::NULL.to_owned()), None);
    }
    match serde_json::from_slice(bytes) {
        Ok(json) => (Some(json), None),
        Err(_) => (None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

/// What is JSON by convention: as it is, or else as a text.
pub(crate) fn json_or_text(bytes: &[u8]) -> Box<RawValue> {
    serde_json::from_slice(bytes)
        .or_else(|_| to_raw_value(&String::from_utf8_lossy(bytes)))
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_shown_as_it_is() {
        let check = |bytes: &[u8], json: Option<&str>, base64: Option<&str>| {
            let (data, data_base64) = data(bytes);
            assert_eq!(data.as_deref().map(RawValue::get), json);
            assert_eq!(data_base64.as_deref(), base64);
        };
        check(br#"{"n": 1.50}"#, Some(r#"{"n": 1.50}"#), None);
        check(b"", Some("null"), None);
        check(b"\xff", None, Some("/w=="));
        check(b"{", None, Some("ew=="));
    }

    #[test]
    fn results_that_are_no_json_are_texts() {
        assert_eq!(json_or_text(b"[1]").get(), "[1]");
        assert_eq!(json_or_text(b"done \"well\"").get(), r#""done \"well\"""#);
    }

    #[test]
    fn the_described_states_and_kinds_are_the_engines() {
        use utoipa::PartialSchema;
        let names = |schema| -> Vec<String> {
            let schema = serde_json::to_value(schema).unwrap();
            serde_json::from_value(schema["enum"].clone()).unwrap()
        };
        assert_eq!(names(State::schema()), JobState::ALL.map(JobState::as_str));
        assert_eq!(names(Kind::schema()), FailureKind::ALL.map(FailureKind::as_str));
    }
}
