//! Batch handlers, on virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use eventyard::{
    BatchItem, BatchOptions, Context, Dep, Error, Event, Eventyard, Handler, JobError, JobRequest,
    Json, Outcome, Queue,
    model::{FailureKind, JobId, JobKey, JobState, QueueName},
    secs,
    testing::TestYard,
};
use serde::{Deserialize, Serialize};

/// The sizes of the batches that were handled.
#[derive(Default)]
struct Sizes(Mutex<Vec<usize>>);

impl Sizes {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

const OPTIONS: BatchOptions = BatchOptions { max: 10, wait: Duration::from_millis(50) };

fn queue() -> Queue {
    Queue::new("q").concurrency(20).attempts(1)
}

/// Adds a job with this name and data.
async fn add(t: &TestYard, name: &str, data: impl Serialize) {
    t.enqueue(JobRequest::new("q", name).data(&data).unwrap()).await.unwrap();
}

#[tokio::test]
async fn jobs_are_gathered_up_to_a_size_or_a_time() {
    async fn count(batch: Vec<BatchItem<Json<u64>>>, sizes: Dep<Sizes>) -> Result<(), JobError> {
        sizes.0.lock().unwrap().push(batch.len());
        Ok(())
    }
    let sizes = Arc::new(Sizes::default());
    let t = Eventyard::in_memory()
        .queue(queue())
        .handle_batch("q", OPTIONS, count)
        .provide_arc(Arc::clone(&sizes))
        .test();
    let jobs = |n| (0..n).map(|n: u64| JobRequest::new("q", "x").data(&n).unwrap()).collect();
    t.enqueue_all(jobs(25)).await.unwrap();
    t.run_until_idle().await;
    assert_eq!(sizes.take(), [10, 10], "full ones do not wait");
    t.advance(Duration::from_millis(50)).await;
    assert_eq!(sizes.take(), [5]);

    add(&t, "x", 1).await;
    t.advance(Duration::from_millis(49)).await;
    add(&t, "x", 2).await;
    t.run_until_idle().await;
    assert!(sizes.take().is_empty());
    t.advance(Duration::from_millis(1)).await;
    assert_eq!(sizes.take(), [2], "the time counts from the first");
    assert_eq!(t.jobs_named("x", JobState::Completed).len(), 27);
}

#[derive(Event, Serialize, Deserialize)]
#[event("row.added")]
struct RowAdded {
    number: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event("row.stored")]
struct RowStored {
    number: u64,
}

#[tokio::test]
async fn each_job_has_its_own_outcome_and_commit() {
    async fn store(batch: Vec<BatchItem<RowAdded>>) -> Vec<Result<Outcome, JobError>> {
        let each = |item: BatchItem<RowAdded>| {
            item.cx.publish(RowStored { number: item.load.number });
            match item.load.number {
                1 => Err(JobError::dead_letter("odd")),
                2 => Ok(Outcome::Snooze(secs(10))),
                number => Outcome::done(&number),
            }
        };
        batch.into_iter().map(each).collect()
    }
    async fn nothing(_: RowStored) -> Result<(), JobError> {
        Ok(())
    }
    let t = Eventyard::in_memory()
        .queue(queue())
        .route("row.added", "q")
        .handle_batch("q", OPTIONS, store)
        .on_event(nothing)
        .test();
    t.publish_all((0..4).map(|number| RowAdded { number })).await.unwrap();
    t.advance(secs(1)).await;
    let count = |state| t.jobs::<RowAdded>(state).len();
    assert_eq!([JobState::Completed, JobState::Failed, JobState::Delayed].map(count), [2, 1, 1]);
    let stored = t.jobs::<RowStored>(JobState::Completed);
    assert_eq!(stored.len(), 3, "the failed job emits nothing");
    assert!(stored.iter().all(|row| row.job.payload.event().unwrap().causation_id.is_some()));
}

#[tokio::test]
async fn failures_of_a_whole_batch_fail_each_of_its_jobs() {
    async fn odd(
        batch: Vec<BatchItem<Json<String>>>,
    ) -> Result<Vec<Result<(), JobError>>, JobError> {
        match batch[0].load.as_str() {
            "panic" => panic!("oh no"),
            "short" => Ok(vec![Ok(()); batch.len() - 1]),
            _ => Err(JobError::dead_letter("none of them")),
        }
    }
    let t = Eventyard::in_memory().queue(queue()).handle_batch("q", OPTIONS, odd).test();
    for (how, kind, message) in [
        ("panic", FailureKind::Panic, "oh no"),
        ("short", FailureKind::Error, "gave 2 outcomes for 3 jobs"),
        ("error", FailureKind::Rejected, "none of them"),
    ] {
        for data in [how; 3] {
            add(&t, how, data).await;
        }
        // Does not fit, and fails alone.
        add(&t, how, 7).await;
        t.advance(secs(1)).await;
        let failed = t.jobs_named(how, JobState::Failed);
        let failures: Vec<_> = failed.into_iter().filter_map(|status| status.failure).collect();
        let of_kind = |kind| failures.iter().filter(|f| f.kind == kind).count();
        assert_eq!((of_kind(kind), of_kind(FailureKind::Payload)), (3, 1), "{how}");
        assert_eq!(failures.iter().filter(|f| f.message.contains(message)).count(), 3, "{how}");
    }
}

#[tokio::test]
async fn each_job_has_its_own_timeout_and_cancellation() {
    /// Tells when it is dropped.
    struct Guard(Arc<Sizes>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.0.lock().unwrap().push(0);
        }
    }
    async fn slow(batch: Vec<BatchItem<Json<u64>>>, sizes: Dep<Sizes>) -> Result<(), JobError> {
        let _guard = Guard(sizes.into_arc());
        tokio::time::sleep(secs(batch.len() as u64 * 10)).await;
        Ok(())
    }
    let sizes = Arc::new(Sizes::default());
    let t = Eventyard::in_memory()
        .queue(queue())
        .handle_batch("q", OPTIONS, slow)
        .provide_arc(Arc::clone(&sizes))
        .test();
    let job =
        |name: &str| JobRequest::new("q", name).id(JobId::new(name).unwrap()).data(&1).unwrap();
    let cancel = async |id| {
        let key = JobKey { queue: QueueName::new("q").unwrap(), id: JobId::new(id).unwrap() };
        t.cancel(key, "not wanted").await.unwrap();
    };
    let jobs = vec![job("quick").timeout(secs(5)), job("patient"), job("unwanted")];
    t.enqueue_all(jobs).await.unwrap();
    t.advance(secs(1)).await;
    cancel("unwanted").await;
    t.advance(secs(60)).await;
    for (name, kind) in [("quick", FailureKind::Timeout), ("unwanted", FailureKind::Cancelled)] {
        let failed = t.jobs_named(name, JobState::Failed);
        assert_eq!(failed[0].failure.as_ref().map(|f| f.kind), Some(kind));
    }
    assert_eq!(t.jobs_named("patient", JobState::Completed).len(), 1);

