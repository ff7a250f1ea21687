//! Jobs whose worker fell silent.

use eventyard_core::{
    FailureKind, JobState, Keep, Maintenance, Settlement, Upkeep, WorkerId, Write,
};

use crate::{
    Fixture,
    fixture::{LEASE, UPKEEP},
    given::{DAY, job, job_with, jobs, key, lifo, ms, numbered, secs},
};

/// A lease ends at its instant, not a millisecond sooner, and its job waits behind the others.
pub async fn an_ended_lease_puts_the_job_at_the_back(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let claimed_at = f.now();
    let leased = f.claim_one("q").await;
    f.advance(LEASE - ms(1));
    assert_eq!(f.maintain(UPKEEP).await, Maintenance::default());
    f.advance(ms(1));
    let done = f.maintain(UPKEEP).await;
    assert_eq!(done, Maintenance { taken_over: 1, ..Maintenance::default() });

    let status = f.status("q", "a").await;
    assert_eq!((status.state, status.leased_until), (JobState::Waiting, None));
    assert_eq!((status.job.attempts_made, status.job.crashes), (1, 1));
    let records = f.inspect.attempts(&leased.lease.job).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].attempt, records[0].worker.as_str()), (1, "w"));
    assert_eq!((records[0].started_at, records[0].ended_at), (claimed_at, f.now()));
    assert_eq!(records[0].failure.kind, FailureKind::Crash);
    let message = &records[0].failure.message;
    assert_eq!(message, "the worker `w` stopped without a word during attempt 1");
    assert_eq!(f.claim_ids("q", 9).await, ["b", "a"]);
    assert_eq!(f.maintain(UPKEEP).await, Maintenance::default());
}

/// A LIFO job that is taken over goes before those that wait.
pub async fn lifo_holds_over_a_takeover(f: &Fixture) {
    f.enqueue([lifo("q", "l"), job("q", "a")]).await;
    f.claim_one("q").await;
    f.pass(LEASE).await;
    assert_eq!(f.claim_ids("q", 9).await, ["l", "a"]);
}

/// A job whose workers keep crashing becomes a dead letter that says so; until then its limit of
/// attempts does not matter.
pub async fn the_last_crash_buries_the_job(f: &Fixture) {
    f.enqueue([job_with("q", "a", |options| options.attempts = Some(1))]).await;
    for crash in 1..=3 {
        let mut ask = f.ask("q", 1, secs(0));
        ask.worker = WorkerId::new(format!("w{crash}")).unwrap();
        let leased = f.store.claim(ask).await.unwrap();
        assert_eq!(leased[0].lease.attempt, crash);
        assert_eq!(leased[0].job.crashes, crash - 1);
        f.advance(LEASE);
        let done = f.maintain(UPKEEP).await;
        assert_eq!((done.taken_over, done.buried), if crash < 3 { (1, 0) } else { (0, 1) });
    }
    let status = f.status("q", "a").await;
    assert_eq!((status.state, status.finished_at), (JobState::Failed, Some(f.now())));
    assert_eq!((status.job.attempts_made, status.job.crashes), (3, 3));
    assert_eq!(status.worker.unwrap().as_str(), "w3");
    let failure = status.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Crash);
    let begin = "attempt 3 was the 3rd whose worker crashed; ";
    assert!(failure.message.starts_with(begin), "{}", failure.message);
    let records = f.inspect.attempts(&key("q", "a")).await.unwrap();
    let workers: Vec<_> = records.iter().map(|r| (r.attempt, r.worker.as_str())).collect();
    assert_eq!(workers, [(1, "w1"), (2, "w2"), (3, "w3")]);
    f.advance(DAY * 9999);
    assert_eq!(f.maintain(UPKEEP).await.expired, 0, "dead letters stay unless told otherwise");
}

/// A dead letter of crashes that is retried has no crashes on its account any more.
pub async fn a_retry_forgives_the_crashes(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    f.claim_one("q").await;
    f.advance(LEASE);
    assert_eq!(f.maintain(Upkeep { max_crashes: 1, ..UPKEEP }).await.buried, 1);
    f.write(Write::Retry(key("q", "a"))).await;
    let leased = f.claim_one("q").await;
    assert_eq!((leased.job.attempts_made, leased.job.crashes, leased.lease.attempt), (0, 0, 1));
    f.advance(LEASE);
    assert_eq!(f.maintain(Upkeep { max_crashes: 2, ..UPKEEP }).await.taken_over, 1);
    assert_eq!(f.inspect.attempts(&key("q", "a")).await.unwrap().len(), 2);
}

