//! What the scenarios do through the port of the store.

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Clock, Commit, CommitError, Deduplication, Effect, Failure, FailureKind, GroupKey,
    JobId, JobKey, JobOptions, Keep, Lease, ManualClock, NewJob, OnChildFailure, Parent, Payload,
    QueueLimits, QueueName, Receipt, Renewal, Settlement, Timestamp, Upkeep, WorkerId, Write,
};
use redis::{AsyncCommands as _, aio::MultiplexedConnection};

use super::now;
use crate::{
    node::eventually,
    server::RedisServer,
    store::{self, Sides},
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// The queue of most scenarios.
pub(super) const Q: &str = "q";
/// The queue of children.
pub(super) const C: &str = "c";

/// A store, and the steps that are taken on it.
pub(super) struct Hands {
    sides: Sides,
    clock: Arc<ManualClock>,
    redis: MultiplexedConnection,
}

impl Hands {
    /// A newly opened store.
    pub(super) async fn new(server: &RedisServer, redis: &MultiplexedConnection) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(now())));
        let sides = store::open(server, clock.clone()).await;
        Self { sides, clock, redis: redis.clone() }
    }

    pub(super) async fn close(self) {
        self.sides.store.close().await;
    }

    /// Lets time pass.
    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn try_commit(&self, commit: Commit) -> Result<Receipt, CommitError> {
        self.sides.store.commit(vec![commit]).await.unwrap().remove(0)
    }

    /// Applies one write that depends on no lease.
    pub(super) async fn write(&self, write: Write) -> Effect {
        let receipt = self.try_commit(Commit::of([write.clone()])).await;
        receipt.unwrap_or_else(|error| panic!("{write:?}: {error}")).remove(0)
    }

    /// Applies writes in a job's name.
    pub(super) async fn under(&self, lease: &Lease, writes: impl IntoIterator<Item = Write>) {
        let receipt = self.try_commit(Commit::under(lease.clone(), writes)).await;
        receipt.unwrap_or_else(|error| panic!("{lease:?}: {error}"));
    }

    pub(super) async fn add(&self, id: &str, set: impl FnOnce(&mut JobOptions)) {
        self.write(Write::Enqueue(job(Q, id, set))).await;
    }

    /// Adds a parent and its children, or a whole tree, in one commit.
    pub(super) async fn add_all(&self, jobs: impl IntoIterator<Item = NewJob>) {
        let receipt = self.try_commit(Commit::of(jobs.into_iter().map(Write::Enqueue))).await;
        receipt.unwrap();
    }

    /// Takes the next job of a queue.
    pub(super) async fn take_for(&self, queue: &str, lease_for: Duration) -> Lease {
        let claim = Claim {
            queue: name(queue),
            max: 1,
            lease_for,
            worker: WorkerId::new("w").unwrap(),
            wait: Duration::ZERO,
        };
        let mut leased = self.sides.store.claim(claim).await.unwrap();
        assert_eq!(leased.len(), 1, "there is a job to take on {queue}");
        leased.remove(0).lease
    }

    pub(super) async fn take(&self) -> Lease {
        self.take_for(Q, MINUTE).await
    }

    pub(super) async fn complete(&self, lease: &Lease, result: Option<&'static str>, keep: Keep) {
        let result = result.map(Into::into);
        self.under(lease, [Write::Settle(Settlement::Complete { result, keep })]).await;
    }

    /// Takes the next job of a queue and completes it.
    pub(super) async fn run(&self, queue: &str, result: &'static str) {
        let lease = self.take_for(queue, MINUTE).await;
        self.complete(&lease, Some(result), Keep::FOREVER).await;
    }

    pub(super) async fn retry(&self, lease: &Lease, wait: Duration) {
        let settlement = Settlement::Retry { at: self.now() + wait, failure: failure() };
        self.under(lease, [Write::Settle(settlement)]).await;
    }

    pub(super) async fn fail(&self, lease: &Lease, keep: Keep) {
        self.under(lease, [Write::Settle(Settlement::Fail { failure: failure(), keep })]).await;
    }

    /// Takes the next job of a queue and fails it for good.
    pub(super) async fn bury(&self, queue: &str) {
        let lease = self.take_for(queue, MINUTE).await;
        self.fail(&lease, Keep::FOREVER).await;
    }

    pub(super) async fn renew(&self, lease: Lease, lease_for: Duration) {
        let renewals = self.sides.store.renew(vec![lease], lease_for).await.unwrap();
        assert!(matches!(renewals[..], [Renewal::Until(_)]), "{renewals:?}");
    }

    /// Waits until Redis has forgotten the lock of a job, and makes the store notice.
    pub(super) async fn takeover(&self, lease: &Lease, lease_for: Duration) {
        let lock = format!("bull:{}:{}:lock", lease.job.queue, lease.job.id);
        let mut redis = self.redis.clone();
        eventually("the end of a lock", async || {
            let there: bool = redis.exists(&lock).await.unwrap();
            (!there).then_some(())
        })
        .await;
        self.advance(lease_for + Duration::from_millis(1));
        let upkeep = Upkeep { limit: 100, max_crashes: 3, keep_events: Keep::FOREVER };
        self.sides.store.maintain(upkeep).await.unwrap();
    }

    pub(super) async fn pause(&self, paused: bool) {
        self.write(Write::Pause(name(Q), paused)).await;
    }

    pub(super) async fn limit(&self, limits: QueueLimits) {
        self.write(Write::Limit(name(Q), limits)).await;
    }
}

/// A job as the scenarios name it.
pub(super) fn job(queue: &str, id: &str, set: impl FnOnce(&mut JobOptions)) -> NewJob {
    let mut options = JobOptions::default();
    set(&mut options);
    NewJob {
        queue: name(queue),
        id: JobId::new(id).unwrap(),
        name: "test.job".into(),
        payload: Payload::Data(format!("{{\"job\":\"{id}\"}}").into()),
        options: Arc::new(options),
        awaits_children: false,
    }
}

pub(super) fn awaiting(job: NewJob) -> NewJob {
    NewJob { awaits_children: true, ..job }
}

/// A job that `parent` waits for.
pub(super) fn child_of(parent: JobKey, on_fail: OnChildFailure, mut job: NewJob) -> NewJob {
    let JobKey { queue, id } = parent;
    Arc::make_mut(&mut job.options).parent = Some(Parent { queue, id, on_fail });
    job
}

pub(super) fn key(queue: &str, id: &str) -> JobKey {
    JobKey { queue: name(queue), id: JobId::new(id).unwrap() }
}

pub(super) fn name(queue: &str) -> QueueName {
    QueueName::new(queue).unwrap()
}

/// What makes a job say the same as the others that have it.
pub(super) fn same(set: impl FnOnce(&mut Deduplication)) -> Option<Deduplication> {
    let mut same = Deduplication {
        id: GroupKey::new("same").unwrap(),
        ttl: None,
        extend: false,
        replace: false,
        keep_last_if_active: false,
    };
    set(&mut same);
    Some(same)
}

fn failure() -> Failure {
    Failure::new(FailureKind::Error, "no").with_stack("Error: no\n    at a place")
}
