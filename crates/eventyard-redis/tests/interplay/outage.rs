//! Redis is stopped and started again under load: workers go on by themselves, and what was acknowledged is handled.

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use eventyard::{
    JobRequest, Yard,
    model::{JobId, JobState, SystemClock},
};
use serde_json::json;

use crate::{
    app::{self, Seen},
    node::eventually,
    server::RedisServer,
    store,
};

const STOPS: usize = 20;
/// How long each stop takes, in seconds; 1 unless said otherwise.
const SECONDS: &str = "EVENTYARD_TEST_OUTAGE_SECONDS";
const PRODUCERS: usize = 8;
const Q: &str = "q";

/// What producers and the test tell each other.
#[derive(Default)]
struct Load {
    end: AtomicBool,
    numbers: AtomicUsize,
    acknowledged: Mutex<BTreeSet<String>>,
}

/// Adds jobs until the end. One that is not acknowledged is added again under its id.
async fn produce(yard: Yard, load: Arc<Load>) {
    while !load.end.load(Relaxed) {
        let n = load.numbers.fetch_add(1, Relaxed);
        let id = format!("job-{n}");
        let job = JobRequest::new(Q, "job").data(&json!({"n": n, "sleep": n % 20})).unwrap();
        let job = job.id(JobId::new(id.clone()).unwrap());
        while yard.enqueue(job.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        load.acknowledged.lock().unwrap().insert(id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_handled() {
    let stop: u64 = env::var(SECONDS).ok().map_or(1, |seconds| seconds.parse().unwrap());
    let mut server = RedisServer::start();
    let clock = Arc::new(SystemClock::default());
    let seen = Arc::new(Seen::default());
    // Two processes in effect: one adds, the other one works.
    let sides = store::open(&server, clock.clone()).await;
    let adds = app::plan(&sides, &[Q], 20).workers(false).start().await.unwrap();
    let sides = store::open(&server, clock).await;
    let works = app::work(&sides, &[Q], 20, Arc::clone(&seen)).await;

    let load = Arc::new(Load::default());
    let producers: Vec<_> =
        (0..PRODUCERS).map(|_| tokio::spawn(produce(adds.clone(), Arc::clone(&load)))).collect();
    let mut longest = Duration::ZERO;
    for round in 0..STOPS {
        let (added, handled) = (acknowledged(&load), seen.of(Q).len());
        eventually(&format!("adding and handling before stop {round}"), async || {
            let goes_on = acknowledged(&load) > added + 50 && seen.of(Q).len() > handled + 50;
            goes_on.then_some(())
        })
        .await;
        server.stop();
        let until = Instant::now() + Duration::from_secs(stop);
        eventually("the end of the stop", async || (Instant::now() >= until).then_some(())).await;
        server.restart();

        let (begun, handled) = (Instant::now(), seen.of(Q).len());
        eventually(&format!("handling after stop {round}"), async || {
            (seen.of(Q).len() > handled).then_some(())
        })
        .await;
        longest = longest.max(begun.elapsed());
    }
    load.end.store(true, Relaxed);
    for producer in producers {
        producer.await.unwrap();
    }

    let acknowledged = load.acknowledged.lock().unwrap().clone();
    app::until(&adds, Q, JobState::Completed, acknowledged.len() as u64).await;
    let counts = app::counts(&adds, Q).await;
    assert_eq!(counts.total(), acknowledged.len() as u64, "{counts:?}");
    let handled = seen.of(Q);
    let each: BTreeSet<_> = handled.iter().cloned().collect();
    assert_eq!(each, acknowledged, "what was acknowledged is handled, and nothing else");
    println!(
        "{} acknowledged, none lost, {} handled again; working again {longest:?} after a stop at the latest",
        acknowledged.len(),
        handled.len() - each.len(),
    );
    works.shutdown().await;
    adds.shutdown().await;
}

fn acknowledged(load: &Load) -> usize {
    load.acknowledged.lock().unwrap().len()
}
