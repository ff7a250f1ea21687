//! Many jobs at once, in real time and on several threads.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};

use eventyard::{
    Context, Dep, Eventyard, JobError, JobRequest, Json, Queue,
    model::{JobId, JobKey, JobState, QueueName, feed::Heard},
};
use tokio::sync::Notify;

const JOBS: usize = 20_000;
const BATCH: usize = 500;

/// How often each job was handled.
struct Tally {
    handled: Vec<AtomicU8>,
    left: AtomicUsize,
    done: Notify,
}

async fn count(Json(number): Json<usize>, tally: Dep<Tally>) -> Result<(), JobError> {
    tally.handled[number].fetch_add(1, Relaxed);
    if tally.left.fetch_sub(1, Relaxed) == 1 {
        tally.done.notify_one();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_is_handled_once() {
    let handled = (0..JOBS).map(|_| AtomicU8::new(0)).collect();
    let tally = Arc::new(Tally { handled, left: AtomicUsize::new(JOBS), done: Notify::new() });
    let yard = Eventyard::in_memory()
        .queue(Queue::new("throng").concurrency(50).keep_completed(eventyard::Keep::FOREVER))
        .handle("throng", count)
        .provide_arc(Arc::clone(&tally))
        .start()
        .await
        .unwrap();
    for from in (0..JOBS).step_by(BATCH) {
        let job = |number| JobRequest::new("throng", "count").data(&number).unwrap();
        yard.enqueue_all((from..from + BATCH).map(job).collect()).await.unwrap();
    }
    tally.done.notified().await;
    yard.stop().await;
    assert!(tally.handled.iter().all(|times| times.load(Relaxed) == 1));
    let status = yard.inspect().queues().await.unwrap().into_values().next().unwrap();
    assert_eq!(status.counts.get(JobState::Completed), JOBS as u64, "each was settled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_job_leaves_nothing_however_close_its_end_is() {
    const JOBS: usize = 3000;
    async fn note(Json(number): Json<usize>, cx: Context) -> Result<(), JobError> {
        cx.put_document("notes", &number.to_string(), &number, None);
        // Some are cancelled before, some while and some after they run.
        for _ in 0..number % 20 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
    let yard = Eventyard::in_memory()
        .queue(Queue::new("throng").concurrency(5).keep_completed(eventyard::Keep::FOREVER))
        .handle("throng", note)
        .start()
        .await
        .unwrap();
    let mut ends = yard.queue_events(None).of_kind("completed").unwrap().of_kind("failed").unwrap();
    let key = |number: usize| JobKey {
        queue: QueueName::new("throng").unwrap(),
        id: JobId::new(number.to_string()).unwrap(),
    };
    let mut cancelled = 0;
    for number in 0..JOBS {
        let job = JobRequest::new("throng", "note").id(key(number).id).data(&number).unwrap();
        yard.enqueue(job).await.unwrap();
        if number >= 5 {
            cancelled += usize::from(yard.cancel(key(number - 5), "not wanted").await.is_ok());
        }
    }
    for _ in 0..JOBS {
        assert!(matches!(ends.next().await, Heard::Event(..)));
    }
    yard.stop().await;
    let mut failed = 0;
    for number in 0..JOBS {
        let status = yard.inspect().job(&key(number)).await.unwrap().unwrap();
        let note = yard.inspect().document("notes", &number.to_string()).await.unwrap();
        assert_eq!(note.is_some(), status.state == JobState::Completed, "{number}");
        failed += usize::from(status.state == JobState::Failed);
    }
    assert_eq!(failed, cancelled);
}
