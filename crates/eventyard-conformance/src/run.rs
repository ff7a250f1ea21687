//! Running one case.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::Fixture;

/// In real time: a case that takes longer waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a case on a fixture of its own.
///
/// # Panics
/// When the case fails, or hangs.
pub fn run(factory: impl AsyncFnOnce() -> Fixture, case: impl AsyncFnOnce(&Fixture)) {
    let runtime = runtime();
    let whole = async {
        let fixture = factory().await;
        case(&fixture).await;
        fixture.store.close().await;
    };
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, Box::pin(whole)).await });
    assert!(outcome.is_ok(), "the case hangs: it waits for an effect that does not come");
}

/// A runtime with real threads, as stores have in production.
pub(crate) fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}
