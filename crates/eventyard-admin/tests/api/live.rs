//! How the queues stand, as those who watch hear it; and what they did.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::StatusCode,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::client::{Api, request};

/// Somebody who watches.
struct Watcher {
    body: BodyDataStream,
    text: String,
}

impl Watcher {
    async fn start(api: &Api) -> Self {
        let asked = request("GET", "/api/v1/stream/queues", &[], Body::empty());
        let response = api.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// What is told next; comments are passed over. The clock of the runtime is paused: waiting takes no time.
    async fn next(&mut self) -> Value {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                if let Some(data) = block.lines().find_map(|line| line.strip_prefix("data: ")) {
                    assert!(block.contains("event: queues"), "{block}");
                    return serde_json::from_str(data).unwrap();
                }
            }
            let more = self.body.next().await.expect("no end").unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

fn names(told: &Value) -> Vec<&str> {
    told["items"].as_array().unwrap().iter().map(|item| item["queue"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn those_who_watch_hear_what_changes_and_no_more() {
    let api = Api::new().await;
    let mut watcher = Watcher::start(&api).await;
    let first = watcher.next().await;
    assert_eq!((first["whole"].as_bool(), names(&first)), (Some(true), vec!["emails", "tickets"]));

    let jobs: Vec<_> = (0..500).map(|_| json!({"name": "n"})).collect();
    for _ in 0..4 {
        api.post("/api/v1/queues/emails/jobs", &json!(jobs)).await.expect(StatusCode::CREATED);
    }
    let told = loop {
        let told = watcher.next().await;
        if told["items"][0]["counts"]["waiting"] == 2000 {
            break told;
        }
    };
    assert_eq!((told["whole"].as_bool(), names(&told)), (Some(false), vec!["emails"]));
    assert_eq!(told["items"][0]["total"]["added"], 2000);

    // Who comes later, or again, hears of everything.
    let again = Watcher::start(&api).await.next().await;
    assert_eq!(again["whole"], true);
    assert_eq!(again["items"][0]["counts"]["waiting"], 2000);
}

#[tokio::test]
async fn queues_are_measured() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "a"}})).await;
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "b"}})).await;
    api.clock.advance(Duration::from_secs(4));
    let token = api.claim("emails").await;
    let during = api.get("/api/v1/queues/metrics?queue=emails").await.json["items"][0].clone();
    assert_eq!(during["workers"], json!(["w-1"]));
    assert_eq!(during["oldestWaitingSince"], "2026-01-01T00:00:00.000Z");
    api.clock.advance(Duration::from_secs(2));
    api.post(&format!("/api/v1/leases/{token}/complete"), &json!({})).await;
    api.bury("tickets", "dead").await;

    let all = api.get("/api/v1/queues/metrics").await;
    all.expect(StatusCode::OK);
    let (emails, tickets) = (&all.json["items"][0], &all.json["items"][1]);
    let total = json!({"added": 2, "completed": 1, "failed": 0, "retried": 0});
    assert_eq!((&emails["queue"], &emails["total"]), (&json!("emails"), &total));
    assert_eq!(tickets["total"]["failed"], 1);
    let (wait, run) = (&emails["waitMs"]["p50"], &emails["runMs"]["p50"]);
    assert!((3000.0..5000.0).contains(&wait.as_f64().unwrap()), "{wait}");
    assert!((1500.0..2500.0).contains(&run.as_f64().unwrap()), "{run}");
    let history = &emails["history"];
    assert_eq!(history["completed"].as_array().unwrap().len(), 60);
    assert_eq!((&history["added"][59], &history["completed"][59]), (&json!(2), &json!(1)));
    assert!(history.get("wait").is_none());

    let one = api.get("/api/v1/queues/metrics?queue=emails").await.json;
    assert!(one["items"][0]["history"]["run"]["p95"][59].is_number(), "{one:#}");
    api.get("/api/v1/queues/metrics?queue=none").await.expect_problem(404, "no-such-queue", None);
}
