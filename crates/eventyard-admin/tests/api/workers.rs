use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Api;

const CLAIM: &str = "/api/v1/queues/emails/claim";

#[tokio::test]
async fn a_job_is_claimed_and_completed() {
    let api = Api::new().await;
    let id = api.add("emails", &json!({"name": "welcome", "data": [1, 2]})).await;
    let ask = json!({"worker": "w-7", "max": 10, "waitMs": 0, "leaseMs": 5000});
    let claimed = api.post(CLAIM, &ask).await;
    claimed.expect(StatusCode::OK);
    assert_eq!(claimed.json["jobs"].as_array().unwrap().len(), 1);
    let job = &claimed.json["jobs"][0];
    assert_eq!(
        (&job["id"], &job["name"], &job["data"]),
        (&json!(id), &json!("welcome"), &json!([1, 2]))
    );
    assert_eq!((&job["state"], &job["worker"]), (&json!("active"), &json!("w-7")));
    let lease = &job["lease"];
    assert_eq!(
        (&lease["attempt"], &lease["until"]),
        (&json!(1), &json!("2026-01-01T00:00:05.000Z"))
    );
    let token = lease["token"].as_str().unwrap();

    let progress = format!("/api/v1/leases/{token}/progress");
    api.post(&progress, &json!({"progress": {"done": 1, "of": 2}}))
        .await
        .expect(StatusCode::NO_CONTENT);
    api.clock.advance(Duration::from_secs(4));
    let renewed =
        api.post(&format!("/api/v1/leases/{token}/renew"), &json!({"leaseMs": 10_000})).await;
    renewed.expect(StatusCode::OK);
    assert_eq!(renewed.json, json!({"until": "2026-01-01T00:00:14.000Z"}));

    let complete = format!("/api/v1/leases/{token}/complete");
    let done = api.post(&complete, &json!({"result": {"messageId": "m-1"}})).await;
    done.expect(StatusCode::OK);
    assert_eq!(done.json, json!({"outcome": "completed"}));
    let shown = api.get(&format!("/api/v1/queues/emails/jobs/{id}")).await.json;
    assert_eq!(shown["state"], "completed");
    assert_eq!(shown["result"], json!({"messageId": "m-1"}));
    assert_eq!(shown["progress"], json!({"done": 1, "of": 2}));
    assert_eq!(shown["finishedAt"], "2026-01-01T00:00:04.000Z");
    api.call("POST", &complete).await.expect_problem(404, "no-such-lease", None);
}

#[tokio::test]
async fn a_lease_holds_as_long_as_its_queue_says() {
    let api = Api::new().await;
    for (queue, until) in
        [("emails", "2026-01-01T00:00:30.000Z"), ("tickets", "2026-01-01T00:01:00.000Z")]
    {
        api.add(queue, &json!({"name": "n"})).await;
        let claim = format!("/api/v1/queues/{queue}/claim");
        let claimed = api.post(&claim, &json!({"worker": "w"})).await.json;
        assert_eq!(claimed["jobs"][0]["lease"]["until"], until, "{queue}");
    }
}

#[tokio::test]
async fn an_attempt_fails_by_policy_by_wish_or_for_good() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n", "opts": {"backoff": 3000}})).await;
    let fail = async |body: Value| {
        let token = api.claim("emails").await;
        let failed = api.post(&format!("/api/v1/leases/{token}/fail"), &body).await;
        failed.expect(StatusCode::OK);
        failed.json
    };
    let retry = |at: &str| json!({"outcome": "retry", "retryAt": format!("2026-01-01T{at}.000Z")});
    assert_eq!(fail(json!({"error": "busy"})).await, retry("00:00:03"));
    api.clock.advance(Duration::from_secs(3));
    assert_eq!(fail(json!({"error": "gone"})).await, json!({"outcome": "failed"}));

    api.add("emails", &json!({"name": "n"})).await;
    assert_eq!(fail(json!({"error": "busy", "retryInMs": 7000})).await, retry("00:00:10"));
    api.clock.advance(Duration::from_secs(7));
    assert_eq!(
        fail(json!({"error": "no", "kind": "rejected"})).await,
        json!({"outcome": "failed"})
    );
    let dead = api.get("/api/v1/queues/failed?limit=1").await.json;
    assert_eq!(dead["items"][0]["failedReason"], json!({"kind": "rejected", "message": "no"}));
}

