//! Running one case.

use std::time::Duration;

use super::Fixture;

/// A case that takes longer waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a case on a fixture of its own.
///
/// # Panics
/// When the case fails, or hangs.
pub fn run(factory: impl AsyncFnOnce() -> Fixture, case: impl AsyncFnOnce(&Fixture)) {
    let whole = async {
        let fixture = factory().await;
        case(&fixture).await;
    };
    let outcome = crate::run::runtime()
        .block_on(async { tokio::time::timeout(PATIENCE, Box::pin(whole)).await });
    assert!(outcome.is_ok(), "the case hangs: it waits for a delivery that does not come");
}
