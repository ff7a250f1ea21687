//! Applying a commit: all of its writes or none.

use eventyard_core::{
    Commit, CommitError, Effect, Lease, LeaseToken, NewJob, Receipt, Settlement, Write,
};

use super::Writer;
use crate::encoding::token;

/// Why a write did not happen: the commit's own fault, or the file's.
pub(super) enum Refused {
    Commit(CommitError),
    File(rusqlite::Error),
}

impl From<CommitError> for Refused {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error)
    }
}

impl Writer<'_> {
    /// Applies a commit as a whole or not at all.
    pub(super) fn apply(
        &mut self,
        commit: Commit,
    ) -> rusqlite::Result<Result<Receipt, CommitError>> {
        match self.try_apply(commit) {
            Ok(receipt) => Ok(Ok(receipt)),
            Err(Refused::Commit(error)) => Ok(Err(error)),
            Err(Refused::File(error)) => Err(error),
        }
    }

    fn try_apply(&mut self, commit: Commit) -> Result<Receipt, Refused> {
        commit.check_form()?;
        let lease = match &commit.lease {
            Some(lease) => Some(self.leased(lease).ok_or_else(|| stale(lease))?),
            None => None,
        };
        self.begin()?;
        // A write that is refused changes nothing itself, so only one behind another needs a way back. One that is
        // made of steps may be refused in the middle.
        let (first, rest) = match commit.writes.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, &[][..]),
        };
        let (news, cancelled) = (self.news.len(), self.cancelled.len());
        let needs_way_back = first.is_some_and(|write| self.has_steps(write))
            || rest.iter().any(|write| can_fail(write) || self.has_steps(write));
        let outcome = if needs_way_back {
            self.with_way_back(|writer| writer.write_all(commit.writes, lease))
        } else {
            self.write_all(commit.writes, lease)
        };
        match outcome {
            Ok(_) => self.update_turns()?,
            Err(_) => {
                self.news.truncate(news);
                self.cancelled.truncate(cancelled);
                self.state.touched_lanes.clear();
            }
        }
        outcome
    }

    /// Whether a write may be refused after it changed something.
    fn has_steps(&self, write: &Write) -> bool {
        match write {
            Write::Publish { jobs, .. } => jobs.iter().any(|job| self.needs_check(job)),
            Write::Enqueue(job) => self.needs_check(job),
            // Whatever is added behind it may find the queue full.
            Write::Limit(..) => true,
            _ => false,
        }
    }

    fn write_all(&mut self, writes: Vec<Write>, lease: Option<i64>) -> Result<Receipt, Refused> {
        let mut parents = Vec::new();
        let mut receipt = Vec::with_capacity(writes.len());
        for write in writes {
            match &write {
                Write::Enqueue(job) if job.awaits_children => parents.push(job.key()),
                Write::Publish { jobs, .. } => {
                    let waiting = jobs.iter().filter(|job| job.awaits_children);
                    parents.extend(waiting.map(NewJob::key));
                }
                _ => {}
            }
            receipt.push(self.write(write, lease)?);
        }
        for parent in parents {
            self.release_parent(&parent)?;
        }
        Ok(receipt)
    }

    /// Does something that is undone if it is refused.
    fn with_way_back<T>(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.write_down()?;
        let mark = self.state.mark();
        self.sql.savepoint.execute(())?;
        let outcome = what(self);
        if matches!(outcome, Err(Refused::Commit(_))) {
            self.sql.roll_back_to_savepoint.execute(())?;
            self.undo_to(mark);
        }
        self.sql.release_savepoint.execute(())?;
        outcome
    }

    fn write(&mut self, write: Write, lease: Option<i64>) -> Result<Effect, Refused> {
        let lease = || lease.expect("the commit's form was checked: it has a lease");
        match write {
            Write::Publish { event, jobs } => return self.publish_event(&event, jobs),
            Write::Enqueue(job) => return Ok(Effect::Enqueued(self.enqueue(job, None)?)),
            Write::Settle(settlement) => self.settle(lease(), settlement)?,
            Write::Progress(progress) => self.progress(lease(), &progress)?,
            Write::Log(line) => self.log(lease(), &line)?,
            Write::Step { name, result } => self.save_step(lease(), &name, &result)?,
            Write::Put { collection, key, value, expected } => {
                return self.put_document(collection, key, &value, expected);
            }
            Write::Delete { collection, key } => self.delete_document(&collection, &key)?,
            Write::Retry(key) => self.retry(&key)?,
            Write::Promote(key) => self.promote(&key)?,
            Write::Remove(key) => self.remove(&key)?,
            Write::Pause(queue, paused) => self.pause(&queue, paused)?,
            Write::Clean { queue, state, older_than, limit } => {
                let removed = self.clean(&queue, state, self.now - older_than, limit)?;
                return Ok(Effect::Removed(removed));
            }
            Write::Forget(queue) => self.forget(&queue)?,
            Write::Cancel { job, reason } => self.cancel(&job, reason)?,
            Write::Update { job, data } => self.update(&job, data)?,
            Write::Reprioritize { job, priority } => self.reprioritize(&job, priority)?,
            Write::Reschedule { job, at } => self.reschedule(&job, at)?,
            Write::Limit(queue, limits) => self.limit(&queue, limits)?,
            Write::PauseKey(queue, key, paused) => self.pause_key(&queue, &key, paused)?,
        }
        Ok(Effect::Done)
    }

    /// The number of the job under a lease, if the lease holds. One whose time is over holds until
    /// somebody takes the job over.
    pub(super) fn leased(&self, lease: &Lease) -> Option<i64> {
        let (seq, fence) = token::split(lease.token)?;
        let active = self.state.active(seq).filter(|active| active.fence == fence)?;
        let same_job =
            active.id == lease.job.id && *self.state.name(active.ticket.queue) == lease.job.queue;
        same_job.then_some(seq)
    }

    /// Puts back the jobs of leases that nobody took, as far as they still hold.
    pub(super) fn release(&mut self, tokens: &[LeaseToken]) -> rusqlite::Result<()> {
        for token in tokens {
            let Some((seq, fence)) = token::split(*token) else { continue };
            if self.state.active(seq).is_some_and(|active| active.fence == fence) {
                self.begin()?;
                self.settle(seq, Settlement::Release)?;
            }
        }
        self.update_turns()
    }
}

fn stale(lease: &Lease) -> CommitError {
    CommitError::StaleLease { job: lease.job.clone(), attempt: lease.attempt }
}

/// Whether a write may be refused, once the commit's form and its lease were checked.
fn can_fail(write: &Write) -> bool {
    match write {
        Write::Put { expected, .. } => expected.is_some(),
        Write::Step { .. }
        | Write::Retry(_)
        | Write::Promote(_)
        | Write::Remove(_)
        | Write::Forget(_)
        | Write::Cancel { .. }
        | Write::Update { .. }
        | Write::Reprioritize { .. }
        | Write::Reschedule { .. } => true,
        Write::Publish { .. }
        | Write::Enqueue(_)
        | Write::Settle(_)
        | Write::Progress(_)
        | Write::Log(_)
        | Write::Delete { .. }
        | Write::Pause(..)
        | Write::Clean { .. }
        | Write::Limit(..)
        | Write::PauseKey(..) => false,
    }
}
