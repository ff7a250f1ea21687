//! What operators do to jobs and queues.

use std::time::Duration;

use eventyard_core::{CommitError, Effect, JobState, Keep, Settlement, Write};

use crate::{
    Fixture,
    given::{delayed, failure, job, jobs, key, ms, numbered, prioritized, queue_name, secs},
};

fn clean(queue: &str, state: JobState, older_than: Duration, limit: usize) -> Write {
    Write::Clean { queue: queue_name(queue), state, older_than, limit }
}

fn pause(queue: &str, paused: bool) -> Write {
    Write::Pause(queue_name(queue), paused)
}

/// A queue `q` with a job in each state, named after it.
async fn one_of_each(f: &Fixture) {
    f.enqueue(jobs("q", ["active-one", "completed-one", "failed-one"])).await;
    let leased = f.claim("q", 3).await;
    f.complete(&leased[1].lease, Keep::FOREVER).await;
    let fail = Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER };
    f.settle(&leased[2].lease, fail).await;
    f.enqueue([job("q", "waiting"), prioritized("q", "prioritized-one", 1)]).await;
    f.enqueue([delayed("q", "delayed-one", secs(3600))]).await;
}

/// Tries a write on a job in each state: it is refused but in the allowed ones.
async fn check_states(f: &Fixture, write: fn(eventyard_core::JobKey) -> Write, allowed: &[&str]) {
    one_of_each(f).await;
    for id in
        ["waiting", "prioritized-one", "delayed-one", "active-one", "completed-one", "failed-one"]
    {
        let job = key("q", id);
        let answer = f.try_commit(eventyard_core::Commit::of([write(job.clone())])).await;
        if allowed.contains(&id) {
            assert_eq!(answer, Ok(vec![Effect::Done]), "{id}");
            continue;
        }
        let Err(CommitError::WrongState { job: named, state, .. }) = answer else {
            panic!("{id}: {answer:?}")
        };
        assert_eq!((named, state.as_str()), (job, id.trim_end_matches("-one")));
    }
    for absent in [key("q", "absent"), key("nowhere", "waiting")] {
        assert_eq!(f.refused([write(absent.clone())]).await, CommitError::NoSuchJob(absent));
    }
    assert_eq!(f.paused("nowhere").await, None);
}

/// A retry is for failed and completed jobs.
pub async fn retry_is_for_finished_jobs(f: &Fixture) {
    check_states(f, Write::Retry, &["completed-one", "failed-one"]).await;
    assert_eq!(
        f.claim_ids("q", 9).await,
        ["waiting", "completed-one", "failed-one", "prioritized-one"]
    );
}

/// A promotion is for delayed jobs.
pub async fn promote_is_for_delayed_jobs(f: &Fixture) {
    check_states(f, Write::Promote, &["delayed-one"]).await;
    assert_eq!(f.claim_ids("q", 9).await, ["waiting", "delayed-one", "prioritized-one"]);
    f.advance(secs(3600));
    assert_eq!(f.claim("q", 9).await, [], "it does not run again at its first time");
}

/// All but active jobs can be removed.
pub async fn remove_is_for_all_but_active_jobs(f: &Fixture) {
    let allowed = ["waiting", "prioritized-one", "delayed-one", "completed-one", "failed-one"];
    check_states(f, Write::Remove, &allowed).await;
    assert_eq!(f.counts("q").await.total(), 1);
    assert_eq!(f.claim("q", 9).await, []);
    f.advance(secs(3600));
    assert_eq!(f.claim("q", 9).await, []);
}

