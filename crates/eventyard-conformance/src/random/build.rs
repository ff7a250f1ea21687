//! Making commits of random operations, at the present and under the leases of one of the two stores.

use std::sync::Arc;

use eventyard_core::{
    Commit, Deduplication, Event, GroupKey, Lease, NewJob, Parent, Payload, Settlement, Timestamp,
    Write,
};

use super::{
    job::{JobOp, JobTime, ParentJob, ParentOp, Says, SaysMode},
    write::{SettleOp, WriteOp},
};
use crate::given::{event, failure, job_with, key, ms, put_in, queue_name, step};

/// What the writes of a commit depend on.
pub(super) struct Builder {
    /// The present.
    pub(super) now: Timestamp,
    /// The lease that the commit is under.
    pub(super) lease: Option<Lease>,
}

impl Builder {
    /// The commit of these writes.
    pub(super) fn commit(self, writes: &[WriteOp]) -> Commit {
        let writes = writes.iter().map(|write| self.write(write)).collect();
        Commit { lease: self.lease, writes }
    }

    fn write(&self, write: &WriteOp) -> Write {
        match write {
            WriteOp::Publish { event, jobs } => Write::Publish {
                event: known_event(event),
                jobs: jobs.iter().map(|job| self.job(job)).collect(),
            },
            WriteOp::Enqueue(job) => Write::Enqueue(self.job(job)),
            WriteOp::Settle(settlement) => Write::Settle(self.settlement(settlement)),
            WriteOp::Progress(n) => Write::Progress(n.to_string().into()),
            WriteOp::Log(n) => Write::Log(n.to_string()),
            WriteOp::Step(name, n) => step(name, &n.to_string()),
            WriteOp::Put { collection, key, value, expected } => {
                put_in(collection, key, &value.to_string(), *expected)
            }
            WriteOp::Delete { collection, key } => {
                Write::Delete { collection: (*collection).to_owned(), key: (*key).to_owned() }
            }
            WriteOp::Retry(queue, id) => Write::Retry(key(queue, id)),
            WriteOp::Promote(queue, id) => Write::Promote(key(queue, id)),
            WriteOp::Remove(queue, id) => Write::Remove(key(queue, id)),
            WriteOp::Pause(queue, paused) => Write::Pause(queue_name(queue), *paused),
            WriteOp::Clean { queue, state, older_than, limit } => Write::Clean {
                queue: queue_name(queue),
                state: *state,
                older_than: *older_than,
                limit: *limit,
            },
            WriteOp::Forget(queue) => Write::Forget(queue_name(queue)),
            WriteOp::Cancel(queue, id) => {
                Write::Cancel { job: key(queue, id), reason: "enough".to_owned() }
            }
            WriteOp::Update(queue, id, n) => {
                Write::Update { job: key(queue, id), data: n.to_string().into() }
            }
            WriteOp::Reprioritize(queue, id, priority) => {
                Write::Reprioritize { job: key(queue, id), priority: *priority }
            }
            WriteOp::Reschedule(queue, id, at) => {
                Write::Reschedule { job: key(queue, id), at: self.instant(*at) }
            }
            WriteOp::Limit(queue, limits) => Write::Limit(queue_name(queue), limits.clone()),
            WriteOp::PauseKey(queue, key, paused) => {
                Write::PauseKey(queue_name(queue), GroupKey::new(key).unwrap(), *paused)
            }
        }
    }

    fn job(&self, op: &JobOp) -> NewJob {
        let mut job = job_with(op.queue, op.id, |options| {
            options.priority = op.priority;
            options.lifo = op.lifo.then_some(true);
            options.remove_on_fail = op.remove_on_fail;
            match op.time {
                JobTime::Now => {}
                JobTime::Delay(delay) => options.delay = Some(delay),
                JobTime::RunAt(at) => options.run_at = Some(self.instant(at)),
            }
            options.key = op.key.map(|key| GroupKey::new(key).unwrap());
            options.ttl = op.ttl;
            options.deduplication = op.says.as_ref().map(deduplication);
            options.parent = op.parent.as_ref().and_then(|parent| self.parent(parent));
            debug_assert_eq!(options.validate(), Ok(()), "only valid options reach a store");
        });
        if let Some(event) = op.event {
            job.payload = Payload::Event(known_event(event));
        }
        job.awaits_children = op.awaits_children;
        job
    }

    fn parent(&self, op: &ParentOp) -> Option<Parent> {
        let parent = match op.of {
            ParentJob::Own => self.lease.as_ref()?.job.clone(),
            ParentJob::Named(queue, id) => key(queue, id),
        };
        Some(Parent { queue: parent.queue, id: parent.id, on_fail: op.on_fail })
    }

    fn settlement(&self, op: &SettleOp) -> Settlement {
        match op {
            SettleOp::Complete { result, keep } => {
                let result = result.map(|n| n.to_string().into());
                Settlement::Complete { result, keep: *keep }
            }
            SettleOp::Retry { at } => {
                Settlement::Retry { at: self.instant(*at), failure: failure("again") }
            }
            SettleOp::Snooze { at } => Settlement::Snooze { at: self.instant(*at) },
            SettleOp::Release => Settlement::Release,
            SettleOp::AwaitChildren => Settlement::AwaitChildren,
            SettleOp::Fail { keep } => {
                Settlement::Fail { failure: failure("for good"), keep: *keep }
            }
        }
    }

    fn instant(&self, by: i64) -> Timestamp {
        if by < 0 { self.now - ms(by.unsigned_abs()) } else { self.now + ms(by.unsigned_abs()) }
    }
}

fn deduplication(says: &Says) -> Deduplication {
    let simple = Deduplication {
        id: GroupKey::new(says.id).unwrap(),
        ttl: None,
        extend: false,
        replace: false,
        keep_last_if_active: false,
    };
    match says.mode {
        SaysMode::Simple { replace } => Deduplication { replace, ..simple },
        SaysMode::Window { ttl, extend, replace } => {
            Deduplication { ttl: Some(ttl), extend, replace, ..simple }
        }
        SaysMode::KeepLast => Deduplication { keep_last_if_active: true, ..simple },
    }
}

/// The one event with this id.
fn known_event(id: &str) -> Arc<Event> {
    let mut event = event(id, if id < "c" { "order.placed" } else { "order.paid" });
    event.correlation_id = (id > "a").then(|| "a".to_owned());
    Arc::new(event)
}
