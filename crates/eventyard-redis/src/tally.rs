//! What a transport counts.

use std::sync::atomic::{AtomicU64, Ordering};

use eventyard_core::transport::TransportStatus;

/// The counters of one transport.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) published: Counter,
    pub(crate) received: Counter,
    pub(crate) own: Counter,
    pub(crate) malformed: Counter,
    pub(crate) dead_lettered: Counter,
    pub(crate) gaps: Counter,
}

/// A number that rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// What was counted ahead did not come to pass.
    pub(crate) fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tally {
    /// What was counted; the rest of the status is the caller's.
    pub(crate) fn status(&self) -> TransportStatus {
        TransportStatus {
            published: self.published.get(),
            received: self.received.get(),
            own: self.own.get(),
            malformed: self.malformed.get(),
            dead_lettered: self.dead_lettered.get(),
            gaps: self.gaps.get(),
            ..TransportStatus::default()
        }
    }
}
