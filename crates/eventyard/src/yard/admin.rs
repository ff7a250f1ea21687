//! Steering queues and jobs.

use std::time::Duration;

use eventyard_core::{Commit, Effect, JobKey, JobState, QueueName, Write};

use super::Yard;
use crate::Error;

/// How many jobs one commit of a long removal takes, so that others get their turn.
const BATCH: usize = 1000;

/// The states whose jobs wait to run.
const WAITING: [JobState; 2] = [JobState::Waiting, JobState::Prioritized];

impl Yard {
    /// Makes a failed or completed job wait again, with all its attempts.
    ///
    /// # Errors
    /// When there is no such job, or it is neither failed nor completed.
    pub async fn retry(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Retry(job)).await.map(drop)
    }

    /// Makes a delayed job wait at once.
    ///
    /// # Errors
    /// When there is no such job, or it is not delayed.
    pub async fn promote(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Promote(job)).await.map(drop)
    }

    /// Removes a job that is not active.
    ///
    /// # Errors
    /// When there is no such job, or it is active.
    pub async fn remove(&self, job: JobKey) -> Result<(), Error> {
        self.write(Write::Remove(job)).await.map(drop)
    }

    /// Stops handing out the jobs of a queue; active ones end as usual.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn pause(&self, queue: QueueName) -> Result<(), Error> {
        self.write(Write::Pause(queue, true)).await.map(drop)
    }

    /// Goes on handing out the jobs of a queue.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn resume(&self, queue: QueueName) -> Result<(), Error> {
        self.write(Write::Pause(queue, false)).await.map(drop)
    }

    /// Removes up to `limit` jobs that have been in `state` for at least `older_than`, the oldest first.
    ///
    /// # Errors
    /// When the store cannot take it; what was removed until then stays removed.
    pub async fn clean(
        &self,
        queue: &QueueName,
        state: JobState,
        older_than: Duration,
        limit: usize,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        while removed < limit as u64 {
            let batch = BATCH.min(limit - usize::try_from(removed).unwrap_or(limit));
            let write = Write::Clean { queue: queue.clone(), state, older_than, limit: batch };
            let now = match self.write(write).await? {
                Some(Effect::Removed(n)) => n,
                _ => 0,
            };
            removed += now;
            if now < batch as u64 {
                break;
            }
        }
        Ok(removed)
    }

    /// Removes the jobs that wait, and the delayed ones too if `delayed`; active and finished ones stay.
    ///
    /// # Errors
    /// As for [`clean`](Yard::clean).
    pub async fn drain(&self, queue: &QueueName, delayed: bool) -> Result<u64, Error> {
        let states = WAITING.into_iter().chain(delayed.then_some(JobState::Delayed));
        self.clean_all(queue, states).await
    }

    /// Pauses a queue, removes all its jobs and forgets it.
    ///
    /// # Errors
    /// When jobs are active: wait for them to end and call again; the queue stays paused.
    pub async fn obliterate(&self, queue: &QueueName) -> Result<u64, Error> {
        self.pause(queue.clone()).await?;
        let finished = [JobState::Delayed, JobState::Completed, JobState::Failed];
        let removed = self.clean_all(queue, WAITING.into_iter().chain(finished)).await?;
        self.write(Write::Forget(queue.clone())).await?;
        Ok(removed)
    }

    async fn clean_all(
        &self,
        queue: &QueueName,
        states: impl IntoIterator<Item = JobState>,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        for state in states {
            removed += self.clean(queue, state, Duration::ZERO, usize::MAX).await?;
        }
        Ok(removed)
    }

    async fn write(&self, write: Write) -> Result<Option<Effect>, Error> {
        Ok(self.commit(Commit::of([write])).await?.pop())
    }
}
