//! Measures the store: durable enqueues, drains, pick-up latency.
//!
//! `cargo run --release -p eventyard-sqlite --example throughput [-- case…]`

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use eventyard_core::{
    Claim, Commit, GroupKey, JobId, JobOptions, Keep, NewJob, Payload, QueueName, Settlement,
    Store, WorkerId, Write,
};
use eventyard_sqlite::{Options, SqliteStore};

const QUEUE: &str = "bench";
const SECONDS: u64 = 3;

struct Bench {
    store: Arc<SqliteStore>,
    path: PathBuf,
    /// Of one job after the other, in turn.
    options: Vec<Arc<JobOptions>>,
    added: AtomicU64,
    payload: Bytes,
    name: Arc<str>,
}

impl Bench {
    /// A store whose jobs have no keys, or are spread over so many.
    async fn open(keys: usize) -> Self {
        let folder = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = folder.join(format!("eventyard-throughput-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let path = folder.join("bench.db");
        let store = SqliteStore::open(Options::new(&path)).await.expect("the store opens");
        let options =
            |key| Arc::new(JobOptions { attempts: Some(3), key, ..JobOptions::default() });
        let key = |n| GroupKey::new(format!("key-{n}")).expect("valid");
        let options = match keys {
            0 => vec![options(None)],
            keys => (0..keys).map(|n| options(Some(key(n)))).collect(),
        };
        let payload = Bytes::from(format!(r#"{{"text":"{}"}}"#, "x".repeat(189)));
        assert_eq!(payload.len(), 200);
        Self {
            store: Arc::new(store),
            path,
            options,
            added: AtomicU64::new(0),
            payload,
            name: "bench.job".into(),
        }
    }

    async fn close(self) {
        self.store.close().await;
        std::fs::remove_dir_all(self.path.parent().expect("it is in a folder")).expect("removed");
    }

    fn job(&self) -> Write {
        let n = self.added.fetch_add(1, Ordering::Relaxed) as usize;
        Write::Enqueue(NewJob {
            queue: QueueName::new(QUEUE).expect("valid"),
            id: JobId::generate(),
            name: self.name.clone(),
            payload: Payload::Data(self.payload.clone()),
            options: self.options[n % self.options.len()].clone(),
            awaits_children: false,
        })
    }

    async fn add(&self, jobs: usize) {
        for done in (0..jobs).step_by(1000) {
            let commits = (0..1000.min(jobs - done)).map(|_| Commit::of([self.job()])).collect();
            self.store.commit(commits).await.expect("added");
        }
    }

    fn ask(&self, max: usize, wait: Duration) -> Claim {
        Claim {
            queue: QueueName::new(QUEUE).expect("valid"),
            max,
            lease_for: Duration::from_secs(30),
            worker: WorkerId::new("bench-worker-1").expect("valid"),
            wait,
        }
    }
}

fn settle(leased: Vec<eventyard_core::Leased>, keep: Keep) -> Vec<Commit> {
    let settlement = Settlement::Complete { result: None, keep };
    let settled =
        |job: eventyard_core::Leased| Commit::under(job.lease, [Write::Settle(settlement.clone())]);
    leased.into_iter().map(settled).collect()
}

/// `producers` tasks that each add one job after the other.
async fn enqueue_single(producers: usize) {
    let bench = Arc::new(Bench::open(0).await);
    let added = Arc::new(AtomicU64::new(0));
    let (start, before) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..producers)
        .map(|_| {
            let (bench, added) = (bench.clone(), added.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < Duration::from_secs(SECONDS) {
                    let asked = Instant::now();
                    bench.store.commit(vec![Commit::of([bench.job()])]).await.expect("added");
                    waits.push(asked.elapsed());
                    added.fetch_add(1, Ordering::Relaxed);
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("no panic"));
    }
    let rate = added.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    report(
        &format!("enqueue-single, {producers} producers"),
        rate,
        &mut waits,
        added.load(Ordering::Relaxed),
        before,
    );
    Arc::into_inner(bench).expect("all tasks ended").close().await;
}

async fn enqueue_batch(batch: usize) {
    let bench = Bench::open(0).await;
    let (start, before, mut added, mut waits) = (Instant::now(), cpu(), 0, Vec::new());
    while start.elapsed() < Duration::from_secs(SECONDS) {
        let commits = (0..batch).map(|_| Commit::of([bench.job()])).collect();
        let asked = Instant::now();
        bench.store.commit(commits).await.expect("added");
        waits.push(asked.elapsed());
        added += batch;
    }
    let rate = added as f64 / start.elapsed().as_secs_f64();
    report(&format!("enqueue-batch of {batch}"), rate, &mut waits, added as u64, before);
    bench.close().await;
}

/// Workers that each settle a batch and claim the next one at the same time.
async fn drain(keys: usize, backlog: usize, workers: usize, batch: usize, keep: Keep, label: &str) {
    let bench = Arc::new(Bench::open(keys).await);
    bench.add(backlog).await;
    let (start, before) = (Instant::now(), cpu());
    let done = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (bench, done) = (bench.clone(), done.clone());
            tokio::spawn(async move {
                let mut leased =
                    bench.store.claim(bench.ask(batch, Duration::ZERO)).await.expect("claimed");
                while !leased.is_empty() {
                    done.fetch_add(leased.len() as u64, Ordering::Relaxed);
                    let settled = bench.store.commit(settle(leased, keep));
                    let claimed = bench.store.claim(bench.ask(batch, Duration::ZERO));
                    let (settled, claimed) = tokio::join!(settled, claimed);
                    assert!(settled.expect("settled").iter().all(Result::is_ok));
                    leased = claimed.expect("claimed");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(done.load(Ordering::Relaxed), backlog as u64);
    let rate = backlog as f64 / start.elapsed().as_secs_f64();
    report(
        &format!("drain {backlog} of {keys} keys, {workers} workers, batch {batch}, {label}"),
        rate,
        &mut [],
        backlog as u64,
        before,
    );
    Arc::into_inner(bench).expect("all tasks ended").close().await;
}

/// One job after the other to a worker that waits.
async fn pickup(jobs: usize, pause: Duration) {
    let bench = Arc::new(Bench::open(0).await);
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = {
        let bench = bench.clone();
        tokio::spawn(async move {
            loop {
                let leased = bench.store.claim(bench.ask(10, Duration::from_secs(5))).await;
                let Ok(leased) = leased else { return };
                if leased.is_empty() {
                    return;
                }
                told.send(Instant::now()).expect("somebody listens");
                bench.store.commit(settle(leased, Keep::NOTHING)).await.expect("settled");
            }
        })
    };
    let (before, mut waits) = (cpu(), Vec::new());
    for _ in 0..jobs {
        tokio::time::sleep(pause).await;
        let asked = Instant::now();
        bench.store.commit(vec![Commit::of([bench.job()])]).await.expect("added");
        waits.push(heard.recv().await.expect("picked up").duration_since(asked));
    }
    report("pick-up, idle", 0.0, &mut waits, jobs as u64, before);
    worker.abort();
    let _ = worker.await;
    Arc::into_inner(bench).expect("all tasks ended").close().await;
}

/// The processor time that the writer thread and all others have used.
fn cpu() -> (Duration, Duration) {
    let (mut writer, mut others) = (Duration::ZERO, Duration::ZERO);
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let ran = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
        let side =
            if read("comm").starts_with("eventyard-sqlit") { &mut writer } else { &mut others };
        *side += Duration::from_nanos(ran);
    }
    (writer, others)
}

fn report(case: &str, rate: f64, waits: &mut [Duration], jobs: u64, before: (Duration, Duration)) {
    let (writer, others) = cpu();
    let per_job = |now: Duration, before: Duration| {
        (now.saturating_sub(before)).as_secs_f64() * 1e6 / jobs.max(1) as f64
    };
    let (writer, others) = (per_job(writer, before.0), per_job(others, before.1));
    waits.sort_unstable();
    let at = |share: f64| {
        let index = (waits.len() as f64 * share) as usize;
        waits.get(index.min(waits.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    println!(
        "{case:50} {rate:>9.0} /s  p50 {:?} p99 {:?}  cpu µs/job writer {writer:.2} others {others:.2}",
        at(0.5),
        at(0.99)
    );
}

#[tokio::main]
async fn main() {
    let cases: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| cases.is_empty() || cases.iter().any(|case| case == name);
    if wanted("single") {
        enqueue_single(50).await;
    }
    if wanted("one") {
        enqueue_single(1).await;
    }
    if wanted("batch") {
        enqueue_batch(100).await;
    }
    if wanted("keep") {
        drain(0, 200_000, 1, 100, Keep::count(1000), "keep 1000").await;
        drain(0, 200_000, 2, 100, Keep::count(1000), "keep 1000").await;
        drain(0, 200_000, 2, 50, Keep::count(1000), "keep 1000").await;
    }
    if wanted("remove") {
        drain(0, 200_000, 2, 100, Keep::NOTHING, "remove").await;
    }
    if wanted("backlog") {
        drain(0, 10_000, 2, 100, Keep::count(1000), "keep 1000").await;
        drain(0, 1_000_000, 2, 100, Keep::count(1000), "keep 1000").await;
    }
    if wanted("keys") {
        drain(1, 10_000, 2, 100, Keep::count(1000), "keep 1000").await;
        drain(10_000, 1_000_000, 2, 100, Keep::count(1000), "keep 1000").await;
    }
    if wanted("pickup") {
        pickup(500, Duration::from_millis(2)).await;
    }
}
