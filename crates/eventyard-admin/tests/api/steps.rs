//! Steps of jobs: saved by workers, shown to people.

use std::time::Duration;

use axum::http::StatusCode;
use eventyard_admin::{ApiOptions, MASK, Masks};
use serde_json::{Value, json};

use crate::client::Api;

/// Saves a step under a lease.
async fn save(api: &Api, token: &str, step: &Value) {
    let saved = api.post(&format!("/api/v1/leases/{token}/step"), step).await;
    saved.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_worker_goes_on_where_the_last_one_stopped() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "n", "opts": {"attempts": 2}})).await;
    let job = format!("/api/v1/queues/emails/jobs/{id}");
    assert_eq!(api.get(&job).await.json["steps"], json!([]));
    let token = api.claim("emails").await;
    save(&api, &token, &json!({"name": "reserve", "result": {"place": 7}})).await;
    api.clock.advance(Duration::from_secs(1));
    save(&api, &token, &json!({"name": "charge", "result": null})).await;
    save(&api, &token, &json!({"name": "reserve", "result": {"place": 8}})).await;
    let fail = json!({"error": "no", "retryInMs": 0});
    api.post(&format!("/api/v1/leases/{token}/fail"), &fail).await.expect(StatusCode::OK);

    let expected = json!([
        {"name": "reserve", "savedAt": "2026-01-01T00:00:01.000Z", "result": {"place": 8}},
        {"name": "charge", "savedAt": "2026-01-01T00:00:01.000Z", "result": null},
    ]);
    assert_eq!(api.get(&job).await.json["steps"], expected);
    let listed = api.get("/api/v1/queues/emails/jobs").await.json;
    assert_eq!(listed["items"][0].get("steps"), None, "a listing does not read them");
    let steps = format!("/api/v1/leases/{token}/steps");
    api.get(&steps).await.expect_problem(404, "no-such-lease", None);
    let token = api.claim("emails").await;
    let read = api.get(&format!("/api/v1/leases/{token}/steps")).await;
    read.expect(StatusCode::OK);
    assert_eq!(read.json, json!({"items": expected, "next": null}));

    api.post(&format!("/api/v1/leases/{token}/complete"), &json!({})).await.expect(StatusCode::OK);
    let retried = api.call("POST", &format!("{job}/retry")).await;
    retried.expect(StatusCode::OK);
    assert_eq!(api.get(&job).await.json["steps"], expected);
    let copy = api.post(&format!("{job}/retry"), &json!({"data": 1})).await;
    copy.expect(StatusCode::CREATED);
    let copy = format!("/api/v1/queues/emails/jobs/{}", copy.json["jobId"].as_str().unwrap());
    assert_eq!(api.get(&copy).await.json["steps"], json!([]), "a copy has done nothing yet");
}

#[tokio::test]
async fn secrets_in_results_are_masked_for_people_and_not_for_workers() {
    let masks = Masks::new(["**.password"]).unwrap();
    let api = Api::with(ApiOptions { masks, ..ApiOptions::default() }).await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    save(&api, &token, &json!({"name": "s", "result": {"password": "p", "n": 1}})).await;
    let shown = api.get(&format!("/api/v1/queues/emails/jobs/{id}")).await.json;
    assert_eq!(shown["steps"][0]["result"], json!({"password": MASK, "n": 1}));
    let read = api.get(&format!("/api/v1/leases/{token}/steps")).await.json;
    assert_eq!(read["items"][0]["result"], json!({"password": "p", "n": 1}));
}

#[tokio::test]
async fn a_job_has_a_thousand_steps_and_no_more() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    for n in 0..1000 {
        save(&api, &token, &json!({"name": format!("s{n}"), "result": n})).await;
    }
    let step = format!("/api/v1/leases/{token}/step");
    let refused = api.post(&step, &json!({"name": "beyond", "result": 1})).await;
    refused.expect_problem(409, "too-many-steps", None);
    save(&api, &token, &json!({"name": "s7", "result": "again"})).await;
}

#[tokio::test]
async fn a_result_has_a_bound_of_its_own() {
    let mut options = ApiOptions::default();
    options.limits.body_bytes *= 2;
    let api = Api::with(options).await;
    api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    let step = |bytes: usize| json!({"name": "s", "result": "x".repeat(bytes - 2)});
    save(&api, &token, &step(1024 * 1024)).await;
    let path = format!("/api/v1/leases/{token}/step");
    let refused = api.post(&path, &step(1024 * 1024 + 1)).await;
    refused.expect_problem(422, "invalid-step", Some("result"));
}
