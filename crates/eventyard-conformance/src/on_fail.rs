//! What becomes of a parent when a child fails for good.

use eventyard_core::{
    Failure, FailureKind, JobState, Keep, NewJob, OnChildFailure, Settlement, Write,
    inspect::ChildOutcome,
};

use crate::{
    Fixture,
    given::{cancel, child_of, failure, job, key, parent},
};

/// A parent `q/p` with the children `parts/a`, `parts/b` and `parts/c`.
async fn family(f: &Fixture, on_fail: OnChildFailure) {
    let child = |id| child_of(&key("q", "p"), on_fail, job("parts", id));
    f.enqueue([parent("q", "p"), child("a"), child("b"), child("c")]).await;
}

async fn fail_next(f: &Fixture, id: &str) {
    let leased = f.claim_one("parts").await;
    assert_eq!(leased.job.id.as_str(), id);
    f.fail(&leased.lease).await;
}

/// How the parent's children ended, in one word each.
async fn outcomes(f: &Fixture) -> Vec<&'static str> {
    let children = f.children(&key("q", "p")).await;
    let word = |outcome| match outcome {
        ChildOutcome::Pending => "pending",
        ChildOutcome::Completed(_) => "completed",
        ChildOutcome::Failed(_) => "failed",
        ChildOutcome::Removed => "removed",
    };
    children.into_iter().map(|child| word(child.outcome)).collect()
}

/// With `wait` a parent goes on waiting; a retry of the child that succeeds releases it.
pub async fn wait_is_for_a_retry(f: &Fixture) {
    family(f, OnChildFailure::Wait).await;
    fail_next(f, "a").await;
    f.run("parts", "b", "2").await;
    f.run("parts", "c", "3").await;
    assert_eq!(outcomes(f).await, ["pending", "completed", "completed"]);
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
    f.write(Write::Retry(key("parts", "a"))).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
    f.run("parts", "a", "1").await;
    f.run("q", "p", "6").await;
}

/// With `wait`, the removal of the failed child releases the parent too.
pub async fn wait_ends_with_a_removal(f: &Fixture) {
    family(f, OnChildFailure::Wait).await;
    f.run("parts", "a", "1").await;
    f.run("parts", "b", "2").await;
    fail_next(f, "c").await;
    f.write(Write::Remove(key("parts", "c"))).await;
    assert_eq!(outcomes(f).await, ["completed", "completed", "removed"]);
    f.run("q", "p", "3").await;
}

/// An attempt that fails is not the end of a child.
pub async fn an_attempt_is_not_the_end(f: &Fixture) {
    family(f, OnChildFailure::Fail).await;
    let leased = f.claim_one("parts").await;
    f.settle(&leased.lease, Settlement::Retry { at: f.now(), failure: failure("no") }).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
    assert_eq!(outcomes(f).await, ["pending"; 3]);
}

/// With `fail` a parent fails at once, and its own parent by its own rule; the other children run on.
pub async fn fail_goes_up(f: &Fixture) {
    let child = |of: &str, id| child_of(&key("q", of), OnChildFailure::Fail, job("parts", id));
    let middle = child_of(&key("q", "top"), OnChildFailure::Fail, parent("q", "p"));
    f.enqueue([parent("q", "top"), middle, child("p", "a"), child("p", "b")]).await;
    fail_next(f, "a").await;
    for id in ["p", "top"] {
        let status = f.status("q", id).await;
        assert_eq!((status.state, status.finished_at), (JobState::Failed, Some(f.now())));
        let failure = status.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Child);
        assert_eq!((status.job.attempts_made, status.started_at), (0, None), "it never began");
    }
    let message = f.status("q", "p").await.failure.unwrap().message;
    assert!(message.contains("parts/a") && message.contains("for good"), "{message}");
    assert_eq!(outcomes(f).await, ["failed", "pending"]);
    f.run("parts", "b", "2").await;
    assert_eq!(outcomes(f).await, ["failed", "completed"]);
    assert_eq!(f.state("q", "p").await, Some(JobState::Failed));
}

