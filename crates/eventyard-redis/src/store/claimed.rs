//! What a claim got, and what becomes of jobs that nobody takes.

use eventyard_core::{Leased, Timestamp};
use tokio::sync::mpsc;

/// The jobs of a claim, and when another may get what this one does not. Jobs that are not taken out of it go back,
/// so whoever stops waiting for a claim loses nothing.
pub(crate) struct Claimed {
    jobs: Vec<Leased>,
    pub(crate) opens: Option<Timestamp>,
    unwanted: Unwanted,
}

/// Where jobs go that nobody takes.
pub(crate) type Unwanted = mpsc::UnboundedSender<Vec<Leased>>;

impl Claimed {
    pub(crate) fn new(jobs: Vec<Leased>, opens: Option<Timestamp>, unwanted: Unwanted) -> Self {
        Self { jobs, opens, unwanted }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(crate) fn take(mut self) -> Vec<Leased> {
        std::mem::take(&mut self.jobs)
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if !self.jobs.is_empty() {
            // Without a desk their leases end by themselves.
            let _ = self.unwanted.send(std::mem::take(&mut self.jobs));
        }
    }
}