/// A retried job has all its attempts again; its history stays, its end does not.
pub async fn retry_begins_afresh(f: &Fixture) {
    f.enqueue([job("q", "a"), prioritized("q", "p", 2)]).await;
    for leased in f.claim("q", 2).await {
        let writes = [Write::Log("first".to_owned()), Write::Progress("50".into())];
        f.write_under(&leased.lease, writes).await;
        let fail = Settlement::Fail { failure: failure("no"), keep: Keep::FOREVER };
        f.settle(&leased.lease, fail).await;
    }
    f.commit([Write::Retry(key("q", "a")), Write::Retry(key("q", "p"))]).await;
    let status = f.status("q", "a").await;
    assert_eq!(status.state, JobState::Waiting);
    assert_eq!(f.state("q", "p").await, Some(JobState::Prioritized));
    assert_eq!((status.job.attempts_made, status.job.crashes), (0, 0));
    assert_eq!((status.failure, status.result, status.finished_at), (None, None, None));
    assert_eq!(f.inspect.attempts(&key("q", "a")).await.unwrap().len(), 1);
    assert_eq!(f.inspect.logs(&key("q", "a")).await.unwrap().len(), 1);
    let leased = f.claim_one("q").await;
    assert_eq!((leased.job.id.as_str(), leased.lease.attempt), ("a", 1));
    let failure = failure("again");
    f.settle(&leased.lease, Settlement::Retry { at: f.now(), failure }).await;
    let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
    assert_eq!(records.iter().map(|r| r.attempt).collect::<Vec<_>>(), [1, 1]);
}

/// A completed job that is retried loses its result, and runs once more.
pub async fn retry_runs_a_completed_job_again(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    let lease = f.claim_one("q").await.lease;
    let result = Some("1".into());
    f.settle(&lease, Settlement::Complete { result, keep: Keep::FOREVER }).await;
    f.write(Write::Retry(key("q", "a"))).await;
    assert_eq!(f.status("q", "a").await.result, None);
    assert_eq!(f.claim_one("q").await.lease.attempt, 1);
}

/// A paused queue hands out nothing; its jobs that would wait are shown as paused, prioritized ones as such.
pub async fn a_pause_holds_jobs_back(f: &Fixture) {
    one_of_each(f).await;
    assert_eq!(f.write(pause("q", true)).await, Effect::Done);
    assert_eq!(f.paused("q").await, Some(true));
    f.enqueue([job("q", "late")]).await;
    assert_eq!(f.claim("q", 9).await, []);
    assert_eq!(f.state("q", "waiting").await, Some(JobState::Paused));
    assert_eq!(f.state("q", "prioritized-one").await, Some(JobState::Prioritized));
    assert_eq!(f.listed("q", JobState::Paused).await, ["waiting", "late"]);
    assert_eq!(f.listed("q", JobState::Waiting).await, [""; 0]);
    let counts = f.counts("q").await;
    assert_eq!((counts.get(JobState::Waiting), counts.get(JobState::Paused)), (0, 2));
    assert_eq!(f.listed("q", JobState::Delayed).await, ["delayed-one"]);
    let error = f.refused([Write::Retry(key("q", "waiting"))]).await;
    assert!(matches!(error, CommitError::WrongState { state: JobState::Paused, .. }), "{error:?}");
    f.advance(secs(3600));
    assert_eq!(f.claim("q", 9).await, []);
    assert_eq!(f.state("q", "delayed-one").await, Some(JobState::Paused));

    f.write(pause("q", true)).await;
    f.write(pause("q", false)).await;
    assert_eq!(f.listed("q", JobState::Paused).await, [""; 0]);
    assert_eq!(f.claim_ids("q", 9).await, ["waiting", "late", "delayed-one", "prioritized-one"]);
}

/// A pause is known of a queue without jobs; other queues go on, and so do attempts that run.
pub async fn a_pause_is_of_one_queue(f: &Fixture) {
    f.enqueue([job("q", "a"), job("other", "b")]).await;
    let lease = f.claim_one("q").await.lease;
    f.commit([pause("q", true), pause("empty", true), pause("idle", false)]).await;
    assert_eq!(f.paused("empty").await, Some(true));
    assert_eq!(f.paused("idle").await, Some(false));
    assert_eq!(f.claim_ids("other", 9).await, ["b"]);
    f.complete(&lease, Keep::FOREVER).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Completed));
    f.enqueue([job("empty", "c")]).await;
    assert_eq!(f.claim("empty", 9).await, []);
}

