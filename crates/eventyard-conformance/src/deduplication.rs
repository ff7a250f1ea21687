//! Deduplication: jobs that say the same.

use eventyard_core::{Deduplication, Effect, Enqueued, JobState, Keep, NewJob, Settlement, Write};

use crate::{
    Fixture,
    given::{cancel, delayed, failure, impossible, job, key, ms, saying, secs},
};

/// A job that says `hello`.
fn hello(id: &str, set: impl FnOnce(&mut Deduplication)) -> NewJob {
    saying("q", id, "hello", set)
}

fn simple(id: &str) -> NewJob {
    hello(id, |_| {})
}

/// A job that says `hello`, for 100 ms.
fn window(id: &str) -> NewJob {
    hello(id, |rule| rule.ttl = Some(ms(100)))
}

fn late(mut job: NewJob, delay_ms: u64) -> NewJob {
    std::sync::Arc::make_mut(&mut job.options).delay = Some(ms(delay_ms));
    job
}

/// Adds a job that is dropped; makes sure which one stands for it.
async fn dropped(f: &Fixture, job: NewJob, by: &str) {
    let (queue, id) = (job.queue.clone(), job.id.clone());
    let effect = f.write(Write::Enqueue(job)).await;
    let expected = Enqueued { queue, id: key("q", by).id, duplicate: true };
    assert_eq!(effect, Effect::Enqueued(expected), "{id} is dropped");
    if id.as_str() != by {
        assert_eq!(f.state("q", id.as_str()).await, None);
    }
}

/// While a job is not finished, others that say the same are dropped, and told whom they mean.
pub async fn while_it_is_not_finished(f: &Fixture) {
    f.enqueue([late(simple("a"), 50)]).await;
    dropped(f, simple("b"), "a").await;
    f.pass(ms(50)).await;
    dropped(f, simple("b"), "a").await;
    let leased = f.claim_one("q").await;
    dropped(f, simple("b"), "a").await;
    let retry = Settlement::Retry { at: f.now() + ms(50), failure: failure("no") };
    f.settle(&leased.lease, retry).await;
    dropped(f, simple("b"), "a").await;
    f.pass(ms(50)).await;
    let leased = f.claim_one("q").await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    f.enqueue([simple("b")]).await;
    dropped(f, simple("c"), "b").await;
}

/// However the job ends, the next that says the same is added.
pub async fn until_it_ends_in_any_way(f: &Fixture) {
    f.enqueue([simple("failed-one")]).await;
    let leased = f.claim_one("q").await;
    f.fail(&leased.lease).await;
    f.enqueue([simple("removed")]).await;
    f.write(Write::Remove(key("q", "removed"))).await;
    f.enqueue([simple("cancelled")]).await;
    f.write(cancel("q", "cancelled")).await;
    f.enqueue([simple("done")]).await;
    let leased = f.claim_one("q").await;
    f.complete(&leased.lease, Keep::NOTHING).await;
    f.enqueue([simple("last")]).await;
}

/// Other words, other queues and jobs that say nothing are not dropped.
pub async fn only_the_same_is_dropped(f: &Fixture) {
    f.enqueue([simple("a"), job("q", "b"), saying("q", "c", "Hello", |_| {})]).await;
    f.enqueue([saying("other", "d", "hello", |_| {})]).await;
    f.commit([Write::Enqueue(simple("a")), Write::Enqueue(simple("e"))]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a", "b", "c"]);
}

/// With a time, others are dropped for exactly that long, whatever becomes of the job.
pub async fn for_a_time(f: &Fixture) {
    f.enqueue([window("a")]).await;
    let leased = f.claim_one("q").await;
    f.complete(&leased.lease, Keep::NOTHING).await;
    f.advance(ms(99));
    dropped(f, window("b"), "a").await;
    f.advance(ms(1));
    f.enqueue([window("b")]).await;
    f.advance(ms(99));
    dropped(f, window("c"), "b").await;
    f.advance(ms(1));
    f.enqueue([window("c")]).await;
    assert_eq!(f.listed("q", JobState::Waiting).await, ["b", "c"], "b has not ended");
}

/// The upkeep forgets a window when it is over, not sooner.
pub async fn upkeep_keeps_what_holds(f: &Fixture) {
    f.enqueue([window("a")]).await;
    f.write(Write::Remove(key("q", "a"))).await;
    f.pass(ms(99)).await;
    dropped(f, window("b"), "a").await;
    f.pass(ms(1)).await;
    f.enqueue([window("b")]).await;
}

/// With `extend`, each that is dropped begins the time anew.
pub async fn for_a_time_that_is_extended(f: &Fixture) {
    let extend = |id| hello(id, |rule| (rule.ttl, rule.extend) = (Some(ms(100)), true));
    f.enqueue([extend("a")]).await;
    for _ in 0..3 {
        f.advance(ms(99));
        dropped(f, extend("b"), "a").await;
    }
    f.advance(ms(100));
    f.enqueue([extend("b")]).await;
}

/// With `replace`, the last one takes the place of one that is delayed; of one that waits it does not.
pub async fn the_last_one_runs(f: &Fixture) {
    let replace = |id, delay| late(hello(id, |rule| rule.replace = true), delay);
    f.enqueue([replace("a", 100)]).await;
    f.advance(ms(60));
    f.enqueue([replace("b", 100)]).await;
    f.assert_gone(&key("q", "a")).await;
    f.advance(ms(60));
    f.enqueue([replace("c", 100)]).await;
    f.pass(ms(99)).await;
    assert_eq!(f.claim("q", 9).await, []);
    f.pass(ms(1)).await;
    dropped(f, replace("d", 100), "c").await;
    assert_eq!(f.claim_ids("q", 9).await, ["c"]);
}

/// A time goes on when its job is replaced, and begins anew with `extend`.
pub async fn replacing_within_a_time(f: &Fixture) {
    let rule = |id, extend| {
        let rule = hello(id, |rule| {
            (rule.ttl, rule.extend, rule.replace) = (Some(ms(100)), extend, true);
        });
        late(rule, 1000)
    };
    f.enqueue([rule("a", false)]).await;
    f.advance(ms(60));
    f.enqueue([rule("b", false)]).await;
    f.assert_gone(&key("q", "a")).await;
    f.advance(ms(39));
    dropped(f, window("x"), "b").await;
    f.advance(ms(1));
    f.enqueue([window("x")]).await;
    f.write(Write::Remove(key("q", "x"))).await;
    f.advance(ms(100));

    f.enqueue([rule("c", true)]).await;
    f.advance(ms(60));
    f.enqueue([rule("d", true)]).await;
    f.assert_gone(&key("q", "c")).await;
    f.advance(ms(99));
    dropped(f, window("y"), "d").await;
    f.advance(ms(1));
    f.enqueue([window("y")]).await;
}

/// With `keepLastIfActive`, the last that came while the job was active is added when it ends.
pub async fn the_last_is_kept_while_one_runs(f: &Fixture) {
    let keep_last = |id| hello(id, |rule| rule.keep_last_if_active = true);
    f.enqueue([keep_last("a")]).await;
    dropped(f, keep_last("early"), "a").await;
    let leased = f.claim_one("q").await;
    dropped(f, keep_last("b"), "a").await;
    dropped(f, late(keep_last("c"), 50), "a").await;
    assert_eq!(f.counts("q").await.total(), 1);
    f.advance(ms(10));
    f.complete(&leased.lease, Keep::FOREVER).await;
    let added = f.status("q", "c").await;
    assert_eq!((added.state, added.job.created_at), (JobState::Delayed, f.now()));
    assert_eq!(added.due_at, Some(f.now() + ms(50)), "its delay begins when it is added");
    assert_eq!(f.state("q", "b").await, None);
    dropped(f, keep_last("d"), "c").await;
    f.pass(ms(50)).await;
    let leased = f.claim_one("q").await;
    dropped(f, keep_last("d"), "c").await;
    f.fail(&leased.lease).await;
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.id.as_str(), "d", "after a failure too");
    f.complete(&leased.lease, Keep::FOREVER).await;
    assert_eq!(f.claim("q", 9).await, []);
}

