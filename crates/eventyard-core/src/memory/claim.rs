//! Claims and leases.

use super::{
    entry::{Entry, Standing},
    state::State,
};
use crate::{
    Claim, CommitError, JobKey, JobState, Lease, LeaseToken, Leased, QueueEventKind, QueueName,
    Renewal, Timestamp,
};

impl State {
    /// Leases up to `max` runnable jobs of a queue: the keys by turns, the jobs of each in order.
    pub(super) fn claim(&mut self, ask: &Claim, now: Timestamp) -> Vec<Leased> {
        let mut leased = Vec::new();
        for (lane, count) in self.pick(ask, now) {
            let ready = self.queues[&ask.queue].lanes[&lane].ready.values();
            let ids: Vec<_> = ready.take(count).cloned().collect();
            for id in ids {
                leased.push(self.lease(&JobKey { queue: ask.queue.clone(), id }, ask, now));
            }
        }
        self.update_turns(now);
        if !leased.is_empty() && self.is_drained(&ask.queue) {
            self.tell(&ask.queue, now, QueueEventKind::Drained);
        }
        leased
    }

    fn is_drained(&self, queue: &QueueName) -> bool {
        let states = [JobState::Waiting, JobState::Prioritized, JobState::Delayed];
        states.into_iter().all(|state| self.queues[queue].list(state).is_empty())
    }

    fn lease(&mut self, key: &JobKey, ask: &Claim, now: Timestamp) -> Leased {
        let mut entry = self.take(key).expect("a listed job exists");
        let (token, until) = (self.next_token(), now + ask.lease_for);
        entry.standing = Standing::Active { token, until, order: self.next() };
        entry.expires_at = None;
        entry.started_at = Some(now);
        entry.worker = Some(ask.worker.clone());
        let leased = leased(&entry, token, until);
        let (job, attempt, worker) = (key.id.clone(), leased.lease.attempt, ask.worker.clone());
        self.tell(&key.queue, now, QueueEventKind::Active { job, attempt, worker });
        self.put(entry);
        leased
    }

    /// When a claim on a queue that is not paused may get what it does not get now.
    pub(super) fn next_due(&self, queue: &QueueName) -> Option<Timestamp> {
        let queue = self.queues.get(queue).filter(|queue| !queue.settings.paused)?;
        let delayed = queue.list(JobState::Delayed).first_key_value();
        let due = delayed.map(|(rank, _)| Timestamp::from_millis(rank.first));
        // The end of a child on any queue may let its parent run.
        let expiry = self.unbegun.first().map(|(at, ..)| *at);
        due.into_iter().chain(queue.reopens()).chain(expiry).min()
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
