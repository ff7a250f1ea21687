//! Ordered keys: one job at a time, strictly in order.

use eventyard_core::{JobState, Keep, Settlement, Write};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{cancel, failure, job, jobs, key, keyed, limit, ms, secs},
};

/// A queue with ordered keys: `a1`, `a2` of the key `a`, `b1`, `b2` of `b`.
async fn two_keys(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.ordered = true)).await;
    for id in ["a1", "a2", "b1", "b2"] {
        f.enqueue([keyed("q", id, &id[..1])]).await;
    }
}

/// One job of a key at a time, over all workers; the next begins when it has ended.
pub async fn one_at_a_time(f: &Fixture) {
    two_keys(f).await;
    let leased = f.claim("q", 9).await;
    let ids: Vec<_> = leased.iter().map(|l| l.job.id.as_str()).collect();
    assert_eq!(ids, ["a1", "b1"]);
    assert_eq!(f.claim("q", 9).await, []);
    f.complete(&leased[0].lease, Keep::FOREVER).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a2"]);
    f.fail(&leased[1].lease).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b2"]);
}

/// Jobs without a key are not ordered.
pub async fn not_without_a_key(f: &Fixture) {
    two_keys(f).await;
    f.enqueue(jobs("q", ["x1", "x2"])).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a1", "b1", "x1", "x2"]);
}

/// A job that waits for its next attempt holds its key, and is the next of it.
pub async fn a_retry_holds_its_key(f: &Fixture) {
    two_keys(f).await;
    let leased = f.claim_one("q").await;
    let at = f.now() + secs(5);
    f.settle(&leased.lease, Settlement::Retry { at, failure: failure("no") }).await;
    assert_eq!(f.state("q", "a1").await, Some(JobState::Delayed));
    assert_eq!(f.claim_ids("q", 9).await, ["b1"], "the other key goes on");
    f.advance(secs(5) - ms(1));
    assert_eq!(f.claim("q", 9).await, []);
    f.advance(ms(1));
    let leased = f.claim_one("q").await;
    assert_eq!((leased.job.id.as_str(), leased.lease.attempt), ("a1", 2));
    f.settle(&leased.lease, Settlement::Snooze { at: f.now() + secs(1) }).await;
    assert_eq!(f.claim("q", 9).await, [], "a snooze holds it too");
    f.advance(secs(1));
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.id.as_str(), "a1");
    f.settle(&leased.lease, Settlement::Retry { at: f.now(), failure: failure("no") }).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a1"], "at once, and before the others");
}

/// A job that is taken over from a silent worker keeps its place.
pub async fn a_takeover_keeps_its_place(f: &Fixture) {
    two_keys(f).await;
    f.claim("q", 9).await;
    f.advance(LEASE);
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 2);
    let mut ids = f.claim_ids("q", 9).await;
    ids.sort();
    assert_eq!(ids, ["a1", "b1"]);
}

/// A job that was delayed when it was added holds nothing back.
pub async fn a_delayed_job_holds_nothing(f: &Fixture) {
    two_keys(f).await;
    let mut late = keyed("q", "a3", "a");
    std::sync::Arc::make_mut(&mut late.options).delay = Some(secs(5));
    f.enqueue([late]).await;
    for id in ["a1", "b1", "a2", "b2"] {
        let leased = f.claim_one("q").await;
        assert_eq!(leased.job.id.as_str(), id);
        f.complete(&leased.lease, Keep::FOREVER).await;
    }
    f.advance(secs(5));
    assert_eq!(f.claim_ids("q", 9).await, ["a3"]);
}

/// A job that holds its key and is removed, cancelled or promoted lets the key go on.
pub async fn an_operator_frees_a_key(f: &Fixture) {
    two_keys(f).await;
    for leased in f.claim("q", 9).await {
        let at = f.now() + secs(500);
        f.settle(&leased.lease, Settlement::Retry { at, failure: failure("no") }).await;
    }
    assert_eq!(f.claim("q", 9).await, []);
    f.write(Write::Remove(key("q", "a1"))).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a2"]);
    f.write(Write::Promote(key("q", "b1"))).await;
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.id.as_str(), "b1");
    let at = f.now() + secs(500);
    f.settle(&leased.lease, Settlement::Retry { at, failure: failure("no") }).await;
    f.write(cancel("q", "b1")).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b2"]);
}

/// An order that is given up lets all run; one that is set waits for what runs.
pub async fn an_order_comes_and_goes(f: &Fixture) {
    two_keys(f).await;
    let leased = f.claim_one("q").await;
    let at = f.now() + secs(500);
    f.settle(&leased.lease, Settlement::Retry { at, failure: failure("no") }).await;
    f.write(limit("q", |_| {})).await;
    f.enqueue([job("q", "x")]).await;
    let leased = f.claim("q", 9).await;
    assert_eq!(leased.len(), 4, "a2, b1, b2 and x: {leased:?}");
    f.write(limit("q", |limits| limits.keys.ordered = true)).await;
    f.enqueue([keyed("q", "b3", "b")]).await;
    assert_eq!(f.claim("q", 9).await, []);
    for leased in leased.iter().filter(|l| l.job.id.as_str().starts_with('b')) {
        assert_eq!(f.claim("q", 9).await, []);
        f.complete(&leased.lease, Keep::FOREVER).await;
    }
    assert_eq!(f.claim_ids("q", 9).await, ["b3"]);
}

/// A job that holds its key goes on holding it at a new time, and has a new priority when that has come.
pub async fn changes_to_a_job_that_holds(f: &Fixture) {
    two_keys(f).await;
    let leased = f.claim_one("q").await;
    let at = f.now() + secs(5);
    f.settle(&leased.lease, Settlement::Retry { at, failure: failure("no") }).await;
    f.write(Write::Reschedule { job: key("q", "a1"), at: f.now() + secs(20) }).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b1"]);
    f.advance(secs(19));
    assert_eq!(f.claim("q", 9).await, []);
    f.write(Write::Reprioritize { job: key("q", "a1"), priority: 3 }).await;
    f.pass(secs(1)).await;
    assert_eq!(f.state("q", "a1").await, Some(JobState::Prioritized));
    assert_eq!(f.claim_ids("q", 9).await, ["a2"]);
}
