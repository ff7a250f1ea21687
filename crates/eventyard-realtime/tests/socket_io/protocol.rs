//! The protocols, packet by packet: Engine.IO 4 and Socket.IO 5 as their specifications have them.

use std::{process::Command, time::Duration};

use serde_json::Value;

use crate::{
    client::{crates, packages},
    server::{Server, options},
};

/// How many cases there are: one that is left out by mistake is missed.
const CASES: usize = 19;

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_what_the_protocols_say() {
    let mut options = options();
    options.ping_interval = Duration::from_millis(500);
    options.ping_timeout = Duration::from_millis(400);
    options.limits.payload_bytes = 20_000;
    // Twice that is read, so that what is a little too large can be answered.
    let max_payload = 40_000;
    let server = Server::with(options).await;
    let output = Command::new("node")
        .arg(crates().join("eventyard-realtime/tests/node/protocol.mjs"))
        .args([server.url(), server.token("ada"), "500".into(), "400".into()])
        .arg(max_payload.to_string())
        .env("EVENTYARD_NODE", packages())
        .output()
        .expect("node runs; install it with `apt-get install nodejs npm`");
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<_> = told.iter().filter(|told| !told["problem"].is_null()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(told.len(), CASES, "{}", String::from_utf8_lossy(&output.stderr));
}
