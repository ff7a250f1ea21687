//! Applying a commit: all of its writes or none.

use eventyard_core::{
    Commit, CommitError, Effect, Lease, LeaseToken, Receipt, Settlement, Write,
    document::MAX_DOCUMENT_BYTES,
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
        check_form(&commit)?;
        let lease = match &commit.lease {
            Some(lease) => Some(self.leased(lease).ok_or_else(|| stale(lease))?),
            None => None,
        };
        self.begin()?;
        // A write that is refused changes nothing itself, so only one behind another needs a way back.
        if commit.writes.iter().skip(1).any(can_fail) {
            self.with_way_back(|writer| writer.write_all(commit.writes, lease))
        } else {
            self.write_all(commit.writes, lease)
        }
    }

    fn write_all(&mut self, writes: Vec<Write>, lease: Option<i64>) -> Result<Receipt, Refused> {
        writes.into_iter().map(|write| self.write(write, lease)).collect()
    }

    /// Does something that is undone if it is refused.
    fn with_way_back<T>(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.write_pending()?;
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
            Write::Publish { event, jobs } => return Ok(self.publish_event(&event, jobs)?),
            Write::Enqueue(job) => return Ok(Effect::Enqueued(self.enqueue(job, None)?)),
            Write::Settle(settlement) => self.settle(lease(), settlement)?,
            Write::Progress(progress) => self.progress(lease(), &progress)?,
            Write::Log(line) => self.log(lease(), &line)?,
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
        Ok(())
    }
}

fn stale(lease: &Lease) -> CommitError {
    CommitError::StaleLease { job: lease.job.clone(), attempt: lease.attempt }
}

/// Whether a write may be refused, once the commit's form and its lease were checked.
fn can_fail(write: &Write) -> bool {
    match write {
        Write::Put { expected, .. } => expected.is_some(),
        Write::Retry(_) | Write::Promote(_) | Write::Remove(_) | Write::Forget(_) => true,
        Write::Publish { .. }
        | Write::Enqueue(_)
        | Write::Settle(_)
        | Write::Progress(_)
        | Write::Log(_)
        | Write::Delete { .. }
        | Write::Pause(..)
        | Write::Clean { .. } => false,
    }
}

/// Refuses what no state of the store could make right.
fn check_form(commit: &Commit) -> Result<(), CommitError> {
    let mut settled = false;
    for write in &commit.writes {
        match write {
            Write::Settle(_) | Write::Progress(_) | Write::Log(_) if commit.lease.is_none() => {
                return Err(CommitError::Malformed("it writes in a job's name without a lease"));
            }
            Write::Settle(_) if settled => {
                return Err(CommitError::Malformed("it settles its job twice"));
            }
            Write::Settle(_) => settled = true,
            Write::Progress(_) | Write::Log(_) if settled => {
                return Err(CommitError::Malformed(
                    "it writes in its job's name after settling it",
                ));
            }
            Write::Put { value, .. } if value.len() > MAX_DOCUMENT_BYTES => {
                return Err(CommitError::Malformed("a document is larger than 1 MiB"));
            }
            _ => {}
        }
    }
    Ok(())
}
