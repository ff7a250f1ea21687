//! Undo: what makes a commit that fails in the middle leave nothing behind.

use super::{
    duplicate::Spokesman,
    entry::Entry,
    state::{Queue, Settings, State},
};
use crate::{Document, EventId, GroupKey, JobKey, QueueName};

/// How one thing was before a commit changed it; absent when it did not exist.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Undo {
    /// A job.
    Job(JobKey, Option<Box<Entry>>),
    /// A queue without jobs.
    Forgotten(QueueName, Box<Queue>),
    /// What was said about a queue.
    Queue(QueueName, Option<Settings>),
    /// The job that stands for all that say the same.
    Spokesman(QueueName, GroupKey, Option<Spokesman>),
    /// A document, by collection and key.
    Document(String, String, Option<Document>),
    /// The highest version that a collection has lost.
    LostVersion(String, Option<u64>),
    /// An event that was not in the log.
    Event(EventId),
}

impl State {
    /// Remembers how something was, while a commit is under way that may have to be undone.
    pub(super) fn remember(&mut self, undo: impl FnOnce() -> Undo) {
        if let Some(list) = &mut self.undo {
            list.push(undo());
        }
    }

    /// Remembers how a job was; absent when it did not exist.
    pub(super) fn remember_job(&mut self, key: &JobKey, before: Option<&Entry>) {
        if self.undo.is_some() && self.remembered.insert(key.clone()) {
            self.remember(|| Undo::Job(key.clone(), before.cloned().map(Box::new)));
        }
    }

    /// Undoes what was done since the remembering began, the last thing first.
    pub(super) fn roll_back(&mut self) {
        for undo in self.undo.take().into_iter().flatten().rev() {
            match undo {
                Undo::Job(key, before) => {
                    self.take(&key);
                    if let Some(entry) = before {
                        self.put(*entry);
                    }
                }
                Undo::Queue(name, None) => {
                    // Jobs that are remembered from before it was forgotten are put back further down.
                    let ids: Vec<_> = self.queues[&name].jobs.keys().cloned().collect();
                    for id in ids {
                        self.take(&JobKey { queue: name.clone(), id });
                    }
                    self.queues.remove(&name);
                }
                Undo::Forgotten(name, queue) => {
                    self.queues.insert(name, *queue);
                }
                Undo::Queue(name, Some(settings)) => {
                    self.queues.entry(name.clone()).or_default().settings = settings;
                    self.ringing.insert(name);
                }
                Undo::Spokesman(queue, id, before) => {
                    self.set_spokesman(&queue, &id, before);
                }
                Undo::Document(collection, key, before) => {
                    self.set_document(&collection, &key, before);
                }
                Undo::LostVersion(collection, None) => {
                    self.lost_versions.remove(&collection);
                }
                Undo::LostVersion(collection, Some(before)) => {
                    self.lost_versions.insert(collection, before);
                }
                Undo::Event(id) => self.events.remove(&id),
            }
        }
        self.remembered.clear();
    }

    /// Writes or removes a document.
    pub(super) fn set_document(&mut self, collection: &str, key: &str, to: Option<Document>) {
        if let Some(document) = to {
            let documents = self.documents.entry(collection.to_owned()).or_default();
            documents.insert(key.to_owned(), document);
        } else if let Some(documents) = self.documents.get_mut(collection) {
            documents.remove(key);
            if documents.is_empty() {
                self.documents.remove(collection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        Claim, Commit, CommitError, Event, JobId, JobOptions, JobState, Keep, NewJob, Payload,
        QueueLimits, Settlement, StepName, Timestamp, WorkerId, Write,
    };

    fn job(queue: &str, id: &str) -> NewJob {
        NewJob {
            queue: QueueName::new(queue).unwrap(),
            id: JobId::new(id).unwrap(),
            name: "n".into(),
            payload: Payload::Data("{}".into()),
            options: Arc::new(JobOptions::default()),
            awaits_children: false,
        }
    }

    fn put(key: &str) -> Write {
        let (collection, key) = ("c".to_owned(), key.to_owned());
        Write::Put { collection, key, value: "1".into(), expected: None }
    }

    #[test]
    fn a_commit_that_fails_at_its_end_leaves_nothing() {
        let now = Timestamp::from_millis(1000);
        let mut state = State::new(7);
        let queue = QueueName::new("q").unwrap();
        let settled = |keep| Write::Settle(Settlement::Complete { result: None, keep });
        let seed = ["a", "b", "c"].map(|id| Write::Enqueue(job("q", id)));
        state.apply(Commit::of(seed.into_iter().chain([put("old")])), now).unwrap();
        let ask = Claim {
            queue: queue.clone(),
            max: 1,
            lease_for: Duration::from_secs(1),
            worker: WorkerId::new("w").unwrap(),
            wait: Duration::ZERO,
        };
        let lease = state.claim(&ask, now).remove(0).lease;
        let event = Arc::new(Event::new("k", "s", now, "{}"));
        let everything = [
            Write::Progress("1".into()),
            Write::Log("line".to_owned()),
            Write::Step { name: StepName::new("s").unwrap(), result: "1".into() },
            settled(Keep::count(1)),
            Write::Publish { event, jobs: vec![job("new", "x"), job("q", "y")] },
            Write::Enqueue(job("q", "z")),
            put("old"),
            put("new"),
            Write::Delete { collection: "c".to_owned(), key: "old".to_owned() },
            Write::Retry(job("q", "a").key()),
            Write::Remove(job("q", "b").key()),
            Write::Update { job: job("q", "a").key(), data: "2".into() },
            Write::Reprioritize { job: job("q", "c").key(), priority: 0 },
            Write::Reschedule { job: job("new", "x").key(), at: Timestamp::from_millis(5000) },
            Write::Cancel { job: job("q", "y").key(), reason: "why".to_owned() },
            Write::Remove(job("q", "y").key()),
            Write::Limit(queue.clone(), QueueLimits { concurrency: Some(1), ..Default::default() }),
            Write::PauseKey(queue.clone(), GroupKey::new("k").unwrap(), true),
            Write::Pause(queue.clone(), true),
            Write::Pause(QueueName::new("unknown").unwrap(), true),
            Write::Clean {
                queue: queue.clone(),
                state: JobState::Waiting,
                older_than: Duration::ZERO,
                limit: 9,
            },
            Write::Forget(queue.clone()),
            Write::Promote(job("q", "none").key()),
        ];
        let mut before = state.clone();
        let refused = state.apply(Commit::under(lease, everything), now);
        assert_eq!(refused, Err(CommitError::NoSuchJob(job("q", "none").key())));
        // Numbers that were used stay used, and a needless ring does no harm.
        before.sequence = state.sequence;
        before.ringing.clone_from(&state.ringing);
        assert_eq!(state, before);
    }
}
