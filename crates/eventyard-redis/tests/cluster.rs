//! The store on a cluster of three nodes: everything of it is on one of them, by the hash tag of its prefix.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod given;
mod server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eventyard_core::{
    Clock, Commit, Event, Inspect, JobState, NewJob, PageAsk, Payload, QueueName, Store,
    SystemClock, Write,
};
use eventyard_redis::{Options, RedisStore};
use given::{claim, complete, job};
use server::RedisServer;

/// Three nodes that know each other and have all slots between them.
async fn cluster() -> [RedisServer; 3] {
    let nodes = [(); 3].map(|()| RedisServer::start_with(&["cluster-enabled yes"]));
    for (node, range) in nodes.iter().zip(["0 5461", "5462 10922", "10923 16383"]) {
        node.command(&format!("CLUSTER ADDSLOTSRANGE {range}"));
        nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {}", node.port()));
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    let is_whole = |node: &RedisServer| node.command("CLUSTER INFO").contains("cluster_state:ok");
    let knows_all =
        |node: &RedisServer| node.command("CLUSTER INFO").contains("cluster_known_nodes:3");
    while !nodes.iter().all(|node| is_whole(node) && knows_all(node)) {
        assert!(Instant::now() < deadline, "the nodes do not come together");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    nodes
}

#[tokio::test]
async fn jobs_events_and_documents_of_several_queues_change_together() {
    let nodes = cluster().await;
    let url = format!("redis+cluster://127.0.0.1:{}", nodes[0].port());
    let open = async || RedisStore::open(Options::new(url.parse().unwrap())).await.unwrap();
    let (store, other) = (open().await, open().await);
    let now = SystemClock::default().now();
    let event = Arc::new(Event::new("order.placed", "/test", now, "{}"));
    let made = NewJob { payload: Payload::Event(Arc::clone(&event)), ..job("emails", "made") };
    let publish =
        Write::Publish { event: Arc::clone(&event), jobs: vec![made, job("reports", "r")] };

    // A claim that waits is woken over a connection to the node that has its keys.
    let waits = {
        let store = store.clone();
        tokio::spawn(async move { store.claim(claim("emails", Duration::from_secs(20))).await })
    };
    let begun = Instant::now();
    other.commit(vec![Commit::of([publish])]).await.unwrap()[0].as_ref().unwrap();
    let leased = waits.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "it was woken, and did not look again");
    assert_eq!(leased[0].job.payload.event(), Some(&event));

    let put = Write::Put {
        collection: "things".to_owned(),
        key: "k".to_owned(),
        value: "2".into(),
        expected: Some(0),
    };
    store.commit(vec![complete(leased[0].lease.clone(), [put])]).await.unwrap()[0]
        .as_ref()
        .unwrap();

    let queues = store.queues().await.unwrap();
    let count = |queue: &str, state| queues[&QueueName::new(queue).unwrap()].counts.get(state);
    assert_eq!(count("emails", JobState::Completed), 1);
    assert_eq!(count("reports", JobState::Waiting), 1);
    let reports = QueueName::new("reports").unwrap();
    let listed = store.jobs(Some(&reports), JobState::Waiting, PageAsk::first(9)).await.unwrap();
    assert_eq!(listed.items[0].job.id.as_str(), "r");
    assert_eq!(store.event(&event.id).await.unwrap().as_ref(), Some(&*event));
    assert_eq!(store.document("things", "k").await.unwrap().unwrap().value, "2");
    store.close().await;
}

#[tokio::test]
async fn a_prefix_without_a_hash_tag_is_refused() {
    let nodes = cluster().await;
    let url = format!("redis+cluster://127.0.0.1:{}?prefix=bull", nodes[0].port());
    let refused = RedisStore::open(Options::new(url.parse().unwrap())).await.unwrap_err();
    assert!(refused.to_string().contains("has no hash tag"), "{refused}");
}
