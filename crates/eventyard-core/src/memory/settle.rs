//! Settling: how an attempt's end changes its job.

use super::{
    entry::{Entry, Outcome, Standing},
    state::State,
};
use crate::{JobKey, JobState, Keep, Lease, QueueName, Settlement, Timestamp};

impl State {
    /// Ends the attempt under a lease that holds.
    pub(super) fn settle(&mut self, lease: &Lease, settlement: Settlement, now: Timestamp) {
        let mut entry = self.take_leased(lease);
        match settlement {
            Settlement::Complete { result, keep } => {
                entry.job.attempts_made += 1;
                self.finish(entry, Outcome::Completed(result), keep, now);
            }
            Settlement::Retry { at, failure } => {
                entry.record(failure, now);
                self.run_at(&mut entry, at, now);
                self.put(entry);
            }
            Settlement::Snooze { at } => {
                self.run_at(&mut entry, at, now);
                self.put(entry);
            }
            Settlement::Release => {
                entry.standing = Standing::Ready;
                self.put(entry);
            }
            Settlement::Fail { failure, keep } => {
                entry.record(failure.clone(), now);
                self.finish(entry, Outcome::Failed(failure), keep, now);
            }
        }
    }

    /// Finishes a job that was taken out, and keeps it as long as it is to be kept.
    pub(super) fn finish(
        &mut self,
        mut entry: Entry,
        outcome: Outcome,
        keep: Keep,
        now: Timestamp,
    ) {
        if keep.is_nothing() {
            return;
        }
        let expires_at = keep.age.map(|age| now + age);
        entry.standing = Standing::Finished { outcome, at: now, order: self.next(), expires_at };
        let (queue, state) = (entry.job.queue.clone(), entry.state());
        self.put(entry);
        if let Some(count) = keep.count {
            let list = self.queues[&queue].list(state);
            let beyond = (list.len() as u64).saturating_sub(count);
            self.remove_oldest(&queue, state, beyond);
        }
    }

    fn remove_oldest(&mut self, queue: &QueueName, state: JobState, count: u64) {
        for _ in 0..count {
            let oldest = self.queues[queue].list(state).values().next().cloned();
            let Some(id) = oldest else { return };
            self.take(&JobKey { queue: queue.clone(), id });
        }
    }
}
