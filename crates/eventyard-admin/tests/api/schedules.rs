use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

const NIGHTLY: &str = "/api/v1/schedules/nightly";

fn nightly() -> Value {
    json!({
        "cron": "0 3 * * *", "timeZone": "Europe/Berlin", "start": "2026-03-01T00:00:00Z",
        "job": {"queue": "emails", "name": "digest", "data": {"n": 1}, "opts": {"attempts": 4}},
    })
}

#[tokio::test]
async fn a_schedule_is_set_shown_and_replaced() {
    let api = Api::new().await;
    api.get(NIGHTLY).await.expect_problem(404, "no-such-schedule", None);
    let set = api.put(NIGHTLY, &nightly()).await;
    set.expect(StatusCode::OK);
    let expected = json!({
        "name": "nightly", "cron": "0 3 * * *", "timeZone": "Europe/Berlin",
        "start": "2026-03-01T00:00:00.000Z", "catchUp": "skip",
        "job": {"queue": "emails", "name": "digest", "data": {"n": 1}, "opts": {"attempts": 4}},
        "paused": false, "runs": 0, "lastRun": null, "nextRun": "2026-03-01T02:00:00.000Z",
    });
    assert_eq!(set.json, expected);
    assert_eq!(api.get(NIGHTLY).await.json, expected);
    assert_eq!(api.put(NIGHTLY, &nightly()).await.json, expected, "again changes nothing");

    let every = json!({
        "every": 60_000.0, "end": "2027-01-01T00:00:00Z", "limit": 5, "catchUp": "all",
        "paused": true, "job": {"queue": "emails", "name": "digest"},
    });
    let replaced = api.put(NIGHTLY, &every).await;
    replaced.expect(StatusCode::OK);
    let expected = json!({
        "name": "nightly", "every": 60_000, "end": "2027-01-01T00:00:00.000Z", "limit": 5,
        "catchUp": "all", "job": {"queue": "emails", "name": "digest", "data": null, "opts": {}},
        "paused": true, "runs": 0, "lastRun": null, "nextRun": null,
    });
    assert_eq!(replaced.json, expected);
}

#[tokio::test]
async fn schedules_are_listed_a_page_at_a_time() {
    let api = Api::new().await;
    assert_eq!(api.get("/api/v1/schedules").await.json, json!({"items": [], "next": null}));
    for name in ["c", "a", "b"] {
        api.put(&format!("/api/v1/schedules/{name}"), &nightly()).await.expect(StatusCode::OK);
    }
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = api.get("/api/v1/schedules?limit=2").await;
    first.expect(StatusCode::OK);
    assert_eq!(names(&first.json), ["a", "b"]);
    let next = first.json["next"].as_str().unwrap();
    let second = api.get(&format!("/api/v1/schedules?limit=2&cursor={next}")).await;
    assert_eq!((names(&second.json), &second.json["next"]), (vec!["c".to_owned()], &Value::Null));
    let bad = api.get("/api/v1/schedules?limit=0").await;
    bad.expect_problem(400, "invalid-parameter", Some("limit"));
    let bad = api.get("/api/v1/schedules?cursor=%21").await;
    bad.expect_problem(400, "invalid-cursor", Some("cursor"));
}

#[tokio::test]
async fn a_due_time_adds_the_job() {
    let api = Api::new().await;
    let every = json!({"every": 1000, "job": {"queue": "tickets", "name": "n", "data": [7]}});
    api.put("/api/v1/schedules/pulse", &every).await.expect(StatusCode::OK);
    let claim = json!({"worker": "w", "waitMs": 60_000});
    let waiting = api.post("/api/v1/queues/tickets/claim", &claim);
    let tick = async {
        tokio::task::yield_now().await;
        api.clock.advance(Duration::from_secs(1));
    };
    let (claimed, ()) = tokio::join!(waiting, tick);
    let job = &claimed.json["jobs"][0];
    assert_eq!(job["id"], "schedule:pulse:1767225601000");
    assert_eq!(job["data"], json!([7]));
    let pulse = api.get("/api/v1/schedules/pulse").await.json;
    assert_eq!(
        (&pulse["runs"], &pulse["lastRun"]),
        (&json!(1), &json!("2026-01-01T00:00:01.000Z"))
    );
}

