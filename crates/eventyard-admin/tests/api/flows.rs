use axum::http::StatusCode;
use eventyard::model::limits::Limits;
use eventyard_admin::ApiOptions;
use serde_json::{Value, json};

use crate::client::Api;

const FLOWS: &str = "/api/v1/flows";
const CHILDREN: &str = "/api/v1/queues/emails/jobs/album/children";

fn album() -> Value {
    json!({
        "queue": "emails", "name": "publish", "opts": {"jobId": "album"}, "children": [
            {"queue": "tickets", "name": "resize", "data": {"n": 1}, "opts": {"jobId": "image-1"}},
            {"queue": "tickets", "name": "resize", "opts": {"jobId": "image-2"}, "onFail": "ignore",
                "children": [{"queue": "emails", "name": "fetch", "opts": {"jobId": "fetch"}}]},
        ],
    })
}

async fn complete(api: &Api, queue: &str, body: &Value) {
    let token = api.claim(queue).await;
    let path = format!("/api/v1/leases/{token}/complete");
    api.post(&path, body).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn jobs_that_wait_for_children_are_cleaned_up() {
    let api = Api::new().await;
    api.post(FLOWS, &album()).await.expect(StatusCode::ACCEPTED);
    let clean = json!({"queue": "emails", "state": "waiting-children"});
    let removed = api.post("/api/v1/queues/clean", &clean).await;
    assert_eq!(removed.json, json!({"removed": 1}));
    assert_eq!(api.count("emails", "waiting-children").await, 0);
}

#[tokio::test]
async fn a_job_runs_when_its_children_have_ended() {
    let api = Api::new().await;
    let added = api.post(FLOWS, &album()).await;
    added.expect(StatusCode::ACCEPTED);
    let job = |queue: &str, id: &str, children: Value| json!({"queue": queue, "jobId": id, "duplicate": false, "children": children});
    let fetch = job("emails", "fetch", json!([]));
    let images =
        json!([job("tickets", "image-1", json!([])), job("tickets", "image-2", json!([fetch]))]);
    assert_eq!(added.json, job("emails", "album", images));
    let again = api.post(FLOWS, &album()).await;
    again.expect(StatusCode::ACCEPTED);
    assert_eq!(again.json["duplicate"], true);
    assert_eq!(again.json["children"][1]["children"][0]["duplicate"], true);

    let waiting = api.get("/api/v1/queues/emails/jobs?state=waiting-children").await.json;
    assert_eq!(waiting["items"][0]["id"], "album");
    let shown = api.get("/api/v1/queues/emails/jobs/album").await.json;
    assert_eq!(shown["children"], CHILDREN);
    let child = api.get("/api/v1/queues/tickets/jobs/image-2").await.json;
    let parent = json!({"queue": "emails", "id": "album", "onFail": "ignore"});
    assert_eq!(child["opts"]["parent"], parent);

    complete(&api, "tickets", &json!({"result": {"width": 100}})).await;
    complete(&api, "emails", &json!({})).await;
    let first = api.get(&format!("{CHILDREN}?limit=1")).await.json;
    let done = json!({
        "queue": "tickets", "jobId": "image-1", "outcome": "completed", "result": {"width": 100},
    });
    assert_eq!(first["items"], json!([done]));
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("{CHILDREN}?cursor={next}")).await.json;
    let pending = json!({"queue": "tickets", "jobId": "image-2", "outcome": "pending"});
    assert_eq!(second, json!({"items": [pending], "next": null}));

    let token = api.claim("tickets").await;
    let failed = json!({"error": "no disk", "deadLetter": true});
    api.post(&format!("/api/v1/leases/{token}/fail"), &failed).await.expect(StatusCode::OK);
    let ended = api.get(CHILDREN).await.json;
    assert_eq!(ended["items"][1]["outcome"], "failed");
    assert_eq!(ended["items"][1]["failedReason"]["message"], "no disk");
    complete(&api, "emails", &json!({})).await;
    let album = api.get("/api/v1/queues/emails/jobs/album").await.json;
    assert_eq!(album["state"], "completed");
}

