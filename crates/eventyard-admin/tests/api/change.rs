//! Changing jobs that are not finished.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

const JOBS: &str = "/api/v1/queues/emails/jobs";

async fn change(api: &Api, id: &str, body: &Value) {
    let changed = api.call_with("PATCH", &format!("{JOBS}/{id}"), body).await;
    changed.expect(StatusCode::OK);
    assert_eq!(changed.json, json!({"queue": "emails", "jobId": id}));
}

async fn show(api: &Api, id: &str) -> Value {
    api.get(&format!("{JOBS}/{id}")).await.json
}

#[tokio::test]
async fn a_job_that_waits_gets_other_data_another_priority_and_another_time() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "data": 1, "opts": {"jobId": "j"}})).await;
    change(&api, "j", &json!({"data": {"to": "grace"}})).await;
    assert_eq!(show(&api, "j").await["data"], json!({"to": "grace"}));
    change(&api, "j", &json!({"data": null})).await;
    assert_eq!(show(&api, "j").await["data"], Value::Null);
    change(&api, "j", &json!({"priority": 7})).await;
    assert_eq!(show(&api, "j").await["state"], "prioritized");

    change(&api, "j", &json!({"delay": 5000, "data": 2, "priority": 0})).await;
    let job = show(&api, "j").await;
    assert_eq!((&job["state"], &job["data"]), (&json!("delayed"), &json!(2)));
    assert_eq!(job["dueAt"], "2026-01-01T00:00:05.000Z");
    change(&api, "j", &json!({"runAt": "2026-01-01T00:01:00Z"})).await;
    assert_eq!(show(&api, "j").await["dueAt"], "2026-01-01T00:01:00.000Z");
    change(&api, "j", &json!({"delay": 0})).await;
    assert_eq!(show(&api, "j").await["state"], "waiting");
}

#[tokio::test]
async fn all_of_a_change_is_made_or_nothing() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "data": 1, "opts": {"jobId": "j"}})).await;
    let token = api.claim("emails").await;
    let job = format!("{JOBS}/j");
    let both = api.call_with("PATCH", &job, &json!({"data": 2, "priority": 1})).await;
    both.expect_problem(409, "wrong-state", None);
    assert_eq!(show(&api, "j").await["data"], 1);
    change(&api, "j", &json!({"data": 2})).await;
    let failed = json!({"error": "busy", "retryInMs": 1000});
    api.post(&format!("/api/v1/leases/{token}/fail"), &failed).await.expect(StatusCode::OK);
    api.clock.advance(Duration::from_secs(1));
    api.claim("emails").await;
    assert_eq!(show(&api, "j").await["data"], 2, "the next attempt gets it");
}

#[tokio::test]
async fn changes_that_are_refused() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "j"}})).await;
    let check = async |body: Value, field| {
        let refused = api.call_with("PATCH", &format!("{JOBS}/j"), &body).await;
        refused.expect_problem(422, "invalid-body", field);
    };
    check(json!({}), None).await;
    check(json!({"priority": null}), None).await;
    check(json!({"priority": 2_097_152}), Some("priority")).await;
    check(json!({"delay": -1}), Some("delay")).await;
    check(json!({"runAt": "soon"}), Some("runAt")).await;
    check(json!({"delay": 1, "runAt": "2026-01-01T00:00:00Z"}), Some("runAt")).await;
    check(json!({"attempts": 1}), Some("attempts")).await;
    let none = api.call_with("PATCH", &format!("{JOBS}/none"), &json!({"data": 1})).await;
    none.expect_problem(404, "no-such-job", None);
    let finished = async |body: Value| {
        let refused = api.call_with("PATCH", &format!("{JOBS}/dead"), &body).await;
        refused.expect_problem(409, "wrong-state", None);
    };
    api.bury("tickets", "dead").await;
    api.call("DELETE", &format!("{JOBS}/j")).await.expect(StatusCode::OK);
    api.bury("emails", "dead").await;
    finished(json!({"data": 1})).await;
    finished(json!({"priority": 1})).await;
    finished(json!({"delay": 1})).await;
}
