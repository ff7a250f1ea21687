//! What the scripts answer.

mod reply;

use std::{borrow::Cow, collections::HashMap, fmt};

use eventyard_core::{
    Commit, CommitError, Effect, Enqueued, JobId, JobKey, JobState, Maintenance, NewJob, QueueName,
    Receipt, StoreError, StoreErrorKind, Write, commit::MAX_STEPS,
};
use serde::{Deserialize, Deserializer, de};

pub(crate) use self::reply::{PartAnswer, bytes, claimed, parts};

/// A text or a number of a script's answer, as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Raw<'a>(pub(crate) Cow<'a, [u8]>);

impl Raw<'_> {
    /// The text; empty where it is none.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Raw<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Raw<'de>, E> {
                Ok(Raw(text.as_bytes().into()))
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Raw<'de>, E> {
                Ok(Raw(bytes.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Raw<'de>, E> {
                Ok(Raw(number.to_string().into_bytes().into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Raw<'de>, E> {
                Ok(Raw(number.to_string().into_bytes().into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Raw<'de>, E> {
                Ok(Raw(number.to_string().into_bytes().into()))
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// Something that was told: the queue, the event's name, its fields and their values.
pub(crate) type Told<'a> = (Raw<'a>, Raw<'a>, Vec<Raw<'a>>);

/// What commits and claims told, and the leases that were cancelled.
pub(crate) type Worked<'a> = (Vec<Told<'a>>, Vec<Raw<'a>>);

/// The answer to commits.
pub(crate) type Verdicts<'a> = Vec<Verdict<'a>>;

/// What became of one commit: what each write did, or the only one; or why it was refused. A text is what is wrong with
/// the data that a request touches: what became of the rest of it is not told.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Verdict<'a> {
    Done(#[expect(dead_code, reason = "it tells the shapes apart")] bool),
    Number(u64),
    #[serde(borrow)]
    Fault(Raw<'a>),
    Effects(Vec<Done<'a>>),
    Refusal(HashMap<String, Plain>),
}

/// What one write did.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Done<'a> {
    Yes(#[expect(dead_code, reason = "it tells the shapes apart")] bool),
    Number(u64),
    /// There is a job that stands for the one that was to be added.
    #[serde(borrow)]
    Other(Raw<'a>),
    Published(u8, Vec<Added<'a>>),
}

/// Whether a job was there already, or the id of the one that stands for it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Added<'a> {
    Own(u64),
    #[serde(borrow)]
    Other(Raw<'a>),
}

/// A text or a number of a refusal.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Plain {
    Number(u64),
    Text(String),
}

/// The answer to maintaining.
pub(crate) type Maintained<'a> = (Work, Vec<Told<'a>>);

/// How much was maintained.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Work {
    taken_over: u64,
    buried: u64,
    expired: u64,
    forgotten: u64,
    stalled: u64,
}

impl Work {
    pub(crate) fn maintenance(self, limit: usize) -> Maintenance {
        let Self { taken_over, buried, expired, forgotten, stalled } = self;
        let most = (taken_over + buried).max(expired).max(forgotten);
        Maintenance {
            taken_over: taken_over + stalled,
            buried,
            expired,
            forgotten_events: forgotten,
            more: most >= limit as u64,
        }
    }
}

/// Reads an answer.
///
/// # Errors
/// When it is not what this version's scripts answer.
pub(crate) fn read<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(answer).map_err(|error| {
        let message = format!("a script's answer is not understood: {error}");
        StoreError::new(StoreErrorKind::Corrupt, message)
    })
}

/// What a commit did, or why it was refused.
pub(crate) fn receipt(
    commit: &Commit,
    verdict: Verdict<'_>,
    prefix: &str,
) -> Result<Receipt, CommitError> {
    match verdict {
        Verdict::Done(_) => Ok(commit.writes.iter().map(|_| Effect::Done).collect()),
        Verdict::Number(number) => {
            Ok(commit.writes.iter().map(|write| effect(write, Done::Number(number))).collect())
        }
        Verdict::Effects(effects) => {
            Ok(commit.writes.iter().zip(effects).map(|(write, done)| effect(write, done)).collect())
        }
        Verdict::Refusal(refusal) => Err(refused(commit, &refusal, prefix)),
        Verdict::Fault(_) => Err(CommitError::Malformed("a fault is no verdict on one commit")),
    }
}

fn effect(write: &Write, done: Done<'_>) -> Effect {
    match (write, done) {
        (Write::Publish { event, jobs }, Done::Published(duplicate, added)) => Effect::Published {
            event: event.id.clone(),
            duplicate: duplicate == 1,
            jobs: jobs.iter().zip(added).map(|(job, added)| enqueued(job, &added)).collect(),
        },
        (Write::Enqueue(job), Done::Number(known)) => {
            Effect::Enqueued(enqueued(job, &Added::Own(known)))
        }
        (Write::Enqueue(job), Done::Other(id)) => {
            Effect::Enqueued(enqueued(job, &Added::Other(id)))
        }
        (Write::Put { .. }, Done::Number(version)) => Effect::Version(version),
        (Write::Clean { .. }, Done::Number(removed)) => Effect::Removed(removed),
        _ => Effect::Done,
    }
}

fn enqueued(job: &NewJob, added: &Added<'_>) -> Enqueued {
    let (id, duplicate) = match added {
        Added::Own(known) => (job.id.clone(), *known == 1),
        Added::Other(id) => {
            // A job of Node's may have an id that is none of ours.
            (JobId::new(id.text()).unwrap_or_else(|_| job.id.clone()), true)
        }
    };
    Enqueued { queue: job.queue.clone(), id, duplicate }
}

/// What jobs may be done something to, in the words of [`CommitError::WrongState`].
const ALLOWED: [&str; 5] =
    ["failed and completed", "delayed", "inactive", "unfinished", "waiting and delayed"];

fn refused(commit: &Commit, refusal: &HashMap<String, Plain>, prefix: &str) -> CommitError {
    let text = |name: &str| match refusal.get(name) {
        Some(Plain::Text(text)) => text.as_str(),
        _ => "",
    };
    let number = |name: &str| match refusal.get(name) {
        Some(Plain::Number(number)) => *number,
        _ => 0,
    };
    let job = || job_key(text("queue"), text("id"));
    let queue = || QueueName::new(text("queue")).ok();
    let known = match text("error") {
        "stale-lease" => commit.lease.as_ref().map(|lease| CommitError::StaleLease {
            job: lease.job.clone(),
            attempt: lease.attempt,
        }),
        "no-such-job" => job().map(CommitError::NoSuchJob),
        "wrong-state" => job().zip(JobState::from_name(text("state"))).and_then(|(job, state)| {
            let allowed = ALLOWED.into_iter().find(|allowed| *allowed == text("allowed"))?;
            Some(CommitError::WrongState { job, state, allowed })
        }),
        "version-conflict" => Some(CommitError::VersionConflict {
            collection: text("collection").to_owned(),
            key: text("key").to_owned(),
            expected: expected(commit, text("collection"), text("key"), number("actual")),
            actual: number("actual"),
        }),
        "queue-full" => {
            queue().map(|queue| CommitError::QueueFull { queue, limit: number("limit") })
        }
        "too-many-steps" => commit
            .lease
            .as_ref()
            .map(|lease| CommitError::TooManySteps { job: lease.job.clone(), limit: MAX_STEPS }),
        "queue-not-empty" => queue().map(CommitError::QueueNotEmpty),
        error @ ("no-such-parent" | "not-its-child") => {
            job().zip(parent_key(text("parent"), prefix)).map(|(child, parent)| match error {
                "no-such-parent" => CommitError::NoSuchParent { child, parent },
                _ => CommitError::NotItsChild { child, parent },
            })
        }
        _ => None,
    };
    known.unwrap_or(CommitError::Malformed("redis refuses it for a reason of its own"))
}

/// The version that a commit expects of a document, which has another one. Lua's numbers hold not every version.
fn expected(commit: &Commit, collection: &str, key: &str, actual: u64) -> u64 {
    let expected = commit.writes.iter().find_map(|write| match write {
        Write::Put { collection: c, key: k, expected: Some(version), .. }
            if c == collection && k == key && *version != actual =>
        {
            Some(*version)
        }
        _ => None,
    });
    expected.unwrap_or_default()
}

fn job_key(queue: &str, id: &str) -> Option<JobKey> {
    Some(JobKey { queue: QueueName::new(queue).ok()?, id: JobId::new(id).ok()? })
}

/// The job that a key of BullMQ's such as `bull:emails:7` means.
pub(crate) fn parent_key(key: &str, prefix: &str) -> Option<JobKey> {
    let (queue, id) = key.strip_prefix(prefix)?.strip_prefix(':')?.split_once(':')?;
    job_key(queue, id)
}
