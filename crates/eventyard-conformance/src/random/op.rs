//! Random operations: few queues, ids and keys, so that they meet often.

use std::time::Duration;

use eventyard_core::{JobState, Keep};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
};

use crate::{given::ms, snapshot::COLLECTIONS};

/// One operation.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Commit(Vec<CommitOp>),
    Claim {
        queue: &'static str,
        max: usize,
        lease: Duration,
    },
    /// Of leases that were given out, counted from the last one.
    Renew {
        leases: Vec<usize>,
        lease: Duration,
    },
    Maintain {
        limit: usize,
        max_crashes: u32,
        keep_events: Keep,
    },
    Advance(Duration),
}

/// A commit; its lease is one that was given out, counted from the last one.
#[derive(Debug, Clone)]
pub(super) struct CommitOp {
    pub(super) lease: Option<usize>,
    pub(super) writes: Vec<WriteOp>,
}

/// A write; what depends on the time is told from the present.
#[derive(Debug, Clone)]
pub(super) enum WriteOp {
    Publish { event: &'static str, jobs: Vec<JobOp> },
    Enqueue(JobOp),
    Settle(SettleOp),
    Progress(u8),
    Log(u8),
    Put { collection: &'static str, key: &'static str, value: u8, expected: Option<u64> },
    Delete { collection: &'static str, key: &'static str },
    Retry(&'static str, &'static str),
    Promote(&'static str, &'static str),
    Remove(&'static str, &'static str),
    Pause(&'static str, bool),
    Clean { queue: &'static str, state: JobState, older_than: Duration, limit: usize },
    Forget(&'static str),
}

/// A job; it carries plain data or an event.
#[derive(Debug, Clone)]
pub(super) struct JobOp {
    pub(super) queue: &'static str,
    pub(super) id: &'static str,
    pub(super) event: Option<&'static str>,
    pub(super) priority: Option<u32>,
    pub(super) lifo: bool,
    pub(super) time: JobTime,
    pub(super) remove_on_fail: Option<Keep>,
}

/// When a job runs.
#[derive(Debug, Clone)]
pub(super) enum JobTime {
    Now,
    Delay(Duration),
    RunAt(i64),
}

/// How an attempt ends; times in milliseconds from now.
#[derive(Debug, Clone)]
pub(super) enum SettleOp {
    Complete { result: Option<u8>, keep: Keep },
    Retry { at: i64 },
    Snooze { at: i64 },
    Release,
    Fail { keep: Keep },
}

const QUEUES: [&str; 3] = ["emails", "tickets", "ü"];
/// Jobs and events share their ids, so that events are carried by jobs or not.
const IDS: [&str; 6] = ["a", "b", "c", "d", "e'", "f%"];
const KEYS: [&str; 4] = ["", "k", "k/1", "\u{1f980}"];
const SPANS: [u64; 6] = [1, 5, 20, 50, 100, 1000];

fn queue() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(QUEUES[0]), 2 => Just(QUEUES[1]), 1 => Just(QUEUES[2])]
}

fn id() -> impl Strategy<Value = &'static str> {
    select(&IDS[..])
}

fn span() -> impl Strategy<Value = Duration> {
    select(&SPANS[..]).prop_map(ms)
}

/// Before, at and after the present.
fn from_now() -> impl Strategy<Value = i64> {
    select(&[0, -10, 1, 5, 20, 50, 1000][..])
}

fn keep() -> impl Strategy<Value = Keep> {
    let count = option::of(0..4_u64);
    let age = option::weighted(0.3, prop_oneof![1 => Just(ms(0)), 9 => span()]);
    (age, count).prop_map(|(age, count)| Keep { age, count })
}

fn job() -> impl Strategy<Value = JobOp> {
    let time = prop_oneof![
        4 => Just(JobTime::Now),
        2 => span().prop_map(JobTime::Delay),
        1 => from_now().prop_map(JobTime::RunAt),
    ];
    let options = (
        option::weighted(0.5, 0..3_u32),
        proptest::bool::weighted(0.2),
        time,
        option::weighted(0.4, keep()),
    );
    (queue(), id(), option::weighted(0.2, id()), options).prop_map(
        |(queue, id, event, (priority, lifo, time, remove_on_fail))| JobOp {
            queue,
            id,
            event,
            priority,
            lifo,
            time,
            remove_on_fail,
        },
    )
}

/// An event with the jobs that routes make of it: mostly of its own id, as routes do.
fn published() -> impl Strategy<Value = WriteOp> {
    let jobs = vec((job(), proptest::bool::weighted(0.9)), 0..3);
    (id(), jobs).prop_map(|(event, jobs)| {
        let jobs = jobs.into_iter().map(|(job, routed)| match routed {
            true => JobOp { id: event, event: Some(event), ..job },
            false => job,
        });
        WriteOp::Publish { event, jobs: jobs.collect() }
    })
}

fn settlement() -> impl Strategy<Value = SettleOp> {
    prop_oneof![
        (option::of(any::<u8>()), keep())
            .prop_map(|(result, keep)| SettleOp::Complete { result, keep }),
        from_now().prop_map(|at| SettleOp::Retry { at }),
        from_now().prop_map(|at| SettleOp::Snooze { at }),
        Just(SettleOp::Release),
        keep().prop_map(|keep| SettleOp::Fail { keep }),
    ]
}

/// A write that is fine without a lease.
fn free_write() -> impl Strategy<Value = WriteOp> {
    let document = || (select(&COLLECTIONS[..]), select(&KEYS[..]));
    let put = (document(), any::<u8>(), option::weighted(0.3, 0..3_u64)).prop_map(
        |((collection, key), value, expected)| WriteOp::Put { collection, key, value, expected },
    );
    let clean = (queue(), select(&JobState::ALL[..]), prop_oneof![Just(ms(0)), span()], 0..5_usize)
        .prop_map(|(queue, state, older_than, limit)| WriteOp::Clean {
            queue,
            state,
            older_than,
            limit,
        });
    prop_oneof![
        10 => job().prop_map(WriteOp::Enqueue),
        6 => published(),
        3 => put,
        1 => document().prop_map(|(collection, key)| WriteOp::Delete { collection, key }),
        4 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Retry(queue, id)),
        2 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Promote(queue, id)),
        2 => (queue(), id()).prop_map(|(queue, id)| WriteOp::Remove(queue, id)),
        2 => (queue(), proptest::bool::weighted(0.4)).prop_map(|(q, on)| WriteOp::Pause(q, on)),
        2 => clean,
        1 => queue().prop_map(WriteOp::Forget),
    ]
}

