//! Many jobs at once, in real time and on several threads.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};

use eventyard::{Dep, Eventyard, JobError, JobRequest, Json, Queue, model::JobState};
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