#[tokio::test]
async fn an_ended_lease_can_finish_nothing() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    let token = api.claim("emails").await;
    let settled = json!({"error": "e"});
    api.post(&format!("/api/v1/leases/{token}/fail"), &settled).await.expect(StatusCode::OK);
    for (path, body) in [
        ("complete", json!({})),
        ("fail", json!({"error": "e"})),
        ("renew", json!({"leaseMs": 1000})),
        ("progress", json!({"progress": 1})),
        ("log", json!({"line": "l"})),
        ("step", json!({"name": "s", "result": 1})),
    ] {
        for token in [token.as_str(), "nonsense", &"0".repeat(32)] {
            let refused = api.post(&format!("/api/v1/leases/{token}/{path}"), &body).await;
            refused.expect_problem(404, "no-such-lease", None);
        }
    }
}

#[tokio::test]
async fn claims_and_settlements_that_are_refused() {
    let api = Api::new().await;
    api.add("emails", &json!({"name": "n"})).await;
    let check = async |path: &str, body: Value, field| {
        api.post(path, &body).await.expect_problem(422, "invalid-body", Some(field));
    };
    check(CLAIM, json!({}), "worker").await;
    check(CLAIM, json!({"worker": ""}), "worker").await;
    check(CLAIM, json!({"worker": "local/1/emails"}), "worker").await;
    check(CLAIM, json!({"worker": "w", "max": 0}), "max").await;
    check(CLAIM, json!({"worker": "w", "max": 1001}), "max").await;
    check(CLAIM, json!({"worker": "w", "waitMs": 60_001}), "waitMs").await;
    check(CLAIM, json!({"worker": "w", "leaseMs": 999}), "leaseMs").await;
    check(CLAIM, json!({"worker": "w", "leaseMs": 3_600_001}), "leaseMs").await;
    check(CLAIM, json!({"worker": "w", "wait": 1}), "wait").await;
    let unknown = api.post("/api/v1/queues/none/claim", &json!({"worker": "w"})).await;
    unknown.expect_problem(404, "no-such-queue", None);

    let token = api.claim("emails").await;
    let lease = |path: &str| format!("/api/v1/leases/{token}/{path}");
    check(&lease("fail"), json!({}), "error").await;
    check(&lease("fail"), json!({"error": "e", "kind": "crash"}), "kind").await;
    check(&lease("fail"), json!({"error": "e", "retryInMs": -1}), "retryInMs").await;
    let both = json!({"error": "e", "retryInMs": 1, "deadLetter": true});
    check(&lease("fail"), both, "retryInMs").await;
    check(&lease("complete"), json!({"value": 1}), "value").await;
    check(&lease("renew"), json!({"leaseMs": 1}), "leaseMs").await;
    check(&lease("progress"), json!({}), "progress").await;
    check(&lease("log"), json!({"line": 1}), "line").await;
    check(&lease("step"), json!({"name": "s"}), "result").await;
    check(&lease("step"), json!({"name": "", "result": 1}), "name").await;
    check(&lease("step"), json!({"name": "s".repeat(129), "result": 1}), "name").await;
    check(&lease("step"), json!({"name": "s", "result": 1, "at": 1}), "at").await;
    api.call("POST", &lease("complete")).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_waiting_claim_is_woken_by_a_job() {
    let api = Api::new().await;
    let ask = json!({"worker": "w", "waitMs": 60_000});
    let job = json!({"name": "n"});
    // The clock stands still: only the job can end the wait.
    let (claimed, _) = tokio::join!(api.post(CLAIM, &ask), api.add("emails", &job));
    assert_eq!(claimed.json["jobs"].as_array().unwrap().len(), 1);
}
