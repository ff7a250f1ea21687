//! Claims that wait, and what wakes them.

use eventyard_core::{Keep, Leased, Settlement, Write};
use futures_util::FutureExt;

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP, Waiting},
    given::{
        HOUR, delayed, event, failure, job, jobs, key, lifo, ms, prioritized, publish, queue_name,
        secs,
    },
};

/// The job that a claim is woken with.
pub(crate) async fn woken(waiting: Waiting) -> Leased {
    let mut leased = waiting.await.unwrap();
    assert_eq!(leased.len(), 1, "the claim is woken with a job");
    leased.remove(0)
}

/// Lets a claim look around that was perhaps woken, and makes sure that it goes on waiting.
pub(crate) fn still_waits(waiting: &mut Waiting) {
    let early = waiting.now_or_never();
    assert!(early.is_none(), "the claim waits on: {early:?}");
}

/// Makes sure which job a claim is woken with.
pub(crate) async fn woken_with(waiting: Waiting, id: &str) {
    assert_eq!(woken(waiting).await.job.id.as_str(), id);
}

/// A job that is added goes to a claim that waits.
pub async fn by_a_new_job(f: &Fixture) {
    for job in [job("q", "a"), lifo("q", "b"), prioritized("q", "c", 5)] {
        let waiting = f.wait("q", HOUR);
        let id = job.id.clone();
        f.enqueue([job]).await;
        woken_with(waiting, id.as_str()).await;
    }
}

/// An event that is published wakes claims on each queue that it is routed to.
pub async fn by_an_event(f: &Fixture) {
    let (one, two) = (f.wait("one", HOUR), f.wait("two", HOUR));
    f.write(publish(&event("e", "order.placed"), &["one", "two"])).await;
    woken_with(two, "e").await;
    woken_with(one, "e").await;
}

/// A delayed job wakes a claim when its time comes, without any other call.
pub async fn by_the_time_of_a_delayed_job(f: &Fixture) {
    f.enqueue([delayed("q", "a", secs(5)), delayed("q", "b", secs(60))]).await;
    let waiting = f.wait("q", HOUR);
    f.advance(secs(5));
    woken_with(waiting, "a").await;
    let waiting = f.wait("q", HOUR);
    f.advance(secs(55));
    let leased = woken(waiting).await;
    assert_eq!((leased.job.id.as_str(), leased.until), ("b", f.now() + LEASE));
}

/// A job that is delayed while a claim waits wakes it in its time, also when it is due before the others.
pub async fn by_a_job_delayed_meanwhile(f: &Fixture) {
    let mut waiting = f.wait("q", HOUR);
    f.enqueue([delayed("q", "late", secs(500))]).await;
    still_waits(&mut waiting);
    f.enqueue([delayed("q", "soon", secs(5))]).await;
    still_waits(&mut waiting);
    f.advance(secs(5));
    woken_with(waiting, "soon").await;
    assert_eq!(f.claim("q", 1).await, []);
}

/// Going on after a pause wakes a claim; a pause itself holds it back.
pub async fn by_the_end_of_a_pause(f: &Fixture) {
    f.write(Write::Pause(queue_name("q"), true)).await;
    let mut waiting = f.wait("q", HOUR);
    f.enqueue([job("q", "a"), delayed("q", "b", secs(1))]).await;
    still_waits(&mut waiting);
    f.advance(secs(1));
    still_waits(&mut waiting);
    assert_eq!(f.claim("q", 1).await, [], "paused");
    still_waits(&mut waiting);
    f.write(Write::Pause(queue_name("q"), false)).await;
    woken_with(waiting, "a").await;
    assert_eq!(f.claim_ids("q", 1).await, ["b"]);
}

/// A retry, a snooze, a release and a takeover wake claims.
pub async fn by_a_job_that_runs_again(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let mut lease = f.claim_one("q").await.lease;
    let settlements = [
        Settlement::Retry { at: f.now(), failure: failure("no") },
        Settlement::Snooze { at: f.now() },
        Settlement::Release,
    ];
    for settlement in settlements {
        let waiting = f.wait("q", HOUR);
        f.settle(&lease, settlement).await;
        lease = woken(waiting).await.lease;
    }
    let waiting = f.wait("q", HOUR);
    f.advance(LEASE);
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 1);
    assert_eq!(woken(waiting).await.lease.attempt, 3, "one retry, one crash");
}

