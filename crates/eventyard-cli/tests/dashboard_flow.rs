//! What looking costs: a million jobs in the store, jobs that flow as fast as they can, and the requests of an open page.
//!
//! It measures, so it is run by hand, alone on the machine:
//! `cargo test --release -p eventyard-cli --test dashboard_flow -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use eventyard::{Context, Eventyard, JobError, JobRequest, Json, Queue, Yard, model::SystemClock};
use eventyard_admin::{ApiOptions, OpenApiRouter, api, serve};
use eventyard_sqlite::SqliteStore;

/// Jobs that lie in the store.
const LYING: usize = 1_000_000;
/// How long each phase is measured, and how many pairs of them there are.
const PHASE: Duration = Duration::from_secs(4);
const ROUNDS: usize = 6;
/// The most jobs that may wait in the flow.
const AHEAD: u64 = 20_000;

async fn nothing(_: Json<serde_json::Value>, _: Context) -> Result<(), JobError> {
    Ok(())
}

async fn open(folder: &std::path::Path) -> Yard {
    let clock = Arc::new(SystemClock::default());
    let options =
        eventyard_sqlite::Options::new(folder.join("flow.db")).clock(Arc::clone(&clock) as _);
    let store = SqliteStore::open(options).await.unwrap();
    Eventyard::on(Arc::new(store), clock)
        .queue(Queue::new("archive"))
        .queue(Queue::new("flow").concurrency(100))
        .handle("flow", nothing)
        .start()
        .await
        .unwrap()
}

async fn fill(yard: &Yard) {
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..20 {
        let yard = yard.clone();
        tasks.spawn(async move {
            for _ in 0..LYING / 20 / 1000 {
                let job = |n| JobRequest::new("archive", "lies").data(&(part, n)).unwrap();
                yard.enqueue_all((0..1000).map(job).collect()).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Keeps jobs waiting in the flow.
async fn feed(yard: Yard, stop: Arc<AtomicBool>) {
    let queue = eventyard::model::QueueName::new("flow").unwrap();
    let mut producers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (yard, stop, queue) = (yard.clone(), Arc::clone(&stop), queue.clone());
        producers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let total = yard.lately(&queue).unwrap().total;
                if total.added - total.completed > AHEAD {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    continue;
                }
                let job = |n| JobRequest::new("flow", "flows").data(&n).unwrap();
                yard.enqueue_all((0..100).map(job).collect()).await.unwrap();
            }
        });
    }
    while producers.join_next().await.is_some() {}
}

/// What an open overview and an open queue page ask for, until they are closed. Returns how long each answer took.
async fn look(url: String, closed: Arc<AtomicBool>) -> Vec<(&'static str, Duration)> {
    let client = reqwest::Client::new();
    let mut stream = client.get(format!("{url}/api/v1/stream/queues")).send().await.unwrap();
    let mut took = Vec::new();
    let mut beat = 0;
    while !closed.load(Ordering::Relaxed) {
        let asks: &[(&str, &str)] = match beat % 5 {
            0 => &[
                ("list", "/api/v1/queues/flow/jobs?state=completed&brief=true&limit=50"),
                (
                    "list of a million",
                    "/api/v1/queues/archive/jobs?state=waiting&brief=true&limit=50",
                ),
                ("queues", "/api/v1/queues"),
                ("metrics", "/api/v1/queues/metrics"),
                ("metrics of one", "/api/v1/queues/metrics?queue=flow"),
            ],
            _ => &[("list", "/api/v1/queues/flow/jobs?state=completed&brief=true&limit=50")],
        };
        for (name, path) in asks {
            let begun = Instant::now();
            let answer = client.get(format!("{url}{path}")).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer.bytes().await.unwrap();
            took.push((*name, begun.elapsed()));
        }
        beat += 1;
        // The page asks again when it hears of a change: once a second.
        let chunk = tokio::time::timeout(Duration::from_secs(3), stream.chunk()).await;
        assert!(chunk.expect("it stays live").unwrap().is_some(), "the stream has ended");
    }
    took
}

async fn speed(yard: &Yard) -> f64 {
    let queue = eventyard::model::QueueName::new("flow").unwrap();
    let done = || yard.lately(&queue).unwrap().total.completed;
    let (before, begun) = (done(), Instant::now());
    tokio::time::sleep(PHASE).await;
    (done() - before) as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: run it in release, alone on the machine"]
async fn looking_costs_the_flow_next_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let yard = open(folder.path()).await;
    fill(&yard).await;
    let options = ApiOptions { dashboard: true, ..ApiOptions::default() };
    let router = api(yard.clone(), OpenApiRouter::new(), options);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, router, std::future::pending()));
    let stop = Arc::new(AtomicBool::new(false));
    let feeding = tokio::spawn(feed(yard.clone(), Arc::clone(&stop)));
    speed(&yard).await;

    let (mut alone, mut watched, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Which comes first changes, so that what drifts does so for both.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                alone.push(speed(&yard).await);
            } else {
                let closed = Arc::new(AtomicBool::new(false));
                let looking = tokio::spawn(look(url.clone(), Arc::clone(&closed)));
                watched.push(speed(&yard).await);
                closed.store(true, Ordering::Relaxed);
                took.extend(looking.await.unwrap());
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    feeding.await.unwrap();
    println!("alone {alone:.0?}\nwatched {watched:.0?}");
    let (alone, watched) = (median(alone), median(watched));
    println!(
        "medians: {alone:.0} jobs/s alone, {watched:.0} jobs/s watched: {:+.1} %",
        (watched / alone - 1.0) * 100.0
    );
    for name in ["list", "list of a million", "queues", "metrics", "metrics of one"] {
        let mut times: Vec<_> = took
            .iter()
            .filter(|(of, _)| *of == name)
            .map(|(_, took)| took.as_secs_f64() * 1e3)
            .collect();
        times.sort_by(f64::total_cmp);
        let worst = times.last().unwrap();
        println!(
            "{name}: median {:.1} ms, worst {worst:.1} ms of {}",
            times[times.len() / 2],
            times.len()
        );
    }
    yard.shutdown().await;
}