/// Cleaning removes the jobs of one state that are old enough, the oldest first, up to its limit.
pub async fn clean_removes_old_jobs(f: &Fixture) {
    f.enqueue(numbered("q", 4)).await;
    let leased = f.claim("q", 4).await;
    for index in [3, 1, 0, 2] {
        f.complete(&leased[index].lease, Keep::FOREVER).await;
        f.advance(secs(1));
    }
    let removed =
        async |older_than, limit| f.write(clean("q", JobState::Completed, older_than, limit)).await;
    assert_eq!(removed(secs(5), 9).await, Effect::Removed(0));
    assert_eq!(removed(secs(4) + ms(1), 9).await, Effect::Removed(0));
    assert_eq!(removed(secs(4), 9).await, Effect::Removed(1));
    assert_eq!(f.listed("q", JobState::Completed).await, ["j0002", "j0000", "j0001"]);
    assert_eq!(removed(secs(0), 1).await, Effect::Removed(1));
    assert_eq!(f.listed("q", JobState::Completed).await, ["j0002", "j0000"]);
    assert_eq!(removed(secs(0), 0).await, Effect::Removed(0));
    assert_eq!(removed(secs(0), 99).await, Effect::Removed(2));
    f.assert_gone(&key("q", "j0002")).await;
    assert_eq!(f.paused("q").await, Some(false));
}

/// Cleaning removes waiting and delayed jobs by their age, those that run next first, and active ones never.
pub async fn clean_works_on_every_state(f: &Fixture) {
    one_of_each(f).await;
    f.advance(secs(10));
    f.enqueue([job("q", "young"), delayed("q", "soon", secs(1)), prioritized("q", "p", 0)]).await;
    let check = async |state, older_than, removed| {
        let effect = f.write(clean("q", state, older_than, 99)).await;
        assert_eq!(effect, Effect::Removed(removed), "{state}");
    };
    check(JobState::Active, secs(0), 0).await;
    check(JobState::WaitingChildren, secs(0), 0).await;
    check(JobState::Delayed, secs(10), 1).await;
    assert_eq!(f.listed("q", JobState::Delayed).await, ["soon"]);
    check(JobState::Prioritized, secs(0), 1).await;
    check(JobState::Paused, secs(10), 1).await;
    assert_eq!(f.listed("q", JobState::Waiting).await, ["young", "p"]);
    f.write(pause("q", true)).await;
    assert_eq!(f.write(clean("q", JobState::Waiting, secs(0), 1)).await, Effect::Removed(1));
    assert_eq!(f.listed("q", JobState::Paused).await, ["p"]);
    check(JobState::Failed, secs(0), 1).await;
    assert_eq!(f.write(clean("none", JobState::Failed, secs(0), 1)).await, Effect::Removed(0));
    assert_eq!(f.paused("none").await, None);
    let counts = f.counts("q").await;
    let left: Vec<_> = counts.iter().filter(|(_, n)| *n > 0).collect();
    assert_eq!(
        left,
        [
            (JobState::Delayed, 1),
            (JobState::Active, 1),
            (JobState::Completed, 1),
            (JobState::Paused, 1)
        ]
    );
}

/// A queue is forgotten when it has no jobs, and its pause with it.
pub async fn forget_is_for_empty_queues(f: &Fixture) {
    assert_eq!(f.write(Write::Forget(queue_name("q"))).await, Effect::Done, "unknown");
    assert_eq!(f.paused("q").await, None);
    f.enqueue([job("q", "a")]).await;
    f.write(pause("q", true)).await;
    let refused = CommitError::QueueNotEmpty(queue_name("q"));
    assert_eq!(f.refused([Write::Forget(queue_name("q"))]).await, refused);
    f.write(pause("q", false)).await;
    let lease = f.claim_one("q").await.lease;
    assert_eq!(f.refused([Write::Forget(queue_name("q"))]).await, refused, "active");
    f.complete(&lease, Keep::FOREVER).await;
    assert_eq!(f.refused([Write::Forget(queue_name("q"))]).await, refused, "completed");
    f.commit([pause("q", true), Write::Remove(key("q", "a")), Write::Forget(queue_name("q"))])
        .await;
    assert_eq!(f.paused("q").await, None);
    f.enqueue([job("q", "b")]).await;
    assert_eq!(f.paused("q").await, Some(false));
    assert_eq!(f.claim_ids("q", 9).await, ["b"]);
}