/// What was kept is not added while the attempts of the active job go on.
pub async fn what_is_kept_waits_for_the_end(f: &Fixture) {
    let keep_last = |id| hello(id, |rule| rule.keep_last_if_active = true);
    f.enqueue([keep_last("a")]).await;
    let leased = f.claim_one("q").await;
    dropped(f, keep_last("b"), "a").await;
    f.settle(&leased.lease, Settlement::Retry { at: f.now(), failure: failure("no") }).await;
    assert_eq!(f.state("q", "b").await, None);
    f.write(cancel("q", "a")).await;
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
}

/// A refused commit begins no time and keeps no job.
pub async fn a_refused_commit_says_nothing(f: &Fixture) {
    f.refused([Write::Enqueue(window("a")), impossible()]).await;
    f.enqueue([hello("b", |rule| rule.keep_last_if_active = true)]).await;
    let leased = f.claim_one("q").await;
    let kept = hello("c", |rule| rule.keep_last_if_active = true);
    f.refused([Write::Enqueue(kept), impossible()]).await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    assert_eq!(f.claim("q", 9).await, []);
    let replacing = late(hello("e", |rule| rule.replace = true), 100);
    f.enqueue([late(simple("d"), 100)]).await;
    f.refused([Write::Enqueue(replacing), impossible()]).await;
    assert_eq!(f.listed("q", JobState::Delayed).await, ["d"]);
    dropped(f, simple("e"), "d").await;
}

/// A job that comes back under its old id begins its time anew.
pub async fn an_id_that_comes_back_begins_anew(f: &Fixture) {
    f.enqueue([window("a")]).await;
    f.write(Write::Remove(key("q", "a"))).await;
    f.advance(ms(100));
    f.enqueue([window("a")]).await;
    f.advance(ms(99));
    dropped(f, window("b"), "a").await;
}

/// A job that was kept does not take the place of one that got its id meanwhile.
pub async fn a_kept_job_whose_id_is_taken_is_dropped(f: &Fixture) {
    f.enqueue([hello("a", |rule| rule.keep_last_if_active = true)]).await;
    let leased = f.claim_one("q").await;
    dropped(f, hello("b", |rule| rule.keep_last_if_active = true), "a").await;
    f.enqueue([delayed("q", "b", secs(5))]).await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    crate::snapshot::Snapshot::take(f).await;
    assert_eq!(f.state("q", "b").await, Some(JobState::Delayed));
    assert_eq!(f.claim("q", 9).await, []);
}

/// A queue that is forgotten forgets what was said; one whose forgetting was refused does not.
pub async fn forgetting_a_queue(f: &Fixture) {
    f.enqueue([window("a")]).await;
    f.write(Write::Remove(key("q", "a"))).await;
    let forget = || Write::Forget(eventyard_core::QueueName::new("q").unwrap());
    f.refused([forget(), impossible()]).await;
    dropped(f, window("b"), "a").await;
    f.write(forget()).await;
    f.enqueue([window("b")]).await;
}
