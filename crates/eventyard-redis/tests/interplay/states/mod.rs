//! State for state: the same scenarios in BullMQ and in Eventyard leave the same keys.

mod apart;
mod hands;
mod scenarios;

use std::{
    panic::AssertUnwindSafe,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt as _;
use redis::AsyncCommands as _;
use serde_json::json;

use self::{
    apart::{APART, Apart},
    hands::Hands,
};
use crate::{
    keys,
    node::{Node, VERSIONS},
    server::RedisServer,
};

/// Goes through each scenario on an empty Redis, first with BullMQ, then with Eventyard, and compares.
async fn compare(version: u8) {
    let server = RedisServer::start_with(&["appendonly no"]);
    let node = Node::start(server.port(), version).await;
    let mut redis = keys::connect(&server.url()).await;
    let names = node.call(json!({"on": "peer", "call": "states"})).await;
    let names: Vec<&str> =
        names.as_array().unwrap().iter().flat_map(|name| name.as_str()).collect();
    assert!(names.len() >= 30, "{names:?}");

    let mut differences = Vec::new();
    for name in &names {
        let begin = now();
        node.call(json!({"on": "state", "call": name})).await;
        node.call(json!({"on": "peer", "call": "close"})).await;
        let theirs = keys::read(&mut redis, begin).await.unwrap();
        keys::clear(&mut redis).await;

        // BullMQ was there before.
        let opened =
            theirs.keys().filter_map(|place| place.strip_suffix(":meta opts.maxLenEvents"));
        for queue in opened {
            let version = format!("bullmq:{version}.0.0");
            let meta = [("version", version.as_str()), ("opts.maxLenEvents", "10000")];
            let _: () = redis.hset_multiple(format!("{queue}:meta"), &meta).await.unwrap();
        }
        let hands = Hands::new(&server, &redis).await;
        let gone_through = AssertUnwindSafe(scenarios::go(name, &hands)).catch_unwind().await;
        hands.close().await;
        if gone_through.is_err() {
            // Why is told above, by the panic.
            differences.push(format!("  {name}\n    is not gone through\n"));
        }
        let ours = keys::read(&mut redis, begin).await.unwrap();
        keys::clear(&mut redis).await;

        let mut difference = keys::difference(&theirs, &ours);
        let is_meant =
            |apart: &&Apart| apart.scenario == *name && apart.versions.contains(&version);
        for Apart { places, why, .. } in APART.iter().filter(is_meant) {
            for place in *places {
                if difference.remove(*place).is_none() {
                    let same = format!("      is the same, though {why}\n");
                    difference.insert((*place).to_owned(), same);
                }
            }
        }
        if !difference.is_empty() {
            let places = difference.iter().map(|(place, sides)| format!("    {place}\n{sides}"));
            differences.push(format!("  {name}\n{}", places.collect::<String>()));
        }
    }
    assert!(
        differences.is_empty(),
        "BullMQ {version}: {} of {} scenarios leave other keys\n{}",
        differences.len(),
        names.len(),
        differences.join("\n")
    );
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_keys_as_bullmq_5() {
    compare(VERSIONS[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_keys_as_bullmq_6() {
    compare(VERSIONS[1]).await;
}
