//! The Redis store does what every store does.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod server;

use std::{
    cell::{Cell, OnceCell},
    sync::Arc,
};

use eventyard_conformance::{Fixture, clock, store_suite};
use eventyard_redis::{Options, RedisStore};
use server::RedisServer;

const SETTINGS: &[&str] = &["appendonly no"];

thread_local! {
    /// The server of this test: it stops with the thread that the test runs on.
    static SERVER: OnceCell<Arc<RedisServer>> = const { OnceCell::new() };
    /// How many stores the test has opened on it.
    static STORES: Cell<usize> = const { Cell::new(0) };
}

async fn redis() -> Fixture {
    store_on(|| RedisServer::start_with(SETTINGS)).await
}

store_suite!(redis);

/// The same on the oldest server that we work with, which knows no functions.
mod redis_6 {
    use super::*;

    async fn redis_6() -> Fixture {
        store_on(|| RedisServer::start_6(SETTINGS)).await
    }

    store_suite!(without random, redis_6);
}

/// A store of its own on the server of the test: no other has keys with its prefix.
async fn store_on(start: impl FnOnce() -> RedisServer) -> Fixture {
    let server = SERVER.with(|server| Arc::clone(server.get_or_init(|| Arc::new(start()))));
    let number = STORES.get();
    STORES.set(number + 1);
    let clock = clock();
    let options = Options::new(server.url().parse().unwrap());
    let options = options.clock(clock.clone()).prefix(format!("bull{number}"));
    let store = RedisStore::open(options).await.unwrap();
    Fixture::new(store, clock).holding(server)
}