fn word() -> impl Strategy<Value = WriteOp> {
    prop_oneof![any::<u8>().prop_map(WriteOp::Progress), any::<u8>().prop_map(WriteOp::Log)]
}

fn commit() -> impl Strategy<Value = CommitOp> {
    let free = vec(free_write(), 0..4).prop_map(|writes| CommitOp { lease: None, writes });
    let words = vec(prop_oneof![word(), free_write()], 0..3);
    let after = vec(free_write(), 0..2);
    let handler = (0..6_usize, words, option::weighted(0.9, settlement()), after).prop_map(
        |(lease, mut writes, settlement, after)| {
            writes.extend(settlement.map(WriteOp::Settle));
            writes.extend(after);
            CommitOp { lease: Some(lease), writes }
        },
    );
    let any_write = prop_oneof![word(), settlement().prop_map(WriteOp::Settle), free_write()];
    let odd = (option::of(0..6_usize), vec(any_write, 0..4))
        .prop_map(|(lease, writes)| CommitOp { lease, writes });
    prop_oneof![6 => free, 6 => handler, 1 => odd]
}

fn op() -> impl Strategy<Value = Op> {
    let keep_events = prop_oneof![2 => Just(Keep::FOREVER), 1 => keep()];
    prop_oneof![
        8 => vec(commit(), 1..3).prop_map(Op::Commit),
        5 => (queue(), 0..4_usize, span())
            .prop_map(|(queue, max, lease)| Op::Claim { queue, max, lease }),
        1 => (vec(0..8_usize, 0..4), span()).prop_map(|(leases, lease)| Op::Renew { leases, lease }),
        3 => (1..4_usize, 1..4_u32, keep_events).prop_map(|(limit, max_crashes, keep_events)| {
            Op::Maintain { limit, max_crashes, keep_events }
        }),
        3 => span().prop_map(Op::Advance),
    ]
}

/// Sequences of up to `max` operations.
pub(super) fn sequences(max: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..=max)
}