/// A retry and a promotion by an operator wake claims.
pub async fn by_an_operator(f: &Fixture) {
    f.enqueue([delayed("q", "a", HOUR * 2)]).await;
    let waiting = f.wait("q", HOUR);
    f.write(Write::Promote(key("q", "a"))).await;
    let lease = woken(waiting).await.lease;
    f.complete(&lease, Keep::FOREVER).await;
    let waiting = f.wait("q", HOUR);
    f.write(Write::Retry(key("q", "a"))).await;
    woken_with(waiting, "a").await;
}

/// A claim that waited in vain returns nothing when its time is over.
pub async fn by_the_end_of_its_patience(f: &Fixture) {
    f.enqueue([delayed("q", "a", secs(9)), job("other", "b")]).await;
    let waiting = f.wait("q", secs(5));
    f.advance(secs(5));
    assert_eq!(waiting.await.unwrap(), []);
    let mut waiting = f.wait("q", secs(10));
    f.advance(secs(3));
    assert!(f.claim("q", 1).await.is_empty());
    still_waits(&mut waiting);
    f.advance(secs(1));
    woken_with(waiting, "a").await;
}

/// What happens on one queue does not hand out another queue's jobs, nor end the wait for them.
pub async fn by_its_own_queue_alone(f: &Fixture) {
    let mut waiting = f.wait("q", HOUR);
    f.enqueue([job("other", "x"), delayed("other", "y", secs(1))]).await;
    still_waits(&mut waiting);
    f.advance(secs(1));
    assert_eq!(f.claim_ids("other", 9).await, ["x", "y"]);
    still_waits(&mut waiting);
    f.enqueue([job("q", "a")]).await;
    woken_with(waiting, "a").await;
}

/// A delayed job wakes a claim of its queue although a call for another queue noticed the time first.
pub async fn by_a_promotion_on_the_way(f: &Fixture) {
    f.enqueue([delayed("q", "a", secs(5))]).await;
    let waiting = f.wait("q", HOUR);
    f.advance(secs(5));
    f.enqueue([job("other", "x")]).await;
    woken_with(waiting, "a").await;
}

/// A job goes to one claim alone; the others wait on.
pub async fn each_job_wakes_one_claim(f: &Fixture) {
    let mut waiting = vec![f.wait("q", HOUR), f.wait("q", HOUR), f.wait("q", HOUR)];
    let mut seen = Vec::new();
    for id in ["a", "b", "c"] {
        f.enqueue([job("q", id)]).await;
        let (leased, _, rest) = futures_util::future::select_all(waiting).await;
        seen.extend(leased.unwrap().into_iter().map(|l| l.job.id.to_string()));
        waiting = rest;
    }
    assert_eq!(seen, ["a", "b", "c"]);
}

/// Jobs that are added together go to all claims that wait.
pub async fn many_jobs_wake_many_claims(f: &Fixture) {
    let waiting = [f.wait("q", HOUR), f.wait("q", HOUR), f.wait("q", HOUR)];
    f.enqueue(jobs("q", ["a", "b", "c"])).await;
    let mut seen = Vec::new();
    for leased in futures_util::future::join_all(waiting).await {
        seen.extend(leased.unwrap().into_iter().map(|l| l.job.id.to_string()));
    }
    seen.sort();
    assert_eq!(seen, ["a", "b", "c"]);
}

/// A waiting claim whose future is dropped takes no job with it.
pub async fn a_dropped_claim_takes_nothing(f: &Fixture) {
    drop(f.wait("q", HOUR));
    let waiting = f.wait("q", HOUR);
    drop(f.wait("q", HOUR));
    f.enqueue(jobs("q", ["a", "b"])).await;
    let first = woken(waiting).await;
    let second = f.store.claim(f.ask("q", 1, HOUR)).await.unwrap().remove(0);
    let mut seen = [first, second].map(|l| (l.job.id.to_string(), l.lease.attempt));
    seen.sort();
    assert_eq!(seen, [("a".to_owned(), 1), ("b".to_owned(), 1)]);
}

/// Time that passes in small steps wakes a claim at the very step.
pub async fn at_the_very_millisecond(f: &Fixture) {
    f.enqueue([delayed("q", "a", ms(50))]).await;
    let mut waiting = f.wait("q", HOUR);
    for _ in 0..50 {
        assert_eq!(f.claim("other", 1).await, []);
        still_waits(&mut waiting);
        f.advance(ms(1));
    }
    let leased = woken(waiting).await;
    assert_eq!(leased.until, f.now() + LEASE);
}