#[tokio::test]
async fn schedules_are_steered() {
    let api = Api::new().await;
    api.put(NIGHTLY, &nightly()).await.expect(StatusCode::OK);
    for _ in 0..2 {
        let paused = api.call("POST", &format!("{NIGHTLY}/pause")).await;
        paused.expect(StatusCode::OK);
        assert_eq!((&paused.json["paused"], &paused.json["nextRun"]), (&json!(true), &Value::Null));
    }
    let kept = api.put(NIGHTLY, &nightly()).await;
    assert_eq!(kept.json["paused"], true, "who does not say stays paused");
    let run = api.call("POST", &format!("{NIGHTLY}/run")).await;
    run.expect(StatusCode::CREATED);
    assert!(run.json["jobId"].as_str().unwrap().starts_with("schedule:nightly:run:"));
    assert_eq!(api.count("emails", "waiting").await, 1);
    let resumed = api.call("POST", &format!("{NIGHTLY}/resume")).await;
    resumed.expect(StatusCode::OK);
    assert_eq!(resumed.json["nextRun"], "2026-03-01T02:00:00.000Z");
    let removed = api.call("DELETE", NIGHTLY).await;
    assert_eq!((removed.status, removed.json), (StatusCode::OK, json!({"name": "nightly"})));
    for (method, path) in [
        ("DELETE", NIGHTLY.to_owned()),
        ("POST", format!("{NIGHTLY}/pause")),
        ("POST", format!("{NIGHTLY}/resume")),
        ("POST", format!("{NIGHTLY}/run")),
    ] {
        api.call(method, &path).await.expect_problem(404, "no-such-schedule", None);
    }
}

#[tokio::test]
async fn what_cannot_be_names_its_field() {
    let api = Api::new().await;
    let check = async |name: &str, change: Value, code: &str, field: &str| {
        let mut body = json!({"every": 1000, "job": {"queue": "emails", "name": "n"}});
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let refused = api.put(&format!("/api/v1/schedules/{name}"), &body).await;
        refused.expect_problem(422, code, Some(field));
    };
    let invalid = "invalid-schedule";
    check("s", json!({"cron": "0 3 * * *"}), invalid, "every").await;
    check("s", json!({"every": null}), invalid, "cron").await;
    check("s", json!({"every": null, "cron": "x"}), invalid, "cron").await;
    check("s", json!({"every": 0}), invalid, "every").await;
    check("s", json!({"timeZone": "UTC"}), invalid, "timeZone").await;
    check("s", json!({"every": null, "cron": "@daily", "timeZone": "x"}), invalid, "timeZone")
        .await;
    let (start, end) = ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
    check("s", json!({"start": start, "end": end}), invalid, "end").await;
    check("s", json!({"limit": 0}), invalid, "limit").await;
    check("a%20b", json!({}), invalid, "name").await;
    check("s", json!({"job": {"queue": "none", "name": "n"}}), invalid, "job.queue").await;
    check("s", json!({"job": {"queue": "emails", "name": " "}}), invalid, "job.name").await;
    let options = |opts: Value| json!({"job": {"queue": "emails", "name": "n", "opts": opts}});
    check("s", options(json!({"attempts": 0})), invalid, "job.opts.attempts").await;
    check("s", options(json!({"jobId": "j"})), invalid, "job.opts.jobId").await;
    check("s", options(json!({"runAt": start})), invalid, "job.opts.runAt").await;
    check("s", json!({"evry": 5}), "invalid-body", "evry").await;
    check("s", json!({"start": "soon"}), "invalid-body", "start").await;
    check("s", json!({"catchUp": "some"}), "invalid-body", "catchUp").await;
    check("s", json!({"job": {"queue": "emails"}}), "invalid-body", "job.name").await;
    check("s", json!({"job": []}), "invalid-body", "job").await;
    assert_eq!(api.get("/api/v1/schedules").await.json["items"], json!([]));
}
