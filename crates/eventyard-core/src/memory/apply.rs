//! Applying a commit: all of its writes or none.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    entry::{Entry, Rank, Standing},
    state::State,
    undo::Undo,
};
use crate::{
    Commit, CommitError, Document, Effect, Enqueued, Event, Job, Lease, NewJob, Receipt, Timestamp,
    Write,
    commit::{MAX_LOG_LINE_BYTES, MAX_LOG_LINES},
    document::MAX_DOCUMENT_BYTES,
    inspect::LogLine,
};

impl State {
    /// Applies a commit as a whole or not at all.
    pub(super) fn apply(&mut self, commit: Commit, now: Timestamp) -> Result<Receipt, CommitError> {
        check_form(&commit)?;
        if let Some(lease) = &commit.lease {
            self.check_lease(lease)?;
        }
        // A write that fails changes nothing itself, so only one behind another needs an undo.
        self.undo = commit.writes.iter().skip(1).any(can_fail).then(Vec::new);
        let mut receipt = Vec::with_capacity(commit.writes.len());
        for write in commit.writes {
            match self.write(write, commit.lease.as_ref(), now) {
                Ok(effect) => receipt.push(effect),
                Err(error) => {
                    self.roll_back();
                    return Err(error);
                }
            }
        }
        self.undo = None;
        Ok(receipt)
    }

    fn write(
        &mut self,
        write: Write,
        lease: Option<&Lease>,
        now: Timestamp,
    ) -> Result<Effect, CommitError> {
        let lease = || lease.expect("the commit's form was checked: it has a lease");
        match write {
            Write::Publish { event, jobs } => return Ok(self.publish(event, jobs, now)),
            Write::Enqueue(job) => return Ok(Effect::Enqueued(self.enqueue(job, now))),
            Write::Settle(settlement) => self.settle(lease(), settlement, now),
            Write::Progress(progress) => self.progress(lease(), progress),
            Write::Log(line) => self.log(lease(), line, now),
            Write::Put { collection, key, value, expected } => {
                return self.put_document(collection, key, value, expected);
            }
            Write::Delete { collection, key } => self.delete_document(&collection, &key),
            Write::Retry(key) => self.retry(&key)?,
            Write::Promote(key) => self.promote(&key)?,
            Write::Remove(key) => self.remove(&key)?,
            Write::Pause(queue, paused) => self.pause(&queue, paused),
            Write::Clean { queue, state, older_than, limit } => {
                return Ok(Effect::Removed(self.clean(&queue, state, older_than, limit, now)));
            }
            Write::Forget(queue) => self.forget(&queue)?,
        }
        Ok(Effect::Done)
    }

    fn publish(&mut self, event: Arc<Event>, jobs: Vec<NewJob>, now: Timestamp) -> Effect {
        let id = event.id.clone();
        let duplicate = self.events.get(&id).is_some();
        if !duplicate {
            self.remember(|| Undo::Event(id.clone()));
            let number = self.next();
            self.events.append(number, event, now);
        }
        let jobs = jobs.into_iter().map(|job| {
            if duplicate {
                Enqueued { queue: job.queue, id: job.id, duplicate }
            } else {
                self.enqueue(job, now)
            }
        });
        Effect::Published { jobs: jobs.collect(), event: id, duplicate }
    }

    fn enqueue(&mut self, new: NewJob, now: Timestamp) -> Enqueued {
        let key = new.key();
        let duplicate = self.job(&key).is_some();
        if !duplicate {
            let due = new.options.due(now);
            let NewJob { queue, id, name, payload, options } = new;
            let created_at = now;
            let job =
                Job { queue, id, name, payload, options, created_at, attempts_made: 0, crashes: 0 };
            let mut entry = Entry {
                job,
                standing: Standing::Ready,
                place: Rank(0, 0),
                started_at: None,
                worker: None,
                progress: None,
                attempts: VecDeque::new(),
                log: VecDeque::new(),
            };
            self.run_at(&mut entry, due, now);
            self.insert(entry);
        }
        Enqueued { queue: key.queue, id: key.id, duplicate }
    }

    fn progress(&mut self, lease: &Lease, progress: Bytes) {
        let mut entry = self.take_leased(lease);
        entry.progress = Some(progress);
        self.put(entry);
    }

    fn log(&mut self, lease: &Lease, mut line: String, now: Timestamp) {
        line.truncate(line.floor_char_boundary(MAX_LOG_LINE_BYTES));
        let mut entry = self.take_leased(lease);
        entry.log.push_back(LogLine { at: now, line });
        if entry.log.len() > MAX_LOG_LINES as usize {
            entry.log.pop_front();
        }
        self.put(entry);
    }

    fn put_document(
        &mut self,
        collection: String,
        key: String,
        value: Bytes,
        expected: Option<u64>,
    ) -> Result<Effect, CommitError> {
        let before = self.documents.get(&collection).and_then(|documents| documents.get(&key));
        let actual = before.map_or(0, |document| document.version);
        if let Some(expected) = expected
            && expected != actual
        {
            return Err(CommitError::VersionConflict { collection, key, expected, actual });
        }
        let before = before.cloned();
        self.remember(|| Undo::Document(collection.clone(), key.clone(), before));
        let version = actual + 1;
        let document =
            Document { collection: collection.clone(), key: key.clone(), value, version };
        self.set_document(&collection, &key, Some(document));
        Ok(Effect::Version(version))
    }

    fn delete_document(&mut self, collection: &str, key: &str) {
        let before = self.documents.get(collection).and_then(|documents| documents.get(key));
        let before = before.cloned();
        self.remember(|| Undo::Document(collection.to_owned(), key.to_owned(), before));
        self.set_document(collection, key, None);
    }
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
