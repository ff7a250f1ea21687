//! The Streams transport passes the suite, and what is its own.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use std::{sync::Arc, time::Duration};

use eventyard_conformance::{transport::Fixture, transport_suite};
use eventyard_redis::{
    connect::{Connections, Options},
    streams::{RedisStreams, StreamsOptions},
};
use server::RedisServer;

const MAX_DELIVERIES: u32 = 3;

fn transport(server: &RedisServer, node: &str) -> RedisStreams {
    let connections = Connections::new(server.url().parse().unwrap(), Options::default());
    let options = StreamsOptions {
        claim_after: Duration::from_millis(400),
        max_deliveries: MAX_DELIVERIES,
        ..StreamsOptions::new(node)
    };
    RedisStreams::new(connections, options)
}

async fn streams() -> Fixture {
    let server = Arc::new(RedisServer::start());
    let (there, cut) = (Arc::clone(&server), Arc::clone(&server));
    Fixture::new(MAX_DELIVERIES, move |node| {
        let transport = transport(&there, node);
        Box::pin(async move { Arc::new(transport) as _ })
    })
    .interrupted_by(move || {
        cut.command("CLIENT KILL TYPE normal SKIPME yes");
        Box::pin(async {})
    })
    .holding(server)
}

transport_suite!(streams);

#[path = "transport_streams/own.rs"]
mod own;
