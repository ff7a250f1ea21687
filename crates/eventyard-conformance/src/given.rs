//! The jobs, events and writes that cases begin with.

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Clock, Deduplication, Event, EventId, Failure, FailureKind, GroupKey, JobId, JobKey,
    JobOptions, ManualClock, NewJob, OnChildFailure, Parent, Payload, QueueLimits, QueueName,
    StepName, Timestamp, Write,
};

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const HOUR: Duration = secs(3600);
pub(crate) const DAY: Duration = secs(24 * 3600);

pub(crate) fn queue_name(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

pub(crate) fn key(queue: &str, id: &str) -> JobKey {
    JobKey { queue: queue_name(queue), id: JobId::new(id).unwrap() }
}

/// A job without options.
pub(crate) fn job(queue: &str, id: &str) -> NewJob {
    let JobKey { queue, id } = key(queue, id);
    let payload = Payload::Data(format!("{{\"job\":\"{id}\"}}").into());
    NewJob {
        queue,
        id,
        name: "test.job".into(),
        payload,
        options: Arc::default(),
        awaits_children: false,
    }
}

/// Jobs without options.
pub(crate) fn jobs<const N: usize>(queue: &str, ids: [&str; N]) -> [NewJob; N] {
    ids.map(|id| job(queue, id))
}

/// Jobs that are told apart by a number.
pub(crate) fn numbered(queue: &str, count: usize) -> impl Iterator<Item = NewJob> {
    (0..count).map(move |n| job(queue, &format!("j{n:04}")))
}

/// A job with options.
pub(crate) fn job_with(queue: &str, id: &str, set: impl FnOnce(&mut JobOptions)) -> NewJob {
    let mut job = job(queue, id);
    set(Arc::make_mut(&mut job.options));
    job
}

pub(crate) fn delayed(queue: &str, id: &str, delay: Duration) -> NewJob {
    job_with(queue, id, |options| options.delay = Some(delay))
}

pub(crate) fn prioritized(queue: &str, id: &str, priority: u32) -> NewJob {
    job_with(queue, id, |options| options.priority = Some(priority))
}

pub(crate) fn lifo(queue: &str, id: &str) -> NewJob {
    job_with(queue, id, |options| options.lifo = Some(true))
}

pub(crate) fn group(key: &str) -> GroupKey {
    GroupKey::new(key).unwrap()
}

pub(crate) fn keyed(queue: &str, id: &str, key: &str) -> NewJob {
    job_with(queue, id, |options| options.key = Some(group(key)))
}

/// A job that is dropped while another that says the same is there.
pub(crate) fn saying(
    queue: &str,
    id: &str,
    says: &str,
    set: impl FnOnce(&mut Deduplication),
) -> NewJob {
    let mut deduplication = Deduplication {
        id: group(says),
        ttl: None,
        extend: false,
        replace: false,
        keep_last_if_active: false,
    };
    set(&mut deduplication);
    job_with(queue, id, |options| options.deduplication = Some(deduplication))
}

/// A job that waits for its children.
pub(crate) fn parent(queue: &str, id: &str) -> NewJob {
    NewJob { awaits_children: true, ..job(queue, id) }
}

/// A job that another one waits for.
pub(crate) fn child_of(parent: &JobKey, on_fail: OnChildFailure, mut job: NewJob) -> NewJob {
    let JobKey { queue, id } = parent.clone();
    Arc::make_mut(&mut job.options).parent = Some(Parent { queue, id, on_fail });
    job
}

/// Replaces the limits of a queue.
pub(crate) fn limit(queue: &str, set: impl FnOnce(&mut QueueLimits)) -> Write {
    let mut limits = QueueLimits::default();
    set(&mut limits);
    assert_eq!(limits.validate(), Ok(()), "a case sets valid limits");
    Write::Limit(queue_name(queue), limits)
}

pub(crate) fn pause_key(queue: &str, key: &str, paused: bool) -> Write {
    Write::PauseKey(queue_name(queue), group(key), paused)
}

pub(crate) fn cancel(queue: &str, id: &str) -> Write {
    Write::Cancel { job: key(queue, id), reason: "not wanted any more".to_owned() }
}

/// An event with an id of one's own.
pub(crate) fn event(id: &str, kind: &str) -> Event {
    let time = Timestamp::from_millis(1_700_000_000_000);
    let mut event = Event::new(kind, "/suite", time, format!("{{\"event\":\"{id}\"}}"));
    event.id = EventId::new(id).unwrap();
    event
}

/// Publishes an event to queues.
pub(crate) fn publish(event: &Event, queues: &[&str]) -> Write {
    let event = Arc::new(event.clone());
    let jobs = queues.iter().map(|queue| routed(&event, queue)).collect();
    Write::Publish { event, jobs }
}

/// The job that a route makes of an event.
pub(crate) fn routed(event: &Arc<Event>, queue: &str) -> NewJob {
    let mut job = job(queue, event.id.as_str());
    job.name = event.kind.as_str().into();
    job.payload = Payload::Event(event.clone());
    job
}

pub(crate) fn put(key: &str, value: &str, expected: Option<u64>) -> Write {
    put_in("things", key, value, expected)
}

pub(crate) fn put_in(collection: &str, key: &str, value: &str, expected: Option<u64>) -> Write {
    let (collection, key) = (collection.to_owned(), key.to_owned());
    Write::Put { collection, key, value: value.to_owned().into(), expected }
}

/// Saves a step.
pub(crate) fn step(name: &str, result: &str) -> Write {
    Write::Step { name: StepName::new(name).unwrap(), result: result.to_owned().into() }
}

/// A write that is refused: there is no such job.
pub(crate) fn impossible() -> Write {
    Write::Remove(key("no-such-queue", "no-such-job"))
}

pub(crate) fn failure(message: &str) -> Failure {
    Failure::new(FailureKind::Error, message).with_stack("because\nof that")
}

/// A clock that stands where another one does.
pub(crate) fn clock_like(other: &ManualClock) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(other.now()))
}
