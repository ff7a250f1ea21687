//! How fast the store is, without the engine: `cargo run --release -p eventyard-redis --example redis_throughput -- redis://127.0.0.1:6379`.
#![allow(clippy::unwrap_used, reason = "an example fails by a panic")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eventyard_core::{
    Claim, Commit, JobId, JobOptions, Keep, NewJob, Payload, QueueName, Settlement, Store,
    WorkerId, Write,
};
use eventyard_redis::{Options, RedisStore};

const JOBS: usize = 50_000;
const IN_FLIGHT: usize = 50;

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).expect("the address of a Redis to fill");
    let store = RedisStore::open(Options::new(address.parse().unwrap())).await.unwrap();
    let queue = QueueName::new(format!("throughput-{}", std::process::id())).unwrap();

    let begun = Instant::now();
    let adders = (0..IN_FLIGHT).map(|n| {
        let (store, queue) = (store.clone(), queue.clone());
        tokio::spawn(async move {
            for i in (n..JOBS / 2).step_by(IN_FLIGHT) {
                let commit = Commit::of([Write::Enqueue(job(&queue, i))]);
                store.commit(vec![commit]).await.unwrap()[0].as_ref().unwrap();
            }
        })
    });
    for adder in adders.collect::<Vec<_>>() {
        adder.await.unwrap();
    }
    tell("enqueue-single", JOBS / 2, begun);

    let begun = Instant::now();
    for first in (JOBS / 2..JOBS).step_by(1000) {
        let commits =
            (first..first + 1000).map(|i| Commit::of([Write::Enqueue(job(&queue, i))])).collect();
        store.commit(commits).await.unwrap();
    }
    tell("enqueue-batch", JOBS / 2, begun);

    let begun = Instant::now();
    let mut done = 0;
    while done < JOBS {
        let claim = Claim {
            queue: queue.clone(),
            max: IN_FLIGHT,
            lease_for: Duration::from_secs(30),
            worker: WorkerId::new("w").unwrap(),
            wait: Duration::ZERO,
        };
        let leased = store.claim(claim).await.unwrap();
        done += leased.len();
        let commits = leased.into_iter().map(|leased| {
            let (result, keep) = (None, Keep::NOTHING);
            Commit::under(leased.lease, [Write::Settle(Settlement::Complete { result, keep })])
        });
        for answer in store.commit(commits.collect()).await.unwrap() {
            answer.unwrap();
        }
    }
    tell("drain", JOBS, begun);
    store.close().await;
}

fn job(queue: &QueueName, number: usize) -> NewJob {
    NewJob {
        queue: queue.clone(),
        id: JobId::new(format!("job-{number:08}")).unwrap(),
        name: "work".into(),
        payload: Payload::Data(
            format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(170)).into(),
        ),
        options: Arc::new(JobOptions::default()),
        awaits_children: false,
    }
}

fn tell(case: &str, jobs: usize, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{case}: {:.0} jobs/s", f64::from(u32::try_from(jobs).unwrap()) / seconds);
}
