//! Limits, keys, and queues that are full.

use std::time::Duration;

use axum::http::{StatusCode, header};
use eventyard::{Queue, Rate};
use eventyard_admin::{ApiOptions, OpenApiRouter};
use serde_json::{Value, json};

use crate::client::Api;

const LIMITS: &str = "/api/v1/queues/emails/limits";
const KEYS: &str = "/api/v1/queues/emails/keys";

/// How many jobs of the queue a claim gets.
async fn claimable(api: &Api) -> usize {
    let ask = json!({"worker": "w", "max": 100});
    let claimed = api.post("/api/v1/queues/emails/claim", &ask).await;
    claimed.json["jobs"].as_array().unwrap().len()
}

#[tokio::test]
async fn limits_are_replaced_shown_and_hold() {
    let api = Api::new().await;
    assert_eq!(api.get(LIMITS).await.json, json!({}));
    let limits = json!({
        "concurrency": 50, "rate": {"max": 2, "per": 1000}, "maxLength": 100,
        "keys": {"concurrency": 5, "ordered": true, "weights": {"gold": 3}},
    });
    let put = api.call_with("PUT", LIMITS, &limits).await;
    put.expect(StatusCode::OK);
    assert_eq!(put.json, limits);
    assert_eq!(api.get(LIMITS).await.json, limits);
    assert_eq!(api.get("/api/v1/queues/emails").await.json["limits"], limits);
    for _ in 0..5 {
        api.add("emails", &json!({"name": "n"})).await;
    }
    assert_eq!(claimable(&api).await, 2, "two in a second");
    api.clock.advance(Duration::from_millis(1100));
    assert_eq!(claimable(&api).await, 2);
    api.call_with("PUT", LIMITS, &json!({})).await.expect(StatusCode::OK);
    assert_eq!(claimable(&api).await, 1, "nothing is limited any more");
}

#[tokio::test]
async fn what_an_application_states_is_shown() {
    let queue = Queue::new("reports").rate(Rate::per_second(5));
    let api = Api::of(|app| app.queue(queue), OpenApiRouter::new(), ApiOptions::default()).await;
    let shown = api.get("/api/v1/queues/reports/limits").await.json;
    assert_eq!(shown, json!({"rate": {"max": 5, "per": 1000}}));
}

#[tokio::test]
async fn limits_that_are_refused() {
    let api = Api::new().await;
    let check = async |body: Value, code, field| {
        api.call_with("PUT", LIMITS, &body).await.expect_problem(422, code, Some(field));
    };
    check(json!({"concurrency": 0}), "invalid-limits", "concurrency").await;
    check(json!({"rate": {"max": 0, "per": 1}}), "invalid-limits", "rate.max").await;
    check(json!({"keys": {"weights": {"a": 1001}}}), "invalid-limits", "keys.weights.a").await;
    check(json!({"rate": {"max": 1}}), "invalid-body", "rate.per").await;
    check(json!({"rate": [1, 1000]}), "invalid-body", "rate").await;
    check(json!({"max": 1}), "invalid-body", "max").await;
    check(json!({"maxLength": (1_u64 << 53)}), "invalid-body", "maxLength").await;
    let unknown = api.call_with("PUT", "/api/v1/queues/none/limits", &json!({})).await;
    unknown.expect_problem(404, "no-such-queue", None);
    api.get("/api/v1/queues/none/limits").await.expect_problem(404, "no-such-queue", None);
}

#[tokio::test]
async fn a_queue_that_is_full_says_when_to_come_back() {
    let api = Api::new().await;
    api.call_with("PUT", LIMITS, &json!({"maxLength": 1})).await.expect(StatusCode::OK);
    let job = json!({"name": "n"});
    api.add("emails", &job).await;
    let booking = json!({"name": "booking.confirmed"});
    let flow =
        json!({"queue": "tickets", "name": "n", "children": [{"queue": "emails", "name": "n"}]});
    for (path, body) in [
        ("/api/v1/queues/emails/jobs", &job),
        ("/api/v1/events", &booking),
        ("/api/v1/flows", &flow),
    ] {
        let refused = api.post(path, body).await;
        refused.expect_problem(429, "queue-full", None);
        assert_eq!(refused.headers[header::RETRY_AFTER], "5");
    }
    assert_eq!(api.count("tickets", "waiting-children").await, 0, "all of a flow or nothing");
    let token = api.claim("emails").await;
    api.add("emails", &job).await;
    api.call("POST", &format!("/api/v1/leases/{token}/complete")).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn keys_are_listed_paused_and_resumed() {
    let api = Api::new().await;
    for key in ["a/1", "b", "b"] {
        api.add("emails", &json!({"name": "n", "opts": {"key": key}})).await;
    }
    let first = api.get(&format!("{KEYS}?limit=1")).await.json;
    let a = json!({"key": "a/1", "waiting": 1, "active": 0, "paused": false});
    assert_eq!(first["items"], json!([a]));
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("{KEYS}?cursor={next}")).await.json;
    assert_eq!((&second["items"][0]["key"], &second["next"]), (&json!("b"), &Value::Null));

    let paused = api.call("POST", &format!("{KEYS}/b/pause")).await;
    paused.expect(StatusCode::OK);
    assert_eq!(paused.json, json!({"queue": "emails", "key": "b", "paused": true}));
    assert_eq!(claimable(&api).await, 1, "the other key goes on");
    let resumed = api.call("POST", &format!("{KEYS}/b/resume")).await;
    assert_eq!(resumed.json["paused"], false);
    assert_eq!(claimable(&api).await, 2);
    let shown = api.get(KEYS).await.json;
    assert_eq!(shown["items"][1], json!({"key": "b", "waiting": 0, "active": 2, "paused": false}));
    let slash = api.call("POST", &format!("{KEYS}/a%2F1/pause")).await;
    assert_eq!(slash.json["key"], "a/1");

    api.get(&format!("{KEYS}?cursor=nonsense")).await.expect_problem(
        400,
        "invalid-cursor",
        Some("cursor"),
    );
    api.get("/api/v1/queues/none/keys").await.expect_problem(404, "no-such-queue", None);
    let unknown = api.call("POST", "/api/v1/queues/none/keys/k/pause").await;
    unknown.expect_problem(404, "no-such-queue", None);
}
