//! `eventyard serve`: a broker for workers that call the API.

mod support;

use reqwest::StatusCode;
use serde_json::json;
use support::Bench;

const REPORTS: &str = r#"
[queues.reports]
attempts = 2
backoff = { type = "fixed", delay = "1ms" }

[routes]
strict = true
[[routes.rules]]
type = "report.*"
queue = "reports"
"#;

#[tokio::test]
async fn workers_anywhere_work_on_what_the_configuration_routes() {
    let bench = Bench::default().file("reports.toml", REPORTS);
    let server = bench.serve(&["serve", "--config", "reports.toml"]).await;
    let published =
        server.post("/api/v1/events", json!({"name": "report.wanted", "data": {"month": 1}})).await;
    let id = published["eventId"].as_str().unwrap();

    let claim = json!({"max": 5, "waitMs": 10_000, "worker": "w-1"});
    let claimed = server.post("/api/v1/queues/reports/claim", claim.clone()).await;
    let text = claimed.to_string();
    assert!(text.contains(id) && text.contains("\"month\":1"), "{text}");
    let token = find(&claimed, "token").unwrap();
    server.post(&format!("/api/v1/leases/{token}/fail"), json!({"error": "no paper"})).await;

    let claimed = server.post("/api/v1/queues/reports/claim", claim).await;
    let token = find(&claimed, "token").unwrap();
    server.post(&format!("/api/v1/leases/{token}/complete"), json!({"result": {"pages": 3}})).await;
    let job = server.job_is("reports", id, "completed").await;
    assert_eq!(job["result"]["pages"], 3);
    assert_eq!(job["attempts"][0]["error"]["message"], "no paper");

    let unrouted = json!({"name": "other.thing"});
    let (status, problem) =
        server.call(reqwest::Method::POST, "/api/v1/events", Some(unrouted)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    // There are no notifications without a channel, and mock events are for development.
    for path in ["/api/v1/mailbox", "/mock-events/booking-created"] {
        let (status, _) = server.call(reqwest::Method::GET, path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    server.stop().await;
}

/// The text under `key`, however deep.
fn find(value: &serde_json::Value, key: &str) -> Option<String> {
    match value {
        serde_json::Value::Object(map) => match map.get(key) {
            Some(found) => found.as_str().map(str::to_owned),
            None => map.values().find_map(|value| find(value, key)),
        },
        serde_json::Value::Array(items) => items.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}

#[tokio::test]
async fn a_channel_for_mails_brings_the_notifications() {
    let bench = Bench::default().variable("EVENTYARD_CHANNELS__MAILBOX__ENABLED", "true");
    let server = bench.serve(&["serve", "--store", "memory://"]).await;
    let data = json!({"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"});
    let published =
        server.post("/api/v1/events", json!({"name": "booking.created", "data": data})).await;
    server.job_is("emails", published["eventId"].as_str().unwrap(), "completed").await;
    assert_eq!(server.get("/api/v1/mailbox").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_credential() {
    let open = ["serve", "--store", "memory://", "--listen", "0.0.0.0:0"];
    let ran = Bench::default().run(&open).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("auth.tokens is empty"), "{}", ran.err);

    let bench = Bench::default().variable("EVENTYARD_AUTH__TOKENS", "s3cret");
    let server = bench.serve(&["serve", "--store", "memory://"]).await;
    let (status, _) = server.call(reqwest::Method::GET, "/api/v1/queues", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let refused = bench.run(&["queues", "--server", &server.url]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("EVENTYARD_TOKEN"), "{}", refused.err);
    bench.run(&["queues", "--server", &server.url, "--token", "s3cret"]).await.ok();
}

#[tokio::test]
async fn variables_of_servers_that_are_not_used_are_told_once() {
    let bench = Bench::default().variable("DATABASE_URL", "postgres://:s3cret@h:5432");
    let server = bench.serve(&["serve", "--store", "memory://"]).await;
    let told = server.said().lines().filter(|line| line.contains("DATABASE_URL")).count();
    assert_eq!(told, 1, "{}", server.said());
    assert!(!server.said().contains("s3cret"));
}

#[tokio::test]
async fn the_log_can_be_json() {
    let bench = Bench::default().variable("EVENTYARD_LOG__FORMAT", "json");
    let server = bench.serve(&["serve", "--store", "memory://"]).await;
    let said = server.said();
    let line = said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{said}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert!(line["level"].is_string(), "{line}");
}
