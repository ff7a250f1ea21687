//! The in-memory store passes the suite. (Its random part compares it with itself: that proves the harness.)

use eventyard_conformance::{Fixture, clock, store_suite};
use eventyard_core::MemoryStore;

async fn memory() -> Fixture {
    let clock = clock();
    Fixture::new(MemoryStore::new(clock.clone()), clock)
}

store_suite!(memory);
