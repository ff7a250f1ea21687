//! Replaying dead letters at a rate.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

/// Lets the clock go on until `done`, so that what waits on it has its turn.
async fn until(api: &Api, done: impl AsyncFn() -> bool) {
    for _ in 0..10_000 {
        if done().await {
            return;
        }
        api.clock.advance(Duration::from_millis(200));
        tokio::task::yield_now().await;
    }
    panic!("it does not come");
}

async fn last(api: &Api) -> Value {
    api.get("/api/v1/replays").await.json["items"][0].clone()
}

async fn with_dead_letters(count: usize) -> Api {
    let api = Api::new().await;
    for n in 0..count {
        api.bury("emails", &format!("d-{n}")).await;
    }
    api
}

#[tokio::test]
async fn it_keeps_to_its_rate_and_goes_on_by_itself() {
    let api = with_dead_letters(7).await;
    let begun = api.post("/api/v1/replays", &json!({"queue": "emails", "perSecond": 5})).await;
    begun.expect(StatusCode::ACCEPTED);
    assert_eq!((&begun.json["state"], &begun.json["by"]), (&json!("running"), &json!("anyone")));
    let at = api.yard.clock().now();
    until(&api, async || last(&api).await["state"] == "completed").await;
    let took = api.yard.clock().now().since(at);
    assert!(took >= Duration::from_millis(1200), "7 jobs at 5 a second in {took:?}");
    assert_eq!((api.count("emails", "failed").await, api.count("emails", "waiting").await), (0, 7));
    assert_eq!(last(&api).await["replayed"], 7);
    until(&api, async || {
        let entry = api.get("/api/v1/audit?limit=1").await.json["items"][0].clone();
        (&entry["what"], &entry["count"]) == (&json!("failed.replay"), &json!(7))
    })
    .await;
}

#[tokio::test]
async fn it_takes_those_that_match_and_can_be_stopped() {
    let api = with_dead_letters(3).await;
    api.post("/api/v1/replays", &json!({"error": "bank"})).await.expect(StatusCode::ACCEPTED);
    until(&api, async || last(&api).await["state"] == "completed").await;
    assert_eq!(
        (&last(&api).await["replayed"], api.count("emails", "failed").await),
        (&json!(0), 3)
    );

    api.post("/api/v1/replays", &json!({"error": "CARRIER", "limit": 2})).await;
    until(&api, async || last(&api).await["state"] == "completed").await;
    assert_eq!(api.count("emails", "failed").await, 1);

    let slow = api.post("/api/v1/replays", &json!({"perSecond": 1})).await;
    let path = format!("/api/v1/replays/{}", slow.json["id"].as_str().unwrap());
    assert_eq!(api.call("DELETE", &path).await.json["state"], "stopped");
    until(&api, async || last(&api).await["endedAt"].is_string()).await;
    assert_eq!(api.count("emails", "failed").await, 1);

    api.call("DELETE", "/api/v1/replays/none").await.expect_problem(404, "no-such-replay", None);
    let refused = api.post("/api/v1/replays", &json!({"perSecond": 0})).await;
    refused.expect_problem(422, "invalid-body", Some("perSecond"));
    let refused = api.post("/api/v1/replays", &json!({"queue": "none"})).await;
    refused.expect_problem(404, "no-such-queue", None);
}

#[tokio::test]
async fn there_are_not_too_many_at_once() {
    let api = with_dead_letters(1).await;
    for _ in 0..5 {
        let ask = json!({"perSecond": 1, "error": "none"});
        api.post("/api/v1/replays", &ask).await.expect(StatusCode::ACCEPTED);
    }
    let refused = api.post("/api/v1/replays", &json!({})).await;
    refused.expect_problem(429, "too-many-requests", None);
}
