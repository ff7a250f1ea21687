//! A job's hash.

mod attempts;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use eventyard_core::{Failure, FailureKind, Job, JobId, QueueName, Timestamp, WorkerId};

use super::{bytes::from_json, number, options, payload};

/// The fields that say how a job stands.
pub(crate) const STATUS: [&str; 21] = [
    "name",
    "data",
    "opts",
    "timestamp",
    "priority",
    "processedOn",
    "finishedOn",
    "pb",
    "attemptsMade",
    "atm",
    "stc",
    "ats",
    "failedReason",
    "stacktrace",
    "returnvalue",
    "progress",
    "eyt",
    "eyf",
    "eyl",
    "eys",
    "eyb",
];
/// The fields that say what its attempts were.
pub(crate) const ATTEMPTS: [&str; 11] = [
    "name",
    "timestamp",
    "processedOn",
    "finishedOn",
    "pb",
    "atm",
    "failedReason",
    "stacktrace",
    "returnvalue",
    "eya",
    "eys",
];

/// The fields of a job's hash that say something to the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    name: Option<Bytes>,
    data: Option<Bytes>,
    opts: Option<Bytes>,
    timestamp: Option<Bytes>,
    priority: Option<Bytes>,
    processed_on: Option<Bytes>,
    /// When the last attempt before a retry by hand began, which takes BullMQ's own field away.
    processed_before: Option<Bytes>,
    finished_on: Option<Bytes>,
    worker: Option<Bytes>,
    attempts_made: Option<Bytes>,
    crashes: Option<Bytes>,
    /// How many of them such a retry has forgiven.
    forgiven: Option<Bytes>,
    started: Option<Bytes>,
    failed_reason: Option<Bytes>,
    stacktrace: Option<Bytes>,
    returned: Option<Bytes>,
    progress: Option<Bytes>,
    kind: Option<Bytes>,
    failure: Option<Bytes>,
    records: Option<Bytes>,
    lease: Option<Bytes>,
    scheduler: Option<Bytes>,
}

impl Row {
    /// The row of a flat list of names and values, as `HGETALL` returns it. A job that does not exist has none.
    pub(crate) fn of(flat: impl IntoIterator<Item = Bytes>) -> Option<Self> {
        let mut flat = flat.into_iter();
        let pairs = std::iter::from_fn(|| Some((flat.next()?, flat.next()?)));
        Self::of_pairs(pairs)
    }

