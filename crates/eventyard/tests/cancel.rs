//! Cancellation, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use eventyard::{
    Context, Dep, Error, Eventyard, JobError, JobRequest, Json, Queue,
    model::{
        Commit, CommitError, FailureKind, JobId, JobKey, JobState, QueueName, WorkerId, Write,
    },
    secs,
    testing::TestYard,
};
use tokio::sync::Notify;

fn key(id: &str) -> JobKey {
    JobKey { queue: QueueName::new("q").unwrap(), id: JobId::new(id).unwrap() }
}

/// Adds a job with this id whose data is this number of seconds.
async fn add(t: &TestYard, id: &str, seconds: u64) {
    let job = JobRequest::new("q", id).id(JobId::new(id).unwrap()).data(&seconds).unwrap();
    t.enqueue(job).await.unwrap();
    t.run_until_idle().await;
}

#[derive(Default)]
struct Runs {
    begun: AtomicU32,
    told: AtomicU32,
    ended: AtomicU32,
}

/// Works for a while whatever it is told.
async fn stubborn(Json(seconds): Json<u64>, runs: Dep<Runs>, cx: Context) -> Result<(), JobError> {
    runs.begun.fetch_add(1, Relaxed);
    cx.put_document("notes", "n", &1, None);
    let interrupted = cx.cancelled().clone();
    let told = runs.clone();
    tokio::spawn(async move {
        interrupted.cancelled().await;
        told.told.fetch_add(1, Relaxed);
    });
    tokio::time::sleep(secs(seconds)).await;
    runs.ended.fetch_add(1, Relaxed);
    Ok(())
}

fn app(queue: Queue) -> (TestYard, Arc<Runs>) {
    let runs = Arc::new(Runs::default());
    let t = Eventyard::in_memory()
        .queue(queue)
        .handle("q", stubborn)
        .provide_arc(Arc::clone(&runs))
        .test();
    (t, runs)
}

#[tokio::test]
async fn a_running_job_is_told_at_once_and_leaves_nothing() {
    for (seconds, ends) in [(1, 1), (60, 0)] {
        let (t, runs) = app(Queue::new("q").concurrency(1));
        add(&t, "a", seconds).await;
        add(&t, "b", 0).await;
        t.cancel(key("a"), "not wanted").await.unwrap();
        t.run_until_idle().await;
        assert_eq!(runs.told.load(Relaxed), 1, "no time has passed");

        t.advance(secs(2)).await;
        assert_eq!(runs.begun.load(Relaxed), 2, "the grace is 2 s; then the next job runs");
        t.advance(secs(1)).await;
        assert_eq!(runs.ended.load(Relaxed), ends + 1);
        let status = t.inspect().job(&key("a")).await.unwrap().unwrap();
        assert_eq!(status.state, JobState::Failed);
        let failure = status.failure.unwrap();
        assert_eq!((failure.kind, &*failure.message), (FailureKind::Cancelled, "not wanted"));
        let note = t.inspect().document("notes", "n").await.unwrap().unwrap();
        assert_eq!(note.version, 1, "only the other job wrote it");

        t.retry(key("a")).await.unwrap();
        t.advance(secs(61)).await;
        assert_eq!(t.jobs_named("a", JobState::Completed).len(), 1, "it can run again");
    }
}

#[tokio::test]
async fn a_job_that_waits_never_runs() {
    let (t, runs) = app(Queue::new("q").concurrency(1));
    add(&t, "a", 10).await;
    add(&t, "b", 0).await;
    t.cancel(key("b"), "not wanted").await.unwrap();
    t.advance(secs(20)).await;
    assert_eq!(runs.begun.load(Relaxed), 1);
    let refused = t.cancel(key("b"), "once more").await;
    assert!(matches!(refused, Err(Error::Commit(CommitError::WrongState { .. }))));
    let refused = t.cancel(key("c"), "unknown").await;
    assert!(matches!(refused, Err(Error::Commit(CommitError::NoSuchJob(_)))));
}

#[tokio::test]
async fn missed_cancellations_are_found() {
    const OTHERS: usize = 2000;
    let runs = Arc::new(Runs::default());
    let t = Eventyard::in_memory()
        .queue(Queue::new("q"))
        .queue(Queue::new("others"))
        .handle("q", stubborn)
        .provide_arc(Arc::clone(&runs))
        .test();
    add(&t, "a", 1000).await;
    add(&t, "b", 1000).await;
    let others = (0..OTHERS).map(|_| JobRequest::new("others", "x")).collect();
    t.enqueue_all(others).await.unwrap();
    let (queue, worker) = (QueueName::new("others").unwrap(), WorkerId::new("outside").unwrap());
    let leased = t.claim(queue, OTHERS, secs(1000), worker, secs(0)).await.unwrap();
    let cancelled = std::iter::once(key("a")).chain(leased.iter().map(|leased| leased.job.key()));
    let cancel = |job| Write::Cancel { job, reason: "a clean sweep".to_owned() };
    t.commit(Commit::of(cancelled.map(cancel))).await.unwrap();
    t.run_until_idle().await;
    assert_eq!(runs.told.load(Relaxed), 1, "although the worker cannot have heard of it");
    t.advance(secs(1001)).await;
    assert_eq!(t.jobs_named("b", JobState::Completed).len(), 1);
}

#[tokio::test]
async fn a_synchronous_publisher_does_not_wait_for_a_cancelled_job() {
    let begun = Arc::new(Notify::new());
    async fn forever(_: Json<u64>, begun: Dep<Notify>) -> Result<(), JobError> {
        begun.notify_one();
        std::future::pending().await
    }
    let t = Eventyard::in_memory()
        .synchronous(true)
        .queue(Queue::new("q").concurrency(1))
        .handle("q", forever)
        .provide_arc(Arc::clone(&begun))
        .test();
    let enqueue = async |id: &str| {
        let job = JobRequest::new("q", "x").id(JobId::new(id).unwrap()).data(&1).unwrap();
        t.enqueue(job).await.unwrap();
    };
    let cancel = async {
        begun.notified().await;
        t.cancel(key("b"), "waits").await.unwrap();
        t.cancel(key("a"), "runs").await.unwrap();
    };
    tokio::join!(enqueue("a"), enqueue("b"), cancel);
}
