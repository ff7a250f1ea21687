//! The writes of a commit.

use std::borrow::Cow;

use eventyard_core::{
    Failure, FailureKind, Settlement, Write,
    commit::{MAX_LOG_LINE_BYTES, MAX_LOG_LINES, MAX_STEPS},
};
use serde::Serialize;

use super::{
    Blob, Caller, Shared, instant,
    job::{WireJob, wire_job},
    millis,
};
use crate::codec;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WireWrite<'a> {
    Enqueue(WireJob<'a>),
    Settle(WireSettlement<'a>),
    Named(NamedWrite<'a>),
}

/// A list that begins with the verb and how the attempt ends.
#[derive(Serialize)]
pub(super) struct WireSettlement<'a>(
    &'static str,
    &'static str,
    /// What the handler returned.
    Option<Blob<'a>>,
    /// The number of what says how long the job is kept.
    Option<usize>,
    /// When it runs again.
    Option<i64>,
    Option<WireFailure<'a>>,
);

/// What comes less often, by names.
#[derive(Serialize)]
#[serde(tag = "w", rename_all = "kebab-case")]
pub(super) enum NamedWrite<'a> {
    Publish {
        event: WireEvent<'a>,
        jobs: Vec<WireJob<'a>>,
    },
    Progress {
        value: Blob<'a>,
    },
    Log {
        line: String,
        most: u32,
    },
    Step {
        name: &'a str,
        result: Blob<'a>,
        most: u32,
    },
    Put {
        collection: &'a str,
        key: &'a str,
        value: Blob<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<u64>,
    },
    Delete {
        collection: &'a str,
        key: &'a str,
    },
    Retry {
        queue: &'a str,
        id: &'a str,
    },
    Promote {
        queue: &'a str,
        id: &'a str,
    },
    Remove {
        queue: &'a str,
        id: &'a str,
    },
    Pause {
        queue: &'a str,
        paused: bool,
    },
    Clean {
        queue: &'a str,
        state: &'static str,
        older: i64,
        limit: usize,
    },
    Forget {
        queue: &'a str,
    },
    Cancel {
        queue: &'a str,
        id: &'a str,
        reason: Cow<'a, str>,
    },
    Update {
        queue: &'a str,
        id: &'a str,
        kind: &'static str,
        data: Blob<'a>,
    },
    Reprioritize {
        queue: &'a str,
        id: &'a str,
        priority: u32,
    },
    Reschedule {
        queue: &'a str,
        id: &'a str,
        at: i64,
    },
    Limit {
        queue: &'a str,
        limits: String,
    },
    PauseKey {
        queue: &'a str,
        key: &'a str,
        paused: bool,
    },
}

#[derive(Serialize)]
pub(super) struct WireEvent<'a> {
    id: &'a str,
    kind: &'a str,
    story: &'a str,
    body: String,
}

#[derive(Serialize)]
pub(super) struct WireFailure<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
    /// The whole of it.
    json: String,
}

impl<'a> From<&'a Failure> for WireFailure<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            message: &failure.message,
            stack: failure.stack.as_deref(),
            json: serde_json::to_string(failure).expect("a failure is plain data"),
        }
    }
}

