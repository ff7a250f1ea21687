//! What a user is told of a job: what the HTTP API tells, without the traces of errors.

use eventyard::model::{
    Failure, FailureKind, JobId, JobState, QueueEvent, QueueEventKind, QueueName, Timestamp,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Something that happened to a job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventView {
    event: &'static str,
    queue: QueueName,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<JobId>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<JobState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_reason: Option<Reason>,
}

/// Why a job failed. Where in the code it did is nothing for users.
#[derive(Debug, Serialize)]
struct Reason {
    kind: FailureKind,
    message: String,
}

impl Reason {
    fn of(failure: &Failure) -> Self {
        Self { kind: failure.kind, message: failure.message.clone() }
    }
}

impl EventView {
    pub(super) fn of(QueueEvent { queue, at, kind }: &QueueEvent) -> Self {
        let view = Self {
            event: kind.name(),
            queue: queue.clone(),
            job_id: kind.job().cloned(),
            at: *at,
            name: None,
            prev: None,
            due_at: None,
            attempt: None,
            progress: None,
            result: None,
            failed_reason: None,
        };
        match kind {
            QueueEventKind::Added { name, .. } => Self { name: Some(name.to_string()), ..view },
            QueueEventKind::Removed { from, .. } => Self { prev: Some(*from), ..view },
            QueueEventKind::Delayed { until, failure, .. } => {
                let failed_reason = failure.as_ref().map(Reason::of);
                Self { due_at: Some(*until), failed_reason, ..view }
            }
            QueueEventKind::Active { attempt, .. } => Self { attempt: Some(*attempt), ..view },
            QueueEventKind::Progress { progress, .. } => {
                Self { progress: json_or_text(progress), ..view }
            }
            QueueEventKind::Completed { result, .. } => {
                Self { result: result.as_deref().and_then(json_or_text), ..view }
            }
            QueueEventKind::Failed { failure, .. } => {
                Self { failed_reason: Some(Reason::of(failure)), ..view }
            }
            _ => view,
        }
    }

    /// An id that every node makes alike, and that no other event has.
    pub(super) fn id(&self) -> String {
        let mut hash = Fnv::new();
        // Everything that is told: two steps of progress in one millisecond are not the same.
        let told = serde_json::to_vec(self).unwrap_or_default();
        hash.write(&told);
        format!("job-{:x}-{:016x}", self.at.as_millis(), hash.0)
    }
}

/// Bytes as the JSON that they are by convention, or else as text.
fn json_or_text(bytes: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(bytes).or_else(|_| to_raw_value(&String::from_utf8_lossy(bytes))).ok()
}

/// FNV-1a, which is the same in every build: nodes of two versions agree on it.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: QueueEventKind) -> EventView {
        let queue = QueueName::new("q").unwrap();
        EventView::of(&QueueEvent { queue, at: Timestamp::from_millis(1000), kind })
    }

    #[test]
    fn users_hear_no_traces() {
        let job = JobId::new("j").unwrap();
        let failure = Failure::new(FailureKind::Error, "no").with_stack("at secret.rs");
        let told = serde_json::to_value(event(QueueEventKind::Failed { job, failure })).unwrap();
        assert_eq!(
            told,
            json!({
                "event": "failed", "queue": "q", "jobId": "j", "at": "1970-01-01T00:00:01.000Z",
                "failedReason": {"kind": "error", "message": "no"},
            })
        );
    }

    #[test]
    fn ids_tell_events_apart_and_are_the_same_everywhere() {
        let progress = |progress: &'static str| {
            let job = JobId::new("j").unwrap();
            event(QueueEventKind::Progress { job, progress: progress.into() }).id()
        };
        assert_eq!(progress("1"), progress("1"));
        assert_ne!(progress("1"), progress("2"));
        let mut hash = Fnv::new();
        hash.write(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8, "the published value for this text");
    }
}
