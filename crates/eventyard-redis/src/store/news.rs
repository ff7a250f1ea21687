//! What is told: from the entries of BullMQ's event streams to the events of the feed.

use bytes::Bytes;
use eventyard_core::{
    Failure, FailureKind, JobId, JobState, QueueEvent, QueueEventKind, QueueName, Timestamp,
    WorkerId,
};

use super::answer::Raw;
use crate::codec;

/// Who runs a job that a worker of Node's has.
const NODE_WORKER: &str = "bullmq";

/// The event that an entry of a stream tells, if it tells one of ours.
pub(crate) fn event(
    queue: &QueueName,
    at: Timestamp,
    name: &str,
    fields: &[Raw<'_>],
) -> Option<QueueEvent> {
    let field = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        pairs.find(|pair| pair[0].text() == name).map(|pair| &pair[1])
    };
    let text = |name: &str| field(name).map(Raw::text);
    let bytes = |name: &str| field(name).map(|raw| Bytes::copy_from_slice(&raw.0));
    let job = || JobId::new(text("jobId").unwrap_or_default()).ok();
    let kind = match name {
        "added" => {
            QueueEventKind::Added { job: job()?, name: text("name").unwrap_or_default().into() }
        }
        "waiting" => QueueEventKind::Waiting { job: job()?, from: text("prev").and_then(state) },
        "delayed" => QueueEventKind::Delayed {
            job: job()?,
            until: Timestamp::from_millis(text("delay")?.parse().ok()?),
            failure: text("failure").and_then(|json| serde_json::from_str(json).ok()),
        },
        "waiting-children" => QueueEventKind::WaitingChildren { job: job()? },
        "active" => QueueEventKind::Active {
            job: job()?,
            attempt: text("attempt").and_then(|n| n.parse().ok()).unwrap_or(1),
            worker: WorkerId::new(text("worker").unwrap_or(NODE_WORKER)).ok()?,
        },
        "progress" => QueueEventKind::Progress {
            job: job()?,
            progress: codec::bytes::from_json(bytes("data")?),
        },
        "completed" => {
            let value = bytes("returnvalue").filter(|value| value.as_ref() != b"null");
            QueueEventKind::Completed { job: job()?, result: value.map(codec::bytes::from_json) }
        }
        "failed" => {
            let told = text("failure").and_then(|json| serde_json::from_str(json).ok());
            let reason = text("failedReason").unwrap_or_default();
            let failure = told.unwrap_or_else(|| Failure::new(FailureKind::Error, reason));
            QueueEventKind::Failed { job: job()?, failure }
        }
        "stalled" => QueueEventKind::Stalled { job: job()? },
        "removed" => QueueEventKind::Removed { job: job()?, from: text("prev").and_then(state)? },
        "paused" => QueueEventKind::Paused,
        "resumed" => QueueEventKind::Resumed,
        "drained" => QueueEventKind::Drained,
        _ => return None,
    };
    Some(QueueEvent { queue: queue.clone(), at, kind })
}

/// The state that BullMQ's events mean by a word.
fn state(word: &str) -> Option<JobState> {
    match word {
        "wait" | "paused" => Some(JobState::Waiting),
        other => JobState::from_name(other),
    }
}
