//! Which job runs next.

use eventyard_core::{Settlement, Write};

use crate::{
    Fixture,
    given::{failure, job, job_with, jobs, key, lifo, numbered, prioritized, queue_name, secs},
};

/// Jobs run in the order in which they were added, within a commit and from commit to commit.
pub async fn first_in_first_out(f: &Fixture) {
    f.enqueue(jobs("q", ["c", "a"])).await;
    f.enqueue(jobs("q", ["b"])).await;
    f.enqueue(numbered("q", 30)).await;
    let expected: Vec<_> = ["c", "a", "b"]
        .map(str::to_owned)
        .into_iter()
        .chain((0..30).map(|n| format!("j{n:04}")))
        .collect();
    let mut order = f.claim_ids("q", 1).await;
    order.extend(f.claim_ids("q", 2).await);
    order.extend(f.claim_ids("q", 100).await);
    assert_eq!(order, expected);
}

/// A claim hands out no more than it was asked for, and nothing when asked for nothing.
pub async fn a_claim_takes_at_most_what_it_asks_for(f: &Fixture) {
    f.enqueue(numbered("q", 5)).await;
    assert_eq!(f.claim("q", 0).await, []);
    assert_eq!(f.claim("q", 3).await.len(), 3);
    assert_eq!(f.claim("q", 3).await.len(), 2);
    assert_eq!(f.claim("q", 3).await.len(), 0);
    assert_eq!(f.claim("other", 3).await.len(), 0);
}

/// Priority 0 runs first, then 1, and so on; within one priority the first in.
pub async fn lower_priorities_run_first(f: &Fixture) {
    f.enqueue([
        prioritized("q", "2a", 2),
        prioritized("q", "max", (1 << 21) - 1),
        prioritized("q", "1a", 1),
        job("q", "0a"),
        prioritized("q", "2b", 2),
        prioritized("q", "10", 10),
        prioritized("q", "0b", 0),
        prioritized("q", "1b", 1),
    ])
    .await;
    let order = f.claim_ids("q", 9).await;
    assert_eq!(order, ["0a", "0b", "1a", "1b", "2a", "2b", "10", "max"]);
}

/// A LIFO job runs before the jobs of its priority that wait already, the last in first.
pub async fn last_in_first_out(f: &Fixture) {
    let with = |id, priority| {
        job_with("q", id, |options| {
            options.lifo = Some(true);
            options.priority = Some(priority);
        })
    };
    f.enqueue([job("q", "a"), lifo("q", "b"), job("q", "c"), lifo("q", "d")]).await;
    f.enqueue([prioritized("q", "p", 1), with("r", 1), with("s", 2)]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["d", "b", "a", "c", "r", "p", "s"]);
}

/// A released job goes back to the very place it had.
pub async fn a_release_goes_back_to_its_place(f: &Fixture) {
    f.enqueue([lifo("q", "l"), job("q", "a"), job("q", "b"), prioritized("q", "p", 3)]).await;
    let leased = f.claim("q", 9).await;
    f.enqueue([job("q", "c"), prioritized("q", "r", 3)]).await;
    for index in [2, 3, 0, 1] {
        f.settle(&leased[index].lease, Settlement::Release).await;
    }
    f.enqueue([lifo("q", "m")]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["m", "l", "a", "b", "c", "p", "r"]);
}

/// A place outlives several releases, a renewal of the claim, and a pause.
pub async fn a_place_is_kept_over_releases(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c"])).await;
    for _ in 0..3 {
        let leased = f.claim("q", 2).await;
        f.store.renew(vec![leased[1].lease.clone()], secs(99)).await.unwrap();
        for l in leased {
            f.settle(&l.lease, Settlement::Release).await;
        }
        f.write(Write::Pause(queue_name("q"), true)).await;
        f.write(Write::Pause(queue_name("q"), false)).await;
    }
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b", "c"]);
}

/// What runs again goes behind those that wait: after a retry, a snooze, and an operator's retry.
pub async fn what_runs_again_goes_to_the_back(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b", "c", "d"])).await;
    let [a, b, c]: [_; 3] = f.claim("q", 3).await.try_into().unwrap();
    let at = f.now();
    f.settle(&c.lease, Settlement::Snooze { at }).await;
    f.settle(&a.lease, Settlement::Retry { at, failure: failure("no") }).await;
    let keep = eventyard_core::Keep::FOREVER;
    f.settle(&b.lease, Settlement::Fail { failure: failure("no"), keep }).await;
    f.write(Write::Retry(key("q", "b"))).await;
    assert_eq!(f.claim_ids("q", 9).await, ["d", "c", "a", "b"]);
}

/// A LIFO job that runs again goes before those that wait.
pub async fn lifo_holds_when_a_job_runs_again(f: &Fixture) {
    f.enqueue([lifo("q", "l"), lifo("q", "m"), job("q", "a")]).await;
    let leased = f.claim("q", 2).await;
    let at = f.now() - secs(5);
    for (l, id) in leased.iter().zip(["m", "l"]) {
        assert_eq!(l.job.id.as_str(), id);
        f.settle(&l.lease, Settlement::Retry { at, failure: failure("no") }).await;
    }
    assert_eq!(f.claim_ids("q", 9).await, ["l", "m", "a"]);
}
