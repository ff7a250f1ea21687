//! Secrets in payloads are stored, and worked with, and not shown.

use axum::http::StatusCode;
use eventyard_admin::{ApiOptions, MASK, Masks};
use serde_json::{Value, json};

use crate::client::Api;

async fn masked() -> Api {
    let masks = Masks::new(["card.number", "**.password"]).unwrap();
    Api::with(ApiOptions { masks, ..ApiOptions::default() }).await
}

#[tokio::test]
async fn they_are_masked_wherever_they_would_be_shown() {
    let api = masked().await;
    let data = json!({"card": {"number": "4111", "name": "Ada"}, "deep": [{"password": "p"}]});
    let event = json!({"name": "booking.created", "id": "e", "data": {
        "bookingId": "b", "card": {"number": "4111"},
    }});
    api.post("/api/v1/events", &event).await.expect(StatusCode::ACCEPTED);
    api.add("tickets", &json!({"name": "n", "data": data, "opts": {"jobId": "j"}})).await;
    api.bury("tickets", "dead").await;
    let schedule = json!({"every": 60_000, "job": {"queue": "tickets", "name": "n", "data": data}});
    api.put("/api/v1/schedules/s", &schedule).await.expect(StatusCode::OK);
    for path in [
        "/api/v1/events",
        "/api/v1/events/e",
        "/api/v1/events/e/tree",
        "/api/v1/queues/emails/jobs",
        "/api/v1/queues/emails/jobs/e",
        "/api/v1/schedules",
        "/api/v1/schedules/s",
    ] {
        let answer = api.get(path).await;
        answer.expect(StatusCode::OK);
        let text = answer.json.to_string();
        assert!(!text.contains("4111") && text.contains(MASK), "{path}: {text}");
    }
    let shown = api.get("/api/v1/queues/emails/jobs/e").await.json;
    assert_eq!(shown["data"]["bookingId"], "b");
}

#[tokio::test]
async fn workers_get_them_and_edited_copies_keep_them() {
    let api = masked().await;
    let data = json!({"card": {"number": "4111", "name": "Ada"}, "amount": 1});
    api.add("tickets", &json!({"name": "n", "data": data, "opts": {"jobId": "j"}})).await;
    let claim = async || {
        let ask = json!({"worker": "w", "max": 1});
        let claimed = api.post("/api/v1/queues/tickets/claim", &ask).await;
        claimed.json["jobs"][0].clone()
    };
    let job: Value = claim().await;
    assert_eq!(job["data"], data);
    let token = job["lease"]["token"].as_str().unwrap();
    let done = json!({"result": {"password": "p", "n": 1}});
    api.post(&format!("/api/v1/leases/{token}/complete"), &done).await.expect(StatusCode::OK);

    let mut shown = api.get("/api/v1/queues/tickets/jobs/j").await.json;
    assert_eq!(shown["result"], json!({"password": MASK, "n": 1}));
    shown["data"]["amount"] = 2.into();
    let edit = json!({"data": shown["data"]});
    let copy = api.post("/api/v1/queues/tickets/jobs/j/retry", &edit).await;
    copy.expect(StatusCode::CREATED);
    let copy = claim().await;
    let expected = json!({"card": {"number": "4111", "name": "Ada"}, "amount": 2});
    assert_eq!(copy["data"], expected);
}
