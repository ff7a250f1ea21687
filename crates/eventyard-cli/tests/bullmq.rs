//! A booking service in Node that pushes its events straight into Redis gets its mails sent, with nothing changed on its side.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

#[path = "../../eventyard-redis/tests/interplay/node.rs"]
mod node;
#[path = "../../eventyard-redis/tests/server/mod.rs"]
mod redis;
mod support;

use node::{Node, VERSIONS};
use redis::RedisServer;
use serde_json::{Value, json};
use support::{Bench, Server};

/// A Redis, the booking service, and the notification service.
struct Stage {
    node: Node,
    server: Server,
    _bench: Bench,
    _redis: RedisServer,
}

impl Stage {
    async fn set(version: u8) -> Self {
        let redis = RedisServer::start();
        let bench = Bench::default();
        let server = bench.serve(&["dev", "--store", &redis.url()]).await;
        let node = Node::start(redis.port(), version).await;
        for queue in ["emails", "notifications", "tickets"] {
            node.call(json!({"on": "events", "name": queue, "call": "listen"})).await;
        }
        Self { node, server, _bench: bench, _redis: redis }
    }

    /// Pushes an event as the booking service does; returns the job's id, and how it ends.
    async fn push(&self, queue: &str, event: Value) -> (String, Value) {
        let options = json!({"attempts": 3, "backoff": {"type": "exponential", "delay": 100}});
        let job = self.node.queue(queue, "add", json!(["booking-event", event, options])).await;
        let id = job["id"].as_str().unwrap().to_owned();
        let args = json!([[id], 20_000]);
        let call = json!({"on": "events", "name": queue, "call": "results", "args": args});
        (id, self.node.call(call).await[0].take())
    }
}

fn event(kind: &str, id: &str, data: &Value) -> Value {
    json!({"eventType": kind, "eventId": id, "timestamp": "2026-03-01T10:00:00.000Z", "data": data})
}

#[tokio::test]
async fn its_mails_are_sent() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        for (kind, to) in [
            ("booking.created", "ada@example.com"),
            ("booking.confirmed", "grace@example.com"),
            ("booking.cancelled", "joan@example.com"),
        ] {
            let mut data = json!({"bookingId": "b-1", "userId": "u-1", "userEmail": to});
            if kind == "booking.cancelled" {
                data["reason"] = json!("the plans changed");
            }
            let (id, end) = stage.push("emails", event(kind, &format!("e-{kind}"), &data)).await;
            assert!(end.get("error").is_none(), "BullMQ {version}, {kind}: {end}");
            let mails = stage.server.get("/api/v1/mailbox").await;
            let mails = mails["items"].as_array().unwrap();
            let mail = mails.iter().find(|mail| mail["to"] == to);
            let mail = mail.unwrap_or_else(|| panic!("BullMQ {version}, {kind}: {mails:?}"));
            assert_eq!(mail["jobId"], *id, "{mail}");
        }
        let mails = stage.server.get("/api/v1/mailbox").await;
        assert_eq!(mails["items"].as_array().unwrap().len(), 3, "one for each event: {mails}");
        let counts = stage.node.queue("emails", "getJobCounts", json!([])).await;
        assert_eq!((&counts["completed"], &counts["failed"]), (&json!(3), &json!(0)), "{counts}");
        stage.server.stop().await;
    }
}

#[tokio::test]
async fn its_users_are_notified_and_its_failures_are_tickets() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        let of_user = json!({"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"});
        let with = |more: Value| {
            let mut data = of_user.clone();
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            data
        };

        let data = with(json!({"startsAt": "2026-03-02T10:00:00Z"}));
        let reminder = event("booking.reminder", "e-1", &data);
        let (_, end) = stage.push("notifications", reminder).await;
        assert!(end.get("error").is_none(), "BullMQ {version}: {end}");
        let told = stage.server.get("/api/v1/users/u-1/notifications").await;
        assert_eq!(told["items"].as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told["items"][0]["type"], "booking.reminder", "BullMQ {version}: {told}");

        let money =
            json!({"paymentId": "p-1", "amount": 12, "currency": "EUR", "reason": "no funds"});
        let failed = event("payment.failed", "e-2", &with(money));
        let (_, end) = stage.push("tickets", failed).await;
        assert!(end.get("error").is_none(), "BullMQ {version}: {end}");
        let tickets = stage.server.get("/api/v1/tickets").await;
        assert_eq!(tickets["items"].as_array().unwrap().len(), 1, "{tickets}");
        assert_eq!(tickets["items"][0]["eventId"], "e-2", "BullMQ {version}: {tickets}");
        assert_eq!(tickets["items"][0]["priority"], "high", "BullMQ {version}: {tickets}");
        stage.server.stop().await;
    }
}

#[tokio::test]
async fn data_that_is_not_valid_is_a_dead_letter_that_names_the_field() {
    for version in VERSIONS {
        let stage = Stage::set(version).await;
        let data = json!({"bookingId": "b-1", "userId": "u-1", "userEmail": 7});
        let (id, end) = stage.push("emails", event("booking.created", "e-1", &data)).await;
        let reason = end["error"].as_str().unwrap_or_else(|| panic!("BullMQ {version}: {end}"));
        assert!(reason.contains("userEmail"), "BullMQ {version}: {reason}");

        let job = stage.node.queue("emails", "getJob", json!([id])).await;
        assert_eq!(job["failedReason"], reason, "{job}");
        assert_eq!(job["attemptsMade"], 1, "no retry can mend it: {job}");
        let state = stage.node.job("emails", &id, "getState", json!([])).await;
        assert_eq!(state, "failed");
        let ours = stage.server.get(&format!("/api/v1/queues/emails/jobs/{id}")).await;
        assert_eq!(ours["state"], "failed", "{ours}");
        let mails = stage.server.get("/api/v1/mailbox").await;
        assert_eq!(mails["items"], json!([]));
        stage.server.stop().await;
    }
}