pub(super) fn wire_write<'a>(
    write: &'a Write,
    caller: Caller<'_>,
    shared: &mut Shared,
) -> WireWrite<'a> {
    WireWrite::Named(match write {
        Write::Enqueue(job) => return WireWrite::Enqueue(wire_job(job, caller, shared, false)),
        Write::Settle(settlement) => return WireWrite::Settle(wire_settlement(settlement, shared)),
        Write::Publish { event, jobs } => NamedWrite::Publish {
            event: WireEvent {
                id: event.id.as_str(),
                kind: &event.kind,
                story: event.correlation(),
                body: codec::payload::encode_event(event),
            },
            jobs: jobs
                .iter()
                .map(|job| {
                    let is_carried = job.payload.event().is_some_and(|own| own == event);
                    wire_job(job, caller, shared, is_carried)
                })
                .collect(),
        },
        Write::Progress(value) => {
            NamedWrite::Progress { value: Blob::Cow(codec::bytes::to_json(value)) }
        }
        Write::Log(line) => {
            let line = &line[..line.floor_char_boundary(MAX_LOG_LINE_BYTES)];
            NamedWrite::Log { line: codec::log_line::encode(caller.now, line), most: MAX_LOG_LINES }
        }
        Write::Step { name, result } => NamedWrite::Step {
            name: name.as_str(),
            result: Blob::Cow(codec::bytes::to_json(result)),
            most: MAX_STEPS,
        },
        Write::Put { collection, key, value, expected } => NamedWrite::Put {
            collection,
            key,
            value: Blob::Cow(codec::bytes::to_json(value)),
            expected: *expected,
        },
        Write::Delete { collection, key } => NamedWrite::Delete { collection, key },
        Write::Retry(job) => NamedWrite::Retry { queue: job.queue.as_str(), id: job.id.as_str() },
        Write::Promote(job) => {
            NamedWrite::Promote { queue: job.queue.as_str(), id: job.id.as_str() }
        }
        Write::Remove(job) => NamedWrite::Remove { queue: job.queue.as_str(), id: job.id.as_str() },
        Write::Pause(queue, paused) => NamedWrite::Pause { queue: queue.as_str(), paused: *paused },
        Write::Clean { queue, state, older_than, limit } => NamedWrite::Clean {
            queue: queue.as_str(),
            state: state.as_str(),
            older: millis(*older_than),
            limit: *limit,
        },
        Write::Forget(queue) => NamedWrite::Forget { queue: queue.as_str() },
        Write::Cancel { job, reason } => NamedWrite::Cancel {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            reason: Failure::new(FailureKind::Cancelled, reason.as_str()).message.into(),
        },
        Write::Update { job, data } => {
            let data = codec::bytes::to_json(data);
            let kind = if matches!(data, Cow::Borrowed(_)) { "d" } else { "b" };
            let (queue, id) = (job.queue.as_str(), job.id.as_str());
            NamedWrite::Update { queue, id, kind, data: Blob::Cow(data) }
        }
        Write::Reprioritize { job, priority } => NamedWrite::Reprioritize {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            priority: *priority,
        },
        Write::Reschedule { job, at } => NamedWrite::Reschedule {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            at: instant(*at),
        },
        Write::Limit(queue, limits) => NamedWrite::Limit {
            queue: queue.as_str(),
            limits: serde_json::to_string(limits).expect("limits are plain data"),
        },
        Write::PauseKey(queue, key, paused) => {
            NamedWrite::PauseKey { queue: queue.as_str(), key: key.as_str(), paused: *paused }
        }
    })
}

fn wire_settlement<'a>(settlement: &'a Settlement, shared: &mut Shared) -> WireSettlement<'a> {
    let (mut value, mut failure, mut at, mut keep) = (None, None, None, None);
    let how = match settlement {
        Settlement::Complete { result, keep: kept } => {
            value = Some(wire_result(result.as_deref()));
            keep = Some(shared.keep(*kept));
            "complete"
        }
        Settlement::Fail { failure: why, keep: kept } => {
            failure = Some(why.into());
            keep = Some(shared.keep(*kept));
            "fail"
        }
        Settlement::Retry { at: again, failure: why } => {
            at = Some(instant(*again));
            failure = Some(why.into());
            "retry"
        }
        Settlement::Snooze { at: again } => {
            at = Some(instant(*again));
            "snooze"
        }
        Settlement::Release => "release",
        Settlement::AwaitChildren => "await",
    };
    WireSettlement("settle", how, value, keep, at, failure)
}

/// What a handler returned.
pub(super) fn wire_result(result: Option<&[u8]>) -> Blob<'_> {
    Blob::Cow(result.map_or(Cow::Borrowed(b"null"), codec::bytes::to_json))
}
