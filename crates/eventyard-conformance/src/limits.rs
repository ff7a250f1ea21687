//! Limits of queues and of their keys, over all workers.

use eventyard_core::{
    CommitError, JobState, Keep, QueueLimits, Rate, Settlement, Write, inspect::KeyStatus,
};

use crate::{
    Fixture,
    given::{
        delayed, event, failure, group, job, job_with, jobs, keyed, limit, ms, numbered, parent,
        prioritized, publish, put, queue_name, secs,
    },
    snapshot::Snapshot,
};

async fn limits(f: &Fixture, queue: &str) -> QueueLimits {
    let queues = f.inspect.queues().await.unwrap();
    QueueLimits::clone(&queues[&queue_name(queue)].limits)
}

/// No more jobs of a queue are active at once than its limit, whoever asks.
pub async fn concurrency_holds_over_all_workers(f: &Fixture) {
    f.write(limit("q", |limits| limits.concurrency = Some(3))).await;
    f.enqueue(numbered("q", 9)).await;
    let first = f.claim("q", 2).await;
    assert_eq!(f.claim_ids("q", 9).await, ["j0002"]);
    assert_eq!(f.claim("q", 9).await, []);
    f.complete(&first[0].lease, Keep::FOREVER).await;
    f.settle(&first[1].lease, Settlement::Retry { at: f.now(), failure: failure("no") }).await;
    assert_eq!(f.claim_ids("q", 9).await, ["j0003", "j0004"]);
    f.enqueue([job("other", "x")]).await;
    assert_eq!(f.claim_ids("other", 9).await, ["x"]);
}

/// No more jobs of a key are active at once than the limit for keys; jobs without a key are not limited by it.
pub async fn concurrency_of_a_key(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.concurrency = Some(2))).await;
    for id in ["a1", "a2", "a3", "b1"] {
        f.enqueue([keyed("q", id, &id[..1])]).await;
    }
    f.enqueue(jobs("q", ["x1", "x2", "x3"])).await;
    let leased = f.claim("q", 99).await;
    let ids: Vec<_> = leased.iter().map(|l| l.job.id.as_str()).collect();
    assert_eq!(ids, ["a1", "a2", "b1", "x1", "x2", "x3"]);
    assert_eq!(f.claim("q", 99).await, []);
    f.complete(&leased[1].lease, Keep::FOREVER).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a3"]);
}

/// A limit that is lowered below what runs stops nothing, and hands out nothing until enough has ended.
pub async fn a_lower_limit_waits_for_what_runs(f: &Fixture) {
    f.enqueue(numbered("q", 5)).await;
    let running = f.claim("q", 3).await;
    f.write(limit("q", |limits| limits.concurrency = Some(2))).await;
    f.complete(&running[0].lease, Keep::FOREVER).await;
    assert_eq!(f.claim("q", 9).await, []);
    f.complete(&running[1].lease, Keep::FOREVER).await;
    assert_eq!(f.claim_ids("q", 9).await, ["j0003"]);
}

/// Limits are shown, replaced as a whole, and gone when they are replaced by none.
pub async fn limits_are_replaced(f: &Fixture) {
    let set = |limits: &mut QueueLimits| {
        limits.concurrency = Some(1);
        limits.rate = Some(Rate::new(7, ms(1500)));
        limits.max_length = Some(9);
        limits.keys.concurrency = Some(3);
        limits.keys.rate = Some(Rate::per_second(5));
        limits.keys.ordered = true;
        limits.keys.weights = [(group("ü"), 7), (group("b"), 1000)].into();
    };
    let mut expected = QueueLimits::default();
    set(&mut expected);
    f.write(limit("q", set)).await;
    assert_eq!(limits(f, "q").await, expected);
    f.enqueue(jobs("q", ["a", "b", "c"])).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a"]);
    f.write(limit("q", |limits| limits.concurrency = Some(2))).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
    assert!(limits(f, "q").await.rate.is_none());
    f.write(limit("q", |_| {})).await;
    assert!(limits(f, "q").await.is_unlimited());
    assert_eq!(f.claim_ids("q", 9).await, ["c"]);
}

