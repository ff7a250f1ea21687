//! Deduplication: which job stands for all that say the same.

use super::{
    entry::{Entry, Standing},
    state::State,
    undo::Undo,
};
use crate::{GroupKey, JobId, JobKey, NewJob, QueueName, Timestamp};

/// The job that stands for all that say the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spokesman {
    pub(super) job: JobId,
    /// Until when others are dropped; while the job is not finished, if absent.
    pub(super) until: Option<Timestamp>,
    /// The last of those that came while the job was active: added when it ends.
    pub(super) next: Option<Box<NewJob>>,
}

/// Whether a job is added.
pub(super) enum Verdict {
    /// It is not: this one stands for it.
    Dropped(JobId),
    /// It is. If it stands for all that say the same, it does so until then, or until it ends.
    Added(Option<Timestamp>),
}

impl State {
    /// Decides whether a job is dropped because of one that says the same.
    pub(super) fn judge(&mut self, new: &NewJob, now: Timestamp) -> Verdict {
        let Some(rule) = &new.options.deduplication else { return Verdict::Added(None) };
        let begins = rule.ttl.map(|ttl| now + ttl);
        let known = self.queues.get(&new.queue).and_then(|queue| queue.spokesmen.get(&rule.id));
        let Some(mut known) = known.cloned() else { return Verdict::Added(begins) };
        let key = JobKey { queue: new.queue.clone(), id: known.job.clone() };
        let standing = self.job(&key).map(|entry| &entry.standing);
        // One without a time is forgotten when its job ends.
        if known.until.is_some_and(|until| until <= now) {
            return Verdict::Added(begins);
        }
        if rule.replace && matches!(standing, Some(Standing::Delayed { .. })) {
            self.set_spokesman(&new.queue, &rule.id, None);
            self.remove_job(&key, now);
            // The window of the one that is replaced goes on, unless it begins anew.
            return Verdict::Added(if rule.extend { begins } else { known.until });
        }
        let job = known.job.clone();
        if rule.keep_last_if_active && matches!(standing, Some(Standing::Active { .. })) {
            let next = NewJob { awaits_children: false, ..new.clone() };
            known.next = Some(Box::new(next));
        } else if rule.extend && known.until.is_some() {
            known.until = begins;
        } else {
            return Verdict::Dropped(job);
        }
        self.set_spokesman(&new.queue, &rule.id, Some(known));
        Verdict::Dropped(job)
    }

    /// Makes a job that is added the one that stands for all that say the same.
    pub(super) fn appoint(&mut self, new: &NewJob, until: Option<Timestamp>) {
        if let Some(rule) = &new.options.deduplication {
            let spokesman = Spokesman { job: new.id.clone(), until, next: None };
            self.set_spokesman(&new.queue, &rule.id, Some(spokesman));
        }
    }

    /// Lets go of what a job stood for that has ended; adds the one that was kept for then.
    pub(super) fn dismiss(&mut self, entry: &Entry, now: Timestamp) {
        let Some(rule) = &entry.job.options.deduplication else { return };
        let (queue, id) = (&entry.job.queue, &rule.id);
        let known = self.queues.get(queue).and_then(|queue| queue.spokesmen.get(id));
        let Some(known) = known.filter(|known| known.job == entry.job.id && known.until.is_none())
        else {
            return;
        };
        let next = known.next.clone();
        self.set_spokesman(queue, id, None);
        if let Some(next) = next.filter(|next| self.job(&next.key()).is_none()) {
            self.add(*next, None, now);
        }
    }

    /// Forgets up to `limit` windows that are over.
    pub(super) fn forget_windows(&mut self, limit: usize, now: Timestamp) {
        let over = self.queues.iter().flat_map(|(name, queue)| {
            let over = queue
                .spokesmen
                .iter()
                .filter(|(_, known)| known.until.is_some_and(|until| until <= now));
            over.map(|(id, _)| (name.clone(), id.clone()))
        });
        for (queue, id) in over.take(limit).collect::<Vec<_>>() {
            self.set_spokesman(&queue, &id, None);
        }
    }

    pub(super) fn set_spokesman(
        &mut self,
        queue: &QueueName,
        id: &GroupKey,
        to: Option<Spokesman>,
    ) {
        let spokesmen = &mut self.know(queue).spokesmen;
        let before = match to {
            Some(spokesman) => spokesmen.insert(id.clone(), spokesman),
            None => spokesmen.remove(id),
        };
        self.remember(|| Undo::Spokesman(queue.clone(), id.clone(), before));
    }
}
