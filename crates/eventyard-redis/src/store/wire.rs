//! What the scripts are told: MessagePack, by the names that they read.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use bytes::Bytes;
use eventyard_core::{
    Commit, Failure, JobOptions, JobKey, Keep, Lease, NewJob, OnChildFailure, Settlement, Timestamp,
    Write, commit::MAX_LOG_LINE_BYTES, commit::MAX_LOG_LINES,
};
use serde::Serialize;

use crate::codec;

/// Whom a script works for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: Timestamp,
    /// Whether anybody listens to the feed.
    pub(crate) heard: bool,
    /// How many milliseconds longer Redis keeps what it forgets by its own clock.
    pub(crate) grace: u32,
}

#[derive(Serialize)]
pub(crate) struct Commits<'a> {
    prefix: &'a str,
    node: &'a str,
    now: i64,
    heard: bool,
    grace: u32,
    commits: Vec<WireCommit<'a>>,
}

#[derive(Serialize)]
pub(crate) struct ClaimArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    pub(crate) heard: bool,
    pub(crate) grace: u32,
    pub(crate) queue: &'a str,
    pub(crate) max: usize,
    pub(crate) burst: usize,
    pub(crate) lease: i64,
    pub(crate) worker: &'a str,
    /// The first 24 digits of the tokens.
    pub(crate) token: &'a str,
}

#[derive(Serialize)]
pub(crate) struct RenewArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    pub(crate) grace: u32,
    pub(crate) leases: Vec<WireLease<'a>>,
    pub(crate) lease: i64,
}

#[derive(Serialize)]
pub(crate) struct MaintainArgs<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) node: &'a str,
    pub(crate) now: i64,
    pub(crate) heard: bool,
    pub(crate) grace: u32,
    pub(crate) limit: usize,
    pub(crate) max_crashes: u32,
    pub(crate) keep_events: WireKeep,
    pub(crate) stalled_interval: u32,
    pub(crate) max_stalled: u32,
}

#[derive(Serialize)]
struct WireCommit<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<WireLease<'a>>,
    writes: Vec<WireWrite<'a>>,
}

#[derive(Serialize)]
pub(crate) struct WireLease<'a> {
    queue: &'a str,
    id: &'a str,
    token: String,
}

impl<'a> From<&'a Lease> for WireLease<'a> {
    fn from(lease: &'a Lease) -> Self {
        let (queue, id) = (lease.job.queue.as_str(), lease.job.id.as_str());
        Self { queue, id, token: lease.token.to_string() }
    }
}

/// How long something finished is kept; the age in milliseconds.
#[derive(Serialize)]
pub(crate) struct WireKeep {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<i64>,
}

impl From<Keep> for WireKeep {
    fn from(keep: Keep) -> Self {
        Self { count: keep.count, age: keep.age.map(millis) }
    }
}

#[derive(Serialize)]
struct WireFailure<'a> {
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

#[derive(Serialize)]
struct WireEvent<'a> {
    id: &'a str,
    kind: &'a str,
    story: &'a str,
    body: String,
}

#[derive(Serialize)]
struct WireJob<'a> {
    queue: &'a str,
    id: &'a str,
    name: &'a str,
    kind: String,
    /// Absent when it is the body of the event that the job is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Blob<'a>>,
    opts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lifo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<WireRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<WireParent>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    awaits: bool,
}

#[derive(Serialize)]
struct WireRule<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    extend: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replace: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    keep_last: bool,
}

#[derive(Serialize)]
struct WireParent {
    key: String,
    /// The job's field `parent`, as BullMQ writes it.
    link: String,
}

#[derive(Serialize)]
#[serde(tag = "w", rename_all = "kebab-case")]
enum WireWrite<'a> {
    Publish {
        event: WireEvent<'a>,
        jobs: Vec<WireJob<'a>>,
    },
    Enqueue {
        job: WireJob<'a>,
    },
    Settle {
        how: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Blob<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<WireFailure<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        keep: Option<WireKeep>,
    },
    Progress {
        value: Blob<'a>,
    },
    Log {
        line: String,
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

/// JSON text. Lua's MessagePack knows no other bytes than those of texts.
enum Blob<'a> {
    Cow(Cow<'a, [u8]>),
    Shared(Bytes),
}

impl Serialize for Blob<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes: &[u8] = match self {
            Self::Cow(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        };
        to.serialize_str(std::str::from_utf8(bytes).map_err(serde::ser::Error::custom)?)
    }
}

/// The data that updates write, where it is not what the caller gave: an event with other data.
pub(crate) type Updates = HashMap<JobKey, codec::payload::Encoded>;

/// The argument of the script that applies `commits`.
pub(crate) fn commits(caller: Caller<'_>, commits: &[(&Commit, &Updates)]) -> Vec<u8> {
    let Caller { prefix, node, now, heard, grace } = caller;
    let commits = commits.iter().map(|(commit, updates)| WireCommit {
        lease: commit.lease.as_ref().map(WireLease::from),
        writes: commit.writes.iter().map(|write| wire_write(write, caller, updates)).collect(),
    });
    let commits = commits.collect();
    encode(&Commits { prefix, node, now: now.as_millis(), heard, grace, commits })
}

/// A script's argument as MessagePack.
pub(crate) fn encode(argument: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(argument).expect("plain data becomes MessagePack")
}

/// Whole milliseconds, as far as Lua's numbers are exact.
pub(crate) fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX).min(1 << 52)
}

fn instant(at: Timestamp) -> i64 {
    at.as_millis().clamp(-(1 << 52), 1 << 52)
}

