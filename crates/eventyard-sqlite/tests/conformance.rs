//! The SQLite store does what every store does.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use eventyard_conformance::{Fixture, clock, store_suite};
use eventyard_sqlite::{Options, SqliteStore};

async fn sqlite() -> Fixture {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    let options = Options::new(folder.path().join("store.db")).clock(clock.clone());
    let store = SqliteStore::open(options).await.unwrap();
    Fixture::new(store, clock).holding(folder)
}

store_suite!(sqlite);
