//! Listings and counts.

use eventyard_core::{JobState, Keep, PageAsk, Settlement, StoreErrorKind, Write};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{delayed, failure, job, jobs, key, numbered, prioritized, queue_name, secs},
    snapshot::Snapshot,
};

fn fail() -> Settlement {
    Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER }
}

/// Counts, listings and single jobs tell the same story at every step of the jobs' lives.
pub async fn counts_and_listings_agree(f: &Fixture) {
    let check = async |expected: &[(JobState, u64)]| {
        Snapshot::take(f).await;
        let counts = f.counts("q").await;
        let some: Vec<_> = counts.iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(some, expected);
    };
    use JobState::{Active, Completed, Delayed, Failed, Paused, Prioritized, Waiting};
    f.enqueue([job("q", "a"), job("q", "b"), job("other", "a")]).await;
    f.enqueue([prioritized("q", "p", 1), delayed("q", "d", secs(5))]).await;
    check(&[(Waiting, 2), (Prioritized, 1), (Delayed, 1)]).await;
    let lease = f.claim_one("q").await.lease;
    check(&[(Waiting, 1), (Prioritized, 1), (Delayed, 1), (Active, 1)]).await;
    f.write(Write::Pause(queue_name("q"), true)).await;
    check(&[(Prioritized, 1), (Delayed, 1), (Active, 1), (Paused, 1)]).await;
    f.settle(&lease, Settlement::Retry { at: f.now() + secs(9), failure: failure("no") }).await;
    check(&[(Prioritized, 1), (Delayed, 2), (Paused, 1)]).await;
    f.pass(secs(5)).await;
    check(&[(Prioritized, 1), (Delayed, 1), (Paused, 2)]).await;
    f.write(Write::Pause(queue_name("q"), false)).await;
    check(&[(Waiting, 2), (Prioritized, 1), (Delayed, 1)]).await;
    let leased = f.claim("q", 9).await;
    check(&[(Delayed, 1), (Active, 3)]).await;
    f.complete(&leased[0].lease, Keep::FOREVER).await;
    f.settle(&leased[1].lease, fail()).await;
    check(&[(Delayed, 1), (Active, 1), (Completed, 1), (Failed, 1)]).await;
    f.pass(LEASE).await;
    check(&[(Waiting, 1), (Prioritized, 1), (Completed, 1), (Failed, 1)]).await;
    f.commit([Write::Retry(leased[0].job.key()), Write::Remove(leased[1].job.key())]).await;
    check(&[(Waiting, 2), (Prioritized, 1)]).await;
    for leased in f.claim("q", 9).await {
        f.complete(&leased.lease, Keep::NOTHING).await;
    }
    check(&[]).await;
}

/// Each state is listed in its own order: by place, by time, by claim, and finished jobs newest first.
pub async fn each_state_has_its_order(f: &Fixture) {
    use JobState::{Active, Completed, Delayed, Failed, Prioritized, Waiting};
    f.enqueue(jobs("q", ["w1", "w2"])).await;
    f.enqueue([crate::given::lifo("q", "w0")]).await;
    f.enqueue([prioritized("q", "p2", 2), prioritized("q", "p1", 1), prioritized("q", "p3", 2)])
        .await;
    f.enqueue([("d2", 9), ("d1", 5), ("d3", 9)].map(|(id, n)| delayed("q", id, secs(n)))).await;
    assert_eq!(f.listed("q", Waiting).await, ["w0", "w1", "w2"]);
    assert_eq!(f.listed("q", Prioritized).await, ["p1", "p2", "p3"]);
    assert_eq!(f.listed("q", Delayed).await, ["d1", "d2", "d3"]);
    let leased = f.claim("q", 9).await;
    let order = ["w0", "w1", "w2", "p1", "p2", "p3"];
    assert_eq!(f.listed("q", Active).await, order);
    f.store.renew(vec![leased[0].lease.clone()], secs(1)).await.unwrap();
    assert_eq!(f.listed("q", Active).await, order, "a renewal changes no order");
    for index in [2, 0, 4, 3, 1, 5] {
        if index < 3 {
            f.complete(&leased[index].lease, Keep::FOREVER).await;
        } else {
            f.settle(&leased[index].lease, fail()).await;
        }
    }
    assert_eq!(f.listed("q", Completed).await, ["w1", "w0", "w2"]);
    assert_eq!(f.listed("q", Failed).await, ["p3", "p1", "p2"]);
    assert_eq!(f.listed("q", JobState::WaitingChildren).await, [""; 0]);
    assert_eq!(f.listed("unknown", Waiting).await, [""; 0]);
}

