//! Looking for jobs and events in long listings.

use axum::http::StatusCode;
use serde_json::json;

use crate::client::Api;

/// The ids that a listing finds, page by page.
async fn found(api: &Api, path: &str, next: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = api.get(&format!("{path}{cursor}")).await;
        answer.expect(StatusCode::OK);
        let items = answer.json["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match answer.json["next"].as_str() {
            Some(more) => cursor = format!("&{next}={more}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn jobs_are_found_by_name_id_key_error_and_time() {
    let api = Api::new().await;
    let jobs: Vec<_> = (0..600)
        .map(|n| {
            let name = if n % 300 == 7 { "Invoice.Send" } else { "report.make" };
            json!({"name": name, "opts": {"jobId": format!("j-{n}"), "key": format!("k-{}", n % 2)}})
        })
        .collect();
    api.post("/api/v1/queues/emails/jobs", &json!(jobs)).await.expect(StatusCode::CREATED);
    api.bury("tickets", "dead").await;
    let check = async |queue: &str, query: &str, expected: &[&str]| {
        let path = format!("/api/v1/queues/{queue}/jobs?{query}");
        assert_eq!(found(&api, &path, "cursor").await, expected, "{query}");
    };
    check("emails", "name=invoice", &["j-7", "j-307"]).await;
    check("emails", "name=invoice&limit=1", &["j-7", "j-307"]).await;
    check("emails", "id=j-99", &["j-99"]).await;
    check("emails", "id=j-99&state=failed", &[]).await;
    check("emails", "id=none", &[]).await;
    check("emails", "name=invoice&key=k-1", &["j-7", "j-307"]).await;
    check("emails", "name=invoice&key=k-0", &[]).await;
    check("tickets", "state=failed&error=NO%20CARRIER", &["dead"]).await;
    check("tickets", "state=failed&error=bank", &[]).await;
    check("tickets", "state=failed&from=2026-01-01T00:00:00Z", &["dead"]).await;
    check("tickets", "state=failed&to=2026-01-01T00:00:00Z", &[]).await;
    let wrong = api.get("/api/v1/queues/emails/jobs?from=yesterday").await;
    wrong.expect_problem(400, "invalid-parameter", Some("from"));

    let brief = api.get("/api/v1/queues/tickets/jobs?state=failed&brief=true").await.json;
    assert!(brief["items"][0]["data"].is_null() && brief["items"][0]["failedReason"].is_object());
    let dead = api.get("/api/v1/queues/failed?error=carrier&brief=true").await.json;
    assert_eq!(dead["items"][0]["id"], "dead");
    assert!(api.get("/api/v1/queues/failed?error=bank").await.json["items"][0].is_null());
}

#[tokio::test]
async fn events_are_found_by_text_pattern_and_time() {
    let api = Api::new().await;
    for (id, name, who) in
        [("a", "order.paid", "ada"), ("b", "order.sent.late", "Grace"), ("c", "parcel.lost", "ada")]
    {
        let event = json!({"name": name, "id": id, "data": {"who": who},
            "timestamp": format!("2026-01-0{}T00:00:00Z", id.as_bytes()[0] - b'a' + 1)});
        api.post("/api/v1/events", &event).await.expect(StatusCode::ACCEPTED);
    }
    let check = async |query: &str, expected: &[&str]| {
        assert_eq!(found(&api, &format!("/api/v1/events?{query}"), "after").await, expected);
    };
    check("text=ADA", &["c", "a"]).await;
    check("text=ADA&limit=1", &["c", "a"]).await;
    check("type=order.*", &["a"]).await;
    check("type=order.%23", &["b", "a"]).await;
    check("type=order.paid&text=grace", &[]).await;
    check("from=2026-01-02T00:00:00Z", &["c", "b"]).await;
    check("to=2026-01-02T00:00:00Z", &["a"]).await;
}
