//! Our store on a test's Redis.

use std::sync::Arc;

use eventyard_core::{Clock, Inspect, Store};
use eventyard_redis::{Options, RedisStore};

use crate::server::RedisServer;

/// The two sides of a store.
#[derive(Clone)]
pub(crate) struct Sides {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) inspect: Arc<dyn Inspect>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Opens the store that shares its queues with BullMQ.
pub(crate) async fn open(server: &RedisServer, clock: Arc<dyn Clock>) -> Sides {
    open_at(&server.url(), clock).await
}

/// The same, by the address of the server.
pub(crate) async fn open_at(url: &str, clock: Arc<dyn Clock>) -> Sides {
    let options = Options::new(url.parse().unwrap()).clock(Arc::clone(&clock));
    let store = Arc::new(RedisStore::open(options).await.unwrap());
    Sides { store: store.clone(), inspect: store, clock }
}
