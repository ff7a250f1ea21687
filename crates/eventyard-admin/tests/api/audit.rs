//! Who did what, and why.

use axum::{body::Body, http::StatusCode};
use eventyard_admin::{ApiOptions, Auth, Credential, Role};
use serde_json::{Value, json};

use crate::client::{Answer, Api, JSON, request};

async fn guarded() -> Api {
    let ada = Credential::new("rule", Role::Admin, "ada");
    Api::with(ApiOptions { auth: Auth::new([ada]), ..ApiOptions::default() }).await
}

/// Does something as ada, for a reason if one is given.
async fn act(api: &Api, method: &str, path: &str, why: Option<&str>, body: &str) -> Answer {
    let mut headers = vec![("authorization", "Bearer rule"), ("content-type", JSON)];
    headers.extend(why.map(|why| ("eventyard-reason", why)));
    let headers = if body.is_empty() {
        headers.into_iter().filter(|(name, _)| *name != "content-type").collect()
    } else {
        headers
    };
    api.send(request(method, path, &headers, Body::from(body.to_owned()))).await
}

async fn trail(api: &Api, query: &str) -> Vec<Value> {
    let answer = act(api, "GET", &format!("/api/v1/audit{query}"), None, "").await;
    answer.expect(StatusCode::OK);
    answer.json["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_action_is_written_down_with_who_and_why() {
    let api = guarded().await;
    let job = r#"{"name":"n","opts":{"jobId":"j","delay":60000}}"#;
    act(&api, "POST", "/api/v1/queues/emails/jobs", None, job).await.expect(StatusCode::CREATED);
    assert_eq!(trail(&api, "").await, Vec::<Value>::new(), "adding jobs is no action by itself");

    for (method, path, why, body, what) in [
        ("POST", "/api/v1/queues/emails/pause", Some("caf%C3%A9"), "", "queue.pause"),
        ("POST", "/api/v1/queues/emails/resume", None, "", "queue.resume"),
        ("PATCH", "/api/v1/queues/emails/jobs/j", None, r#"{"data":{"pin":1}}"#, "job.change"),
        ("POST", "/api/v1/queues/emails/jobs/j/promote", None, "", "job.promote"),
        ("POST", "/api/v1/queues/emails/jobs/j/cancel", None, "", "job.cancel"),
        ("POST", "/api/v1/queues/emails/jobs/j/retry", None, "", "job.retry"),
        ("POST", "/api/v1/queues/emails/keys/k/pause", None, "", "key.pause"),
        ("PUT", "/api/v1/queues/emails/limits", None, r#"{"concurrency":2}"#, "queue.limit"),
        ("POST", "/api/v1/queues/emails/drain", None, "", "queue.drain"),
        ("POST", "/api/v1/queues/clean", None, r#"{"queue":"emails"}"#, "queue.clean"),
        ("POST", "/api/v1/queues/failed/retry", None, "{}", "failed.retry"),
        (
            "POST",
            "/api/v1/events",
            Some(""),
            r#"{"name":"order.paid","id":"e-1"}"#,
            "event.publish",
        ),
        ("POST", "/api/v1/queues/tickets/jobs", Some("by hand"), r#"{"name":"n"}"#, "job.add"),
    ] {
        let answer = act(&api, method, path, why, body).await;
        assert!(answer.status.is_success(), "{path}: {:#}", answer.json);
        let last = trail(&api, "?limit=1").await.remove(0);
        assert_eq!((&last["what"], &last["who"]), (&json!(what), &json!("ada")), "{path}");
        assert_eq!(last["role"], "admin");
    }
    let all = trail(&api, "").await;
    assert_eq!(all.len(), 13);
    assert_eq!(all[12]["why"], "café");
    assert_eq!(all[11]["why"], Value::Null);
    assert!(!all.iter().any(|entry| entry.to_string().contains("pin")), "no payloads");
    let drain = all.iter().find(|entry| entry["what"] == "queue.drain").unwrap();
    assert_eq!((&drain["count"], &drain["queue"]), (&json!(1), &json!("emails")));
    assert_eq!(trail(&api, "?jobId=j").await.len(), 4);
    assert_eq!(trail(&api, "?queue=tickets").await.len(), 1);
}

#[tokio::test]
async fn what_was_refused_was_not_done() {
    let api = guarded().await;
    let refused = act(&api, "POST", "/api/v1/queues/emails/jobs/none/retry", Some("x"), "").await;
    refused.expect_problem(404, "no-such-job", None);
    assert_eq!(trail(&api, "").await, Vec::<Value>::new());
}
