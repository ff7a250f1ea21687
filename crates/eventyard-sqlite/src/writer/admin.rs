//! What an operator does to jobs and queues.

use eventyard_core::{CommitError, JobKey, JobState, QueueName, Timestamp};

use super::{
    Writer,
    apply::Refused,
    find::{Found, Stand},
    place::runnable,
    state::QueueId,
};
use crate::encoding::finished_state;

impl Writer<'_> {
    /// Makes a failed or completed job wait again, with all its attempts.
    pub(super) fn retry(&mut self, key: &JobKey) -> Result<(), Refused> {
        let mut found = self.find_in(key, "failed and completed", |stand| {
            matches!(stand, Stand::Finished { .. })
        })?;
        self.take_out(&found)?;
        if let Stand::Finished { started_at, worker, .. } = &found.stand {
            self.set_last_run(&mut found.ticket, worker, *started_at)?;
        }
        Ok(self.put_at_back(&mut found.ticket)?)
    }

    /// Makes a delayed job wait at once.
    pub(super) fn promote(&mut self, key: &JobKey) -> Result<(), Refused> {
        let mut found =
            self.find_in(key, "delayed", |stand| matches!(stand, Stand::Delayed { .. }))?;
        self.take_out(&found)?;
        Ok(self.put_at_back(&mut found.ticket)?)
    }

    /// Removes a job that is not active.
    pub(super) fn remove(&mut self, key: &JobKey) -> Result<(), Refused> {
        let found = self.find_in(key, "inactive", |stand| !matches!(stand, Stand::Active))?;
        self.take_out(&found)?;
        self.leftovers.job(found.ticket.seq, found.ticket.flags);
        Ok(())
    }

    fn find_in(
        &mut self,
        key: &JobKey,
        allowed: &'static str,
        is_allowed: impl FnOnce(&Stand) -> bool,
    ) -> Result<Found, Refused> {
        let found = self.find(key)?.ok_or_else(|| CommitError::NoSuchJob(key.clone()))?;
        if is_allowed(&found.stand) {
            return Ok(found);
        }
        let state = self.shown_state(&found);
        Err(CommitError::WrongState { job: key.clone(), state, allowed }.into())
    }

    /// Stops or goes on handing out the jobs of a queue.
    pub(super) fn pause(&mut self, name: &QueueName, paused: bool) -> rusqlite::Result<()> {
        let id = self.know(name)?;
        self.sql.pause_queue.execute((id.0, paused))?;
        self.state.figures_mut(id).paused = paused;
        Ok(())
    }

    /// Removes what is known of a queue without jobs.
    pub(super) fn forget(&mut self, name: &QueueName) -> Result<(), Refused> {
        self.clear_leftovers()?;
        let Some(id) = self.state.queue(name) else { return Ok(()) };
        if self.state.figures(id).counts.total() > 0 {
            return Err(CommitError::QueueNotEmpty(name.clone()).into());
        }
        self.sql.delete_queue.execute((id.0,))?;
        self.state.remove_queue(id);
        Ok(())
    }

    /// Removes jobs that have been in a state since `since` or longer, the oldest first.
    pub(super) fn clean(
        &mut self,
        name: &QueueName,
        state: JobState,
        since: Timestamp,
        limit: usize,
    ) -> rusqlite::Result<u64> {
        self.clear_leftovers()?;
        let Some(queue) = self.state.queue(name) else { return Ok(0) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match state {
            JobState::Active | JobState::WaitingChildren => Ok(0),
            JobState::Waiting | JobState::Paused => self.clean_ready(queue, (0, 0), since, limit),
            JobState::Prioritized => self.clean_ready(queue, (1, i64::MAX), since, limit),
            JobState::Delayed => self.clean_delayed(queue, since, limit),
            JobState::Completed | JobState::Failed => {
                self.clean_finished(queue, state, since, limit)
            }
        }
    }

    fn clean_ready(
        &mut self,
        queue: QueueId,
        (lowest, highest): (i64, i64),
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let ask = (queue.0, lowest, highest, since.as_millis(), limit);
        let old: Vec<[i64; 4]> =
            self.sql.clean_ready.query_map(ask, four)?.collect::<Result<_, _>>()?;
        for [seq, priority, ord, flags] in &old {
            self.sql.delete_ready.execute((queue.0, priority, ord, ord))?;
            self.leftovers.job(*seq, *flags);
        }
        Ok(self.count_removed(queue, runnable(lowest), old.len()))
    }

    fn clean_delayed(
        &mut self,
        queue: QueueId,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let ask = (queue.0, since.as_millis(), limit);
        let old: Vec<[i64; 4]> =
            self.sql.clean_delayed.query_map(ask, four)?.collect::<Result<_, _>>()?;
        for [seq, due, n, flags] in &old {
            self.sql.delete_delayed.execute((queue.0, due, n))?;
            self.leftovers.job(*seq, *flags);
        }
        Ok(self.count_removed(queue, JobState::Delayed, old.len()))
    }

    fn clean_finished(
        &mut self,
        queue: QueueId,
        state: JobState,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let code = finished_state(state).expect("called for finished states");
        let mut rows =
            self.sql.clean_finished.query((queue.0, code, limit, since.as_millis()))?;
        let mut removed = 0;
        while let Some(row) = rows.next()? {
            let ord: i64 = row.get(2)?;
            self.leftovers.job(row.get(0)?, row.get(1)?);
            self.sql.delete_finished.execute((queue.0, code, ord, ord))?;
            removed += 1;
        }
        drop(rows);
        Ok(self.count_removed(queue, state, removed))
    }

    fn count_removed(&mut self, queue: QueueId, state: JobState, removed: usize) -> u64 {
        let signed = i64::try_from(removed).expect("a count of rows");
        self.state.count(queue, state, -signed);
        signed.unsigned_abs()
    }
}

fn four(row: &rusqlite::Row<'_>) -> rusqlite::Result<[i64; 4]> {
    Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
}
