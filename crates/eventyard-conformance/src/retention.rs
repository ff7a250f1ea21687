//! How long finished jobs stay.

use eventyard_core::{Commit, JobState, Keep, Settlement, Upkeep, Write};

use crate::{
    Fixture,
    fixture::UPKEEP,
    given::{DAY, failure, job, jobs, key, ms, numbered, queue_name, secs},
};

async fn finish(f: &Fixture, queue: &str, ids: &[&str], settlement: impl Fn() -> Settlement) {
    f.enqueue(ids.iter().map(|id| job(queue, id))).await;
    for leased in f.claim(queue, ids.len()).await {
        f.settle(&leased.lease, settlement()).await;
    }
}

fn complete(keep: Keep) -> impl Fn() -> Settlement {
    move || Settlement::Complete { result: None, keep }
}

fn fail(keep: Keep) -> impl Fn() -> Settlement {
    move || Settlement::Fail { failure: failure("no"), keep }
}

/// Completed jobs stay for 24 hours or as the last 1000, whichever ends first.
pub async fn a_day_or_the_last_thousand(f: &Fixture) {
    let keep = Keep::count(1000).or_age(DAY);
    f.enqueue(numbered("q", 1003)).await;
    let leased = f.claim("q", 2000).await;
    assert_eq!(leased.len(), 1003);
    let settle = |l: &eventyard_core::Leased| {
        let settlement = Settlement::Complete { result: None, keep };
        Commit::under(l.lease.clone(), [Write::Settle(settlement)])
    };
    for batch in leased.chunks(100) {
        let answers = f.store.commit(batch.iter().map(settle).collect()).await.unwrap();
        assert!(answers.iter().all(Result::is_ok));
    }
    assert_eq!(f.counts("q").await.get(JobState::Completed), 1000);
    for gone in ["j0000", "j0001", "j0002"] {
        f.assert_gone(&key("q", gone)).await;
    }
    assert_eq!(f.state("q", "j0003").await, Some(JobState::Completed));
    f.advance(DAY - ms(1));
    assert_eq!(f.maintain(UPKEEP).await.expired, 0);
    f.advance(ms(1));
    assert_eq!(f.maintain(UPKEEP).await.expired, 1000);
    assert_eq!(f.counts("q").await.total(), 0);
}

/// Failed jobs stay for seven days.
pub async fn failed_jobs_stay_a_week(f: &Fixture) {
    finish(f, "q", &["a"], fail(Keep::age(DAY * 7))).await;
    f.advance(secs(1));
    finish(f, "q", &["b"], fail(Keep::age(DAY * 7))).await;
    f.pass(DAY * 7 - secs(1) - ms(1)).await;
    assert_eq!(f.listed("q", JobState::Failed).await, ["b", "a"]);
    f.pass(ms(1)).await;
    assert_eq!(f.listed("q", JobState::Failed).await, ["b"]);
    f.assert_gone(&key("q", "a")).await;
    f.pass(secs(1)).await;
    f.assert_gone(&key("q", "b")).await;
}

/// What is not to be kept vanishes with the settlement, with all that was known of it.
pub async fn removed_at_once(f: &Fixture) {
    for keep in [Keep::NOTHING, Keep::age(secs(0)), Keep::count(0).or_age(DAY)] {
        finish(f, "q", &["a"], complete(keep)).await;
        f.assert_gone(&key("q", "a")).await;
        finish(f, "q", &["a"], fail(keep)).await;
        f.assert_gone(&key("q", "a")).await;
    }
    assert_eq!(f.counts("q").await.total(), 0);
}

/// A count bounds one state of one queue; it counts every job there, however it is kept.
pub async fn a_count_bounds_one_list(f: &Fixture) {
    finish(f, "q", &["f1", "f2"], fail(Keep::FOREVER)).await;
    finish(f, "r", &["c1", "c2"], complete(Keep::FOREVER)).await;
    finish(f, "q", &["c1", "c2", "c3"], complete(Keep::FOREVER)).await;
    finish(f, "q", &["c4"], complete(Keep::count(2))).await;
    assert_eq!(f.listed("q", JobState::Completed).await, ["c4", "c3"]);
    assert_eq!(f.listed("q", JobState::Failed).await, ["f2", "f1"]);
    assert_eq!(f.listed("r", JobState::Completed).await, ["c2", "c1"]);
    finish(f, "q", &["c5"], complete(Keep::NOTHING)).await;
    assert_eq!(f.listed("q", JobState::Completed).await, ["c4", "c3"], "it is not there itself");
    finish(f, "q", &["f3"], fail(Keep::count(1))).await;
    assert_eq!(f.listed("q", JobState::Failed).await, ["f3"]);
}

/// The oldest by the order of finishing go, not by the order of being added.
pub async fn the_first_to_finish_goes_first(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c"])).await;
    let leased = f.claim("q", 3).await;
    for index in [2, 0, 1] {
        f.complete(&leased[index].lease, Keep::count(2)).await;
    }
    assert_eq!(f.listed("q", JobState::Completed).await, ["b", "a"]);
}

/// What is kept for good stays.
pub async fn forever_is_forever(f: &Fixture) {
    finish(f, "q", &["a"], complete(Keep::FOREVER)).await;
    finish(f, "q", &["b"], fail(Keep::FOREVER)).await;
    f.pass(DAY * 36_500).await;
    assert_eq!(f.counts("q").await.total(), 2);
}

/// One call removes no more than its limit, those that expired first, and says that there is more.
pub async fn expiry_is_bounded(f: &Fixture) {
    finish(f, "q", &["late"], complete(Keep::age(secs(9)))).await;
    finish(f, "q", &["a", "b", "c"], complete(Keep::age(secs(5)))).await;
    f.advance(secs(10));
    let upkeep = Upkeep { limit: 2, ..UPKEEP };
    let done = f.maintain(upkeep.clone()).await;
    assert_eq!((done.expired, done.more), (2, true));
    assert_eq!(f.listed("q", JobState::Completed).await, ["c", "late"]);
    let done = f.maintain(upkeep.clone()).await;
    assert_eq!((done.expired, done.more), (2, true));
    let done = f.maintain(upkeep).await;
    assert_eq!((done.expired, done.more), (0, false));
}

/// A job that runs again no longer expires; when it finishes again, it is kept as it is told then.
pub async fn running_again_ends_the_expiry(f: &Fixture) {
    finish(f, "q", &["a"], fail(Keep::age(secs(5)))).await;
    f.write(Write::Retry(key("q", "a"))).await;
    f.pass(secs(5)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Waiting));
    let lease = f.claim_one("q").await.lease;
    f.complete(&lease, Keep::age(secs(7))).await;
    f.pass(secs(7) - ms(1)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Completed));
    f.pass(ms(1)).await;
    assert_eq!(f.state("q", "a").await, None);
}

/// Jobs of a paused queue expire all the same.
pub async fn a_pause_does_not_stop_expiry(f: &Fixture) {
    finish(f, "q", &["a"], complete(Keep::age(secs(5)))).await;
    f.write(Write::Pause(queue_name("q"), true)).await;
    f.pass(secs(5)).await;
    assert_eq!(f.counts("q").await.total(), 0);
}
