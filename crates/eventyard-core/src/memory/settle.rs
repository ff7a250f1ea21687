//! Settling: how an attempt's end changes its job.

use super::{
    entry::{Entry, Outcome, Standing},
    state::State,
};
use crate::{
    JobKey, JobState, Keep, Lease, QueueEventKind, QueueName, Settlement, Timestamp,
    inspect::ChildOutcome,
};

impl State {
    /// Ends the attempt under a lease that holds.
    pub(super) fn settle(&mut self, lease: &Lease, settlement: Settlement, now: Timestamp) {
        let mut entry = self.take_leased(lease);
        match settlement {
            Settlement::Complete { result, keep } => {
                entry.job.attempts_made += 1;
                self.finish(entry, Outcome::Completed(result), keep, now);
                return;
            }
            Settlement::Fail { failure, keep } => {
                entry.record(failure.clone(), now);
                self.finish(entry, Outcome::Failed(failure), keep, now);
                return;
            }
            Settlement::Retry { at, failure } => {
                entry.record(failure.clone(), now);
                self.run_again(&mut entry, at, now);
                if let Standing::Delayed { due: until, .. } = entry.standing {
                    let (job, failure) = (entry.job.id.clone(), Some(failure));
                    let kind = QueueEventKind::Delayed { job, until, failure };
                    self.tell(&entry.job.queue, now, kind);
                    self.put(entry);
                    return;
                }
            }
            Settlement::Snooze { at } => self.run_again(&mut entry, at, now),
            Settlement::Release => entry.standing = Standing::Ready,
            Settlement::AwaitChildren if entry.children.are_pending() => {
                entry.standing = Standing::WaitingChildren { order: self.next() };
            }
            Settlement::AwaitChildren => self.run_again(&mut entry, now, now),
        }
        self.tell_standing(&entry, Some(JobState::Active), now);
        self.put(entry);
    }

    /// Finishes a job that was taken out, and keeps it as long as it is to be kept.
    pub(super) fn finish(
        &mut self,
        mut entry: Entry,
        outcome: Outcome,
        keep: Keep,
        now: Timestamp,
    ) {
        let (queue, job) = (entry.job.queue.clone(), entry.job.id.clone());
        let (event, ended) = match &outcome {
            Outcome::Completed(result) => (
                QueueEventKind::Completed { job, result: result.clone() },
                ChildOutcome::Completed(result.clone()),
            ),
            Outcome::Failed(failure) => (
                QueueEventKind::Failed { job, failure: failure.clone() },
                ChildOutcome::Failed(failure.clone()),
            ),
        };
        self.tell(&queue, now, event);
        entry.expires_at = None;
        let expires_at = keep.age.map(|age| now + age);
        entry.standing = Standing::Finished { outcome, at: now, order: self.next(), expires_at };
        if !keep.is_nothing() {
            let state = entry.state();
            self.put(entry.clone());
            if let Some(count) = keep.count {
                let list = self.queues[&queue].list(state);
                let beyond = (list.len() as u64).saturating_sub(count);
                self.remove_oldest(&queue, state, beyond, now);
            }
        }
        self.dismiss(&entry, now);
        self.tell_parent(&entry, ended, now);
    }

    fn remove_oldest(&mut self, queue: &QueueName, state: JobState, count: u64, now: Timestamp) {
        for _ in 0..count {
            let oldest = self.queues[queue].list(state).values().next().cloned();
            let Some(id) = oldest else { return };
            self.remove_job(&JobKey { queue: queue.clone(), id }, now);
        }
    }

    /// Removes a job that exists and is not active.
    pub(super) fn remove_job(&mut self, key: &JobKey, now: Timestamp) {
        let entry = self.take(key).expect("the job exists");
        let from = entry.state();
        self.tell(&key.queue, now, QueueEventKind::Removed { job: key.id.clone(), from });
        self.dismiss(&entry, now);
        self.tell_parent_of_removal(&entry, now);
    }
}