#[tokio::test]
async fn children_are_added_to_a_job_that_waits() {
    let api = Api::new().await;
    api.post(FLOWS, &album()).await.expect(StatusCode::ACCEPTED);
    let parent = json!({"queue": "emails", "id": "album"});
    api.add("tickets", &json!({"name": "n", "opts": {"jobId": "late", "parent": parent}})).await;
    let children = api.get(CHILDREN).await.json;
    assert_eq!(children["items"][2]["jobId"], "late");

    let orphan = json!({"name": "n", "opts": {"parent": {"queue": "emails", "id": "none"}}});
    let refused = api.post("/api/v1/queues/tickets/jobs", &orphan).await;
    refused.expect_problem(409, "no-such-parent", None);
    api.add("tickets", &json!({"name": "n", "opts": {"jobId": "stranger"}})).await;
    let stranger = json!({"name": "n", "opts": {"jobId": "stranger", "parent": parent}});
    let refused = api.post("/api/v1/queues/tickets/jobs", &stranger).await;
    refused.expect_problem(409, "not-its-child", None);
}

#[tokio::test]
async fn jobs_without_children() {
    let api = Api::new().await;
    let added = api.post(FLOWS, &json!({"queue": "emails", "name": "n"})).await;
    added.expect(StatusCode::ACCEPTED);
    let job = format!("/api/v1/queues/emails/jobs/{}", added.json["jobId"].as_str().unwrap());
    let shown = api.get(&job).await.json;
    assert_eq!((&shown["state"], &shown["children"]), (&json!("waiting"), &Value::Null));
    assert_eq!(api.get(&format!("{job}/children")).await.json, json!({"items": [], "next": null}));
    api.get(CHILDREN).await.expect_problem(404, "no-such-job", None);
}

#[tokio::test]
async fn flows_that_are_refused_name_the_job() {
    let api = Api::new().await;
    let check = async |child: Value, status, code, field: &str| {
        let flow = json!({"queue": "emails", "name": "n", "children": [
            {"queue": "emails", "name": "n", "children": [child]},
        ]});
        let field = format!("children[0].children[0]{field}");
        api.post(FLOWS, &flow).await.expect_problem(status, code, Some(&field));
        assert_eq!(api.count("emails", "waiting").await, 0);
    };
    check(json!({"name": "n"}), 422, "invalid-body", ".queue").await;
    check(json!({"queue": "emails", "name": " "}), 422, "invalid-job", ".name").await;
    check(json!({"queue": "none", "name": "n"}), 404, "no-such-queue", ".queue").await;
    let with = |opts: Value| json!({"queue": "emails", "name": "n", "opts": opts});
    check(with(json!({"attempts": 0})), 422, "invalid-job", ".opts.attempts").await;
    let parent = json!({"queue": "emails", "id": "p"});
    check(with(json!({"parent": parent})), 422, "invalid-job", ".opts.parent").await;
    let rule = json!({"deduplication": {"id": "d"}});
    check(with(rule.clone()), 422, "invalid-job", ".opts.deduplication").await;
    let odd = json!({"queue": "emails", "name": "n", "parent": {}});
    check(odd, 422, "invalid-body", ".parent").await;
    check(json!(["emails", "n"]), 422, "invalid-body", "").await;

    let child = json!({"queue": "emails", "name": "n"});
    let flow = json!({"queue": "emails", "name": "n", "opts": rule, "children": [child]});
    api.post(FLOWS, &flow).await.expect_problem(422, "invalid-job", Some("opts.deduplication"));
    let flow = json!({"queue": "emails", "name": "n", "onFail": "fail"});
    api.post(FLOWS, &flow).await.expect_problem(422, "invalid-body", Some("onFail"));
}

#[tokio::test]
async fn the_limits_of_a_batch_hold_for_all_jobs_of_a_flow() {
    let limits = Limits { batch: 3, ..Limits::default() };
    let api = Api::with(ApiOptions { limits, ..ApiOptions::default() }).await;
    api.post(FLOWS, &album()).await.expect_problem(413, "batch-too-long", None);
    let leaf = json!({"queue": "emails", "name": "n"});
    let deep = |levels: usize| {
        (1..levels).fold(
            leaf.clone(),
            |flow, _| json!({"queue": "emails", "name": "n", "children": [flow]}),
        )
    };
    api.post(FLOWS, &deep(3)).await.expect(StatusCode::ACCEPTED);
    api.post(FLOWS, &deep(40)).await.expect_problem(400, "json-too-deep", None);
}
