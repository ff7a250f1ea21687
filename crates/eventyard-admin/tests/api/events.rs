use axum::http::StatusCode;
use eventyard_admin::ApiOptions;
use eventyard_admin::OpenApiRouter;
use serde_json::{Value, json};

use crate::client::{Api, JSON};

const EVENTS: &str = "/api/v1/events";
const CLOUD_EVENT: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

fn booking(id: &str) -> Value {
    json!({"name": "booking.created", "id": id, "data": {"bookingId": "b-1"}})
}

#[tokio::test]
async fn a_plain_event_becomes_jobs() {
    let api = Api::new().await;
    let event = json!({"name": "booking.cancelled", "id": "e-1", "data": {"n": 1}});
    let published = api.post(EVENTS, &event).await;
    published.expect(StatusCode::ACCEPTED);
    let jobs = |duplicate| {
        json!([
            {"queue": "tickets", "jobId": "e-1", "duplicate": duplicate},
            {"queue": "emails", "jobId": "e-1", "duplicate": duplicate},
        ])
    };
    let expected = |duplicate| {
        json!({
            "eventId": "e-1", "duplicate": duplicate, "unrouted": false, "jobs": jobs(duplicate)
        })
    };
    assert_eq!(published.json, expected(false));
    assert_eq!(api.post(EVENTS, &event).await.json, expected(true), "a repeat changes nothing");
    assert_eq!(api.count("emails", "waiting").await, 1);

    let shown = api.get("/api/v1/queues/emails/jobs/e-1").await.json;
    assert_eq!(shown["data"], json!({"n": 1}));
    assert_eq!(shown["event"]["type"], "booking.cancelled");
    assert_eq!(shown["event"]["source"], "shop");
    assert!(shown["event"].get("data").is_none());
}

#[tokio::test]
async fn cloud_events_in_every_mode() {
    let api = Api::new().await;
    let event = |id: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "s", "type": "booking.created",
            "tenant": "acme", "data": {"bookingId": "b"}
        })
    };
    let published =
        api.post_bytes(EVENTS, &[("content-type", CLOUD_EVENT)], event("c-1").to_string()).await;
    published.expect(StatusCode::ACCEPTED);
    assert_eq!(published.json["eventId"], "c-1");

    let batch = json!([event("c-2"), event("c-3")]).to_string();
    let published = api.post_bytes(EVENTS, &[("content-type", BATCH)], batch).await;
    published.expect(StatusCode::ACCEPTED);
    assert_eq!(published.json[1]["jobs"][0]["jobId"], "c-3");

    let binary = [
        ("content-type", JSON),
        ("ce-specversion", "1.0"),
        ("ce-id", "c-4"),
        ("ce-source", "s"),
        ("ce-type", "booking.created"),
    ];
    let published = api.post_bytes(EVENTS, &binary, r#"{"bookingId":"b"}"#).await;
    published.expect(StatusCode::ACCEPTED);
    assert_eq!(published.json["eventId"], "c-4");

    let shown = api.get("/api/v1/events/c-1").await;
    shown.expect(StatusCode::OK);
    assert_eq!(
        (&shown.json["tenant"], &shown.json["data"]["bookingId"]),
        (&json!("acme"), &json!("b"))
    );
}

#[tokio::test]
async fn binary_data_passes_through() {
    let api = Api::new().await;
    let headers = [
        ("content-type", "image/png"),
        ("ce-specversion", "1.0"),
        ("ce-id", "p-1"),
        ("ce-source", "s"),
        ("ce-type", "booking.photo"),
    ];
    let published = api.post_bytes(EVENTS, &headers, &b"\x89PNG\xff"[..]).await;
    published.expect(StatusCode::ACCEPTED);
    let job = api.get("/api/v1/queues/emails/jobs/p-1").await.json;
    assert_eq!(job["dataBase64"], "iVBOR/8=");
    assert!(job.get("data").is_none());
}

#[tokio::test]
async fn a_batch_is_published_whole_or_not_at_all() {
    let api = Api::new().await;
    let broken = json!([booking("a"), {"name": "booking.created", "id": "b", "data": {}}]);
    api.post(EVENTS, &broken).await.expect_problem(
        422,
        "invalid-event",
        Some("[1].data.bookingId"),
    );
    assert_eq!(api.get(EVENTS).await.json["items"], json!([]));

    let published = api.post(EVENTS, &json!([booking("a"), booking("b")])).await;
    published.expect(StatusCode::ACCEPTED);
    assert_eq!(published.json.as_array().unwrap().len(), 2);
    let empty = api.post(EVENTS, &json!([])).await;
    empty.expect(StatusCode::ACCEPTED);
    assert_eq!(empty.json, json!([]));
}

