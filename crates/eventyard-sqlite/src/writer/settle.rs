//! Settling: how an attempt's end changes its job; and what a handler says while it runs.

use bytes::Bytes;
use eventyard_core::{
    CommitError, Failure, JobId, JobKey, JobState, Keep, Settlement, StepName, Timestamp, WorkerId,
    commit::{MAX_ATTEMPT_RECORDS, MAX_LOG_LINE_BYTES, MAX_LOG_LINES, MAX_STEPS},
};

use super::{
    Writer,
    apply::Refused,
    pending::{FinishedRun, LastRun, Run},
    state::{Active, LeaseRow, Ticket},
};
use crate::encoding::{BOUND, EXPIRES, TRACED};

/// How a job ended.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Completed(Option<Bytes>),
    Failed(Failure),
}

impl Writer<'_> {
    /// Ends the attempt on the active job `seq`.
    pub(super) fn settle(&mut self, seq: i64, settlement: Settlement) -> rusqlite::Result<()> {
        let mut active = self.end_lease(seq);
        let from = Some(JobState::Active);
        match settlement {
            Settlement::Complete { result, keep } => {
                active.ticket.attempts += 1;
                return self.finish_active(&active, Outcome::Completed(result), keep);
            }
            Settlement::Fail { failure, keep } => {
                self.record(&mut active, &failure)?;
                return self.finish_active(&active, Outcome::Failed(failure), keep);
            }
            Settlement::Retry { at, failure } => {
                self.record(&mut active, &failure)?;
                self.remember_run(&mut active)?;
                self.run_again(&mut active.ticket, at)?;
                if at > self.now {
                    self.tell_delayed(&active, at, failure);
                    return Ok(());
                }
            }
            Settlement::Snooze { at } => {
                self.remember_run(&mut active)?;
                self.run_again(&mut active.ticket, at)?;
                if at > self.now {
                    self.tell_until(active.ticket.queue, &active.id, at);
                    return Ok(());
                }
            }
            Settlement::Release => {
                self.remember_run(&mut active)?;
                self.put_ready(&mut active.ticket)?;
            }
            Settlement::AwaitChildren => {
                self.remember_run(&mut active)?;
                if self.has_pending_child(seq)? {
                    self.put_awaiting(&active.ticket)?;
                    self.tell_awaiting(active.ticket.queue, &active.id);
                    return Ok(());
                }
                let now = self.now;
                self.run_again(&mut active.ticket, now)?;
            }
        }
        self.tell_waiting(active.ticket.queue, &active.id, from);
        Ok(())
    }

    /// Takes a job out of the active ones.
    pub(super) fn end_lease(&mut self, seq: i64) -> Active {
        let active = self.state.end_lease(seq);
        let row = self.state.row(active.row);
        let held = row.held - 1;
        self.state.set_row(active.row, (held > 0).then_some(LeaseRow { held, ..row }));
        if held == 0 {
            self.pending.ended(active.row);
        }
        active
    }

    /// Finishes a job whose lease was ended.
    pub(super) fn finish_active(
        &mut self,
        job: &Active,
        outcome: Outcome,
        keep: Keep,
    ) -> rusqlite::Result<()> {
        let ran = LastRun { worker: job.worker.clone(), started_at: job.started_at };
        self.finish_job(&job.ticket, &job.id, Some(ran), outcome, keep)
    }

    /// Finishes a job that was taken out, and keeps it as long as it is to be kept.
    pub(super) fn finish_job(
        &mut self,
        job: &Ticket,
        id: &JobId,
        ran: Option<LastRun>,
        outcome: Outcome,
        keep: Keep,
    ) -> rusqlite::Result<()> {
        let Ticket { queue, seq, flags, .. } = *job;
        self.tell_finished(queue, id, &outcome);
        let ended = (flags & BOUND != 0).then(|| outcome.clone());
        // Whatever follows from the end needs the job's options.
        let options = if ended.is_some() { Some(self.options_of(seq)?) } else { None };
        if keep.is_nothing() {
            self.pending.gone(seq, 1, flags);
        } else {
            let (state, result, failure) = match outcome {
                Outcome::Completed(result) => (JobState::Completed, result, None),
                Outcome::Failed(failure) => (JobState::Failed, None, Some(json(&failure))),
            };
            self.before_finishing(queue, state, keep)?;
            let ord = self.next_step()?;
            self.pending.finished(FinishedRun {
                jobs: Run { first: Ticket { flags: flags & !EXPIRES, ..*job }, n: 1 },
                state,
                ord,
                ran,
                at: self.now,
                expires_at: keep.age.map(|age| self.now + age),
                result,
                failure,
            });
            self.state.count(queue, state, 1);
            if flags & EXPIRES != 0 {
                self.sql.delete_unbegun.execute((seq, seq))?;
            }
        }
        if self.is_heard || self.state.figures(queue).has_ties {
            // What is removed for this one is removed, and told, before anything follows.
            self.write_pending()?;
        }
        match (ended, options) {
            (Some(outcome), Some(options)) => self.after_end(queue, id, &options, outcome),
            _ => Ok(()),
        }
    }

    /// Counts the running attempt as one that failed, and remembers why.
    pub(super) fn record(&mut self, job: &mut Active, failure: &Failure) -> rusqlite::Result<()> {
        let ticket = &mut job.ticket;
        ticket.attempts += 1;
        ticket.flags |= TRACED;
        let n: i64 = self.sql.insert_attempt.change(
            (
                ticket.seq,
                ticket.attempts,
                job.started_at.as_millis(),
                self.now.as_millis(),
                job.worker.as_str(),
                json(failure),
            ),
            |row| row.get(0),
        )?;
        self.sql.trim_attempts.execute((ticket.seq, n - i64::from(MAX_ATTEMPT_RECORDS)))?;
        Ok(())
    }

    /// Remembers who ran a job last, and when, while it waits.
    pub(super) fn remember_run(&mut self, job: &mut Active) -> rusqlite::Result<()> {
        self.set_last_run(&mut job.ticket, &job.worker, job.started_at)
    }

    /// Remembers who ran a job last, and when.
    pub(super) fn set_last_run(
        &mut self,
        job: &mut Ticket,
        worker: &WorkerId,
        started_at: Timestamp,
    ) -> rusqlite::Result<()> {
        job.flags |= TRACED;
        let run = (job.seq, worker.as_str(), started_at.as_millis());
        self.sql.set_last_run.execute(run)?;
        Ok(())
    }

    /// Replaces the progress of an active job.
    pub(super) fn progress(&mut self, seq: i64, progress: &Bytes) -> rusqlite::Result<()> {
        self.trace(seq);
        self.sql.set_progress.execute((seq, &**progress))?;
        self.tell_progress(seq, progress);
        Ok(())
    }

    /// Adds a line to the log of an active job.
    pub(super) fn log(&mut self, seq: i64, line: &str) -> rusqlite::Result<()> {
        self.trace(seq);
        let line = &line[..line.floor_char_boundary(MAX_LOG_LINE_BYTES)];
        let row = (seq, self.now.as_millis(), line);
        let n: i64 = self.sql.insert_log.change(row, |row| row.get(0))?;
        self.sql.trim_log.execute((seq, n - i64::from(MAX_LOG_LINES)))?;
        Ok(())
    }

    /// Saves a step of an active job; one of the same name is replaced.
    pub(super) fn save_step(
        &mut self,
        seq: i64,
        name: &StepName,
        result: &Bytes,
    ) -> Result<(), Refused> {
        let last: i64 = self.sql.last_step.query_row((seq,), |row| row.get(0))?;
        if last >= i64::from(MAX_STEPS) && !self.sql.has_step.exists((seq, name.as_str()))? {
            let active = self.state.active(seq).expect("the lease was checked");
            let queue = self.state.name(active.ticket.queue).clone();
            let job = JobKey { queue, id: active.id.clone() };
            return Err(CommitError::TooManySteps { job, limit: MAX_STEPS }.into());
        }
        self.trace(seq);
        let at = self.now.as_millis();
        self.sql.save_step.execute((seq, last + 1, name.as_str(), at, &**result))?;
        Ok(())
    }

    /// Notes that an active job has rows apart from its own.
    fn trace(&mut self, seq: i64) {
        let flags = self.state.active(seq).expect("the lease was checked").ticket.flags;
        if flags & TRACED == 0 {
            self.state.active_mut(seq).ticket.flags |= TRACED;
        }
    }
}

pub(super) fn json(failure: &Failure) -> String {
    serde_json::to_string(failure).expect("a failure is plain text")
}
