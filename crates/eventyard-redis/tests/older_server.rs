//! A server that knows no functions, as before Redis 7, runs the same code as scripts.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Commit, Inspect, JobId, JobOptions, JobState, Keep, NewJob, Payload, QueueName,
    Settlement, Store, WorkerId, Write,
};
use eventyard_redis::{Options, RedisStore};
use server::RedisServer;

#[tokio::test]
async fn jobs_live_without_functions() {
    let settings = ["rename-command FCALL \"\"", "rename-command FUNCTION \"\""];
    jobs_live_on(RedisServer::start_with(&settings)).await;
}

#[tokio::test]
async fn jobs_live_where_functions_are_not_for_us() {
    jobs_live_on(RedisServer::start_with(&["user default on nopass ~* &* +@all -function"])).await;
}

async fn jobs_live_on(server: RedisServer) {
    let store = RedisStore::open(Options::new(server.url().parse().unwrap())).await.unwrap();
    let queue = QueueName::new("q").unwrap();
    let job = NewJob {
        queue: queue.clone(),
        id: JobId::new("a").unwrap(),
        name: "work".into(),
        payload: Payload::Data("{}".into()),
        options: Arc::new(JobOptions::default()),
        awaits_children: false,
    };
    store.commit(vec![Commit::of([Write::Enqueue(job)])]).await.unwrap()[0].as_ref().unwrap();
    let claim = Claim {
        queue: queue.clone(),
        max: 1,
        lease_for: Duration::from_secs(30),
        worker: WorkerId::new("w").unwrap(),
        wait: Duration::ZERO,
    };
    // A server that begins anew has forgotten the code.
    server.command("SCRIPT FLUSH");
    let leased = store.claim(claim).await.unwrap().remove(0);
    let settle = Write::Settle(Settlement::Complete { result: None, keep: Keep::FOREVER });
    let commit = Commit::under(leased.lease, [settle]);
    store.commit(vec![commit]).await.unwrap()[0].as_ref().unwrap();
    assert_eq!(store.queues().await.unwrap()[&queue].counts.get(JobState::Completed), 1);
    store.close().await;
}
