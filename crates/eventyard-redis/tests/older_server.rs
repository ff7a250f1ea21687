//! A server that knows no functions, as before Redis 7, or lets us load none, runs the same code as scripts.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod given;
mod server;

use std::time::Duration;

use eventyard_core::{Commit, Inspect, JobState, QueueName, Store, Write};
use eventyard_redis::{Options, RedisStore};
use given::{claim, complete, job};
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
    let add = Commit::of([Write::Enqueue(job("q", "a"))]);
    store.commit(vec![add]).await.unwrap()[0].as_ref().unwrap();
    // A server that begins anew has forgotten the code.
    server.command("SCRIPT FLUSH");
    let leased = store.claim(claim("q", Duration::ZERO)).await.unwrap().remove(0);
    store.commit(vec![complete(leased.lease, [])]).await.unwrap()[0].as_ref().unwrap();
    let queues = store.queues().await.unwrap();
    assert_eq!(queues[&QueueName::new("q").unwrap()].counts.get(JobState::Completed), 1);
    store.close().await;
}
