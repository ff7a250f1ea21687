use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

const JOBS: &str = "/api/v1/queues/emails/jobs";

#[tokio::test]
async fn a_job_is_added_once() {
    let api = Api::new().await;
    let job =
        json!({"name": "welcome", "data": {"to": "ada"}, "opts": {"jobId": "j-1", "attempts": 7}});
    let added = api.post(JOBS, &job).await;
    added.expect(StatusCode::CREATED);
    assert_eq!(added.json, json!({"queue": "emails", "jobId": "j-1", "duplicate": false}));
    let again = api.post(JOBS, &job).await;
    again.expect(StatusCode::OK);
    assert_eq!(again.json, json!({"queue": "emails", "jobId": "j-1", "duplicate": true}));

    let shown = api.get(&format!("{JOBS}/j-1")).await;
    shown.expect(StatusCode::OK);
    let shown = shown.json;
    assert_eq!(shown["name"], "welcome");
    assert_eq!(shown["data"], json!({"to": "ada"}));
    assert_eq!(shown["opts"]["attempts"], 7);
    assert_eq!(shown["opts"]["backoff"], json!({"type": "fixed", "delay": 0}), "from the queue");
    assert_eq!(shown["state"], "waiting");
    assert_eq!((&shown["attemptsMade"], &shown["crashes"]), (&json!(0), &json!(0)));
    assert_eq!(shown["createdAt"], "2026-01-01T00:00:00.000Z");
    assert_eq!(shown["attempts"], json!([]));
    api.get(&format!("{JOBS}/none")).await.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn several_jobs_are_added_together_or_not_at_all() {
    let api = Api::new().await;
    let broken = json!([{"name": "a"}, {"name": "b", "opts": {"attempts": 0}}]);
    api.post(JOBS, &broken).await.expect_problem(422, "invalid-job", Some("[1].opts.attempts"));
    assert_eq!(api.count("emails", "waiting").await, 0);
    let two = json!([{"name": "a", "opts": {"jobId": "1"}}, {"name": "b", "opts": {"jobId": "2"}}]);
    let added = api.post(JOBS, &two).await;
    added.expect(StatusCode::CREATED);
    assert_eq!(added.json[1], json!({"queue": "emails", "jobId": "2", "duplicate": false}));
    api.post(JOBS, &two).await.expect(StatusCode::OK);
    assert_eq!(api.count("emails", "waiting").await, 2);
}

#[tokio::test]
async fn jobs_that_cannot_be_added() {
    let api = Api::new().await;
    let check = async |body: Value, code, field| {
        api.post(JOBS, &body).await.expect_problem(422, code, field);
    };
    check(json!({}), "invalid-body", Some("name")).await;
    check(json!("welcome"), "invalid-body", None).await;
    check(json!([["welcome", null, {}]]), "invalid-body", Some("[0]")).await;
    check(json!({"name": "n", "opts": []}), "invalid-body", Some("opts")).await;
    check(json!({"name": 1}), "invalid-body", Some("name")).await;
    check(json!({"name": " "}), "invalid-job", Some("name")).await;
    check(json!({"name": "n".repeat(1025)}), "invalid-job", Some("name")).await;
    check(json!({"name": "n", "date": {}}), "invalid-body", Some("date")).await;
    check(json!({"name": "n", "opts": {"attempts": "3"}}), "invalid-body", Some("opts.attempts"))
        .await;
    check(json!({"name": "n", "opts": {"tries": 3}}), "invalid-body", Some("opts.tries")).await;
    check(json!({"name": "n", "opts": {"jobId": ""}}), "invalid-body", Some("opts.jobId")).await;
    check(json!({"name": "n", "opts": {"backoff": "slow"}}), "invalid-body", Some("opts.backoff"))
        .await;
    check(
        json!({"name": "n", "opts": {"priority": 2_097_152}}),
        "invalid-job",
        Some("opts.priority"),
    )
    .await;
    let both = json!({"name": "n", "opts": {"delay": 1, "runAt": "2026-01-01T00:00:00Z"}});
    check(both, "invalid-job", Some("opts.runAt")).await;
    check(json!([{"name": "n"}, {"name": true}]), "invalid-body", Some("[1].name")).await;
    let job = json!({"name": "n"});
    api.post("/api/v1/queues/none/jobs", &job).await.expect_problem(404, "no-such-queue", None);
    let invalid = api.post("/api/v1/queues/a%3Ab/jobs", &job).await;
    invalid.expect_problem(400, "invalid-parameter", Some("queue"));
}

#[tokio::test]
async fn jobs_are_listed_by_state_in_pages() {
    let api = Api::new().await;
    for n in 0..3 {
        api.add("emails", &json!({"name": "n", "opts": {"jobId": format!("w-{n}")}})).await;
    }
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "later", "delay": 5000}})).await;
    let ids = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = api.get(&format!("{JOBS}?limit=2")).await.json;
    assert_eq!(ids(&first), ["w-0", "w-1"]);
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("{JOBS}?state=waiting&limit=2&cursor={next}")).await.json;
    assert_eq!((ids(&second), &second["next"]), (vec!["w-2".to_owned()], &Value::Null));
    let delayed = api.get(&format!("{JOBS}?state=delayed")).await.json;
    assert_eq!(ids(&delayed), ["later"]);
    assert_eq!(delayed["items"][0]["dueAt"], "2026-01-01T00:00:05.000Z");

    let check = async |query: &str, code, field| {
        api.get(&format!("{JOBS}?{query}")).await.expect_problem(400, code, Some(field));
    };
    check("state=done", "invalid-parameter", "state").await;
    check("cursor=nonsense", "invalid-cursor", "cursor").await;
    check(&format!("state=failed&cursor={next}"), "invalid-cursor", "cursor").await;
    check("limit=-1", "invalid-parameter", "limit").await;
    api.get("/api/v1/queues/none/jobs").await.expect_problem(404, "no-such-queue", None);
}

