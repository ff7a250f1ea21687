//! Upkeep of the store: takes over ended leases, applies retention.

use std::{sync::Arc, time::Duration};

use eventyard_core::{Keep, Maintenance, Upkeep};
use tokio_util::sync::CancellationToken;

use crate::{bus::Bus, secs};

/// How often the store is looked after.
const INTERVAL: Duration = secs(1);
/// The most jobs and events that one call touches.
const LIMIT: usize = 1000;
/// How many crashes of its worker make a job a dead letter.
pub const MAX_CRASHES: u32 = 3;

/// Looks after the store until `stop`.
pub(crate) async fn run(bus: Arc<Bus>, keep_events: Keep, stop: CancellationToken) {
    let upkeep = Upkeep { limit: LIMIT, max_crashes: MAX_CRASHES, keep_events };
    loop {
        match bus.store.maintain(upkeep.clone()).await {
            Ok(done) => {
                tell(&done);
                if done.more {
                    tokio::task::yield_now().await;
                    continue;
                }
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "cannot maintain the store");
            }
            Err(_) => return,
        }
        tokio::select! {
            () = bus.clock.sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

fn tell(done: &Maintenance) {
    let Maintenance { taken_over, buried, expired, forgotten_events, .. } = *done;
    if taken_over > 0 {
        tracing::warn!(jobs = taken_over, "taken over from workers that stopped without a word");
    }
    if buried > 0 {
        tracing::error!(jobs = buried, "failed for good: their workers crashed too often");
    }
    if expired + forgotten_events > 0 {
        tracing::debug!(jobs = expired, events = forgotten_events, "removed by age");
    }
}
