//! A running job is cancelled from another process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{Bench, Server, eventually};

/// A server whose mails go to a mail server that never says a word.
async fn hangs(listener: &TcpListener) -> (Bench, Server) {
    let port = listener.local_addr().unwrap().port();
    let config = format!(
        "[channels]\nfrom = \"Parking <no-reply@example.com>\"\n\
         smtp = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n"
    );
    let bench = Bench::default().file("mail.toml", &config);
    let server = bench.serve(&["dev", "--config", "mail.toml"]).await;
    (bench, server)
}

#[tokio::test]
async fn a_running_job_ends_within_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (bench, server) = hangs(&listener).await;
    let queued = server
        .post("/mock-events/booking-created", json!({"userEmail": "grace@example.com"}))
        .await;
    let id = queued["eventId"].as_str().unwrap().to_owned();
    server.job_is("emails", &id, "active").await;

    let bench = bench.variable("EVENTYARD_SERVER", &server.url);
    let job = format!("emails/{id}");
    let begun = Instant::now();
    bench.run(&["jobs", "cancel", &job, "--reason", "the guest left"]).await.ok();
    let job = server.job_is("emails", &id, "failed").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let reason = json!({"kind": "cancelled", "message": "the guest left"});
    assert_eq!(job["failedReason"], reason, "{job}");

    // The handler is told, and whatever it still does counts for nothing.
    drop(listener);
    eventually("the worker has room again", async || {
        let stats: Value = server.get("/api/v1/queues/stats?queue=emails").await;
        (stats["stats"]["active"] == 0).then_some(())
    })
    .await;
    let job = server.get(&format!("/api/v1/queues/emails/jobs/{id}")).await;
    assert_eq!((&job["state"], &job["failedReason"]), (&json!("failed"), &reason), "{job}");
    assert_eq!(job["attempts"].as_array().unwrap().len(), 1, "{job}");
    server.stop().await;
}
