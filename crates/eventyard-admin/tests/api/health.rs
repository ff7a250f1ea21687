use axum::http::StatusCode;
use eventyard_admin::{ApiOptions, Auth, Credential, Role};
use serde_json::json;

use crate::client::Api;

#[tokio::test]
async fn a_server_is_alive_and_ready_without_a_credential() {
    let auth = Auth::new([Credential::new("t", Role::Admin, "ops")]);
    let api = Api::with(ApiOptions { auth, ..ApiOptions::default() }).await;
    let alive = api.get("/healthz").await;
    assert_eq!((alive.status, alive.json), (StatusCode::OK, json!({"status": "ok"})));
    let ready = api.get("/readyz").await;
    ready.expect(StatusCode::OK);
    assert_eq!((&ready.json["status"], &ready.json["store"]), (&json!("ready"), &json!("memory")));
}

#[tokio::test]
async fn a_server_whose_store_is_gone_is_alive_but_not_ready() {
    let api = Api::new().await;
    api.yard.shutdown().await;
    api.get("/healthz").await.expect(StatusCode::OK);
    api.get("/readyz").await.expect_problem(503, "store-closed", None);
    api.get("/api/v1/queues").await.expect_problem(503, "store-closed", None);
    let job = json!({"name": "n"});
    api.post("/api/v1/queues/emails/jobs", &job).await.expect_problem(503, "store-closed", None);
    let event = json!({"name": "booking.moved"});
    api.post("/api/v1/events", &event).await.expect_problem(503, "store-closed", None);
}
