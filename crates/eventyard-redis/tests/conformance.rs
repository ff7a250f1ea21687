//! The Redis store does what every store does.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use eventyard_conformance::{Fixture, clock, store_suite};
use eventyard_redis::{Options, RedisStore};
use server::RedisServer;

async fn redis() -> Fixture {
    let (clock, server) = (clock(), RedisServer::start());
    let options = Options::new(server.url().parse().unwrap()).clock(clock.clone());
    let store = RedisStore::open(options).await.unwrap();
    Fixture::new(store, clock).holding(server)
}

store_suite!(redis);
