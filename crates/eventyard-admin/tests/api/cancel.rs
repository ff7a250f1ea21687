use axum::http::StatusCode;
use serde_json::json;

use crate::client::Api;

const JOBS: &str = "/api/v1/queues/emails/jobs";

#[tokio::test]
async fn a_job_that_waits_is_cancelled() {
    let api = Api::new().await;
    for opts in [json!({}), json!({"delay": 1000}), json!({"priority": 3})] {
        let id = api.add("emails", &json!({"name": "n", "opts": opts})).await;
        let cancel = format!("{JOBS}/{id}/cancel");
        let cancelled = api.call("POST", &cancel).await;
        cancelled.expect(StatusCode::OK);
        assert_eq!(cancelled.json, json!({"cancelled": true}));
        let claimed = api.post("/api/v1/queues/emails/claim", &json!({"worker": "w"})).await;
        assert_eq!(claimed.json, json!({"jobs": []}));
        let shown = api.get(&format!("{JOBS}/{id}")).await.json;
        assert_eq!(shown["state"], "failed");
        assert_eq!(shown["failedReason"]["kind"], "cancelled");
        api.call("POST", &cancel).await.expect_problem(409, "wrong-state", None);
    }
}

#[tokio::test]
async fn a_job_that_runs_is_cancelled_under_its_worker() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    let reason = json!({"reason": "the booking was withdrawn"});
    api.post(&format!("{JOBS}/{id}/cancel"), &reason).await.expect(StatusCode::OK);
    for path in ["renew", "complete"] {
        let body = if path == "renew" { json!({"leaseMs": 1000}) } else { json!({}) };
        let refused = api.post(&format!("/api/v1/leases/{token}/{path}"), &body).await;
        refused.expect_problem(404, "no-such-lease", None);
    }
    let shown = api.get(&format!("{JOBS}/{id}")).await.json;
    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["failedReason"]["kind"], "cancelled");
    let message = shown["failedReason"]["message"].as_str().unwrap();
    assert!(message.contains("the booking was withdrawn"), "{message}");
    assert_eq!(api.count("emails", "active").await, 0);
}

#[tokio::test]
async fn cancellations_that_are_refused() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let cancel = format!("{JOBS}/{id}/cancel");
    let long = api.post(&cancel, &json!({"reason": "r".repeat(257)})).await;
    long.expect_problem(422, "invalid-body", Some("reason"));
    let unknown = api.post(&cancel, &json!({"why": "r"})).await;
    unknown.expect_problem(422, "invalid-body", Some("why"));
    let none = api.call("POST", &format!("{JOBS}/none/cancel")).await;
    none.expect_problem(404, "no-such-job", None);
    let token = api.claim("emails").await;
    api.call("POST", &format!("/api/v1/leases/{token}/complete")).await.expect(StatusCode::OK);
    api.call("POST", &cancel).await.expect_problem(409, "wrong-state", None);
}
