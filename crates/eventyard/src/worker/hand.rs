//! What a worker has in hand: jobs under lease, waiting for a slot or running.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use eventyard_core::{Lease, LeaseToken, Leased, Renewal};
use tokio_util::sync::CancellationToken;

use super::attempt::Ended;

/// A worker claims ahead what its slots get done within this time, about that of a claim: with quick handlers the
/// slots are not empty while the store answers, and with slow ones no job waits here that others could take.
const AHEAD: Duration = Duration::from_millis(2);
/// The most jobs that are claimed ahead.
const MAX_AHEAD: usize = 512;

#[derive(Debug)]
pub(super) struct Hand {
    concurrency: usize,
    running: usize,
    waiting: VecDeque<Arc<Leased>>,
    leases: HashMap<LeaseToken, (Lease, CancellationToken)>,
    /// A moving average of how long attempts take.
    mean: Duration,
}

impl Hand {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            running: 0,
            waiting: VecDeque::new(),
            leases: HashMap::new(),
            // Slow until shown otherwise.
            mean: 500 * AHEAD,
        }
    }

    /// How many more jobs to claim.
    pub(super) fn room(&self) -> usize {
        let quickness = AHEAD.as_secs_f64() / self.mean.as_secs_f64().max(f64::MIN_POSITIVE);
        let ahead = MAX_AHEAD.min((self.concurrency as f64 * quickness) as usize);
        (self.concurrency + ahead).saturating_sub(self.running + self.waiting.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(super) fn take(&mut self, leased: Vec<Leased>) {
        for leased in leased {
            let lease = leased.lease.clone();
            self.leases.insert(lease.token, (lease, CancellationToken::new()));
            self.waiting.push_back(Arc::new(leased));
        }
    }

    /// The next job to run, if there is one and a slot for it.
    pub(super) fn start_next(&mut self) -> Option<(Arc<Leased>, CancellationToken)> {
        if self.running >= self.concurrency {
            return None;
        }
        let leased = self.waiting.pop_front()?;
        let (_, cancelled) = self.leases.get(&leased.lease.token)?;
        self.running += 1;
        Some((leased, cancelled.clone()))
    }

    /// Takes the jobs that have not been started, to give them back.
    pub(super) fn take_waiting(&mut self) -> impl Iterator<Item = Arc<Leased>> + use<> {
        std::mem::take(&mut self.waiting).into_iter()
    }

    pub(super) fn ended(&mut self, ended: &Ended) {
        self.running -= 1;
        self.mean = (self.mean * 7 + ended.took) / 8;
    }

    /// Lets go of a lease that was settled or lost.
    pub(super) fn forget(&mut self, lease: &Lease) {
        self.leases.remove(&lease.token);
    }

    pub(super) fn leases(&self) -> Vec<Lease> {
        self.leases.values().map(|(lease, _)| lease.clone()).collect()
    }

    /// Interrupts the attempts whose lease is lost, and does not start those that waited.
    pub(super) fn renewed(&mut self, renewals: Vec<(Lease, Renewal)>) {
        for (lease, _) in renewals.into_iter().filter(|(_, renewal)| *renewal == Renewal::Lost) {
            tracing::warn!(job = %lease.job, attempt = lease.attempt, "lease lost");
            let waits = |leased: &Arc<Leased>| leased.lease.token == lease.token;
            if let Some(place) = self.waiting.iter().position(waits) {
                self.waiting.remove(place);
                self.forget(&lease);
            } else if let Some((_, cancelled)) = self.leases.get(&lease.token) {
                cancelled.cancel();
            }
        }
    }

    pub(super) fn cancel_all(&self) {
        for (_, cancelled) in self.leases.values() {
            cancelled.cancel();
        }
    }
}