/// The finished jobs of all queues are listed together, the newest first.
pub async fn all_queues_are_listed_together(f: &Fixture) {
    for (queue, id) in [("b", "1"), ("a", "2"), ("c", "3"), ("a", "4"), ("b", "5")] {
        f.enqueue([job(queue, id)]).await;
        let lease = f.claim_one(queue).await.lease;
        f.settle(&lease, fail()).await;
    }
    f.enqueue([job("a", "6")]).await;
    let lease = f.claim_one("a").await.lease;
    f.complete(&lease, Keep::FOREVER).await;
    let walked = f.walk(None, JobState::Failed).await;
    let keys: Vec<_> = walked.iter().map(|status| status.job.key().to_string()).collect();
    assert_eq!(keys, ["b/5", "a/4", "c/3", "a/2", "b/1"]);
    let walked = f.walk(None, JobState::Completed).await;
    assert_eq!(walked.len(), 1);
    f.enqueue([job("b", "7"), job("c", "8")]).await;
    let mut waiting: Vec<_> =
        f.walk(None, JobState::Waiting).await.iter().map(|s| s.job.key().to_string()).collect();
    waiting.sort();
    assert_eq!(waiting, ["b/7", "c/8"]);
}

/// A cursor stays good while jobs before, at and after it come and go.
pub async fn cursors_survive_changes(f: &Fixture) {
    f.enqueue(numbered("q", 10)).await;
    let queue = queue_name("q");
    let page = async |state, cursor: &Option<String>| {
        let ask = PageAsk { limit: 3, cursor: cursor.clone() };
        let page = f.inspect.jobs(Some(&queue), state, ask).await.unwrap();
        let ids: Vec<_> = page.items.iter().map(|s| s.job.id.to_string()).collect();
        (ids, page.next)
    };
    let (ids, next) = page(JobState::Waiting, &None).await;
    assert_eq!(ids, ["j0000", "j0001", "j0002"]);
    f.commit(["j0000", "j0002", "j0003"].map(|id| Write::Remove(key("q", id)))).await;
    f.enqueue([crate::given::lifo("q", "first"), job("q", "last")]).await;
    let (ids, next) = page(JobState::Waiting, &next).await;
    assert_eq!(ids, ["j0004", "j0005", "j0006"]);
    let (ids, next) = page(JobState::Waiting, &next).await;
    assert_eq!(ids, ["j0007", "j0008", "j0009"]);
    let (ids, next) = page(JobState::Waiting, &next).await;
    assert_eq!((ids, next), (vec!["last".to_owned()], None));

    for leased in f.claim("q", 99).await {
        f.complete(&leased.lease, Keep::FOREVER).await;
    }
    let (ids, next) = page(JobState::Completed, &None).await;
    assert_eq!(ids, ["last", "j0009", "j0008"]);
    f.enqueue([job("q", "new")]).await;
    let lease = f.claim_one("q").await.lease;
    f.complete(&lease, Keep::FOREVER).await;
    f.commit([Write::Remove(key("q", "j0008")), Write::Retry(key("q", "j0007"))]).await;
    let (ids, _) = page(JobState::Completed, &next).await;
    assert_eq!(ids, ["j0006", "j0005", "j0004"]);
}

/// The last page has no next, also when it is full; limits are held within their bounds.
pub async fn the_last_page_is_the_last(f: &Fixture) {
    f.enqueue(numbered("q", 4)).await;
    let queue = queue_name("q");
    let page = async |limit, cursor| {
        let ask = PageAsk { limit, cursor };
        f.inspect.jobs(Some(&queue), JobState::Waiting, ask).await.unwrap()
    };
    let first = page(2, None).await;
    assert_eq!(first.items.len(), 2);
    let second = page(2, first.next).await;
    assert_eq!((second.items.len(), second.next), (2, None));
    assert_eq!(page(0, None).await.items.len(), 1);
    let all = page(usize::MAX, None).await;
    assert_eq!((all.items.len(), all.next), (4, None));

    f.enqueue((0..1000).map(|n| job("q", &format!("more{n}")))).await;
    let most = page(usize::MAX, None).await;
    assert_eq!(most.items.len(), 1000);
    assert_eq!(page(9, most.next).await.items.len(), 4);
}

/// A text that is no cursor of the listing is refused, and the error says so.
pub async fn a_wrong_cursor_is_refused(f: &Fixture) {
    f.enqueue(numbered("q", 4)).await;
    for cursor in ["", "no cursor", "0", "\u{1f980}"] {
        for queue in [None, Some(&queue_name("q"))] {
            let ask = PageAsk { limit: 2, cursor: Some(cursor.to_owned()) };
            let error = f.inspect.jobs(queue, JobState::Failed, ask).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{cursor:?}");
            assert!(error.to_string().contains("cursor"), "{error}");
        }
    }
}

/// Jobs that are taken over, expired or cleaned leave no trace in counts and listings.
pub async fn upkeep_and_counts_agree(f: &Fixture) {
    f.enqueue(numbered("q", 12)).await;
    let leased = f.claim("q", 9).await;
    for (n, l) in leased.iter().enumerate().take(6) {
        let keep = if n % 2 == 0 { Keep::age(secs(1)) } else { Keep::FOREVER };
        f.complete(&l.lease, keep).await;
    }
    f.advance(LEASE);
    let done = f.maintain(UPKEEP).await;
    assert_eq!((done.taken_over, done.expired), (3, 3));
    Snapshot::take(f).await;
    let (queue, state) = (queue_name("q"), JobState::Waiting);
    f.write(Write::Clean { queue, state, older_than: secs(0), limit: 4 }).await;
    Snapshot::take(f).await;
    let counts = f.counts("q").await;
    assert_eq!((counts.get(JobState::Waiting), counts.get(JobState::Completed)), (2, 3));
}