    /// The row of some fields, as `HMGET` returns their values. It has to be asked for the name or the timestamp too.
    pub(crate) fn of_values(
        names: &[&'static str],
        values: impl IntoIterator<Item = Option<Bytes>>,
    ) -> Option<Self> {
        let names = names.iter().map(|name| Bytes::from_static(name.as_bytes()));
        Self::of_pairs(names.zip(values).filter_map(|(name, value)| Some((name, value?))))
    }

    fn of_pairs(pairs: impl Iterator<Item = (Bytes, Bytes)>) -> Option<Self> {
        let mut row = Self::default();
        for (name, value) in pairs {
            if let Some(field) = row.field(&name) {
                *field = Some(value);
            }
        }
        // Node's workers leave a hash with other fields behind when a job vanishes while they take it.
        (row.name.is_some() || row.timestamp.is_some()).then_some(row)
    }

    fn field(&mut self, name: &[u8]) -> Option<&mut Option<Bytes>> {
        Some(match name {
            b"name" => &mut self.name,
            b"rjk" => &mut self.scheduler,
            b"data" => &mut self.data,
            b"opts" => &mut self.opts,
            b"timestamp" => &mut self.timestamp,
            b"priority" => &mut self.priority,
            b"processedOn" => &mut self.processed_on,
            b"finishedOn" => &mut self.finished_on,
            b"pb" => &mut self.worker,
            b"atm" => &mut self.attempts_made,
            // Before BullMQ 5.
            b"attemptsMade" if self.attempts_made.is_none() => &mut self.attempts_made,
            b"stc" => &mut self.crashes,
            b"eyb" => &mut self.forgiven,
            b"eys" => &mut self.processed_before,
            b"ats" => &mut self.started,
            b"failedReason" => &mut self.failed_reason,
            b"stacktrace" => &mut self.stacktrace,
            b"returnvalue" => &mut self.returned,
            b"progress" => &mut self.progress,
            b"eyt" => &mut self.kind,
            b"eyf" => &mut self.failure,
            b"eya" => &mut self.records,
            b"eyl" => &mut self.lease,
            _ => return None,
        })
    }

    /// The job.
    pub(crate) fn job(&self, queue: &QueueName, id: &JobId, prefix: &str) -> Job {
        let mut options = options::decode(text(self.opts.as_ref()).as_ref(), prefix);
        // Node changes a priority without a word in the options.
        if let Some(priority) = self.priority()
            && priority != options.priority()
        {
            options.priority = Some(priority);
        }
        let kind = self.kind.as_ref().map(|kind| text(Some(kind)));
        let data = self.data.clone().unwrap_or(Bytes::from_static(b"{}"));
        Job {
            queue: queue.clone(),
            id: id.clone(),
            name: text(self.name.as_ref()).as_ref().into(),
            payload: payload::decode(kind.as_deref(), data, self.created_at()),
            options: Arc::new(options),
            created_at: self.created_at(),
            attempts_made: self.attempts_made(),
            crashes: count(self.crashes.as_ref()).saturating_sub(count(self.forgiven.as_ref())),
        }
    }

    /// What the job is.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The scheduler of BullMQ's that it is of.
    pub(crate) fn scheduler(&self) -> Option<&str> {
        std::str::from_utf8(self.scheduler.as_deref()?).ok()
    }

    /// Its options, as they are written.
    pub(crate) fn options(&self) -> Option<&[u8]> {
        self.opts.as_deref()
    }

    /// When it was added.
    pub(crate) fn created_at(&self) -> Timestamp {
        instant(self.timestamp.as_ref()).unwrap_or_default()
    }

    /// When the present or the last attempt began.
    pub(crate) fn started_at(&self) -> Option<Timestamp> {
        instant(self.processed_on.as_ref().or(self.processed_before.as_ref()))
    }

    /// When the job was completed or failed.
    pub(crate) fn finished_at(&self) -> Option<Timestamp> {
        instant(self.finished_on.as_ref())
    }

    /// Who has the job, or had it last.
    pub(crate) fn worker(&self) -> Option<WorkerId> {
        WorkerId::new(text(self.worker.as_ref())).ok()
    }

    /// The job's priority, if the hash says it.
    pub(crate) fn priority(&self) -> Option<u32> {
        number::small(&text(self.priority.as_ref()))
    }

    /// How many attempts have ended.
    pub(crate) fn attempts_made(&self) -> u32 {
        count(self.attempts_made.as_ref())
    }

    /// How often somebody began to work on the job.
    pub(crate) fn activations(&self) -> u32 {
        count(self.started.as_ref())
    }

    /// The lease that we gave last: its token and the number of the activation.
    pub(crate) fn lease(&self) -> Option<(&str, u32)> {
        let (token, number) = str::from_utf8(self.lease.as_ref()?).ok()?.split_once(' ')?;
        Some((token, number.parse().ok()?))
    }

    /// What the handler last said about its progress.
    pub(crate) fn progress(&self) -> Option<Bytes> {
        self.progress.clone().map(from_json)
    }

    /// What the handler returned.
    pub(crate) fn result(&self) -> Option<Bytes> {
        result(self.returned.clone()?)
    }

    /// Why the job failed for good, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let said = self.failed_reason.as_ref().map(|reason| text(Some(reason)));
        let ours = self.failure.as_ref().and_then(|json| failure(json));
        match (ours, said) {
            // Others tell their own reason and leave ours of a former time as it is.
            (Some(ours), Some(said)) if ours.message == said => Some(ours),
            (_, Some(said)) => Some(foreign(said.into_owned(), self.stacks().pop())),
            (ours, None) => ours,
        }
    }

    fn stacks(&self) -> Vec<String> {
        let list = self.stacktrace.as_ref();
        list.and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default()
    }
}

/// What a handler returned, out of the JSON that BullMQ keeps of it.
pub(crate) fn result(json: Bytes) -> Option<Bytes> {
    (json != "null").then(|| from_json(json))
}

/// A failure that we wrote.
pub(crate) fn failure(json: &[u8]) -> Option<Failure> {
    serde_json::from_slice(json).ok()
}

/// A failure of which only its words are known.
pub(crate) fn foreign(message: String, stack: Option<String>) -> Failure {
    let failure = Failure::new(FailureKind::Error, message);
    match stack {
        Some(stack) if stack != failure.message && !stack.is_empty() => failure.with_stack(stack),
        _ => failure,
    }
}

fn text(field: Option<&Bytes>) -> Cow<'_, str> {
    String::from_utf8_lossy(field.map_or(&[], |field| field))
}

fn count(field: Option<&Bytes>) -> u32 {
    number::small(&text(field)).unwrap_or(0)
}

fn instant(field: Option<&Bytes>) -> Option<Timestamp> {
    number::signed(&text(field)).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests;
