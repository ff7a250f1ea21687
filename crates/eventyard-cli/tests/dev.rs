//! `eventyard dev`, from an event to a mail, and to its end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use serde_json::json;
use support::{Bench, eventually};

#[tokio::test]
async fn a_mock_event_becomes_a_mail_at_once() {
    let bench = Bench::default();
    let server = bench.serve(&["dev"]).await;
    for told in [
        "Eventyard is running (sqlite, survives a power cut)",
        "/mock-events/booking-created",
        "/docs",
    ] {
        assert!(server.said().contains(told), "{}", server.said());
    }

    let queued = server
        .post("/mock-events/booking-created", json!({"userEmail": "grace@example.com"}))
        .await;
    let id = queued["eventId"].as_str().unwrap();
    let job = server.job_is("emails", id, "completed").await;

    let mails = server.get("/api/v1/mailbox").await;
    assert_eq!(mails["items"][0]["to"], "grace@example.com");
    assert_eq!(mails["items"][0]["jobId"], id);
    assert_eq!(mails["items"].as_array().unwrap().len(), 1);
    let stats = server.get("/api/v1/queues/stats?queue=emails").await;
    assert_eq!(stats["stats"]["completed"], 1);

    let at = |name: &str| job[name].as_str().unwrap().parse::<eventyard_core::Timestamp>().unwrap();
    let took = at("finishedAt").since(at("createdAt"));
    assert!(took < Duration::from_secs(1), "{took:?}");

    server.stop().await;
    assert!(bench.path("eventyard-data/eventyard.db").is_file());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let bench = Bench::default();
    let server = bench.serve(&["dev", "--data-dir", "kept"]).await;
    server.post("/api/v1/queues/emails/pause", json!(null)).await;
    let queued = server.post("/mock-events/booking-created", json!({})).await;
    let id = queued["eventId"].as_str().unwrap();
    server.stop().await;

    let server = bench.serve(&["dev", "--data-dir", "kept"]).await;
    let job = server.get(&format!("/api/v1/queues/emails/jobs/{id}")).await;
    assert_eq!(job["state"], "paused");
    server.post("/api/v1/queues/emails/resume", json!(null)).await;
    server.job_is("emails", id, "completed").await;
}

#[tokio::test]
async fn what_is_old_goes_at_the_next_start() {
    let bench = Bench::default();
    let server = bench.serve(&["dev"]).await;
    let queued = server.post("/mock-events/booking-created", json!({})).await;
    server.job_is("emails", queued["eventId"].as_str().unwrap(), "completed").await;
    server.post("/api/v1/queues/emails/pause", json!(null)).await;
    server.stop().await;

    let count = |page: &serde_json::Value| page["items"].as_array().unwrap().len();
    let server = bench.serve(&["dev"]).await;
    assert_eq!(count(&server.get("/api/v1/mailbox").await), 1, "it is not old");
    assert_eq!(count(&server.get("/api/v1/audit").await), 1);
    server.stop().await;

    let bench = bench
        .variable("EVENTYARD_NOTIFICATIONS__KEEP", "1ms")
        .variable("EVENTYARD_DASHBOARD__KEEP_AUDIT", "1ms");
    let server = bench.serve(&["dev"]).await;
    for path in ["/api/v1/mailbox", "/api/v1/audit"] {
        eventually(path, async || (count(&server.get(path).await) == 0).then_some(())).await;
    }
    server.stop().await;
}

/// A mail server that takes connections and never says a word.
fn silent_server() -> (u16, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    (listener.local_addr().unwrap().port(), listener)
}

/// A configuration whose mails get stuck.
fn stuck(port: u16, grace: &str) -> String {
    format!(
        "[server]\nshutdown-grace = \"{grace}\"\n[channels]\nfrom = \"a@example.com\"\n\
         smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n"
    )
}

#[tokio::test]
async fn a_signal_gives_active_jobs_back() {
    let (port, _silent) = silent_server();
    let bench = Bench::default().file("stuck.toml", &stuck(port, "100ms"));
    let server = bench.serve(&["dev", "--config", "stuck.toml"]).await;
    let queued = server.post("/mock-events/booking-created", json!({})).await;
    let id = queued["eventId"].as_str().unwrap();
    server.job_is("emails", id, "active").await;
    server.stop().await;

    // With a mailbox in its place, the mail arrives; the attempt that was cut short does not count.
    let server = bench.serve(&["dev"]).await;
    let job = server.job_is("emails", id, "completed").await;
    assert_eq!(job["attempts"], json!([]), "{job}");
    assert_eq!(server.get("/api/v1/mailbox").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let (port, _silent) = silent_server();
    let bench = Bench::default().file("stuck.toml", &stuck(port, "1h"));
    let mut server = bench.serve(&["dev", "--config", "stuck.toml"]).await;
    let queued = server.post("/mock-events/booking-created", json!({})).await;
    server.job_is("emails", queued["eventId"].as_str().unwrap(), "active").await;

    server.signal("INT");
    eventually("it says what it waits for", async || {
        server.said().contains("SIGINT: finishing requests and active jobs").then_some(())
    })
    .await;
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(130), "{}", server.said());
}

#[tokio::test]
async fn a_store_serves_one_process() {
    let bench = Bench::default();
    let _server = bench.serve(&["dev"]).await;
    let second = bench.run(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("is in use by"), "{}", second.err);
}

#[tokio::test]
async fn the_synchronous_bus_has_done_its_jobs_when_it_answers() {
    let bench = Bench::default()
        .variable("USE_QUEUE_EVENT_BUS", "false")
        .variable("SERVICE_NAME", "booking");
    let server = bench.serve(&["dev"]).await;
    let data = json!({"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"});
    let published =
        server.post("/api/v1/events", json!({"name": "booking.created", "data": data})).await;
    assert_eq!(server.get("/api/v1/mailbox").await["items"].as_array().unwrap().len(), 1);
    let event =
        server.get(&format!("/api/v1/events/{}", published["eventId"].as_str().unwrap())).await;
    assert_eq!(event["source"], "booking");
    server.stop().await;
    assert!(!bench.path("eventyard-data").exists());
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Bench::default().run(&["dev", "--listen", &address]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains(&format!("cannot listen on {address}")), "{}", ran.err);
    assert!(ran.err.contains("--listen"), "{}", ran.err);
}
