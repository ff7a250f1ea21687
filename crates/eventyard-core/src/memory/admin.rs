//! What an operator does to jobs and queues.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    entry::{Outcome, Standing},
    state::{Settings, State},
    undo::Undo,
};
use crate::{
    CommitError, Failure, FailureKind, GroupKey, JobId, JobKey, JobState, Keep, QueueEventKind,
    QueueLimits, QueueName, Timestamp,
};

impl State {
    /// Makes a failed or completed job wait again, with all its attempts.
    pub(super) fn retry(&mut self, key: &JobKey, now: Timestamp) -> Result<(), CommitError> {
        let from = self.check_state(key, "failed and completed", |state| {
            matches!(state, JobState::Failed | JobState::Completed)
        })?;
        let mut entry = self.take(key).expect("the job exists");
        entry.job.attempts_made = 0;
        entry.job.crashes = 0;
        if entry.children.are_pending() {
            entry.standing = Standing::WaitingChildren { order: self.next() };
        } else {
            self.ready(&mut entry);
        }
        self.tell_standing(&entry, Some(from), now);
        self.put(entry);
        Ok(())
    }

    /// Makes a delayed job wait at once.
    pub(super) fn promote(&mut self, key: &JobKey, now: Timestamp) -> Result<(), CommitError> {
        self.check_state(key, "delayed", |state| state == JobState::Delayed)?;
        self.expire_later(key, now);
        self.rerun(key, now);
        Ok(())
    }

    /// Counts the time to live of a job that has not begun from another time at which it could.
    fn expire_later(&mut self, key: &JobKey, due: Timestamp) {
        let mut entry = self.take(key).expect("the job exists");
        if entry.expires_at.is_some() {
            entry.expires_at = entry.job.options.ttl.map(|ttl| due + ttl);
        }
        self.put(entry);
    }

    /// Removes a job that is not active.
    pub(super) fn remove(&mut self, key: &JobKey, now: Timestamp) -> Result<(), CommitError> {
        self.check_state(key, "inactive", |state| state != JobState::Active)?;
        self.remove_job(key, now);
        Ok(())
    }

    /// Makes a delayed job runnable now. One that held its key goes back to its place.
    pub(super) fn rerun(&mut self, key: &JobKey, now: Timestamp) {
        let mut entry = self.take(key).expect("the job exists");
        if matches!(entry.standing, Standing::Delayed { holds: true, .. }) {
            entry.standing = Standing::Ready;
        } else {
            self.ready(&mut entry);
        }
        self.tell_standing(&entry, Some(JobState::Delayed), now);
        self.put(entry);
    }

    /// Ends a job that is not finished as cancelled.
    pub(super) fn cancel(
        &mut self,
        key: &JobKey,
        reason: String,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        self.check_state(key, "unfinished", is_unfinished)?;
        let mut entry = self.take(key).expect("the job exists");
        let failure = Failure::new(FailureKind::Cancelled, reason);
        if let Standing::Active { token, .. } = entry.standing {
            self.cancelled.push(token);
            entry.record(failure.clone(), now);
        }
        let keep = entry.job.options.remove_on_fail.unwrap_or(Keep::FOREVER);
        self.finish(entry, Outcome::Failed(failure), keep, now);
        Ok(())
    }

    /// Replaces the data of a job that is not finished.
    pub(super) fn update(&mut self, key: &JobKey, data: Bytes) -> Result<(), CommitError> {
        self.check_state(key, "unfinished", is_unfinished)?;
        let mut entry = self.take(key).expect("the job exists");
        entry.job.payload = entry.job.payload.with_data(data);
        self.put(entry);
        Ok(())
    }

    /// Gives a waiting or delayed job another priority.
    pub(super) fn reprioritize(
        &mut self,
        key: &JobKey,
        priority: u32,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let from = self.check_state(key, "waiting and delayed", is_waiting_or_delayed)?;
        let mut entry = self.take(key).expect("the job exists");
        Arc::make_mut(&mut entry.job.options).priority = Some(priority);
        // One that holds its key goes back to its place.
        entry.place.0 = priority.into();
        if entry.standing == Standing::Ready {
            self.ready(&mut entry);
            self.tell_standing(&entry, Some(from), now);
        }
        self.put(entry);
        Ok(())
    }

