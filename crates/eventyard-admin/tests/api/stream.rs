//! Server-sent events.

use std::{collections::BTreeMap, time::Duration};

use axum::body::{Body, BodyDataStream};
use eventyard::model::feed::MEMORY;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::client::{Api, JSON, request};

/// How long anything may take that is only a matter of scheduling.
const DEADLINE: Duration = Duration::from_secs(20);

/// A client that listens.
struct Listener {
    body: BodyDataStream,
    text: String,
}

/// One block of the stream: its fields, and its comment under an empty name.
type Block = BTreeMap<String, String>;

impl Listener {
    async fn start(api: &Api, query: &str, headers: &[(&str, &str)]) -> Self {
        let asked = request("GET", &format!("/api/v1/stream{query}"), headers, Body::empty());
        let response = api.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().into_data_stream();
        let mut listener = Self { body, text: String::new() };
        let hello = listener.block().await.expect("a beginning");
        assert_eq!(hello["retry"], "2000");
        listener
    }

    /// The next block; nothing at the end.
    async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |line: &str| {
                    let (name, value) = line.split_once(':').unwrap();
                    (name.to_owned(), value.trim_start().to_owned())
                };
                let fields = block.lines().map(field).collect();
                self.text = rest.to_owned();
                return Some(fields);
            }
            let more = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// The next event: its id and its data.
    async fn event(&mut self) -> (String, Value) {
        let block = tokio::time::timeout(DEADLINE, self.block()).await.expect("in time");
        let block = block.expect("an event");
        let data: Value = serde_json::from_str(&block["data"]).unwrap();
        assert_eq!(data["event"], block["event"]);
        (block.get("id").cloned().unwrap_or_default(), data)
    }

    /// The next events, by their kinds.
    async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        while kinds.len() < count {
            kinds.push(self.event().await.1["event"].as_str().unwrap().to_owned());
        }
        kinds
    }
}

#[tokio::test]
async fn the_life_of_a_job_is_told_in_order() {
    let api = Api::new().await;
    let mut listener = Listener::start(&api, "", &[]).await;
    api.add("emails", &json!({"name": "welcome", "opts": {"jobId": "j"}})).await;
    let at = "2026-01-01T00:00:00.000Z";
    let told = |event: &str| json!({"event": event, "queue": "emails", "jobId": "j", "at": at});
    let with = |event: &str, name: &str, value: Value| {
        let mut told = told(event);
        told[name] = value;
        told
    };
    assert_eq!(listener.event().await.1, with("added", "name", json!("welcome")));
    assert_eq!(listener.event().await.1, told("waiting"));

    let token = api.claim("emails").await;
    let mut active = with("active", "attempt", json!(1));
    active["worker"] = json!("w-1");
    assert_eq!(listener.event().await.1, active);
    assert_eq!(listener.event().await.1, json!({"event": "drained", "queue": "emails", "at": at}));
    let lease = |path: &str| format!("/api/v1/leases/{token}/{path}");
    api.post(&lease("progress"), &json!({"progress": {"done": 1}})).await;
    assert_eq!(listener.event().await.1, with("progress", "progress", json!({"done": 1})));
    api.post(&lease("fail"), &json!({"error": "busy", "retryInMs": 1000})).await;
    let delayed = listener.event().await.1;
    assert_eq!(
        (&delayed["event"], &delayed["failedReason"]["message"]),
        (&json!("delayed"), &json!("busy"))
    );
    assert_eq!(delayed["dueAt"], "2026-01-01T00:00:01.000Z");

    api.call("POST", "/api/v1/queues/emails/jobs/j/promote").await;
    assert_eq!(listener.event().await.1, with("waiting", "prev", json!("delayed")));
    let token = api.claim("emails").await;
    let complete = format!("/api/v1/leases/{token}/complete");
    let over_lines = "{\"result\": {\r\n\"id\": \"m-1\"}}";
    api.post_bytes(&complete, &[("content-type", JSON)], over_lines).await;
    assert_eq!(listener.kinds(2).await, ["active", "drained"]);
    assert_eq!(listener.event().await.1, with("completed", "result", json!({"id": "m-1"})));
    api.call("DELETE", "/api/v1/queues/emails/jobs/j").await;
    assert_eq!(listener.event().await.1, with("removed", "prev", json!("completed")));
    api.call("POST", "/api/v1/queues/emails/pause").await;
    assert_eq!(listener.event().await.1, json!({"event": "paused", "queue": "emails", "at": at}));
}