#[tokio::test]
async fn events_that_cannot_be_taken() {
    let api = Api::new().await;
    let check = async |content_type: &str, body: &[u8], status, code, field| {
        let headers = [("content-type", content_type)];
        api.post_bytes(EVENTS, &headers, body.to_vec()).await.expect_problem(status, code, field);
    };
    check(JSON, b"", 400, "malformed-json", None).await;
    check(JSON, b"{\"name\":", 400, "malformed-json", None).await;
    check(JSON, b"{\"name\":\"\xff\"}", 400, "malformed-json", None).await;
    check(JSON, &b"[".repeat(100_000), 400, "json-too-deep", None).await;
    check(JSON, b"{}", 422, "malformed-event", Some("name")).await;
    check(JSON, br#"{"name":7}"#, 422, "malformed-event", Some("name")).await;
    check(JSON, br#"{"name":"a","nmae":"b"}"#, 422, "malformed-event", Some("nmae")).await;
    check(JSON, br#"{"name":"a","timestamp":"soon"}"#, 422, "malformed-event", Some("timestamp"))
        .await;
    check(JSON, br#"[{"name":"a"},{"id":"b"}]"#, 422, "malformed-event", Some("[1].name")).await;
    check(CLOUD_EVENT, br#"{"id":"1"}"#, 422, "malformed-event", Some("specversion")).await;
    let no_type = br#"{"specversion":"1.0","id":"1","source":"s"}"#;
    check(CLOUD_EVENT, no_type, 422, "malformed-event", Some("type")).await;
    check(BATCH, b"{}", 400, "malformed-json", None).await;
    check("text/plain", b"{}", 415, "unsupported-media-type", None).await;
    let invalid = br#"{"name":"booking.created","data":{"bookingId":7}}"#;
    check(JSON, invalid, 422, "invalid-event", Some("data.bookingId")).await;
}

#[tokio::test]
async fn unrouted_events_are_told_or_refused() {
    let event = json!({"name": "weather.changed"});
    let kept = Api::new().await.post(EVENTS, &event).await;
    kept.expect(StatusCode::ACCEPTED);
    assert_eq!((&kept.json["unrouted"], &kept.json["jobs"]), (&json!(true), &json!([])));

    let options = ApiOptions::default();
    let strict = Api::of(|app| app.strict_routes(true), OpenApiRouter::new(), options).await;
    strict.post(EVENTS, &event).await.expect_problem(422, "unrouted-event", None);
}

#[tokio::test]
async fn the_log_is_listed_in_pages_and_by_filter() {
    let api = Api::new().await;
    for n in 0..5 {
        let name = if n % 2 == 0 { "even" } else { "odd" };
        let event = json!({"name": name, "id": format!("e-{n}"), "correlationId": "story"});
        api.post(EVENTS, &event).await.expect(StatusCode::ACCEPTED);
    }
    let ids = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = api.get("/api/v1/events?limit=3").await.json;
    assert_eq!(ids(&first), ["e-4", "e-3", "e-2"]);
    let after = first["next"].as_str().unwrap();
    let second = api.get(&format!("/api/v1/events?limit=3&after={after}")).await.json;
    assert_eq!((ids(&second), &second["next"]), (vec!["e-1".into(), "e-0".into()], &Value::Null));
    assert_eq!(ids(&api.get("/api/v1/events?type=odd").await.json), ["e-3", "e-1"]);
    let story = api.get("/api/v1/events?correlationId=story&type=even").await.json;
    assert_eq!(ids(&story), ["e-4", "e-2", "e-0"]);

    let check = async |query: &str, code, field| {
        api.get(&format!("{EVENTS}?{query}")).await.expect_problem(400, code, Some(field));
    };
    check("limit=0", "invalid-parameter", "limit").await;
    check("limit=1001", "invalid-parameter", "limit").await;
    check("limit=many", "invalid-parameter", "limit").await;
    check("kind=odd", "invalid-parameter", "kind").await;
    check("after=nonsense", "invalid-cursor", "after").await;
    api.get("/api/v1/events/none").await.expect_problem(404, "no-such-event", None);
}

#[tokio::test]
async fn a_tree_shows_what_followed() {
    let api = Api::new().await;
    let child = |id, cause| json!({"name": "mail.sent", "id": id, "correlationId": "root", "causationId": cause});
    let root = json!({"name": "booking.cancelled", "id": "root"});
    let all = json!([root, child("a", "root"), child("b", "a"), child("c", "root")]);
    api.post(EVENTS, &all).await.expect(StatusCode::ACCEPTED);

    let tree = api.get("/api/v1/events/root/tree").await;
    tree.expect(StatusCode::OK);
    let tree = tree.json;
    assert_eq!((&tree["truncated"], &tree["event"]["id"]), (&json!(false), &json!("root")));
    let queues: Vec<_> = tree["jobs"].as_array().unwrap().iter().map(|job| &job["queue"]).collect();
    assert_eq!(queues, ["emails", "tickets"]);
    assert_eq!(tree["jobs"][0]["state"], "waiting");
    assert_eq!(tree["caused"][0]["event"]["id"], "a");
    assert_eq!(tree["caused"][0]["caused"][0]["event"]["id"], "b");
    assert_eq!(tree["caused"][1]["event"]["id"], "c");
    api.get("/api/v1/events/none/tree").await.expect_problem(404, "no-such-event", None);
}

#[tokio::test]
async fn event_types_come_with_their_schemas() {
    let listed = Api::new().await.get("/api/v1/event-types").await;
    listed.expect(StatusCode::OK);
    let types = &listed.json["items"];
    assert_eq!((&types[0]["type"], &types[0]["version"]), (&json!("booking.created"), &json!(1)));
    assert_eq!(types[0]["schema"]["required"], json!(["bookingId"]));
}
