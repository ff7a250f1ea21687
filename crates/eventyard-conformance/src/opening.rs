//! Claims that wait for a limit, a key or a flow, and what opens it.

use eventyard_core::{Keep, OnChildFailure, Rate, Settlement, Write};

use crate::{
    Fixture,
    given::{
        HOUR, cancel, child_of, failure, job, jobs, key, keyed, limit, ms, parent, pause_key, secs,
    },
    waking::{still_waits, woken, woken_with},
};

/// A rate that allows another job wakes a claim, without any other call.
pub async fn by_a_rate(f: &Fixture) {
    f.write(limit("q", |limits| limits.rate = Some(Rate::per_second(1)))).await;
    f.enqueue(jobs("q", ["a", "b"])).await;
    f.claim_one("q").await;
    let mut waiting = f.wait("q", HOUR);
    f.advance(ms(999));
    still_waits(&mut waiting);
    f.advance(ms(1000 / 64 + 1));
    woken_with(waiting, "b").await;
}

/// The rate of a key does the same.
pub async fn by_the_rate_of_a_key(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.rate = Some(Rate::per_second(1)))).await;
    f.enqueue([keyed("q", "a", "k"), keyed("q", "b", "k")]).await;
    f.claim_one("q").await;
    let mut waiting = f.wait("q", HOUR);
    f.advance(ms(999));
    still_waits(&mut waiting);
    f.advance(ms(1000 / 64 + 1));
    woken_with(waiting, "b").await;
}

/// An attempt that ends makes room for another: by a settlement, a cancellation or a takeover.
pub async fn by_room(f: &Fixture) {
    f.write(limit("q", |limits| limits.concurrency = Some(1))).await;
    f.enqueue(jobs("q", ["a", "b", "c", "d"])).await;
    let first = f.claim_one("q").await;
    let mut waiting = f.wait("q", HOUR);
    f.enqueue([job("q", "e")]).await;
    still_waits(&mut waiting);
    f.complete(&first.lease, Keep::FOREVER).await;
    woken_with(waiting, "b").await;
    let waiting = f.wait("q", HOUR);
    f.write(cancel("q", "b")).await;
    woken_with(waiting, "c").await;
    let waiting = f.wait("q", HOUR);
    f.pass(crate::fixture::LEASE).await;
    woken_with(waiting, "d").await;
}

/// Room for the jobs of a key does the same.
pub async fn by_room_for_a_key(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.concurrency = Some(1))).await;
    f.enqueue([keyed("q", "a", "k"), keyed("q", "b", "k")]).await;
    let first = f.claim_one("q").await;
    let waiting = f.wait("q", HOUR);
    f.complete(&first.lease, Keep::FOREVER).await;
    woken_with(waiting, "b").await;
}

/// Limits that are raised wake a claim.
pub async fn by_new_limits(f: &Fixture) {
    f.write(limit("q", |limits| limits.concurrency = Some(1))).await;
    f.enqueue(jobs("q", ["a", "b"])).await;
    f.claim_one("q").await;
    let waiting = f.wait("q", HOUR);
    f.write(limit("q", |limits| limits.concurrency = Some(2))).await;
    woken_with(waiting, "b").await;
}

/// A key that goes on after a pause wakes a claim.
pub async fn by_the_end_of_a_keys_pause(f: &Fixture) {
    f.write(pause_key("q", "k", true)).await;
    f.enqueue([keyed("q", "a", "k")]).await;
    let mut waiting = f.wait("q", HOUR);
    f.write(pause_key("q", "other", false)).await;
    still_waits(&mut waiting);
    f.write(pause_key("q", "k", false)).await;
    woken_with(waiting, "a").await;
}

/// An ordered key whose job has ended wakes a claim, and so does the time of one that holds it.
pub async fn by_an_ordered_key(f: &Fixture) {
    f.write(limit("q", |limits| limits.keys.ordered = true)).await;
    f.enqueue([keyed("q", "a", "k"), keyed("q", "b", "k")]).await;
    let first = f.claim_one("q").await;
    let mut waiting = f.wait("q", HOUR);
    let at = f.now() + secs(5);
    f.settle(&first.lease, Settlement::Retry { at, failure: failure("no") }).await;
    still_waits(&mut waiting);
    f.advance(secs(5));
    let again = woken(waiting).await;
    assert_eq!(again.job.id.as_str(), "a");
    let waiting = f.wait("q", HOUR);
    f.fail(&again.lease).await;
    woken_with(waiting, "b").await;
}

/// A parent whose last child has ended wakes a claim on its queue.
pub async fn by_a_released_parent(f: &Fixture) {
    let of = key("parents", "p");
    let child = |id| child_of(&of, OnChildFailure::Ignore, job("children", id));
    f.enqueue([parent("parents", "p"), child("a"), child("b")]).await;
    let mut waiting = f.wait("parents", HOUR);
    f.run("children", "a", "1").await;
    still_waits(&mut waiting);
    let last = f.claim_one("children").await;
    f.fail(&last.lease).await;
    woken_with(waiting, "p").await;
}

/// So does one whose last child is removed, and one that need not wait for it.
pub async fn by_a_parent_that_need_not_wait(f: &Fixture) {
    let child = |id, on_fail| child_of(&key("parents", id), on_fail, job("children", id));
    f.enqueue([parent("parents", "removed"), child("removed", OnChildFailure::Wait)]).await;
    let waiting = f.wait("parents", HOUR);
    f.write(Write::Remove(key("children", "removed"))).await;
    woken_with(waiting, "removed").await;
    f.enqueue([parent("parents", "ended"), child("ended", OnChildFailure::Continue)]).await;
    let waiting = f.wait("parents", HOUR);
    f.write(cancel("children", "ended")).await;
    woken_with(waiting, "ended").await;
}

/// A job that was kept until an active one ended wakes a claim.
pub async fn by_a_job_that_was_kept(f: &Fixture) {
    let keep_last =
        |id| crate::given::saying("q", id, "hello", |rule| rule.keep_last_if_active = true);
    f.enqueue([keep_last("a")]).await;
    let first = f.claim_one("q").await;
    let mut waiting = f.wait("q", HOUR);
    f.commit([Write::Enqueue(keep_last("b"))]).await;
    still_waits(&mut waiting);
    f.complete(&first.lease, Keep::FOREVER).await;
    woken_with(waiting, "b").await;
}

/// A child that expires lets its parent go on, without any other call.
pub async fn by_the_expiry_of_a_child(f: &Fixture) {
    let brief = crate::given::job_with("children", "a", |options| options.ttl = Some(ms(50)));
    let child = child_of(&key("parents", "p"), OnChildFailure::Ignore, brief);
    f.enqueue([parent("parents", "p"), child]).await;
    let waiting = f.wait("parents", HOUR);
    f.advance(ms(50));
    woken_with(waiting, "p").await;
}
