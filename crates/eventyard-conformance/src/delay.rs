//! Jobs that run later.

use eventyard_core::{JobState, Keep, Settlement, Write};

use crate::{
    Fixture,
    fixture::UPKEEP,
    given::{delayed, failure, job, job_with, key, ms, secs},
};

/// A delayed job runs at its time, to the millisecond.
pub async fn not_before_its_time(f: &Fixture) {
    f.enqueue([delayed("q", "a", ms(1500))]).await;
    let status = f.status("q", "a").await;
    assert_eq!(status.state, JobState::Delayed);
    assert_eq!(status.due_at, Some(f.now() + ms(1500)));
    assert_eq!(f.claim_ids("q", 1).await, [""; 0]);
    f.advance(ms(1499));
    assert_eq!(f.claim_ids("q", 1).await, [""; 0]);
    f.advance(ms(1));
    assert_eq!(f.claim_ids("q", 1).await, ["a"]);
    assert_eq!(f.status("q", "a").await.due_at, None);
}

/// `runAt` names the instant; one that is over runs at once.
pub async fn run_at_is_an_instant(f: &Fixture) {
    let at = |id, at| job_with("q", id, |options| options.run_at = Some(at));
    f.enqueue([at("later", f.now() + secs(9)), at("past", f.now() - secs(9)), at("now", f.now())])
        .await;
    assert_eq!(f.state("q", "past").await, Some(JobState::Waiting));
    assert_eq!(f.claim_ids("q", 9).await, ["past", "now"]);
    f.advance(secs(9));
    assert_eq!(f.claim_ids("q", 9).await, ["later"]);
}

/// Jobs whose time has come run by their time, of one time by the order in which they were delayed,
/// however late anybody looks.
pub async fn the_earliest_runs_first(f: &Fixture) {
    f.enqueue([
        delayed("q", "c", secs(3)),
        delayed("q", "b2", secs(2)),
        delayed("q", "a", secs(1)),
        delayed("q", "b1", secs(2)),
    ])
    .await;
    assert_eq!(f.listed("q", JobState::Delayed).await, ["a", "b2", "b1", "c"]);
    f.advance(secs(100));
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b2", "b1", "c"]);
}

/// A job whose time has come goes behind those that wait, and before those that are added later.
pub async fn its_place_is_the_one_of_its_time(f: &Fixture) {
    f.enqueue([delayed("q", "d", secs(1)), job("q", "before")]).await;
    f.advance(secs(1));
    f.enqueue([job("q", "after")]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["before", "d", "after"]);
}

/// A delayed job keeps its priority and its being LIFO.
pub async fn options_hold_when_the_time_comes(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let with = |id, lifo, priority| {
        job_with("q", id, |options| {
            options.delay = Some(secs(1));
            options.lifo = Some(lifo);
            options.priority = Some(priority);
        })
    };
    f.enqueue([with("p", false, 4), with("l1", true, 0), with("l2", true, 0), with("b", false, 0)])
        .await;
    f.advance(secs(1));
    f.maintain(UPKEEP).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::Prioritized));
    assert_eq!(f.state("q", "b").await, Some(JobState::Waiting));
    assert_eq!(f.claim_ids("q", 9).await, ["l2", "l1", "a", "b", "p"]);
}

/// Commits, claims and upkeep all notice that a job's time has come, on every queue.
pub async fn every_operation_notices_the_time(f: &Fixture) {
    for (round, id) in ["a", "b", "c"].into_iter().enumerate() {
        f.enqueue([delayed("q", id, secs(1))]).await;
        f.advance(secs(1));
        match round {
            0 => f.enqueue([job("other", "x")]).await,
            1 => drop(f.claim("other", 1).await),
            _ => drop(f.maintain(UPKEEP).await),
        }
        assert_eq!(f.state("q", id).await, Some(JobState::Waiting), "{id}");
    }
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b", "c"]);
}

/// A retry or a snooze until later delays the job; until now or before, it waits at once.
pub async fn what_runs_again_later_is_delayed(f: &Fixture) {
    f.enqueue(["a", "b", "c", "d"].map(|id| job("q", id))).await;
    let leased = f.claim("q", 4).await;
    let failure = failure("no");
    let (now, later) = (f.now(), f.now() + secs(5));
    f.settle(&leased[0].lease, Settlement::Retry { at: later, failure: failure.clone() }).await;
    f.settle(&leased[1].lease, Settlement::Snooze { at: later - ms(1) }).await;
    f.settle(&leased[2].lease, Settlement::Retry { at: now, failure }).await;
    f.settle(&leased[3].lease, Settlement::Snooze { at: now - secs(1) }).await;
    assert_eq!(f.listed("q", JobState::Delayed).await, ["b", "a"]);
    assert_eq!(f.status("q", "a").await.due_at, Some(later));
    assert_eq!(f.status("q", "a").await.leased_until, None);
    assert_eq!(f.claim_ids("q", 9).await, ["c", "d"]);
    f.advance(secs(5) - ms(1));
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
    f.advance(ms(1));
    let leased = f.claim_one("q").await;
    assert_eq!((leased.job.id.as_str(), leased.lease.attempt), ("a", 2));
}

/// A job whose time has come cannot be promoted: it waits already.
pub async fn the_time_comes_before_the_write(f: &Fixture) {
    f.enqueue([delayed("q", "a", secs(1)), delayed("q", "b", secs(2))]).await;
    f.advance(secs(1));
    let error = f.refused([Write::Promote(key("q", "a"))]).await;
    assert_eq!(error.code(), "wrong-state");
    f.write(Write::Promote(key("q", "b"))).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b"]);
}

/// A delay outlives upkeep and the end of other jobs.
pub async fn a_long_delay_holds(f: &Fixture) {
    f.enqueue([delayed("q", "late", crate::given::DAY * 400), job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    f.complete(&lease, Keep::age(secs(1))).await;
    f.pass(crate::given::DAY * 399).await;
    assert_eq!(f.claim_ids("q", 9).await, [""; 0]);
    f.advance(crate::given::DAY);
    assert_eq!(f.claim_ids("q", 9).await, ["late"]);
}