#[tokio::test]
async fn a_delayed_job_is_promoted_once() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "later", "delay": 5000}})).await;
    let promote = format!("{JOBS}/later/promote");
    let promoted = api.call("POST", &promote).await;
    promoted.expect(StatusCode::OK);
    assert_eq!(promoted.json, json!({"queue": "emails", "jobId": "later"}));
    assert_eq!(api.count("emails", "waiting").await, 1);
    api.call("POST", &promote).await.expect_problem(409, "wrong-state", None);
    let unknown = api.call("POST", &format!("{JOBS}/none/promote")).await;
    unknown.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn running_jobs_are_not_removed() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    let job = format!("{JOBS}/{id}");
    api.call("DELETE", &job).await.expect_problem(409, "wrong-state", None);
    api.call("POST", &format!("/api/v1/leases/{token}/complete")).await.expect(StatusCode::OK);
    let removed = api.call("DELETE", &job).await;
    removed.expect(StatusCode::OK);
    assert_eq!(removed.json, json!({"queue": "emails", "jobId": id}));
    api.call("DELETE", &job).await.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn a_dead_letter_is_retried_or_edited_into_a_copy() {
    let api = Api::new().await;
    api.bury("emails", "j-1").await;
    let retry = format!("{JOBS}/j-1/retry");
    let edited = api.post(&retry, &json!({"data": {"to": "grace"}, "opts": {"attempts": 9}})).await;
    edited.expect(StatusCode::CREATED);
    let copy = edited.json["jobId"].as_str().unwrap();
    assert_ne!(copy, "j-1");
    let copy = api.get(&format!("{JOBS}/{copy}")).await.json;
    assert_eq!((&copy["name"], &copy["data"]), (&json!("n"), &json!({"to": "grace"})));
    assert_eq!((&copy["opts"]["attempts"], &copy["state"]), (&json!(9), &json!("waiting")));
    assert_eq!(api.count("emails", "failed").await, 1, "the dead letter stays");

    let retried = api.call("POST", &retry).await;
    retried.expect(StatusCode::OK);
    assert_eq!(retried.json, json!({"queue": "emails", "jobId": "j-1"}));
    api.call("POST", &retry).await.expect_problem(409, "wrong-state", None);
    api.post(&retry, &json!({})).await.expect_problem(409, "wrong-state", None);
    let wrong = api.post(&retry, &json!({"opts": {"attempts": 0}})).await;
    wrong.expect_problem(422, "invalid-job", Some("opts.attempts"));
    let unknown = api.post(&retry, &json!({"payload": 1})).await;
    unknown.expect_problem(422, "invalid-body", Some("payload"));
    let none = api.call("POST", &format!("{JOBS}/none/retry")).await;
    none.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn a_log_is_read_line_by_line() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "n"})).await;
    let logs = format!("{JOBS}/{id}/logs");
    assert_eq!(api.get(&logs).await.json, json!({"items": [], "next": null}));
    let token = api.claim("emails").await;
    let log = format!("/api/v1/leases/{token}/log");
    api.post(&log, &json!({"line": "dialling"})).await.expect(StatusCode::NO_CONTENT);
    api.post(&log, &json!({"line": "sent"})).await.expect(StatusCode::NO_CONTENT);
    let lines = api.get(&logs).await.json;
    let at = "2026-01-01T00:00:00.000Z";
    let expected = json!([{"at": at, "line": "dialling"}, {"at": at, "line": "sent"}]);
    assert_eq!(lines["items"], expected);
    api.get(&format!("{JOBS}/none/logs")).await.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn options_of_flow_control_are_taken_and_shown() {
    let api = Api::new().await;
    let rule = json!({"id": "weekly", "ttl": 5000, "extend": true});
    let job =
        json!({"name": "n", "opts": {"key": "tenant-1", "ttl": 60_000, "deduplication": rule}});
    let id = api.add("emails", &job).await;
    let shown = api.get(&format!("{JOBS}/{id}")).await.json;
    assert_eq!(shown["opts"]["key"], "tenant-1");
    assert_eq!(shown["opts"]["ttl"], 60_000);
    assert_eq!(shown["opts"]["deduplication"], rule);
    let again = api.post(JOBS, &job).await;
    again.expect(StatusCode::OK);
    assert_eq!(again.json, json!({"queue": "emails", "jobId": id, "duplicate": true}));

    let check = async |opts: Value, code, field| {
        let refused = api.post(JOBS, &json!({"name": "n", "opts": opts})).await;
        refused.expect_problem(422, code, Some(field));
    };
    check(json!({"key": ""}), "invalid-body", "opts.key").await;
    check(json!({"ttl": 0}), "invalid-job", "opts.ttl").await;
    check(json!({"deduplication": ["d"]}), "invalid-body", "opts.deduplication").await;
    let extend = json!({"deduplication": {"id": "d", "extend": true}});
    check(extend, "invalid-job", "opts.deduplication.extend").await;
    let parent = json!({"queue": "emails", "id": "p", "onFail": "cry"});
    check(json!({"parent": parent}), "invalid-body", "opts.parent.onFail").await;
}

#[tokio::test]
async fn a_job_that_nobody_begins_in_time_expires() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "opts": {"jobId": "j", "ttl": 1000}})).await;
    api.clock.advance(Duration::from_secs(2));
    let claimed = api.post("/api/v1/queues/emails/claim", &json!({"worker": "w"})).await;
    assert_eq!(claimed.json, json!({"jobs": []}));
    let shown = api.get(&format!("{JOBS}/j")).await.json;
    assert_eq!(
        (&shown["state"], &shown["failedReason"]["kind"]),
        (&json!("failed"), &json!("expired"))
    );
}
