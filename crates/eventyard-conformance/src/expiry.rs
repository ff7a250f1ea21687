//! Times to live: jobs that are of no use later.

use std::{sync::Arc, time::Duration};

use eventyard_core::{FailureKind, JobState, Keep, NewJob, Settlement, Write};

use crate::{
    Fixture,
    given::{child_of, failure, job, job_with, key, ms, parent, queue_name, secs},
};

/// A job that has to begin within a time.
fn brief(id: &str, ttl: Duration) -> NewJob {
    job_with("q", id, |options| options.ttl = Some(ttl))
}

async fn expired(f: &Fixture, id: &str) {
    let status = f.status("q", id).await;
    assert_eq!(status.state, JobState::Failed, "{id}");
    assert_eq!(status.failure.unwrap().kind, FailureKind::Expired);
    assert_eq!((status.job.attempts_made, status.started_at), (0, None));
}

/// A job that has not begun in time fails as expired, not a millisecond sooner.
pub async fn at_the_very_millisecond(f: &Fixture) {
    f.enqueue([brief("a", ms(50)), brief("b", ms(50)), job("q", "c")]).await;
    f.advance(ms(49));
    let leased = f.claim_one("q").await;
    assert_eq!(leased.job.id.as_str(), "a");
    f.advance(ms(1));
    assert_eq!(f.claim_ids("q", 9).await, ["c"]);
    expired(f, "b").await;
    assert_eq!(f.status("q", "b").await.finished_at, Some(f.now()));
    assert_eq!(f.inspect.attempts(&key("q", "b")).await.unwrap(), []);
}

/// The time of a delayed job begins when the delay is over.
pub async fn a_delay_comes_before(f: &Fixture) {
    let late = job_with("q", "a", |options| {
        (options.ttl, options.delay) = (Some(ms(50)), Some(secs(60)));
    });
    f.enqueue([late]).await;
    f.pass(secs(60)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Waiting));
    f.pass(ms(49)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Waiting));
    f.pass(ms(1)).await;
    expired(f, "a").await;
}

/// The time of a parent begins when its children have ended.
pub async fn children_come_before(f: &Fixture) {
    let mut top = parent("q", "p");
    Arc::make_mut(&mut top.options).ttl = Some(ms(50));
    let child = child_of(&key("q", "p"), eventyard_core::OnChildFailure::Wait, job("parts", "a"));
    f.enqueue([top, child]).await;
    f.pass(secs(60)).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::WaitingChildren));
    f.run("parts", "a", "1").await;
    f.pass(ms(49)).await;
    assert_eq!(f.state("q", "p").await, Some(JobState::Waiting));
    f.pass(ms(1)).await;
    expired(f, "p").await;
}

/// The time of a job that is rescheduled before it began is told from its new time.
pub async fn a_new_time_comes_before(f: &Fixture) {
    f.enqueue([brief("a", ms(50))]).await;
    f.write(Write::Reschedule { job: key("q", "a"), at: f.now() + secs(60) }).await;
    f.pass(secs(60)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Waiting));
    f.pass(ms(50)).await;
    expired(f, "a").await;
}

/// A job that has begun expires no more, whether it runs, waits for its next attempt or is retried.
pub async fn what_has_begun_stays(f: &Fixture) {
    f.enqueue([brief("a", ms(50))]).await;
    let leased = f.claim_one("q").await;
    f.pass(ms(60)).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Active));
    let retry = Settlement::Retry { at: f.now() + secs(5), failure: failure("no") };
    f.settle(&leased.lease, retry).await;
    f.pass(secs(60)).await;
    let leased = f.claim_one("q").await;
    f.fail(&leased.lease).await;
    f.write(Write::Retry(key("q", "a"))).await;
    f.pass(secs(60)).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a"]);
}

/// An expired job can be retried, and then has all the time it needs.
pub async fn a_retry_of_an_expired_job(f: &Fixture) {
    f.enqueue([brief("a", ms(50))]).await;
    f.pass(ms(50)).await;
    expired(f, "a").await;
    f.write(Write::Retry(key("q", "a"))).await;
    f.pass(secs(60)).await;
    assert_eq!(f.claim_ids("q", 9).await, ["a"]);
}

/// An expired job is kept as its options say.
pub async fn expired_jobs_are_kept_by_their_options(f: &Fixture) {
    let with = |id, keep| {
        let mut job = brief(id, ms(50));
        Arc::make_mut(&mut job.options).remove_on_fail = Some(keep);
        job
    };
    f.enqueue([with("gone", Keep::NOTHING), with("brief", Keep::age(secs(1)))]).await;
    f.pass(ms(50)).await;
    f.assert_gone(&key("q", "gone")).await;
    expired(f, "brief").await;
    f.pass(secs(1)).await;
    f.assert_gone(&key("q", "brief")).await;
}

/// Neither a pause nor a limit stops the time.
pub async fn a_pause_does_not_stop_it(f: &Fixture) {
    f.enqueue([brief("a", ms(50))]).await;
    f.write(Write::Pause(queue_name("q"), true)).await;
    f.pass(ms(50)).await;
    expired(f, "a").await;
}

/// A job that is removed, cancelled or done before its time does not expire.
pub async fn what_ended_does_not_expire(f: &Fixture) {
    f.enqueue([brief("done", ms(50)), brief("gone", ms(50)), brief("not", ms(50))]).await;
    let leased = f.claim_one("q").await;
    f.complete(&leased.lease, Keep::FOREVER).await;
    f.commit([Write::Remove(key("q", "gone")), crate::given::cancel("q", "not")]).await;
    f.pass(ms(50)).await;
    assert_eq!(f.state("q", "done").await, Some(JobState::Completed));
    f.assert_gone(&key("q", "gone")).await;
    assert_eq!(f.status("q", "not").await.failure.unwrap().kind, FailureKind::Cancelled);
}