#[tokio::test]
async fn a_client_hears_what_it_asks_for() {
    let api = Api::new().await;
    let query = "?queue=emails,tickets&event=completed&event=failed&job=j-1";
    let mut some = Listener::start(&api, query, &[]).await;
    let mut tickets = Listener::start(&api, "?queue=tickets", &[]).await;
    api.bury("emails", "j-0").await;
    api.bury("emails", "j-1").await;
    api.bury("tickets", "j-1").await;
    for queue in ["emails", "tickets"] {
        let (_, event) = some.event().await;
        assert_eq!((&event["event"], &event["queue"]), (&json!("failed"), &json!(queue)));
        assert_eq!(
            (&event["jobId"], &event["failedReason"]["kind"]),
            (&json!("j-1"), &json!("rejected"))
        );
    }
    assert_eq!(tickets.event().await.1["queue"], "tickets");

    let check = async |query: &str, field| {
        let refused = api.get(&format!("/api/v1/stream?{query}")).await;
        refused.expect_problem(400, "invalid-parameter", Some(field));
    };
    check("event=done", "event").await;
    check("queue=a%20b", "queue").await;
    check("lastEventId=7", "lastEventId").await;
    check("que=emails", "que").await;
    api.get("/api/v1/stream?queue=none").await.expect_problem(404, "no-such-queue", None);
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_where_it_was() {
    let api = Api::new().await;
    let mut first = Listener::start(&api, "", &[]).await;
    api.add("emails", &json!({"name": "n"})).await;
    let (id, added) = first.event().await;
    assert_eq!(added["event"], "added");
    drop(first);
    api.call("POST", "/api/v1/queues/emails/pause").await;
    let header = Listener::start(&api, "", &[("last-event-id", &id)]).await;
    let query = Listener::start(&api, &format!("?lastEventId={id}"), &[]).await;
    for mut listener in [header, query] {
        assert_eq!(listener.kinds(2).await, ["waiting", "paused"]);
    }
    let refused = request("GET", "/api/v1/stream", &[("last-event-id", "x")], Body::empty());
    api.send(refused).await.expect_problem(400, "invalid-parameter", Some("Last-Event-ID"));
    // What another server told is not known here.
    let other = ("last-event-id", "0000000000000001-1");
    let mut elsewhere = Listener::start(&api, "", &[other]).await;
    assert_eq!(elsewhere.event().await, (String::new(), json!({"event": "missed"})));
}

#[tokio::test]
async fn a_slow_client_hears_that_it_missed_some() {
    let api = Api::new().await;
    let mut slow = Listener::start(&api, "?queue=emails", &[]).await;
    for _ in 0..MEMORY / 2 + 1 {
        api.yard.pause("emails".parse().unwrap()).await.unwrap();
        api.yard.resume("emails".parse().unwrap()).await.unwrap();
    }
    assert_eq!(slow.kinds(3).await, ["missed", "paused", "resumed"]);
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_a_comment() {
    let api = Api::new().await;
    let mut listener = Listener::start(&api, "?queue=tickets", &[]).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(listener.block().await.unwrap()[""], "still here");
    assert_eq!(begun.elapsed().as_secs(), 15);

    // What is filtered out moves the place on all the same.
    api.add("emails", &json!({"name": "n"})).await;
    let id = listener.block().await.unwrap()["id"].clone();
    let mut again = Listener::start(&api, "", &[("last-event-id", &id)]).await;
    api.call("POST", "/api/v1/queues/emails/pause").await;
    assert_eq!(again.kinds(1).await, ["paused"]);
}
