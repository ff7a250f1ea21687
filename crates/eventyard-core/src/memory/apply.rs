//! Applying a commit: all of its writes or none.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    children::Children,
    duplicate::Verdict,
    entry::{Entry, Standing},
    state::State,
    undo::Undo,
};
use crate::{
    Commit, CommitError, Document, Effect, Enqueued, Event, Job, JobKey, JobState, Lease, NewJob,
    QueueEventKind, Receipt, Timestamp, Write,
    commit::{MAX_LOG_LINE_BYTES, MAX_LOG_LINES},
    inspect::LogLine,
};

impl State {
    /// Applies a commit as a whole or not at all.
    pub(super) fn apply(&mut self, commit: Commit, now: Timestamp) -> Result<Receipt, CommitError> {
        commit.check_form()?;
        if let Some(lease) = &commit.lease {
            self.check_lease(lease)?;
        }
        self.undo = commit.writes.iter().any(|write| self.can_fail(write)).then(Vec::new);
        let (news, cancelled) = (self.news.len(), self.cancelled.len());
        let mut parents = Vec::new();
        let mut receipt = Vec::with_capacity(commit.writes.len());
        for write in commit.writes {
            match &write {
                Write::Enqueue(job) if job.awaits_children => parents.push(job.key()),
                Write::Publish { jobs, .. } => {
                    let waiting = jobs.iter().filter(|job| job.awaits_children);
                    parents.extend(waiting.map(NewJob::key));
                }
                _ => {}
            }
            match self.write(write, commit.lease.as_ref(), now) {
                Ok(effect) => receipt.push(effect),
                Err(error) => {
                    self.roll_back();
                    self.news.truncate(news);
                    self.cancelled.truncate(cancelled);
                    self.touched.clear();
                    return Err(error);
                }
            }
        }
        for parent in parents {
            self.release_parent(&parent, now);
        }
        self.undo = None;
        self.remembered.clear();
        self.update_turns(now);
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
            Write::Publish { event, jobs } => return self.publish(event, jobs, now),
            Write::Enqueue(job) => return Ok(Effect::Enqueued(self.enqueue(job, now)?)),
            Write::Settle(settlement) => self.settle(lease(), settlement, now),
            Write::Progress(progress) => self.progress(lease(), progress, now),
            Write::Log(line) => self.log(lease(), line, now),
            Write::Step { name, result } => self.save_step(lease(), name, result, now)?,
            Write::Put { collection, key, value, expected } => {
                return self.put_document(collection, key, value, expected);
            }
            Write::Delete { collection, key } => self.delete_document(&collection, &key),
            Write::Retry(key) => self.retry(&key, now)?,
            Write::Promote(key) => self.promote(&key, now)?,
            Write::Remove(key) => self.remove(&key, now)?,
            Write::Pause(queue, paused) => self.pause(&queue, paused, now),
            Write::Clean { queue, state, older_than, limit } => {
                return Ok(Effect::Removed(self.clean(&queue, state, older_than, limit, now)));
            }
            Write::Forget(queue) => self.forget(&queue)?,
            Write::Cancel { job, reason } => self.cancel(&job, reason, now)?,
            Write::Update { job, data } => self.update(&job, data)?,
            Write::Reprioritize { job, priority } => self.reprioritize(&job, priority, now)?,
            Write::Reschedule { job, at } => self.reschedule(&job, at, now)?,
            Write::Limit(queue, limits) => self.limit(&queue, limits),
            Write::PauseKey(queue, key, paused) => self.pause_key(&queue, key, paused),
        }
        Ok(Effect::Done)
    }

    fn publish(
        &mut self,
        event: Arc<Event>,
        jobs: Vec<NewJob>,
        now: Timestamp,
    ) -> Result<Effect, CommitError> {
        let id = event.id.clone();
        let duplicate = self.events.get(&id).is_some();
        if !duplicate {
            self.remember(|| Undo::Event(id.clone()));
            let number = self.next();
            self.events.append(number, event, now);
        }
        let jobs = jobs.into_iter().map(|job| {
            if duplicate {
                Ok(Enqueued { queue: job.queue, id: job.id, duplicate })
            } else {
                self.enqueue(job, now)
            }
        });
        let jobs = jobs.collect::<Result<_, _>>()?;
        Ok(Effect::Published { jobs, event: id, duplicate })
    }

    fn enqueue(&mut self, new: NewJob, now: Timestamp) -> Result<Enqueued, CommitError> {
        let key = new.key();
        let duplicate = |id| Enqueued { queue: key.queue.clone(), id, duplicate: true };
        if !self.adopt(&new)? || self.job(&key).is_some() {
            return Ok(duplicate(key.id.clone()));
        }
        let until = match self.judge(&new, now) {
            Verdict::Dropped(id) => return Ok(duplicate(id)),
            Verdict::Added(until) => until,
        };
        self.check_room(&key)?;
        self.add(new, until, now);
        Ok(Enqueued { queue: key.queue, id: key.id, duplicate: false })
    }

    /// Refuses a job that a queue has no room for.
    fn check_room(&self, key: &JobKey) -> Result<(), CommitError> {
        let Some(queue) = self.queues.get(&key.queue) else { return Ok(()) };
        let Some(limit) = queue.settings.limits.max_length else { return Ok(()) };
        let unfinished = [
            JobState::Waiting,
            JobState::Prioritized,
            JobState::Delayed,
            JobState::WaitingChildren,
        ];
        let length: usize = unfinished.iter().map(|state| queue.list(*state).len()).sum();
        if (length as u64) < limit {
            return Ok(());
        }
        Err(CommitError::QueueFull { queue: key.queue.clone(), limit })
    }

    /// Adds a job whose key is free. If it stands for all that say the same, it does so until `until`.
    pub(super) fn add(&mut self, new: NewJob, until: Option<Timestamp>, now: Timestamp) {
        self.appoint(&new, until);
        let NewJob { queue, id, name, payload, options, awaits_children } = new;
        let due = options.due(now);
        // The time of one that waits for children begins when they have ended.
        let expires_at = options.expires(now).filter(|_| !awaits_children);
        let job = Job {
            queue,
            id,
            name,
            payload,
            options,
            created_at: now,
            attempts_made: 0,
            crashes: 0,
        };
        let mut entry = Entry {
            job,
            number: self.next(),
            standing: Standing::Ready,
            place: (0, 0),
            expires_at,
            started_at: None,
            worker: None,
            progress: None,
            attempts: VecDeque::new(),
            log: VecDeque::new(),
            steps: Vec::new(),
            children: Children::default(),
        };
        let (job, name) = (entry.job.id.clone(), entry.job.name.clone());
        self.tell(&entry.job.queue, now, QueueEventKind::Added { job, name });
        if awaits_children {
            entry.standing = Standing::WaitingChildren { order: self.next() };
        } else {
            self.run_at(&mut entry, due, now);
        }
        self.tell_standing(&entry, None, now);
        self.insert(entry);
    }

    fn progress(&mut self, lease: &Lease, progress: Bytes, now: Timestamp) {
        let mut entry = self.take_leased(lease);
        entry.progress = Some(progress.clone());
        let job = entry.job.id.clone();
        self.tell(&entry.job.queue, now, QueueEventKind::Progress { job, progress });
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
        let lost = || self.lost_versions.get(&collection).copied().unwrap_or(0);
        let version = before.map_or_else(lost, |document| document.version) + 1;
        let before = before.cloned();
        self.remember(|| Undo::Document(collection.clone(), key.clone(), before));
        let document =
            Document { collection: collection.clone(), key: key.clone(), value, version };
        self.set_document(&collection, &key, Some(document));
        Ok(Effect::Version(version))
    }

    fn delete_document(&mut self, collection: &str, key: &str) {
        let before = self.documents.get(collection).and_then(|documents| documents.get(key));
        let Some(before) = before.cloned() else { return };
        let lost = self.lost_versions.get(collection).copied();
        self.remember(|| Undo::LostVersion(collection.to_owned(), lost));
        let lost = lost.unwrap_or(0).max(before.version);
        self.lost_versions.insert(collection.to_owned(), lost);
        self.remember(|| Undo::Document(collection.to_owned(), key.to_owned(), Some(before)));
        self.set_document(collection, key, None);
    }
}

impl State {
    /// Whether a write may be refused, once the commit's form and its lease were checked.
    fn can_fail(&self, write: &Write) -> bool {
        let is_limited = |job: &NewJob| {
            let queue = self.queues.get(&job.queue);
            queue.is_some_and(|queue| queue.settings.limits.max_length.is_some())
        };
        match write {
            Write::Publish { jobs, .. } => {
                jobs.iter().any(|job| job.options.parent.is_some() || is_limited(job))
            }
            Write::Enqueue(job) => job.options.parent.is_some() || is_limited(job),
            Write::Put { expected, .. } => expected.is_some(),
            Write::Step { .. }
            | Write::Retry(_)
            | Write::Promote(_)
            | Write::Remove(_)
            | Write::Forget(_)
            | Write::Cancel { .. }
            | Write::Update { .. }
            | Write::Reprioritize { .. }
            | Write::Reschedule { .. }
            // Whatever is added behind it may find the queue full.
            | Write::Limit(..) => true,
            Write::Settle(_)
            | Write::Progress(_)
            | Write::Log(_)
            | Write::Delete { .. }
            | Write::Pause(..)
            | Write::Clean { .. }
            | Write::PauseKey(..) => false,
        }
    }
}
