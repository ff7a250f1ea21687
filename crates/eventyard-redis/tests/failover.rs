//! The store goes on when Sentinel makes the replica the master.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod given;
mod server;

use std::time::{Duration, Instant};

use eventyard_core::{Commit, Inspect, JobState, QueueName, Store, Write};
use eventyard_redis::{Options, RedisStore};
use given::{claim, complete, job};
use server::RedisServer;

/// Longer than a failover takes.
const PATIENCE: Duration = Duration::from_secs(40);

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn jobs_survive_a_failover_by_sentinel() {
    let mut master = RedisServer::start();
    let follows = format!("replicaof 127.0.0.1 {}", master.port());
    let replica = RedisServer::start_with(&[&follows, "repl-diskless-sync-delay 0"]);
    let sentinel = RedisServer::start_sentinel("main", &master);
    let url = format!("redis+sentinel://127.0.0.1:{}/main/0", sentinel.port());
    let open = async || RedisStore::open(Options::new(url.parse().unwrap())).await.unwrap();
    let (store, other) = (open().await, open().await);
    let add = |store: &RedisStore, queue: &str, id: &str| {
        let (store, job) = (store.clone(), job(queue, id));
        async move { store.commit(vec![Commit::of([Write::Enqueue(job)])]).await }
    };

    add(&store, "q", "before").await.unwrap()[0].as_ref().unwrap();
    add(&store, "q", "leased").await.unwrap()[0].as_ref().unwrap();
    let leased = store.claim(claim("q", Duration::ZERO)).await.unwrap();
    let waits = {
        let store = store.clone();
        tokio::spawn(async move { store.claim(claim("other", PATIENCE * 2)).await })
    };
    let has = |key: &str| replica.command(&format!("EXISTS {key}")).contains(":1");
    until("the replica has all", async || has("bull:q:before:lock") && has("bull:q:leased:lock"))
        .await;
    let knows = || sentinel.command("SENTINEL MASTER main").contains("num-slaves\r\n$1\r\n1");
    until("Sentinel knows the replica", async || knows()).await;
    master.kill();

    until("the store goes on", async || add(&store, "q", "after").await.is_ok()).await;
    for leased in leased {
        let done = store.commit(vec![complete(leased.lease, [])]).await.unwrap();
        done[0].as_ref().expect("the lease holds on the new master");
    }
    assert_eq!(store.claim(claim("q", Duration::ZERO)).await.unwrap()[0].job.id.as_str(), "after");
    // Whoever waited waits at the new master.
    until("the other goes on", async || add(&other, "other", "late").await.is_ok()).await;
    assert_eq!(waits.await.unwrap().unwrap()[0].job.id.as_str(), "late");
    let counts = store.queues().await.unwrap()[&QueueName::new("q").unwrap()].counts;
    assert_eq!(counts.get(JobState::Completed), 2);
}