/// However many claim, no sliding second sees more jobs begin than the rate, and nearly as many do.
pub async fn a_rate_holds_in_every_second(f: &Fixture) {
    const SECONDS: usize = 6;
    f.write(limit("q", |limits| limits.rate = Some(Rate::per_second(100)))).await;
    f.enqueue(numbered("q", 1000)).await;
    let start = f.now();
    let mut begun = Vec::new();
    while f.now().since(start) < secs(SECONDS as u64) {
        for max in [1, 2, 3] {
            let leased = f.claim("q", max).await;
            begun.extend(leased.iter().map(|_| f.now().since(start)));
        }
        f.advance(ms(7));
    }
    for (n, first) in begun.iter().enumerate() {
        let inside = begun[n..].iter().take_while(|at| **at - *first < secs(1)).count();
        assert!(inside <= 100, "{inside} jobs begin within a second from {first:?}");
    }
    assert!(begun.len() >= SECONDS * 98, "{} jobs in {SECONDS} s", begun.len());
}

/// A rate of keys holds for each key by itself, and not for jobs without one.
pub async fn a_rate_of_keys_is_of_each(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.rate = Some(Rate::new(2, secs(64))))).await;
    for id in ["a1", "a2", "a3", "b1", "b2", "b3"] {
        f.enqueue([keyed("q", id, &id[..1])]).await;
    }
    f.enqueue(jobs("q", ["x1", "x2", "x3"])).await;
    let ids = f.claim_ids("q", 99).await;
    assert_eq!(ids, ["a1", "a2", "b1", "b2", "x1", "x2", "x3"]);
    f.advance(secs(64) - ms(1));
    assert_eq!(f.claim("q", 99).await, []);
    f.advance(secs(2));
    assert_eq!(f.claim_ids("q", 99).await, ["a3", "b3"]);
}

/// A key whose rate allows more again takes turns from then on: before a key that gets work later.
pub async fn a_key_takes_turns_from_when_its_rate_allows(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.rate = Some(Rate::per_second(1)))).await;
    f.enqueue([keyed("q", "b1", "b"), keyed("q", "b2", "b")]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b1"]);
    f.advance(secs(2));
    f.enqueue([keyed("q", "a1", "a")]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b2", "a1"]);
}

/// It is so too when nothing happened on its queue meanwhile, but on another one.
pub async fn a_key_takes_turns_whatever_happens_meanwhile(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.rate = Some(Rate::per_second(1)))).await;
    f.enqueue([keyed("q", "b1", "b"), keyed("q", "b2", "b")]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b1"]);
    let later = job_with("q", "a1", |options| {
        (options.key, options.delay) = (Some(group("a")), Some(secs(3)));
    });
    f.enqueue([later]).await;
    f.advance(secs(2));
    f.enqueue([job("other", "x")]).await;
    f.advance(secs(2));
    assert_eq!(f.claim_ids("q", 9).await, ["b2", "a1"]);
}

/// Keys whose rates are found to allow more at once take turns in the order of their names.
pub async fn keys_that_may_go_on_do_so_by_name(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.rate = Some(Rate::per_second(1)))).await;
    for key in ["b", "a"] {
        f.enqueue([1, 2].map(|n| keyed("q", &format!("{key}{n}"), key))).await;
        assert_eq!(f.claim_ids("q", 9).await, [format!("{key}1")]);
        f.advance(ms(100));
    }
    f.advance(secs(2));
    assert_eq!(f.claim_ids("q", 9).await, ["a2", "b2"]);
}

/// A job counts against the rate once it begins, however soon it ends, and counts again when it begins again.
pub async fn what_ended_counts_on(f: &Fixture) {
    f.write(limit("q", |limits| limits.rate = Some(Rate::per_second(2)))).await;
    f.enqueue(numbered("q", 3)).await;
    let first = f.claim_one("q").await;
    f.complete(&first.lease, Keep::NOTHING).await;
    let second = f.claim_one("q").await;
    f.settle(&second.lease, Settlement::Retry { at: f.now(), failure: failure("no") }).await;
    assert_eq!(f.claim("q", 9).await, []);
    f.advance(secs(2));
    assert_eq!(f.claim_ids("q", 9).await, ["j0002", "j0001"]);
    f.advance(ms(500));
    assert_eq!(f.claim("q", 9).await, []);
}

