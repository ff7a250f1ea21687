//! What an operator does to jobs and queues.

use std::time::Duration;

use super::{entry::Standing, state::State, undo::Undo};
use crate::{CommitError, JobId, JobKey, JobState, QueueName, Timestamp};

impl State {
    /// Makes a failed or completed job wait again, with all its attempts.
    pub(super) fn retry(&mut self, key: &JobKey) -> Result<(), CommitError> {
        self.check_state(key, "failed and completed", |state| {
            matches!(state, JobState::Failed | JobState::Completed)
        })?;
        self.rerun(key, true);
        Ok(())
    }

    /// Makes a delayed job wait at once.
    pub(super) fn promote(&mut self, key: &JobKey) -> Result<(), CommitError> {
        self.check_state(key, "delayed", |state| state == JobState::Delayed)?;
        self.rerun(key, false);
        Ok(())
    }

    /// Removes a job that is not active.
    pub(super) fn remove(&mut self, key: &JobKey) -> Result<(), CommitError> {
        self.check_state(key, "inactive", |state| state != JobState::Active)?;
        self.take(key);
        Ok(())
    }

    /// Makes a job runnable now.
    pub(super) fn rerun(&mut self, key: &JobKey, afresh: bool) {
        let mut entry = self.take(key).expect("the job exists");
        if afresh {
            entry.job.attempts_made = 0;
            entry.job.crashes = 0;
        }
        self.ready(&mut entry);
        self.put(entry);
    }

    fn check_state(
        &self,
        key: &JobKey,
        allowed: &'static str,
        is_allowed: impl FnOnce(JobState) -> bool,
    ) -> Result<(), CommitError> {
        let entry = self.job(key).ok_or_else(|| CommitError::NoSuchJob(key.clone()))?;
        let state = entry.shown_state(self.queues[&key.queue].paused);
        if is_allowed(state) {
            return Ok(());
        }
        Err(CommitError::WrongState { job: key.clone(), state, allowed })
    }

    /// Stops or goes on handing out the jobs of a queue.
    pub(super) fn pause(&mut self, name: &QueueName, paused: bool) {
        let before = self.know(name).paused;
        self.remember(|| Undo::Queue(name.clone(), Some(before)));
        self.know(name).paused = paused;
        self.ringing.insert(name.clone());
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
            JobState::Active | JobState::WaitingChildren => return 0,
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
            self.take(&JobKey { queue: name.clone(), id: id.clone() });
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
        let paused = queue.paused;
        self.remember(|| Undo::Queue(name.clone(), Some(paused)));
        self.queues.remove(name);
        Ok(())
    }
}
