//! `kill -9` under load, twenty times in a row: every event that was accepted is handled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use reqwest::{Client, StatusCode};
use serde_json::json;
use support::{Bench, Server, eventually};
use tokio::{sync::Semaphore, task::JoinSet};

const KILLS: usize = 20;
/// Producers at work at once.
const PRODUCERS: usize = 8;
/// How many events are accepted before each kill; the moment of the kill varies with the machine.
const ACCEPTED_BEFORE_A_KILL: usize = 120;
/// How many jobs of the queue are worked on at once.
const CONCURRENCY: usize = 5;

/// Publishes mock events until the server is gone; returns the ids of those that were accepted.
async fn produce(url: String, user: String, accepted: Arc<Semaphore>) -> Vec<String> {
    let client = Client::new();
    let mut ids = Vec::new();
    loop {
        let request = client.post(format!("{url}/mock-events/booking-created"));
        let answer = request.json(&json!({"userId": user})).send().await;
        let Ok(answer) = answer else { return ids };
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let Ok(answer) = answer.json::<serde_json::Value>().await else { return ids };
        ids.push(answer["eventId"].as_str().unwrap().to_owned());
        accepted.add_permits(1);
    }
}

/// Lets producers publish, and kills the server in the middle of it.
async fn publish_and_kill(bench: &Bench, round: usize) -> Vec<String> {
    let mut server = bench.serve(&["dev", "--config", "eventyard.toml"]).await;
    let accepted = Arc::new(Semaphore::new(0));
    let mut producers = JoinSet::new();
    for producer in 0..PRODUCERS {
        let user = format!("u-{round}-{producer}");
        producers.spawn(produce(server.url.clone(), user, accepted.clone()));
    }
    let enough = u32::try_from(ACCEPTED_BEFORE_A_KILL + 7 * round).unwrap();
    let accepted = accepted.acquire_many(enough).await.unwrap();
    server.signal("KILL");
    drop(accepted);
    assert!(!server.ended().await.success());
    producers.join_all().await.concat()
}

/// The completed jobs, and how many attempts each took: more than one if a kill interrupted it.
async fn completed(server: &Server) -> BTreeMap<String, u64> {
    let mut jobs = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/queues/emails/jobs?state=completed&limit=500{cursor}");
        let page = server.get(&path).await;
        for job in page["items"].as_array().unwrap() {
            let id = job["id"].as_str().unwrap().to_owned();
            jobs.insert(id, job["attemptsMade"].as_u64().unwrap());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return jobs,
        }
    }
}

#[tokio::test]
async fn every_accepted_event_is_handled_though_the_server_is_killed_twenty_times() {
    let keep = "[queues.emails.keep-completed]\ncount = 1000000\n";
    let bench = Bench::default().file("eventyard.toml", keep);
    let mut accepted = Vec::new();
    for round in 0..KILLS {
        accepted.extend(publish_and_kill(&bench, round).await);
    }

    let server = bench.serve(&["dev", "--config", "eventyard.toml"]).await;
    eventually("an empty queue", async || {
        let stats = server.get("/api/v1/queues/stats?queue=emails").await;
        let open = |state: &str| stats["stats"][state].as_u64().unwrap();
        (open("waiting") + open("active") + open("delayed") == 0).then_some(())
    })
    .await;
    let stats = server.get("/api/v1/queues/stats?queue=emails").await;
    assert_eq!(stats["stats"]["failed"], 0, "{stats}");

    let completed = completed(&server).await;
    let lost: Vec<_> = accepted.iter().filter(|id| !completed.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} accepted events were lost", lost.len(), accepted.len());
    let repeated = completed.values().filter(|attempts| **attempts > 1).count();
    println!("{} accepted, none lost, {repeated} interrupted and repeated", accepted.len());
    // Quick handlers are claimed ahead, up to twice the concurrency.
    let bound = KILLS * 2 * CONCURRENCY;
    assert!(repeated <= bound, "{repeated} were repeated, more than {bound}");
    server.stop().await;
}
