//! Steering queues and their keys.

use std::time::Duration;

use eventyard_core::{
    Effect, GroupKey, JobState, Page, PageAsk, QueueLimits, QueueName, Write, inspect::KeyStatus,
};

use super::Yard;
use crate::{Error, meter::Reading};

/// How many jobs one commit of a long removal takes, so that others get their turn.
const BATCH: usize = 1000;

/// The states whose jobs wait to run.
const WAITING: [JobState; 2] = [JobState::Waiting, JobState::Prioritized];

impl Yard {
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

    /// Replaces the limits of a queue, at once and for all workers. They stay until they are replaced again, by an
    /// application that states others when it starts too.
    ///
    /// # Errors
    /// When a limit is out of range, or the store cannot take it.
    pub async fn limit(&self, queue: QueueName, limits: QueueLimits) -> Result<(), Error> {
        limits.validate()?;
        self.write(Write::Limit(queue, limits)).await.map(drop)
    }

    /// Stops handing out the jobs of one key of a queue; active ones end as usual.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn pause_key(&self, queue: QueueName, key: GroupKey) -> Result<(), Error> {
        self.write(Write::PauseKey(queue, key, true)).await.map(drop)
    }

    /// Goes on handing out the jobs of one key of a queue.
    ///
    /// # Errors
    /// When the store cannot take it.
    pub async fn resume_key(&self, queue: QueueName, key: GroupKey) -> Result<(), Error> {
        self.write(Write::PauseKey(queue, key, false)).await.map(drop)
    }

    /// The keys of a queue that have waiting or active jobs or are paused, by key.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    pub async fn keys(&self, queue: &QueueName, page: PageAsk) -> Result<Page<KeyStatus>, Error> {
        Ok(self.bus.inspect.keys(queue, page).await?)
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
        // Those that wait for children go first: the end of a child would make them wait to run.
        let states = [JobState::WaitingChildren].into_iter().chain(WAITING).chain([
            JobState::Delayed,
            JobState::Completed,
            JobState::Failed,
        ]);
        let removed = self.clean_all(queue, states).await?;
        self.write(Write::Forget(queue.clone())).await?;
        Ok(removed)
    }

    /// What a queue did lately, as far as this process saw it; nothing for one that is not declared.
    #[must_use]
    pub fn lately(&self, queue: &QueueName) -> Option<Reading> {
        self.bus.meter.read(queue, self.bus.clock.now())
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
}