/// A parent that fails is kept by its own options.
pub async fn a_failed_parent_is_kept_by_its_options(f: &Fixture) {
    let mut top = parent("q", "p");
    std::sync::Arc::make_mut(&mut top.options).remove_on_fail = Some(Keep::NOTHING);
    f.enqueue([top, child_of(&key("q", "p"), OnChildFailure::Fail, job("parts", "a"))]).await;
    fail_next(f, "a").await;
    f.assert_gone(&key("q", "p")).await;
}

/// With `continue` a parent runs at once, whatever its other children do; it sees the failure.
pub async fn continue_does_not_wait(f: &Fixture) {
    family(f, OnChildFailure::Continue).await;
    fail_next(f, "a").await;
    assert_eq!(outcomes(f).await, ["failed", "pending", "pending"]);
    let children = f.children(&key("q", "p")).await;
    assert_eq!(children[0].outcome, ChildOutcome::Failed(failure("for good")));
    f.run("q", "p", "1").await;
    f.run("parts", "b", "2").await;
    assert_eq!(outcomes(f).await, ["failed", "completed", "pending"]);
    fail_next(f, "c").await;
    assert_eq!(f.state("q", "p").await, Some(JobState::Completed), "it runs once");
    assert_eq!(f.claim("q", 1).await, []);
}

/// With `ignore` a parent waits for the other children only.
pub async fn ignore_waits_for_the_others(f: &Fixture) {
    family(f, OnChildFailure::Ignore).await;
    fail_next(f, "a").await;
    f.run("parts", "b", "2").await;
    assert_eq!(f.claim("q", 1).await, []);
    fail_next(f, "c").await;
    assert_eq!(outcomes(f).await, ["failed", "completed", "failed"]);
    f.run("q", "p", "1").await;
}

/// A child that was given up and is retried is known by its new end.
pub async fn a_second_end_is_noted(f: &Fixture) {
    family(f, OnChildFailure::Ignore).await;
    fail_next(f, "a").await;
    f.write(Write::Retry(key("parts", "a"))).await;
    f.run("parts", "b", "2").await;
    f.run("parts", "c", "3").await;
    f.run("q", "p", "5").await;
    f.run("parts", "a", "1").await;
    assert_eq!(outcomes(f).await, ["completed"; 3]);
}

/// A crash that buries a child, a cancellation and an expiry are failures for good.
pub async fn every_failure_counts(f: &Fixture) {
    let child = |id: &str, job: NewJob| child_of(&key("q", id), OnChildFailure::Ignore, job);
    let short = crate::given::job_with("parts", "c", |options| {
        options.ttl = Some(crate::given::ms(5));
    });
    f.enqueue([parent("q", "pa"), child("pa", job("parts", "a"))]).await;
    f.enqueue([parent("q", "pb"), child("pb", job("parts", "b"))]).await;
    f.claim_one("parts").await;
    f.write(cancel("parts", "b")).await;
    f.run("q", "pb", "1").await;
    f.enqueue([parent("q", "px"), child("px", short)]).await;
    f.pass(crate::given::ms(5)).await;
    f.run("q", "px", "1").await;
    f.advance(crate::fixture::LEASE - crate::given::ms(5));
    let upkeep = eventyard_core::Upkeep { max_crashes: 1, ..crate::fixture::UPKEEP };
    assert_eq!(f.maintain(upkeep).await.buried, 1);
    f.run("q", "pa", "1").await;
    let mut kinds = Vec::new();
    for id in ["pa", "pb", "px"] {
        let children = f.children(&key("q", id)).await;
        let [ChildOutcome::Failed(Failure { kind, .. })] = [children[0].outcome.clone()] else {
            panic!("{children:?}")
        };
        kinds.push(kind);
    }
    assert_eq!(kinds, [FailureKind::Crash, FailureKind::Cancelled, FailureKind::Expired]);
}
