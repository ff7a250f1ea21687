//! Cancelling jobs, running ones too.

use eventyard_core::{
    Commit, CommitError, Effect, FailureKind, JobKey, JobState, Keep, Lease, OnChildFailure,
    Renewal, Settlement, Write,
};
use tokio::sync::broadcast::error::TryRecvError;

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{
        cancel, child_of, delayed, failure, impossible, job, job_with, jobs, key, parent,
        prioritized, put, secs,
    },
    snapshot::Snapshot,
};

fn stale(lease: &Lease) -> CommitError {
    CommitError::StaleLease { job: lease.job.clone(), attempt: lease.attempt }
}

async fn cancelled(f: &Fixture, job: &JobKey) {
    let status = f.inspect.job(job).await.unwrap().unwrap();
    assert_eq!((status.state, status.finished_at), (JobState::Failed, Some(f.now())), "{job}");
    let failure = status.failure.unwrap();
    assert_eq!((failure.kind, &*failure.message), (FailureKind::Cancelled, "not wanted any more"));
}

/// Every job that is not finished can be cancelled, and becomes a dead letter with the reason.
pub async fn whatever_is_not_finished(f: &Fixture) {
    f.enqueue(jobs("q", ["active-one", "completed-one", "failed-one"])).await;
    let leased = f.claim("q", 3).await;
    f.complete(&leased[1].lease, Keep::FOREVER).await;
    f.fail(&leased[2].lease).await;
    let child = child_of(&key("q", "parent"), OnChildFailure::Wait, job("other", "child"));
    f.enqueue([parent("q", "parent"), child]).await;
    f.enqueue([job("q", "waiting"), prioritized("q", "prioritized-one", 1)]).await;
    f.enqueue([delayed("q", "delayed-one", secs(60))]).await;
    f.advance(secs(1));
    for id in ["active-one", "waiting", "prioritized-one", "parent", "delayed-one"] {
        assert_eq!(f.write(cancel("q", id)).await, Effect::Done);
        cancelled(f, &key("q", id)).await;
    }
    for (id, expected) in [("completed-one", JobState::Completed), ("failed-one", JobState::Failed)]
    {
        let refused = f.refused([cancel("q", id)]).await;
        let CommitError::WrongState { state, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(state, expected);
    }
    let absent = key("q", "absent");
    assert_eq!(f.refused([cancel("q", "absent")]).await, CommitError::NoSuchJob(absent));
    f.pass(secs(60)).await;
    assert_eq!(f.claim("q", 9).await, []);
}

/// The lease of a running job ends at once: whatever its worker still says is refused, and it is told.
pub async fn a_running_job_loses_its_lease(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let [a, b] = [f.claim_one("q").await, f.claim_one("q").await];
    let mut told = f.store.cancellations();
    f.advance(secs(1));
    f.write(cancel("q", "a")).await;
    assert_eq!(told.recv().await.unwrap(), a.lease.token);
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    let late = Settlement::Complete { result: None, keep: Keep::FOREVER };
    assert_eq!(f.try_settle(&a.lease, late).await, Err(stale(&a.lease)));
    let write = Commit::under(a.lease.clone(), [put("k", "v", None)]);
    assert_eq!(f.try_commit(write).await, Err(stale(&a.lease)));
    let renewals = f.store.renew(vec![a.lease.clone(), b.lease], LEASE).await.unwrap();
    assert_eq!(renewals, [Renewal::Lost, Renewal::Until(f.now() + LEASE)]);
    assert_eq!(f.inspect.leased(a.lease.token).await.unwrap(), None);
    cancelled(f, &a.lease.job).await;
    f.pass(LEASE).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Failed), "it is not taken over");
}

/// A cancelled attempt is on record; a job that never began has none.
pub async fn the_attempt_is_on_record(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let began = f.now();
    f.claim_one("q").await;
    f.advance(secs(1));
    f.commit([cancel("q", "a"), cancel("q", "b")]).await;
    let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.attempt, record.started_at, record.ended_at), (1, began, f.now()));
    assert_eq!(record.failure.kind, FailureKind::Cancelled);
    assert_eq!(f.status("q", "a").await.job.attempts_made, 1);
    assert_eq!(f.inspect.attempts(&key("q", "b")).await.unwrap(), []);
    assert_eq!(f.status("q", "b").await.job.attempts_made, 0);
}

/// Nobody is told of jobs that were not active, nor of a commit that was refused.
pub async fn nobody_else_is_told(f: &Fixture) {
    f.enqueue([job("q", "a"), job("q", "b"), delayed("q", "c", secs(5))]).await;
    let leased = f.claim_one("q").await;
    let mut told = f.store.cancellations();
    f.commit([cancel("q", "b"), cancel("q", "c")]).await;
    let before = Snapshot::take(f).await;
    f.refused([cancel("q", "a"), impossible()]).await;
    Snapshot::take(f).await.assert_same(&before, "a refused cancellation");
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    f.complete(&leased.lease, Keep::FOREVER).await;
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
}

/// A cancelled job is kept as its options say.
pub async fn kept_by_its_options(f: &Fixture) {
    let with = |id, keep| job_with("q", id, |options| options.remove_on_fail = Some(keep));
    f.enqueue([with("gone", Keep::NOTHING), with("brief", Keep::age(secs(1)))]).await;
    let mut told = f.store.cancellations();
    let leased = f.claim_one("q").await;
    f.commit([cancel("q", "gone"), cancel("q", "brief")]).await;
    f.assert_gone(&key("q", "gone")).await;
    assert_eq!(told.try_recv(), Ok(leased.lease.token));
    assert_eq!(f.try_settle(&leased.lease, Settlement::Release).await, Err(stale(&leased.lease)));
    f.advance(secs(1));
    assert_eq!(f.maintain(UPKEEP).await.expired, 1);
}

/// A cancelled job that is retried runs under a lease of its own.
pub async fn a_cancelled_job_can_be_retried(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let first = f.claim_one("q").await;
    f.write(cancel("q", "a")).await;
    f.write(Write::Retry(key("q", "a"))).await;
    let second = f.claim_one("q").await;
    assert_eq!(second.lease.attempt, 1);
    let retry = Settlement::Retry { at: f.now(), failure: failure("no") };
    assert_eq!(f.try_settle(&first.lease, retry).await, Err(stale(&first.lease)));
    f.complete(&second.lease, Keep::FOREVER).await;
}

/// A handler does not cancel its own job: it settles it. Such a commit is malformed, and the lease holds on.
pub async fn a_handler_does_not_cancel_its_own_job(f: &Fixture) {
    let gone = job_with("q", "a", |options| options.remove_on_fail = Some(Keep::NOTHING));
    f.enqueue([gone, job("q", "b")]).await;
    let leased = f.claim_one("q").await;
    let before = Snapshot::take(f).await;
    let own = || cancel("q", "a");
    let settle = || Write::Settle(Settlement::Complete { result: None, keep: Keep::FOREVER });
    let commits = [
        vec![put("k", "v", None), own()],
        vec![own(), settle()],
        vec![settle(), own()],
        vec![own(), Write::Progress("1".into())],
    ];
    for writes in commits {
        let answer = f.try_commit(Commit::under(leased.lease.clone(), writes)).await;
        assert!(matches!(answer, Err(CommitError::Malformed(_))), "{answer:?}");
        Snapshot::take(f).await.assert_same(&before, "a commit that cancels its own job");
    }
    f.write_under(&leased.lease, [cancel("q", "b"), settle()]).await;
    cancelled(f, &key("q", "b")).await;
}
