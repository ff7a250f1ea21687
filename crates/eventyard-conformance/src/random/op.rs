//! Random operations.

use std::time::Duration;

use eventyard_core::Keep;
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, prop_oneof},
};

use super::{
    flavour::flavour,
    job::{batch, flow, own_child},
    name::{keep, queue, span},
    write::{WriteOp, free_write, settlement, word},
};

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

/// Sequences of up to `max` operations. Half of them know no keys and limits, half no flows, and so on; if not
/// `with_keys`, none knows keys.
pub(super) fn sequences(max: usize, with_keys: bool) -> impl Strategy<Value = Vec<Op>> {
    (flavour(with_keys), vec(op(), 1..=max))
        .prop_map(|(flavour, ops)| ops.into_iter().map(|op| flavour.plain(op)).collect())
}

fn op() -> impl Strategy<Value = Op> {
    let keep_events = prop_oneof![2 => Just(Keep::FOREVER), 1 => keep()];
    prop_oneof![
        8 => vec(commit(), 1..3).prop_map(Op::Commit),
        5 => (queue(), prop_oneof![8 => 0..5_usize, 1 => 16..40_usize], span())
            .prop_map(|(queue, max, lease)| Op::Claim { queue, max, lease }),
        1 => (vec(0..8_usize, 0..4), span()).prop_map(|(leases, lease)| Op::Renew { leases, lease }),
        3 => (1..4_usize, 1..4_u32, keep_events).prop_map(|(limit, max_crashes, keep_events)| {
            Op::Maintain { limit, max_crashes, keep_events }
        }),
        3 => span().prop_map(Op::Advance),
    ]
}

fn commit() -> BoxedStrategy<CommitOp> {
    let free = vec(free_write(), 0..4).prop_map(|writes| CommitOp { lease: None, writes });
    let together = prop_oneof![flow().boxed(), batch().boxed()].prop_map(|jobs| {
        let writes = jobs.into_iter().map(WriteOp::Enqueue).collect();
        CommitOp { lease: None, writes }
    });
    let any_write = prop_oneof![word(), settlement().prop_map(WriteOp::Settle), free_write()];
    let odd = (option::of(0..6_usize), vec(any_write, 0..4))
        .prop_map(|(lease, writes)| CommitOp { lease, writes });
    prop_oneof![6 => free, 3 => together, 6 => handler(), 1 => odd].boxed()
}

/// What a handler leaves behind: words, writes, children and a settlement.
fn handler() -> impl Strategy<Value = CommitOp> {
    let child = || own_child().prop_map(WriteOp::Enqueue);
    let words = vec(prop_oneof![3 => word(), 3 => free_write(), 1 => child()], 0..3);
    let after = vec(free_write(), 0..2);
    (0..6_usize, words, option::weighted(0.9, settlement()), after).prop_map(
        |(lease, mut writes, settlement, after)| {
            writes.extend(settlement.map(WriteOp::Settle));
            writes.extend(after);
            CommitOp { lease: Some(lease), writes }
        },
    )
}