fn wire_write<'a>(
    write: &'a Write,
    caller: Caller<'_>,
    updates: &'a Updates,
) -> WireWrite<'a> {
    match write {
        Write::Publish { event, jobs } => WireWrite::Publish {
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
                    wire_job(job, caller, is_carried)
                })
                .collect(),
        },
        Write::Enqueue(job) => WireWrite::Enqueue { job: wire_job(job, caller, false) },
        Write::Settle(settlement) => wire_settlement(settlement),
        Write::Progress(value) => {
            WireWrite::Progress { value: Blob::Cow(codec::bytes::to_json(value)) }
        }
        Write::Log(line) => {
            let line = &line[..line.floor_char_boundary(MAX_LOG_LINE_BYTES)];
            WireWrite::Log { line: codec::log_line::encode(caller.now, line), most: MAX_LOG_LINES }
        }
        Write::Put { collection, key, value, expected } => WireWrite::Put {
            collection,
            key,
            value: Blob::Cow(codec::bytes::to_json(value)),
            expected: *expected,
        },
        Write::Delete { collection, key } => WireWrite::Delete { collection, key },
        Write::Retry(job) => WireWrite::Retry { queue: job.queue.as_str(), id: job.id.as_str() },
        Write::Promote(job) => {
            WireWrite::Promote { queue: job.queue.as_str(), id: job.id.as_str() }
        }
        Write::Remove(job) => WireWrite::Remove { queue: job.queue.as_str(), id: job.id.as_str() },
        Write::Pause(queue, paused) => {
            WireWrite::Pause { queue: queue.as_str(), paused: *paused }
        }
        Write::Clean { queue, state, older_than, limit } => WireWrite::Clean {
            queue: queue.as_str(),
            state: state.as_str(),
            older: millis(*older_than),
            limit: *limit,
        },
        Write::Forget(queue) => WireWrite::Forget { queue: queue.as_str() },
        Write::Cancel { job, reason } => WireWrite::Cancel {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            reason: Failure::new(eventyard_core::FailureKind::Cancelled, reason.as_str())
                .message
                .into(),
        },
        Write::Update { job, data } => {
            let (kind, data) = if let Some(event) = updates.get(job) {
                (event.kind, Cow::Borrowed(event.data.as_ref()))
            } else {
                let data = codec::bytes::to_json(data);
                (if matches!(data, Cow::Borrowed(_)) { "d" } else { "b" }, data)
            };
            let (queue, id) = (job.queue.as_str(), job.id.as_str());
            WireWrite::Update { queue, id, kind, data: Blob::Cow(data) }
        }
        Write::Reprioritize { job, priority } => WireWrite::Reprioritize {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            priority: *priority,
        },
        Write::Reschedule { job, at } => WireWrite::Reschedule {
            queue: job.queue.as_str(),
            id: job.id.as_str(),
            at: instant(*at),
        },
        Write::Limit(queue, limits) => WireWrite::Limit {
            queue: queue.as_str(),
            limits: serde_json::to_string(limits).expect("limits are plain data"),
        },
        Write::PauseKey(queue, key, paused) => {
            WireWrite::PauseKey { queue: queue.as_str(), key: key.as_str(), paused: *paused }
        }
    }
}

fn wire_settlement(settlement: &Settlement) -> WireWrite<'_> {
    let (mut value, mut failure, mut at, mut keep) = (None, None, None, None);
    let how = match settlement {
        Settlement::Complete { result, keep: kept } => {
            let result = result.as_deref();
            value = Some(Blob::Cow(result.map_or(Cow::Borrowed(b"null"), codec::bytes::to_json)));
            keep = Some((*kept).into());
            "complete"
        }
        Settlement::Fail { failure: why, keep: kept } => {
            failure = Some(why.into());
            keep = Some((*kept).into());
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
    WireWrite::Settle { how, value, failure, at, keep }
}

/// `is_carried` says that the job's data is the body of the event it is published with.
fn wire_job<'a>(new: &'a NewJob, caller: Caller<'_>, is_carried: bool) -> WireJob<'a> {
    let options: &JobOptions = &new.options;
    let (mut kind, data) = if is_carried {
        ("e".to_owned(), None)
    } else {
        let encoded = codec::payload::encode(&new.payload);
        (encoded.kind.to_owned(), Some(Blob::Shared(encoded.data)))
    };
    if options.lifo() {
        kind.push('l');
    }
    WireJob {
        queue: new.queue.as_str(),
        id: new.id.as_str(),
        name: &new.name,
        kind,
        data,
        opts: codec::options::encode(options, caller.prefix),
        priority: options.priority,
        lifo: options.lifo(),
        at: options.run_at.map(instant),
        delay: options.delay.map(millis),
        key: options.key.as_ref().map(|key| key.as_str()),
        ttl: options.ttl.map(millis),
        says: options.deduplication.as_ref().map(|rule| WireRule {
            id: rule.id.as_str(),
            ttl: rule.ttl.map(millis),
            extend: rule.extend,
            replace: rule.replace,
            keep_last: rule.keep_last_if_active,
        }),
        parent: options.parent.as_ref().map(|parent| {
            let queue_key = format!("{}:{}", caller.prefix, parent.queue);
            let mut link = serde_json::json!({ "id": parent.id, "queueKey": queue_key });
            let policy = match parent.on_fail {
                OnChildFailure::Wait => None,
                OnChildFailure::Fail => Some("fpof"),
                OnChildFailure::Continue => Some("cpof"),
                OnChildFailure::Ignore => Some("idof"),
            };
            if let Some(policy) = policy {
                link[policy] = true.into();
            }
            WireParent { key: format!("{queue_key}:{}", parent.id), link: link.to_string() }
        }),
        awaits: new.awaits_children,
    }
}
