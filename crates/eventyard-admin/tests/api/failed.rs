use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

const FAILED: &str = "/api/v1/queues/failed";

#[tokio::test]
async fn dead_letters_are_listed_with_their_history() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "data": 5, "opts": {"jobId": "j-1"}})).await;
    for error in ["busy", "gone"] {
        let token = api.claim("emails").await;
        let failed = json!({"error": error, "kind": "timeout", "stack": "at line 7"});
        api.post(&format!("/api/v1/leases/{token}/fail"), &failed).await.expect(StatusCode::OK);
    }
    let listed = api.get(FAILED).await;
    listed.expect(StatusCode::OK);
    let job = &listed.json["items"][0];
    assert_eq!(
        (&job["id"], &job["queue"], &job["data"]),
        (&json!("j-1"), &json!("emails"), &json!(5))
    );
    let reason = json!({"kind": "timeout", "message": "gone", "stack": "at line 7"});
    assert_eq!(job["failedReason"], reason);
    assert_eq!(job["attemptsMade"], 2);
    let attempt = &job["attempts"][0];
    assert_eq!((&attempt["attempt"], &attempt["worker"]), (&json!(1), &json!("w-1")));
    assert_eq!(attempt["error"]["message"], "busy");
    assert_eq!(job["attempts"][1]["error"], reason);
}

#[tokio::test]
async fn the_listing_is_paged_and_filtered() {
    let api = Api::new().await;
    for (queue, id) in [("emails", "a"), ("tickets", "b"), ("emails", "c")] {
        api.bury(queue, id).await;
    }
    let ids = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = api.get(&format!("{FAILED}?limit=2")).await.json;
    assert_eq!(ids(&first), ["c", "b"]);
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&api.get(&format!("{FAILED}?cursor={next}")).await.json), ["a"]);
    assert_eq!(ids(&api.get(&format!("{FAILED}?queue=emails")).await.json), ["c", "a"]);
    api.get(&format!("{FAILED}?queue=none")).await.expect_problem(404, "no-such-queue", None);
    let bad = api.get(&format!("{FAILED}?cursor=x")).await;
    bad.expect_problem(400, "invalid-cursor", Some("cursor"));
    let bad = api.get(&format!("{FAILED}?limit=0")).await;
    bad.expect_problem(400, "invalid-parameter", Some("limit"));
}

#[tokio::test]
async fn one_dead_letter_is_retried_or_removed() {
    let api = Api::new().await;
    api.bury("emails", "j-1").await;
    let retried = api.call("POST", &format!("{FAILED}/j-1/retry")).await;
    retried.expect(StatusCode::OK);
    assert_eq!(retried.json, json!({"queue": "emails", "jobId": "j-1"}));
    assert_eq!(api.count("emails", "waiting").await, 1);
    for (method, path) in [("POST", "/j-1/retry"), ("DELETE", "/j-1")] {
        let not_failed = api.call(method, &format!("{FAILED}{path}")).await;
        not_failed.expect_problem(409, "wrong-state", None);
    }
    api.bury("tickets", "j-2").await;
    let removed = api.call("DELETE", &format!("{FAILED}/j-2")).await;
    removed.expect(StatusCode::OK);
    assert_eq!(removed.json, json!({"queue": "tickets", "jobId": "j-2"}));
    api.call("DELETE", &format!("{FAILED}/j-2")).await.expect_problem(404, "no-such-job", None);
    let elsewhere = api.call("POST", &format!("{FAILED}/j-1/retry?queue=tickets")).await;
    elsewhere.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn an_id_on_several_queues_asks_for_the_queue() {
    let api = Api::new().await;
    api.bury("emails", "same").await;
    api.bury("tickets", "same").await;
    for (method, path) in [("POST", "/same/retry"), ("DELETE", "/same")] {
        let ambiguous = api.call(method, &format!("{FAILED}{path}")).await;
        ambiguous.expect_problem(409, "ambiguous-job", Some("queue"));
        assert!(ambiguous.json["detail"].as_str().unwrap().contains("emails, tickets"));
    }
    let retried = api.call("POST", &format!("{FAILED}/same/retry?queue=tickets")).await;
    retried.expect(StatusCode::OK);
    let removed = api.call("DELETE", &format!("{FAILED}/same")).await;
    removed.expect(StatusCode::OK);
    assert_eq!(removed.json["queue"], "emails", "only one has failed now");
}

#[tokio::test]
async fn all_dead_letters_are_retried() {
    let api = Api::new().await;
    for n in 0..5 {
        api.bury("emails", &format!("e-{n}")).await;
    }
    api.bury("tickets", "t").await;
    let retry = async |body: &Value| {
        let retried = api.post("/api/v1/queues/failed/retry", body).await;
        retried.expect(StatusCode::OK);
        retried.json["retried"].as_u64().unwrap()
    };
    assert_eq!(retry(&json!({"queue": "emails", "limit": 2})).await, 2);
    assert_eq!(api.count("emails", "waiting").await, 2);
    assert_eq!(retry(&json!({"queue": "emails"})).await, 3);
    let rest = api.call("POST", "/api/v1/queues/failed/retry").await;
    assert_eq!((rest.status, rest.json), (StatusCode::OK, json!({"retried": 1})));
    assert_eq!(retry(&json!({})).await, 0);
    let unknown = api.post("/api/v1/queues/failed/retry", &json!({"queue": "none"})).await;
    unknown.expect_problem(404, "no-such-queue", None);
    let wrong = api.post("/api/v1/queues/failed/retry", &json!({"limit": "all"})).await;
    wrong.expect_problem(422, "invalid-body", Some("limit"));
}

#[tokio::test]
async fn more_dead_letters_than_a_page_holds_are_retried() {
    let api = Api::new().await;
    let jobs: Vec<_> = (0..1000).map(|_| json!({"name": "n"})).collect();
    for _ in 0..2 {
        let added = api.post("/api/v1/queues/tickets/jobs", &json!(jobs)).await;
        added.expect(StatusCode::CREATED);
        let ask = json!({"worker": "w", "max": 1000});
        let claimed = api.post("/api/v1/queues/tickets/claim", &ask).await;
        for job in claimed.json["jobs"].as_array().unwrap() {
            let token = job["lease"]["token"].as_str().unwrap();
            let fail = format!("/api/v1/leases/{token}/fail");
            api.post(&fail, &json!({"error": "e"})).await.expect(StatusCode::OK);
        }
    }
    let retried = api.call("POST", "/api/v1/queues/failed/retry").await;
    assert_eq!(retried.json, json!({"retried": 2000}));
    assert_eq!(api.count("tickets", "waiting").await, 2000);
}
