use axum::{body::Body, http::header};
use eventyard::model::limits::Limits;
use eventyard_admin::{ApiOptions, OpenApiRouter, Problem, routes, utoipa};
use serde_json::json;

use crate::client::{Api, JSON, request};

const EVENTS: &str = "/api/v1/events";
const JOBS: &str = "/api/v1/queues/emails/jobs";
/// Every endpoint that reads a body.
const WITH_BODY: [&str; 14] = [
    EVENTS,
    JOBS,
    "/api/v1/queues/clean",
    "/api/v1/queues/failed/retry",
    "/api/v1/queues/emails/drain",
    "/api/v1/queues/emails/claim",
    "/api/v1/queues/emails/jobs/j/retry",
    "/api/v1/queues/emails/jobs/j/cancel",
    "/api/v1/flows",
    "/api/v1/leases/t/complete",
    "/api/v1/leases/t/fail",
    "/api/v1/leases/t/renew",
    "/api/v1/leases/t/progress",
    "/api/v1/leases/t/log",
];

#[tokio::test]
async fn every_body_is_checked_at_the_door() {
    let api = Api::new().await;
    let json = [("content-type", JSON)];
    for path in WITH_BODY {
        let large = " ".repeat(2 * 1024 * 1024);
        api.post_bytes(path, &json, large).await.expect_problem(413, "body-too-large", None);
        let broken = api.post_bytes(path, &json, "{\"").await;
        broken.expect_problem(400, "malformed-json", None);
        let bytes = &b"{\"a\":\"\xc3\x28\"}"[..];
        api.post_bytes(path, &json, bytes).await.expect_problem(400, "malformed-json", None);
        let deep = "[".repeat(65);
        api.post_bytes(path, &json, deep).await.expect_problem(400, "json-too-deep", None);
        let text = [("content-type", "text/plain")];
        let text = api.post_bytes(path, &text, "{}").await;
        text.expect_problem(415, "unsupported-media-type", None);
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_too() {
    let api = Api::new().await;
    let chunk = |n: u8| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024 + usize::from(n)]);
    let body = Body::from_stream(futures_util::stream::iter((0..32).map(chunk)));
    let sent = request("POST", JOBS, &[("content-type", JSON)], body);
    api.send(sent).await.expect_problem(413, "body-too-large", None);
    let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]);
    let sent = request("POST", JOBS, &[("content-type", JSON)], Body::from_stream(broken));
    api.send(sent).await.expect_problem(400, "unreadable-body", None);
}

#[tokio::test]
async fn limits_are_those_of_the_configuration() {
    let limits = Limits { body_bytes: 200, batch: 2, depth: 4, header_bytes: 300 };
    let api = Api::with(ApiOptions { limits, ..ApiOptions::default() }).await;
    let three = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    api.post(JOBS, &three).await.expect_problem(413, "batch-too-long", None);
    api.post(EVENTS, &three).await.expect_problem(413, "batch-too-long", None);
    let deep = json!({"name": "a", "data": [[[[]]]]});
    api.post(JOBS, &deep).await.expect_problem(400, "json-too-deep", None);
    api.post(EVENTS, &deep).await.expect_problem(400, "json-too-deep", None);
    let long = json!({"name": "n".repeat(200)});
    api.post(JOBS, &long).await.expect_problem(413, "body-too-large", None);
    let cookie = "c".repeat(300);
    let sent = request("GET", "/healthz", &[("cookie", &cookie)], Body::empty());
    api.send(sent).await.expect_problem(431, "headers-too-large", None);
}

#[tokio::test]
async fn addresses_and_methods_that_do_not_exist() {
    let api = Api::new().await;
    for path in ["/", "/api/v1", "/api/v2/queues", "/api/v1/queues/emails/jobs/j/explode"] {
        api.get(path).await.expect_problem(404, "no-such-route", None);
    }
    let refused = api.call("PUT", "/api/v1/queues/emails").await;
    refused.expect_problem(405, "method-not-allowed", None);
    assert_eq!(refused.headers[header::ALLOW], "GET,HEAD");
    let refused = api.call("GET", "/api/v1/queues/emails/pause").await;
    refused.expect_problem(405, "method-not-allowed", None);
    let broken = api.get("/api/v1/queues/%ff").await;
    broken.expect_problem(400, "invalid-parameter", None);
    let long = api.get(&format!("/api/v1/queues/emails/jobs/{}", "x".repeat(257))).await;
    long.expect_problem(400, "invalid-parameter", Some("id"));
}

#[utoipa::path(get, path = "/api/v1/panic", responses((status = 200, description = "never")))]
async fn panics() -> Result<(), Problem> {
    panic!("on purpose")
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_lives_on() {
    let extra = OpenApiRouter::new().routes(routes!(panics));
    let api = Api::of(|app| app, extra, ApiOptions::default()).await;
    let answer = api.get("/api/v1/panic").await;
    answer.expect_problem(500, "internal", None);
    assert!(!answer.json.to_string().contains("on purpose"));
    assert!(api.get("/healthz").await.status.is_success());
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_brings() {
    let api = Api::new().await;
    let sent = request("GET", "/api/v1/queues/none", &[("x-request-id", "r-1")], Body::empty());
    let answer = api.send(sent).await;
    assert_eq!(answer.headers["x-request-id"], "r-1");
    assert_eq!(answer.json["instance"], "urn:eventyard:request:r-1");
    let own = api.get("/healthz").await;
    assert_eq!(own.headers["x-request-id"].len(), 36);
}