/// A rate that is replaced counts what began under the old one, to the new one's measure.
pub async fn a_new_rate_replaces_the_old_one(f: &Fixture) {
    let at_a_time = |per| limit("q", move |limits| limits.rate = Some(Rate::new(1, per)));
    f.write(at_a_time(ms(5))).await;
    f.enqueue(numbered("q", 4)).await;
    f.claim_one("q").await;
    f.write(at_a_time(secs(60))).await;
    f.advance(secs(62));
    assert_eq!(f.claim("q", 9).await.len(), 1, "a minute later");
    f.write(at_a_time(ms(100))).await;
    assert_eq!(f.claim("q", 9).await, []);
    // What began is known to a 64th of the longer period.
    f.advance(secs(1) + ms(100));
    assert_eq!(f.claim("q", 9).await.len(), 1, "not another minute later");
}

/// A full queue refuses a commit as a whole: nothing of it happens.
pub async fn a_full_queue_refuses(f: &Fixture) {
    f.write(limit("q", |limits| limits.max_length = Some(3))).await;
    f.enqueue(jobs("q", ["a", "b"])).await;
    let before = Snapshot::take(f).await;
    let full = CommitError::QueueFull { queue: queue_name("q"), limit: 3 };
    let writes = [
        put("k", "v", None),
        Write::Enqueue(job("other", "x")),
        publish(&event("e", "k"), &["other", "q"]),
        Write::Pause(queue_name("other"), true),
        Write::Enqueue(job("q", "c")),
    ];
    assert_eq!(f.refused(writes).await, full);
    Snapshot::take(f).await.assert_same(&before, "a commit that a full queue refuses");
    f.enqueue([job("q", "c")]).await;
    let error = f.refused([publish(&event("e", "k"), &["other", "q"])]).await;
    assert_eq!((error.code(), error), ("queue-full", full));
    assert_eq!(f.state("other", "e").await, None);
    f.enqueue([job("other", "y")]).await;
}

/// Jobs that wait count, with a priority, delayed or for children too; active and finished ones do not.
pub async fn what_waits_counts(f: &Fixture) {
    f.write(limit("q", |limits| limits.max_length = Some(4))).await;
    f.enqueue(jobs("q", ["active-one", "done"])).await;
    let leased = f.claim("q", 2).await;
    f.complete(&leased[1].lease, Keep::FOREVER).await;
    f.enqueue([job("q", "a"), prioritized("q", "b", 1), delayed("q", "c", secs(9))]).await;
    let child = crate::given::child_of(
        &crate::given::key("q", "d"),
        eventyard_core::OnChildFailure::Wait,
        job("other", "child"),
    );
    f.enqueue([parent("q", "d"), child]).await;
    assert_eq!(f.state("q", "d").await, Some(JobState::WaitingChildren));
    let full = CommitError::QueueFull { queue: queue_name("q"), limit: 4 };
    assert_eq!(f.refused([Write::Enqueue(job("q", "e"))]).await, full);
    f.commit([Write::Enqueue(job("q", "a"))]).await;
    f.settle(&leased[0].lease, Settlement::Release).await;
    f.write(Write::Retry(crate::given::key("q", "done"))).await;
    assert_eq!(f.counts("q").await.total(), 6, "what was accepted is not refused later");
    assert_eq!(f.refused([Write::Enqueue(job("q", "e"))]).await, full);
    f.write(limit("q", |limits| limits.max_length = Some(7))).await;
    f.enqueue([job("q", "e")]).await;
}

/// A limit holds from the write that sets it, and is undone with the commit that it refuses.
pub async fn a_limit_holds_within_its_commit(f: &Fixture) {
    let writes = || {
        let limit = limit("q", |limits| limits.max_length = Some(1));
        [limit, Write::Enqueue(job("q", "a")), Write::Enqueue(job("q", "b"))]
    };
    let before = Snapshot::take(f).await;
    let full = CommitError::QueueFull { queue: queue_name("q"), limit: 1 };
    assert_eq!(f.refused(writes()).await, full);
    Snapshot::take(f).await.assert_same(&before, "a commit that its own limit refuses");
    f.commit(writes().into_iter().take(2)).await;
    assert_eq!(f.keys(&queue_name("q")).await, [] as [KeyStatus; 0]);
}
