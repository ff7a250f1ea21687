//! The feed: what happens on the queues, as it happens.
//!
//! It costs next to nothing while nobody listens, and remembers the last events for those who come back. What happens on
//! one queue is told in order.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{Failure, JobId, JobState, QueueName, Timestamp, WorkerId};

/// How many events are remembered. When this many have come since the last subscriber left, the feed stops.
pub const MEMORY: usize = 16 * 1024;

/// Something that happened on a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueEvent {
    /// The queue.
    pub queue: QueueName,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: QueueEventKind,
}

/// What can happen on a queue.
#[derive(Debug, Clone, PartialEq)]
pub enum QueueEventKind {
    /// A job was added.
    Added {
        /// The job.
        job: JobId,
        /// What it is.
        name: Arc<str>,
    },
    /// A job runs as soon as a worker has room.
    Waiting {
        /// The job.
        job: JobId,
        /// Where it came from; absent when it is new.
        from: Option<JobState>,
    },
    /// A job runs when its time has come.
    Delayed {
        /// The job.
        job: JobId,
        /// When that is.
        until: Timestamp,
        /// Why the attempt before failed, when one did.
        failure: Option<Failure>,
    },
    /// A job waits for its children.
    WaitingChildren {
        /// The job.
        job: JobId,
    },
    /// An attempt began.
    Active {
        /// The job.
        job: JobId,
        /// The number of the attempt.
        attempt: u32,
        /// Who runs it.
        worker: WorkerId,
    },
    /// A handler told its progress.
    Progress {
        /// The job.
        job: JobId,
        /// What it told; JSON.
        progress: Bytes,
    },
    /// A job is done.
    Completed {
        /// The job.
        job: JobId,
        /// What its handler returned; JSON.
        result: Option<Bytes>,
    },
    /// A job failed for good.
    Failed {
        /// The job.
        job: JobId,
        /// Why.
        failure: Failure,
    },
    /// The worker of a job went silent; the job waits again or fails.
    Stalled {
        /// The job.
        job: JobId,
    },
    /// A job was removed.
    Removed {
        /// The job.
        job: JobId,
        /// The state it was in.
        from: JobState,
    },
    /// The queue hands out no more jobs.
    Paused,
    /// The queue hands out jobs again.
    Resumed,
    /// The last job that waited was handed out.
    Drained,
}

impl QueueEventKind {
    /// The names of all kinds.
    pub const NAMES: [&'static str; 13] = [
        "added",
        "waiting",
        "delayed",
        "waiting-children",
        "active",
        "progress",
        "completed",
        "failed",
        "stalled",
        "removed",
        "paused",
        "resumed",
        "drained",
    ];

    /// The name of the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Waiting { .. } => "waiting",
            Self::Delayed { .. } => "delayed",
            Self::WaitingChildren { .. } => "waiting-children",
            Self::Active { .. } => "active",
            Self::Progress { .. } => "progress",
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Stalled { .. } => "stalled",
            Self::Removed { .. } => "removed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Drained => "drained",
        }
    }

    /// The job that it is about, unless it is about the whole queue.
    #[must_use]
    pub const fn job(&self) -> Option<&JobId> {
        match self {
            Self::Added { job, .. }
            | Self::Waiting { job, .. }
            | Self::Delayed { job, .. }
            | Self::WaitingChildren { job }
            | Self::Active { job, .. }
            | Self::Progress { job, .. }
            | Self::Completed { job, .. }
            | Self::Failed { job, .. }
            | Self::Stalled { job }
            | Self::Removed { job, .. } => Some(job),
            Self::Paused | Self::Resumed | Self::Drained => None,
        }
    }
}

/// The place of an event in its feed: what a subscriber that comes back shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPosition {
    /// Tells this feed from every other.
    feed: u64,
    number: u64,
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.feed, self.number)
    }
}

/// A text that is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the id of an event of this stream")]
pub struct InvalidPosition;

impl FromStr for FeedPosition {
    type Err = InvalidPosition;
    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (feed, number) = text.split_once('-').ok_or(InvalidPosition)?;
        let feed = u64::from_str_radix(feed, 16).map_err(|_| InvalidPosition)?;
        Ok(Self { feed, number: number.parse().map_err(|_| InvalidPosition)? })
    }
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// An event, and where it stands.
    Event(FeedPosition, Arc<QueueEvent>),
    /// Events that the subscriber has not heard are forgotten; those that follow are complete again.
    Missed,
}

/// The feed of a store. Clones share one feed.
#[derive(Clone)]
pub struct Feed {
    inner: Arc<Inner>,
}

struct Inner {
    id: u64,
    memory: Mutex<Memory>,
    /// Whether events are recorded.
    recording: AtomicBool,
    /// The number of the next event; whoever waits listens to it.
    next: watch::Sender<u64>,
}

#[derive(Default)]
struct Memory {
    events: VecDeque<Arc<QueueEvent>>,
    /// The number of the event after the last.
    next: u64,
    subscribers: usize,
    /// How many more events are recorded without a subscriber.
    left: usize,
}