    /// Makes a waiting or delayed job run at another time.
    pub(super) fn reschedule(
        &mut self,
        key: &JobKey,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let from = self.check_state(key, "waiting and delayed", is_waiting_or_delayed)?;
        self.expire_later(key, at.max(now));
        let mut entry = self.take(key).expect("the job exists");
        if matches!(entry.standing, Standing::Delayed { holds: true, .. }) {
            self.run_again(&mut entry, at, now);
        } else {
            self.run_at(&mut entry, at, now);
        }
        self.tell_standing(&entry, Some(from), now);
        self.put(entry);
        Ok(())
    }

    fn check_state(
        &self,
        key: &JobKey,
        allowed: &'static str,
        is_allowed: impl FnOnce(JobState) -> bool,
    ) -> Result<JobState, CommitError> {
        let entry = self.job(key).ok_or_else(|| CommitError::NoSuchJob(key.clone()))?;
        let state = entry.shown_state(self.queues[&key.queue].settings.paused);
        if is_allowed(state) {
            return Ok(entry.state());
        }
        Err(CommitError::WrongState { job: key.clone(), state, allowed })
    }

    /// Stops or goes on handing out the jobs of a queue.
    pub(super) fn pause(&mut self, name: &QueueName, paused: bool, now: Timestamp) {
        let was_paused = std::mem::replace(&mut self.settings(name).paused, paused);
        if was_paused != paused {
            let kind = if paused { QueueEventKind::Paused } else { QueueEventKind::Resumed };
            self.tell(name, now, kind);
        }
    }

    /// Replaces the limits of a queue.
    pub(super) fn limit(&mut self, name: &QueueName, limits: QueueLimits) {
        self.settings(name).limits = Arc::new(limits);
        let lanes: Vec<_> = self.queues[name].lanes.keys().cloned().collect();
        for key in lanes {
            self.touch(name, key.as_ref());
        }
    }

    /// Stops or goes on handing out the jobs of one key of a queue.
    pub(super) fn pause_key(&mut self, name: &QueueName, key: GroupKey, paused: bool) {
        self.touch(name, Some(&key));
        let keys = &mut self.settings(name).paused_keys;
        if paused {
            keys.insert(key);
        } else {
            keys.remove(&key);
        }
    }

    /// What is said about a queue, to be changed.
    fn settings(&mut self, name: &QueueName) -> &mut Settings {
        let before = self.know(name).settings.clone();
        self.remember(|| Undo::Queue(name.clone(), Some(before)));
        self.ringing.insert(name.clone());
        &mut self.know(name).settings
    }

    /// Removes jobs of a queue that are in a state for long enough, the oldest first.
    pub(super) fn clean(
        &mut self,
        name: &QueueName,
        state: JobState,
        older_than: Duration,
        limit: usize,
        now: Timestamp,
    ) -> u64 {
        let state = match state {
            JobState::Active => return 0,
            JobState::Paused => JobState::Waiting,
            state => state,
        };
        let Some(queue) = self.queues.get(name) else {
            return 0;
        };
        let is_old = |id: &&JobId| {
            let entry = &queue.jobs[*id];
            let since = match entry.standing {
                Standing::Finished { at, .. } => at,
                _ => entry.job.created_at,
            };
            since + older_than <= now
        };
        let old: Vec<_> = queue.list(state).values().filter(is_old).take(limit).cloned().collect();
        for id in &old {
            self.remove_job(&JobKey { queue: name.clone(), id: id.clone() }, now);
        }
        old.len() as u64
    }

    /// Removes what is known of a queue without jobs.
    pub(super) fn forget(&mut self, name: &QueueName) -> Result<(), CommitError> {
        let Some(queue) = self.queues.get(name) else {
            return Ok(());
        };
        if !queue.jobs.is_empty() {
            return Err(CommitError::QueueNotEmpty(name.clone()));
        }
        if let Some(queue) = self.queues.remove(name) {
            self.remember(|| Undo::Forgotten(name.clone(), Box::new(queue)));
        }
        Ok(())
    }
}

fn is_unfinished(state: JobState) -> bool {
    !matches!(state, JobState::Completed | JobState::Failed)
}

fn is_waiting_or_delayed(state: JobState) -> bool {
    matches!(
        state,
        JobState::Waiting | JobState::Prioritized | JobState::Paused | JobState::Delayed
    )
}
