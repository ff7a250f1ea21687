use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

#[tokio::test]
async fn declared_queues_are_listed_with_their_settings() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    let listed = api.get("/api/v1/queues").await;
    listed.expect(StatusCode::OK);
    assert_eq!(listed.json["next"], Value::Null);
    let names: Vec<_> =
        listed.json["items"].as_array().unwrap().iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["emails", "tickets"]);

    let emails = api.get("/api/v1/queues/emails").await;
    emails.expect(StatusCode::OK);
    assert_eq!(emails.json, listed.json["items"][0]);
    assert_eq!(emails.json["declared"], true);
    assert_eq!(emails.json["paused"], false);
    assert_eq!(emails.json["counts"]["waiting"], 1);
    let settings = &emails.json["settings"];
    assert_eq!((&settings["concurrency"], &settings["leaseMs"]), (&json!(5), &json!(30_000)));
    assert_eq!(settings["defaults"]["attempts"], 2);
    api.get("/api/v1/queues/none").await.expect_problem(404, "no-such-queue", None);
}

#[tokio::test]
async fn stats_have_every_state() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    api.add("emails", &json!({"name": "n", "opts": {"priority": 1}})).await;
    api.add("emails", &json!({"name": "n", "opts": {"delay": 1000}})).await;
    api.bury("tickets", "t-1").await;
    let emails = json!({
        "queue": "emails",
        "stats": {
            "waiting": 1, "prioritized": 1, "delayed": 1, "active": 0, "completed": 0, "failed": 0,
            "paused": 0, "waiting-children": 0
        }
    });
    let one = api.get("/api/v1/queues/stats?queue=emails").await;
    one.expect(StatusCode::OK);
    assert_eq!(one.json, emails);
    let all = api.get("/api/v1/queues/stats").await.json;
    assert_eq!(all["queues"][0], emails);
    assert_eq!(all["queues"][1]["stats"]["failed"], 1);

    api.get("/api/v1/queues/stats?queue=none").await.expect_problem(404, "no-such-queue", None);
    let misspelt = api.get("/api/v1/queues/stats?queu=emails").await;
    misspelt.expect_problem(400, "invalid-parameter", Some("queu"));
    let invalid = api.get("/api/v1/queues/stats?queue=a:b").await;
    invalid.expect_problem(400, "invalid-parameter", Some("queue"));
}

#[tokio::test]
async fn a_paused_queue_hands_out_nothing() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    for _ in 0..2 {
        let paused = api.call("POST", "/api/v1/queues/emails/pause").await;
        paused.expect(StatusCode::OK);
        assert_eq!(
            (&paused.json["paused"], &paused.json["counts"]["paused"]),
            (&json!(true), &json!(1))
        );
    }
    let claimed = api.post("/api/v1/queues/emails/claim", &json!({"worker": "w"})).await;
    assert_eq!(claimed.json, json!({"jobs": []}));
    let resumed = api.call("POST", "/api/v1/queues/emails/resume").await;
    resumed.expect(StatusCode::OK);
    assert_eq!(resumed.json["counts"]["waiting"], 1);
    for path in ["pause", "resume", "drain", "obliterate"] {
        let unknown = api.call("POST", &format!("/api/v1/queues/none/{path}")).await;
        unknown.expect_problem(404, "no-such-queue", None);
    }
    assert_eq!(api.get("/api/v1/queues").await.json["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn draining_leaves_delayed_jobs_unless_asked() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    api.add("emails", &json!({"name": "n", "opts": {"delay": 1000}})).await;
    let drained = api.call("POST", "/api/v1/queues/emails/drain").await;
    drained.expect(StatusCode::OK);
    assert_eq!(drained.json, json!({"removed": 1}));
    assert_eq!(api.count("emails", "delayed").await, 1);
    let drained = api.post("/api/v1/queues/emails/drain", &json!({"delayed": true})).await;
    assert_eq!(drained.json, json!({"removed": 1}));
    let check = async |body: Value, field| {
        let refused = api.post("/api/v1/queues/emails/drain", &body).await;
        refused.expect_problem(422, "invalid-body", field);
    };
    check(json!({"delayed": "yes"}), Some("delayed")).await;
    check(json!({"all": true}), Some("all")).await;
    check(json!([1]), None).await;
}

#[tokio::test]
async fn obliterating_waits_for_running_jobs() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    api.add("emails", &json!({"name": "n", "opts": {"delay": 1000}})).await;
    let token = api.claim("emails").await;
    let refused = api.call("POST", "/api/v1/queues/emails/obliterate").await;
    refused.expect_problem(409, "queue-not-empty", None);
    api.call("POST", &format!("/api/v1/leases/{token}/complete")).await.expect(StatusCode::OK);
    api.call("POST", "/api/v1/queues/emails/obliterate").await.expect(StatusCode::OK);
    let emails = api.get("/api/v1/queues/emails").await.json;
    assert_eq!((&emails["paused"], &emails["counts"]["completed"]), (&json!(false), &json!(0)));
}

#[tokio::test]
async fn cleaning_by_state_and_age() {
    let api = Api::new().await;
    api.bury("emails", "old").await;
    api.bury("tickets", "old").await;
    api.clock.advance(Duration::from_secs(60));
    api.bury("emails", "new").await;
    let clean = async |body: Value| {
        let cleaned = api.post("/api/v1/queues/clean", &body).await;
        cleaned.expect(StatusCode::OK);
        cleaned.json["removed"].as_u64().unwrap()
    };
    assert_eq!(clean(json!({})).await, 0, "completed ones unless said otherwise");
    assert_eq!(clean(json!({"state": "failed", "limit": 0})).await, 0);
    let aged = json!({"queue": "emails", "state": "failed", "olderThanMs": 60_000});
    assert_eq!(clean(aged.clone()).await, 1);
    assert_eq!(clean(aged).await, 0);
    assert_eq!(clean(json!({"state": "failed", "limit": 1})).await, 1);
    assert_eq!(clean(json!({"state": "failed"})).await, 1);

    api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    api.call("POST", &format!("/api/v1/leases/{token}/complete")).await.expect(StatusCode::OK);
    let cleaned = api.call("POST", "/api/v1/queues/clean").await;
    assert_eq!((cleaned.status, cleaned.json), (StatusCode::OK, json!({"removed": 1})));

    let check = async |body: Value, field| {
        let refused = api.post("/api/v1/queues/clean", &body).await;
        refused.expect_problem(422, "invalid-body", Some(field));
    };
    check(json!({"state": "done"}), "state").await;
    check(json!({"state": "active"}), "state").await;
    check(json!({"queue": 1}), "queue").await;
    check(json!({"queue": "a b"}), "queue").await;
    check(json!({"olderThanMs": -1}), "olderThanMs").await;
    check(json!({"olderThan": 1}), "olderThan").await;
    let unknown = api.post("/api/v1/queues/clean", &json!({"queue": "none"})).await;
    unknown.expect_problem(404, "no-such-queue", None);
}