/// Errors between crashes do not count as crashes.
pub async fn only_crashes_count(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    for _ in 0..2 {
        f.claim_one("q").await;
        f.pass(LEASE).await;
        let lease = f.claim_one("q").await.lease;
        let failure = crate::given::failure("no");
        f.settle(&lease, Settlement::Retry { at: f.now(), failure }).await;
    }
    let status = f.status("q", "a").await;
    assert_eq!((status.job.attempts_made, status.job.crashes), (4, 2));
    assert_eq!(status.state, JobState::Waiting);
}

/// A dead letter of crashes is kept as the job's options say.
pub async fn a_buried_job_is_kept_by_its_options(f: &Fixture) {
    let with = |id, keep| job_with("q", id, |options| options.remove_on_fail = Some(keep));
    f.enqueue([
        with("gone", Keep::NOTHING),
        with("aged", Keep::age(DAY)),
        with("two", Keep::count(2)),
    ])
    .await;
    f.claim("q", 3).await;
    f.advance(LEASE);
    let upkeep = Upkeep { max_crashes: 1, ..UPKEEP };
    assert_eq!(f.maintain(upkeep.clone()).await.buried, 3);
    f.assert_gone(&key("q", "gone")).await;
    assert_eq!(f.listed("q", JobState::Failed).await, ["two", "aged"]);
    f.advance(DAY - ms(1));
    assert_eq!(f.maintain(upkeep.clone()).await.expired, 0);
    f.advance(ms(1));
    assert_eq!(f.maintain(upkeep).await.expired, 1);
    assert_eq!(f.listed("q", JobState::Failed).await, ["two"]);
}

/// One call takes over no more than its limit, the leases that ended first, and says that there is more.
pub async fn upkeep_is_bounded(f: &Fixture) {
    f.enqueue(numbered("q", 5)).await;
    for _ in 0..5 {
        f.claim_one("q").await;
        f.advance(ms(1));
    }
    f.advance(LEASE);
    let upkeep = Upkeep { limit: 2, ..UPKEEP };
    let done = f.maintain(upkeep.clone()).await;
    assert_eq!((done.taken_over, done.more), (2, true));
    assert_eq!(f.listed("q", JobState::Waiting).await, ["j0000", "j0001"]);
    let done = f.maintain(upkeep.clone()).await;
    assert_eq!((done.taken_over, done.more), (2, true));
    let done = f.maintain(upkeep).await;
    assert_eq!((done.taken_over, done.more), (1, false));
    assert_eq!(f.claim_ids("q", 9).await, ["j0000", "j0001", "j0002", "j0003", "j0004"]);
}

/// A renewed lease is not taken over at its first end.
pub async fn a_renewed_lease_is_left_alone(f: &Fixture) {
    f.enqueue(jobs("q", ["a", "b"])).await;
    let leased = f.claim("q", 2).await;
    f.advance(LEASE / 2);
    f.store.renew(vec![leased[0].lease.clone()], LEASE).await.unwrap();
    f.advance(LEASE / 2);
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 1);
    assert_eq!(f.state("q", "a").await, Some(JobState::Active));
    assert_eq!(f.state("q", "b").await, Some(JobState::Waiting));
    f.advance(LEASE / 2);
    assert_eq!(f.maintain(UPKEEP).await.taken_over, 1);
}

/// A paused queue's jobs are taken over too; they wait for the end of the pause.
pub async fn a_pause_does_not_stop_takeovers(f: &Fixture) {
    f.enqueue([job("q", "a")]).await;
    f.claim_one("q").await;
    f.write(Write::Pause(crate::given::queue_name("q"), true)).await;
    f.pass(LEASE).await;
    assert_eq!(f.state("q", "a").await, Some(JobState::Paused));
    assert_eq!(f.claim("q", 1).await, []);
}
