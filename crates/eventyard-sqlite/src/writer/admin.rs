//! What an operator does to jobs and queues.

use eventyard_core::{CommitError, JobKey, JobState, QueueName, Timestamp};

use super::{
    Writer,
    apply::Refused,
    find::{Found, Stand},
    pending::Run,
    state::{QueueId, Ticket},
};

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
        self.pending.gone(found.ticket.seq, 1, found.ticket.flags);
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
        self.write_pending()?;
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
        self.write_pending()?;
        let Some(queue) = self.state.queue(name) else { return Ok(0) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        match state {
            JobState::Active | JobState::WaitingChildren => Ok(0),
            JobState::Waiting | JobState::Paused => self.clean_ready(queue, (0, 0), since, limit),
            JobState::Prioritized => self.clean_ready(queue, (1, i64::MAX), since, limit),
            JobState::Delayed => self.clean_delayed(queue, since, limit),
            JobState::Completed | JobState::Failed => {
                self.remove_finished(queue, state, since, limit)
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
        let old = self.sql.old_ready.query_map(ask, |row| {
            let first = Ticket {
                seq: row.get(4)?,
                queue,
                priority: row.get(1)?,
                ord: row.get(2)?,
                attempts: row.get(5)?,
                crashes: row.get(6)?,
                flags: row.get(7)?,
            };
            Ok((row.get(0)?, Run { first, n: row.get(3)? }))
        })?;
        let old: Vec<(i64, Run)> = old.collect::<Result<_, _>>()?;
        // From the last to the first: what is taken out of the end of a run leaves its beginning as it was.
        let follows =
            |a: &(i64, Run), b: &(i64, Run)| a.0 + 1 == b.0 && a.1.first.seq == b.1.first.seq;
        let mut shortened: Option<(i64, i64)> = None;
        for jobs in old.chunk_by(follows).rev() {
            let (seq, mut run) = jobs[0];
            let (skip, count) = (seq - run.first.seq, jobs.len() as i64);
            if let Some((_, n)) = shortened.filter(|(first, _)| *first == run.first.seq) {
                run.n = n;
            }
            self.take_ready(&run, skip, count)?;
            self.pending.gone(seq, count, run.first.flags);
            shortened = Some((run.first.seq, skip));
        }
        Ok(old.len() as u64)
    }

    fn clean_delayed(
        &mut self,
        queue: QueueId,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let old = self.sql.old_delayed.query_map((queue.0, since.as_millis(), limit), |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?;
        let old: Vec<[i64; 4]> = old.collect::<Result<_, _>>()?;
        for [seq, due, n, flags] in &old {
            self.sql.delete_delayed.execute((queue.0, due, n))?;
            self.pending.gone(*seq, 1, *flags);
        }
        let removed = old.len() as i64;
        self.state.count(queue, JobState::Delayed, -removed);
        Ok(removed.unsigned_abs())
    }
}
