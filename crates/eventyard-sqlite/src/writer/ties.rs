//! Ties: what the end of a job does to others, to its parent and to those that say the same.

use std::sync::Arc;

use eventyard_core::{
    CommitError, Failure, FailureKind, JobId, JobKey, JobOptions, JobState, Keep, NewJob,
    OnChildFailure, Timestamp,
};
use rusqlite::OptionalExtension;

use super::{
    Writer,
    apply::Refused,
    find::{Found, Stand},
    pending::LastRun,
    settle::{Outcome, json},
    state::{QueueId, Ticket},
};
use crate::{
    encoding::{BOUND, NATURE, OptionsReader, PARENT, TIED},
    error::corrupt_row,
};

/// How a child ended, in the column `child.outcome`.
const PENDING: i64 = 0;
const COMPLETED: i64 = 1;
const FAILED: i64 = 2;
const REMOVED: i64 = 3;

impl Writer<'_> {
    /// Makes a job that is to be added known to its parent; false if the parent does not wait for children any more.
    pub(super) fn adopt(&mut self, new: &NewJob) -> Result<bool, Refused> {
        let Some(link) = &new.options.parent else { return Ok(true) };
        let (child, parent) = (new.key(), link.key());
        let Some(found) = self.find(&parent)? else {
            return Err(CommitError::NoSuchParent { child, parent }.into());
        };
        if !matches!(found.stand, Stand::Awaiting { .. } | Stand::Active) {
            return Ok(false);
        }
        let seq = found.ticket.seq;
        if let Some(outcome) = self.child_outcome(seq, &child)? {
            // One that was removed is waited for again.
            if outcome == REMOVED && self.find(&child)?.is_none() {
                self.end_child(seq, &child, PENDING, None, None)?;
            }
            return Ok(true);
        }
        let (outcome, result) = match self.find(&child)? {
            None => (PENDING, None),
            Some(Found { ticket, stand: Stand::Finished { run, .. } })
                if run.state
                    == crate::encoding::finished_state(JobState::Completed).unwrap_or(0) =>
            {
                let mut rows = self.sql.find_finished.query((ticket.seq,))?;
                let row = rows.next()?.ok_or_else(|| corrupt_row("a job that stands nowhere"))?;
                (COMPLETED, row.get::<_, Option<Vec<u8>>>(7)?)
            }
            Some(_) => return Err(CommitError::NotItsChild { child, parent }.into()),
        };
        self.make_parent(&found)?;
        let row = (seq, child.queue.as_str(), child.id.as_str(), outcome, result);
        self.sql.insert_child.execute(row)?;
        Ok(true)
    }

    /// Notes that a job has children.
    fn make_parent(&mut self, found: &Found) -> rusqlite::Result<()> {
        let Ticket { seq, flags, .. } = found.ticket;
        if matches!(found.stand, Stand::Active) {
            let active = self.state.active(seq).expect("it was found");
            if active.ticket.flags & PARENT == 0 {
                let active = self.state.active_mut(seq);
                active.ticket.flags |= PARENT;
                let nature = active.ticket.flags & NATURE;
                self.sql.set_nature.execute((seq, nature))?;
            }
        } else {
            debug_assert!(flags & PARENT != 0, "a job that waits for children has the flag");
        }
        self.state.figures_mut(found.ticket.queue).has_ties = true;
        Ok(())
    }

    fn child_outcome(&mut self, parent: i64, child: &JobKey) -> rusqlite::Result<Option<i64>> {
        let ask = (parent, child.queue.as_str(), child.id.as_str());
        self.sql.child_outcome.query_row(ask, |row| row.get(0)).optional()
    }

    pub(super) fn has_pending_child(&mut self, seq: i64) -> rusqlite::Result<bool> {
        self.sql.has_pending_child.exists((seq,))
    }

    /// Makes a job wait for its children.
    pub(super) fn put_awaiting(&mut self, job: &Ticket) -> rusqlite::Result<()> {
        let n = self.next_step()?;
        let Ticket { queue, seq, priority, attempts, crashes, flags, .. } = *job;
        let row = (queue.0, n, seq, priority, attempts, crashes, flags | PARENT);
        self.sql.insert_awaiting.execute(row)?;
        self.state.count(queue, JobState::WaitingChildren, 1);
        Ok(())
    }

    /// Lets a job run that waits for children, if none is left to wait for.
    pub(super) fn release_parent(&mut self, key: &JobKey) -> rusqlite::Result<()> {
        match self.find(key)? {
            Some(found)
                if matches!(found.stand, Stand::Awaiting { .. })
                    && !self.has_pending_child(found.ticket.seq)? =>
            {
                self.run_parent(found, &key.id)
            }
            _ => Ok(()),
        }
    }

    fn run_parent(&mut self, mut found: Found, id: &JobId) -> rusqlite::Result<()> {
        self.take_out(&found)?;
        let Ticket { queue, seq, .. } = found.ticket;
        let options = self.options_of(seq)?;
        let mut due = self.now;
        if self.last_run(seq)?.is_none() {
            // The delay of a parent, and its time to live, count from when its children have ended.
            due = options.due(self.now);
            if let Some(at) = options.expires(self.now) {
                self.expire_at(&mut found.ticket, at)?;
            }
        }
        self.run_at(&mut found.ticket, due)?;
        if due > self.now {
            self.tell_until(queue, id, due);
        } else {
            self.tell_waiting(queue, id, Some(JobState::WaitingChildren));
        }
        Ok(())
    }

    /// Does what follows from the end of a job.
    pub(super) fn after_end(
        &mut self,
        queue: QueueId,
        id: &JobId,
        options: &JobOptions,
        outcome: Outcome,
    ) -> rusqlite::Result<()> {
        self.dismiss(queue, id, options)?;
        let Some(link) = &options.parent else { return Ok(()) };
        let child = JobKey { queue: self.state.name(queue).clone(), id: id.clone() };
        let Some(found) = self.find(&link.key())? else { return Ok(()) };
        let parent = found.ticket.seq;
        if self.child_outcome(parent, &child)?.is_none() {
            return Ok(());
        }
        let is_waiting = matches!(found.stand, Stand::Awaiting { .. });
        let failure = match outcome {
            Outcome::Completed(result) => {
                self.end_child(parent, &child, COMPLETED, result.as_deref(), None)?;
                None
            }
            Outcome::Failed(_) if link.on_fail == OnChildFailure::Wait => return Ok(()),
            Outcome::Failed(failure) => {
                self.end_child(parent, &child, FAILED, None, Some(&json(&failure)))?;
                Some(failure)
            }
        };
        match (failure, link.on_fail) {
            (Some(_), OnChildFailure::Continue) if is_waiting => self.run_parent(found, &link.id),
            (Some(failure), OnChildFailure::Fail) if is_waiting => {
                self.fail_parent(&found, &link.id, &child, &failure)
            }
            _ => self.release_parent(&link.key()),
        }
    }

    fn end_child(
        &mut self,
        parent: i64,
        child: &JobKey,
        outcome: i64,
        result: Option<&[u8]>,
        failure: Option<&str>,
    ) -> rusqlite::Result<()> {
        let row = (parent, child.queue.as_str(), child.id.as_str(), outcome, result, failure);
        self.sql.end_child.execute(row)?;
        Ok(())
    }

    fn fail_parent(
        &mut self,
        found: &Found,
        id: &JobId,
        child: &JobKey,
        failure: &Failure,
    ) -> rusqlite::Result<()> {
        let message = format!("its child {child} failed: {}", failure.message);
        let failure = Failure::new(FailureKind::Child, message);
        self.fail_unfinished(found, id, failure)
    }

    /// Ends a job as failed that is neither active nor finished.
    pub(super) fn fail_unfinished(
        &mut self,
        found: &Found,
        id: &JobId,
        failure: Failure,
    ) -> rusqlite::Result<()> {
        self.take_out(found)?;
        let keep = self.keep_failed(found.ticket.seq)?;
        let ran = self.last_run(found.ticket.seq)?;
        self.finish_job(&found.ticket, id, ran, Outcome::Failed(failure), keep)
    }

    fn last_run(&mut self, seq: i64) -> rusqlite::Result<Option<LastRun>> {
        let mut rows = self.sql.last_run.query((seq,))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let worker = eventyard_core::WorkerId::new(row.get_ref(0)?.as_str()?);
        Ok(Some(LastRun {
            worker: worker.map_err(|_| corrupt_row("the worker of a job"))?,
            started_at: Timestamp::from_millis(row.get(1)?),
        }))
    }

    /// The options of a job.
    pub(super) fn options_of(&mut self, seq: i64) -> rusqlite::Result<Arc<JobOptions>> {
        let mut rows = self.sql.job_options.query((seq,))?;
        let Some(row) = rows.next()? else { return Ok(Arc::default()) };
        Ok(OptionsReader::default().read(row.get_ref(0)?.as_str_or_null()?))
    }

    pub(super) fn keep_failed(&mut self, seq: i64) -> rusqlite::Result<Keep> {
        Ok(self.options_of(seq)?.remove_on_fail.unwrap_or(Keep::FOREVER))
    }

    /// Removes `n` jobs that were taken out of where they stood, and does what follows.
    pub(super) fn remove_jobs(
        &mut self,
        seq: i64,
        n: i64,
        flags: i64,
        from: JobState,
    ) -> rusqlite::Result<()> {
        if !self.is_heard && flags & TIED == 0 {
            self.pending.gone(seq, n, flags);
            return Ok(());
        }
        let ids = self.ids(seq, n)?;
        for (seq, id) in (seq..).zip(ids) {
            let queue = self.queue_of(seq)?;
            self.tell_removed(queue, &id, from);
            let options = if flags & BOUND == 0 { None } else { Some(self.options_of(seq)?) };
            self.pending.gone(seq, 1, flags);
            if let Some(options) = options {
                self.after_removal(queue, &id, &options)?;
            }
        }
        Ok(())
    }

    fn queue_of(&mut self, seq: i64) -> rusqlite::Result<QueueId> {
        let name: String = self.sql.key_of_job.query_row((seq,), |row| row.get(0))?;
        let queue = self.state.queue_by_text(&name);
        queue.ok_or_else(|| corrupt_row("the queue of a job"))
    }

    fn after_removal(
        &mut self,
        queue: QueueId,
        id: &JobId,
        options: &JobOptions,
    ) -> rusqlite::Result<()> {
        self.dismiss(queue, id, options)?;
        let Some(link) = &options.parent else { return Ok(()) };
        let child = JobKey { queue: self.state.name(queue).clone(), id: id.clone() };
        let Some(found) = self.find(&link.key())? else { return Ok(()) };
        if self.child_outcome(found.ticket.seq, &child)? != Some(PENDING) {
            return Ok(());
        }
        self.end_child(found.ticket.seq, &child, REMOVED, None, None)?;
        self.release_parent(&link.key())
    }
}
