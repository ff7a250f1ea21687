//! Claims and leases.

use super::{
    entry::{Entry, Standing},
    state::State,
};
use crate::{
    Claim, CommitError, JobKey, JobState, Lease, LeaseToken, Leased, QueueName, Renewal, Timestamp,
};

impl State {
    /// Leases up to `max` runnable jobs of a queue, in order.
    pub(super) fn claim(&mut self, ask: &Claim, now: Timestamp) -> Vec<Leased> {
        let Some(queue) = self.queues.get(&ask.queue).filter(|queue| !queue.paused) else {
            return Vec::new();
        };
        // Waiting jobs have priority 0, which runs before all others.
        let waiting = queue.list(JobState::Waiting).values();
        let next = waiting.chain(queue.list(JobState::Prioritized).values()).take(ask.max);
        let ids: Vec<_> = next.cloned().collect();
        ids.into_iter()
            .map(|id| self.lease(&JobKey { queue: ask.queue.clone(), id }, ask, now))
            .collect()
    }

    fn lease(&mut self, key: &JobKey, ask: &Claim, now: Timestamp) -> Leased {
        let mut entry = self.take(key).expect("a listed job exists");
        let (token, until) = (self.next_token(), now + ask.lease_for);
        entry.standing = Standing::Active { token, until, order: self.next() };
        entry.started_at = Some(now);
        entry.worker = Some(ask.worker.clone());
        let leased = leased(&entry, token, until);
        self.put(entry);
        leased
    }

    /// When the next delayed job of a queue that is not paused runs.
    pub(super) fn next_due(&self, queue: &QueueName) -> Option<Timestamp> {
        let queue = self.queues.get(queue).filter(|queue| !queue.paused)?;
        let (rank, _) = queue.list(JobState::Delayed).first_key_value()?;
        Some(Timestamp::from_millis(rank.0))
    }

    /// Makes a lease hold until `until`, if it holds now.
    pub(super) fn renew(&mut self, lease: &Lease, until: Timestamp) -> Renewal {
        if self.check_lease(lease).is_err() {
            return Renewal::Lost;
        }
        let mut entry = self.take_leased(lease);
        if let Standing::Active { until: end, .. } = &mut entry.standing {
            *end = until;
        }
        self.put(entry);
        Renewal::Until(until)
    }

    /// Refuses a lease that does not hold. One whose time is over holds until somebody takes the job over.
    pub(super) fn check_lease(&self, lease: &Lease) -> Result<(), CommitError> {
        if self.tokens.get(&lease.token) == Some(&lease.job) {
            return Ok(());
        }
        Err(CommitError::StaleLease { job: lease.job.clone(), attempt: lease.attempt })
    }

    /// Takes out the job under a lease that holds.
    pub(super) fn take_leased(&mut self, lease: &Lease) -> Entry {
        self.take(&lease.job).expect("the lease was checked: its job exists")
    }

    /// The job under a token, if the lease holds.
    pub(super) fn leased(&self, token: LeaseToken) -> Option<Leased> {
        let entry = self.job(self.tokens.get(&token)?)?;
        let Standing::Active { until, .. } = entry.standing else {
            return None;
        };
        Some(leased(entry, token, until))
    }
}

fn leased(entry: &Entry, token: LeaseToken, until: Timestamp) -> Leased {
    let job = entry.job.clone();
    let lease = Lease { job: job.key(), attempt: job.attempts_made + 1, token };
    Leased { job, lease, until }
}
