//! Random writes.

use std::time::Duration;

use eventyard_core::{JobState, Keep, QueueLimits};
use proptest::{
    bool::weighted,
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
};

use super::{
    job::{JobOp, job},
    limits::limits,
    name::{document_key, from_now, group, id, keep, queue, span, step},
};
use crate::{given::ms, snapshot::COLLECTIONS};

/// A write; what depends on the time is told from the present.
#[derive(Debug, Clone)]
pub(super) enum WriteOp {
    Publish { event: &'static str, jobs: Vec<JobOp> },
    Enqueue(JobOp),
    Settle(SettleOp),
    Progress(u8),
    Log(u8),
    Step(&'static str, u8),
    Put { collection: &'static str, key: &'static str, value: u8, expected: Option<u64> },
    Delete { collection: &'static str, key: &'static str },
    Retry(&'static str, &'static str),
    Promote(&'static str, &'static str),
    Remove(&'static str, &'static str),
    Pause(&'static str, bool),
    Clean { queue: &'static str, state: JobState, older_than: Duration, limit: usize },
    Forget(&'static str),
    Cancel(&'static str, &'static str),
    Update(&'static str, &'static str, u8),
    Reprioritize(&'static str, &'static str, u32),
    Reschedule(&'static str, &'static str, i64),
    Limit(&'static str, QueueLimits),
    PauseKey(&'static str, &'static str, bool),
}

/// How an attempt ends; times in milliseconds from now.
#[derive(Debug, Clone)]
pub(super) enum SettleOp {
    Complete { result: Option<u8>, keep: Keep },
    Retry { at: i64 },
    Snooze { at: i64 },
    Release,
    AwaitChildren,
    Fail { keep: Keep },
}

pub(super) fn settlement() -> impl Strategy<Value = SettleOp> {
    prop_oneof![
        (option::of(any::<u8>()), keep())
            .prop_map(|(result, keep)| SettleOp::Complete { result, keep }),
        from_now().prop_map(|at| SettleOp::Retry { at }),
        from_now().prop_map(|at| SettleOp::Snooze { at }),
        Just(SettleOp::Release),
        Just(SettleOp::AwaitChildren),
        keep().prop_map(|keep| SettleOp::Fail { keep }),
    ]
}

/// A write that is fine without a lease.
pub(super) fn free_write() -> BoxedStrategy<WriteOp> {
    prop_oneof![
        16 => added(),
        4 => documents(),
        11 => administration(),
        5 => changes(),
        4 => flow_control(),
    ]
    .boxed()
}

/// What a handler says about its attempt.
pub(super) fn word() -> impl Strategy<Value = WriteOp> {
    prop_oneof![
        any::<u8>().prop_map(WriteOp::Progress),
        any::<u8>().prop_map(WriteOp::Log),
        (step(), any::<u8>()).prop_map(|(name, n)| WriteOp::Step(name, n)),
    ]
}

fn added() -> impl Strategy<Value = WriteOp> {
    prop_oneof![10 => job().prop_map(WriteOp::Enqueue), 6 => published()]
}

/// An event with the jobs that routes make of it: mostly of its own id, as routes do.
fn published() -> impl Strategy<Value = WriteOp> {
    let jobs = vec((job(), weighted(0.9)), 0..3);
    (id(), jobs).prop_map(|(event, jobs)| {
        let jobs = jobs.into_iter().map(|(job, routed)| match routed {
            true => JobOp { id: event, event: Some(event), ..job },
            false => job,
        });
        WriteOp::Publish { event, jobs: jobs.collect() }
    })
}

fn documents() -> impl Strategy<Value = WriteOp> {
    let document = || (select(&COLLECTIONS[..]), document_key());
    let put = (document(), any::<u8>(), option::weighted(0.3, 0..3_u64)).prop_map(
        |((collection, key), value, expected)| WriteOp::Put { collection, key, value, expected },
    );
    prop_oneof![
        3 => put,
        1 => document().prop_map(|(collection, key)| WriteOp::Delete { collection, key }),
    ]
}

fn administration() -> impl Strategy<Value = WriteOp> {
    let clean = (queue(), select(&JobState::ALL[..]), prop_oneof![Just(ms(0)), span()], 0..5_usize)
        .prop_map(|(queue, state, older_than, limit)| WriteOp::Clean {
            queue,
            state,
            older_than,
            limit,
        });
    prop_oneof![
        4 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Retry(queue, id)),
        2 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Promote(queue, id)),
        2 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Remove(queue, id)),
        2 => (queue(), weighted(0.4)).prop_map(|(q, on)| WriteOp::Pause(q, on)),
        2 => clean,
        1 => queue().prop_map(WriteOp::Forget),
    ]
}

/// Changes to jobs that are not finished.
fn changes() -> impl Strategy<Value = WriteOp> {
    let job = || (queue(), id());
    prop_oneof![
        job().prop_map(|(queue, id)| WriteOp::Cancel(queue, id)),
        (job(), any::<u8>()).prop_map(|((queue, id), n)| WriteOp::Update(queue, id, n)),
        (job(), 0..3_u32).prop_map(|((queue, id), n)| WriteOp::Reprioritize(queue, id, n)),
        (job(), from_now()).prop_map(|((queue, id), at)| WriteOp::Reschedule(queue, id, at)),
    ]
}

fn flow_control() -> impl Strategy<Value = WriteOp> {
    prop_oneof![
        3 => (queue(), limits()).prop_map(|(queue, limits)| WriteOp::Limit(queue, limits)),
        2 => (queue(), group(), weighted(0.4))
            .prop_map(|(queue, key, on)| WriteOp::PauseKey(queue, key, on)),
    ]
}