impl Default for Feed {
    fn default() -> Self {
        let (id, _) = uuid::Uuid::now_v7().as_u64_pair();
        let inner = Inner {
            id,
            memory: Mutex::default(),
            recording: AtomicBool::new(false),
            next: watch::Sender::new(0),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

impl Feed {
    /// Whether anyone would hear of an event.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.inner.recording.load(Ordering::Relaxed)
    }

    /// Tells what happened, in order.
    pub fn tell(&self, events: impl IntoIterator<Item = QueueEvent>) {
        let mut memory = self.inner.lock();
        for event in events {
            if memory.subscribers == 0 {
                if memory.left == 0 {
                    self.inner.recording.store(false, Ordering::Relaxed);
                    // Whoever comes back later is told that something is missing.
                    memory.next += 1;
                    memory.events.clear();
                    break;
                }
                memory.left -= 1;
            }
            memory.events.push_back(Arc::new(event));
            memory.next += 1;
            if memory.events.len() > MEMORY {
                memory.events.pop_front();
            }
        }
        let next = memory.next;
        drop(memory);
        self.inner.next.send_replace(next);
    }

    /// Says that something may have happened that was not told.
    pub fn miss(&self) {
        let mut memory = self.inner.lock();
        memory.next += 1;
        memory.events.clear();
        let next = memory.next;
        drop(memory);
        self.inner.next.send_replace(next);
    }

    /// Listens from now on, or from after an event that was heard before.
    #[must_use]
    pub fn subscribe(&self, after: Option<FeedPosition>) -> Subscription {
        let mut memory = self.inner.lock();
        memory.subscribers += 1;
        memory.left = MEMORY;
        self.inner.recording.store(true, Ordering::Relaxed);
        let (at, missed) = match after {
            None => (memory.next, false),
            Some(after) if after.feed == self.inner.id && after.number < memory.next => {
                (after.number + 1, false)
            }
            Some(_) => (memory.next, true),
        };
        drop(memory);
        Subscription { next: self.inner.next.subscribe(), inner: self.inner.clone(), at, missed }
    }
}

/// Hears the feed.
pub struct Subscription {
    inner: Arc<Inner>,
    next: watch::Receiver<u64>,
    /// The number of the next event to hear.
    at: u64,
    missed: bool,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Subscription {
    /// Hears the next event; waits for it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.try_next() {
                return heard;
            }
            let at = self.at;
            // The sender lives in the feed that this subscription holds.
            let _ = self.next.wait_for(|next| *next > at).await;
        }
    }

    /// Hears the next event, if there is one.
    pub fn try_next(&mut self) -> Option<Heard> {
        let memory = self.inner.lock();
        let oldest = memory.next - memory.events.len() as u64;
        if std::mem::take(&mut self.missed) || self.at < oldest {
            self.at = self.at.max(oldest);
            return Some(Heard::Missed);
        }
        let index = usize::try_from(self.at - oldest).ok()?;
        let event = memory.events.get(index)?.clone();
        let position = FeedPosition { feed: self.inner.id, number: self.at };
        self.at += 1;
        Some(Heard::Event(position, event))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inner.lock().subscribers -= 1;
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> QueueEvent {
        QueueEvent {
            queue: QueueName::new("q").unwrap(),
            at: Timestamp::from_millis(i64::try_from(number).unwrap()),
            kind: QueueEventKind::Paused,
        }
    }

    fn number(heard: Option<Heard>) -> Option<i64> {
        match heard {
            Some(Heard::Event(_, event)) => Some(event.at.as_millis()),
            Some(Heard::Missed) => Some(-1),
            None => None,
        }
    }

    #[tokio::test]
    async fn it_goes_on_where_a_subscriber_left() {
        let feed = Feed::default();
        assert!(!feed.is_recording());
        let mut first = feed.subscribe(None);
        feed.tell([event(1), event(2)]);
        let Heard::Event(position, _) = first.next().await else { panic!("nothing is missing") };
        drop(first);
        feed.tell([event(3)]);
        let position = position.to_string().parse().unwrap();
        let mut second = feed.subscribe(Some(position));
        assert_eq!(number(second.try_next()), Some(2));
        assert_eq!(number(second.try_next()), Some(3));
        assert_eq!(number(second.try_next()), None);
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let feed = Feed::default();
        let mut slow = feed.subscribe(None);
        feed.tell((0..MEMORY + 5).map(event));
        assert_eq!(number(slow.try_next()), Some(-1));
        assert_eq!(number(slow.try_next()), Some(5));
        let other = Feed::default();
        let Some(Heard::Event(position, _)) = slow.try_next() else { panic!("it goes on") };
        assert_eq!(number(other.subscribe(Some(position)).try_next()), Some(-1));
    }

    #[tokio::test]
    async fn what_was_not_told_is_missed() {
        let feed = Feed::default();
        let mut subscription = feed.subscribe(None);
        feed.tell([event(1)]);
        feed.miss();
        feed.tell([event(2)]);
        assert_eq!(number(subscription.try_next()), Some(-1));
        assert_eq!(number(subscription.try_next()), Some(2));
    }

    #[tokio::test]
    async fn without_subscribers_it_stops() {
        let feed = Feed::default();
        let mut subscription = feed.subscribe(None);
        feed.tell([event(0)]);
        let Heard::Event(position, _) = subscription.next().await else { panic!("it was told") };
        drop(subscription);
        feed.tell((0..=MEMORY).map(event));
        assert!(!feed.is_recording());
        assert_eq!(number(feed.subscribe(Some(position)).try_next()), Some(-1));
    }
}