    sizes.take();
    t.enqueue(job("alone")).await.unwrap();
    t.advance(secs(1)).await;
    cancel("alone").await;
    t.advance(secs(3)).await;
    assert_eq!(sizes.take(), [0], "a batch that nobody waits for is dropped");
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_told_at_the_start() {
    async fn needs(_: Vec<BatchItem<Json<u8>>>, _: Dep<Sizes>) -> Result<(), JobError> {
        Ok(())
    }
    let app = Eventyard::in_memory()
        .queue(Queue::new("q").concurrency(5))
        .queue(Queue::new("none"))
        .handle_batch("q", OPTIONS, needs)
        .handle_batch("none", BatchOptions { max: 0, ..OPTIONS }, needs);
    let Err(Error::Setup(mistakes)) = app.start().await else { panic!("it started") };
    let text = mistakes.join("\n");
    for expected in ["up to 10 jobs, but it works on 5", "at most 0 jobs", "needs a batch::Sizes"] {
        assert!(text.contains(expected), "{expected} in:\n{text}");
    }
}

/// The contexts of a batch are those of its jobs; handlers of single jobs stand next to it.
#[tokio::test]
async fn other_handlers_of_the_queue_take_single_jobs() {
    async fn batch(batch: Vec<BatchItem<Json<u64>>>) -> Result<(), JobError> {
        assert!(batch.iter().all(|item| &*item.cx.job().name == "many"));
        Ok(())
    }
    async fn single(_: Json<u64>, cx: Context) -> Result<(), JobError> {
        assert_eq!(&*cx.job().name, "one");
        Ok(())
    }
    fn is_handler<Args>(_: &impl Handler<Args>) {}
    is_handler(&single);
    let t = Eventyard::in_memory()
        .queue(queue())
        .handle_batch("q", OPTIONS, batch)
        .handle_named("q", "one", single)
        .test();
    for name in ["one", "many"] {
        add(&t, name, 1).await;
    }
    t.advance(secs(1)).await;
    for name in ["one", "many"] {
        assert_eq!(t.jobs_named(name, JobState::Completed).len(), 1, "{name}");
    }
}
