//! Flushing: making groups durable while the next ones are applied, and answering then.
//!
//! Two groups may be on their way to the disk at once, so that it has work while the answers of the first are handed out.
//! They are answered in their order: a group counts when all before it do.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use eventyard_core::{StoreError, StoreErrorKind};

use super::answers::Answers;
use crate::{error::is_full, redo::Entry, shared::Shared};

/// How many groups are on their way to the disk at once.
const AT_ONCE: usize = 2;

/// What the flusher can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing is on its way to the disk.
    Idle,
    /// Something is, and more can be.
    Next,
    /// As much is as can be.
    None,
}

/// Answers, and what has to be durable first; nothing if they only tell what was there.
type Group = (Answers, Option<Entry>);

/// What waits to become durable.
#[derive(Debug, Default)]
struct State {
    /// Those that no thread has taken yet.
    next: VecDeque<Group>,
    /// How many were taken.
    taken: u64,
    /// How many were answered.
    answered: u64,
    /// How long the last one took.
    pace: Duration,
    /// The last one has to be on the disk before there can be another.
    goes_alone: bool,
    /// A group could not be made durable: nothing more is done on this connection.
    failed: Option<StoreError>,
    closed: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.next.is_empty() && self.taken == self.answered
    }

    fn room(&self) -> Room {
        match self.next.len() as u64 + self.taken - self.answered {
            0 => Room::Idle,
            _ if self.goes_alone => Room::None,
            n if n < AT_ONCE as u64 => Room::Next,
            _ => Room::None,
        }
    }
}

#[derive(Debug)]
struct Channel {
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// There is another group, or the flusher is closed.
    more: Condvar,
    /// A group was answered.
    answered: Condvar,
}

/// Delivers answers when what they tell is durable. Whenever it can take more, it nudges the writer.
#[derive(Debug)]
pub(super) struct Flusher {
    channel: Arc<Channel>,
    threads: Vec<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the threads.
    pub(super) fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let (state, more, answered) = Default::default();
        let channel = Arc::new(Channel { shared: shared.clone(), state, more, answered });
        let mut flusher = Self { channel, threads: Vec::new() };
        for _ in 0..AT_ONCE {
            let channel = flusher.channel.clone();
            let thread = thread::Builder::new().name("eventyard-flush".to_owned());
            flusher.threads.push(thread.spawn(move || channel.run())?);
        }
        Ok(flusher)
    }

    /// What can be handed over now; an error says that a group could not be made durable.
    pub(super) fn room(&self) -> Result<Room, StoreError> {
        let state = self.channel.lock();
        state.failed.as_ref().map_or_else(|| Ok(state.room()), |error| Err(error.share()))
    }

    /// How long the last group took.
    pub(super) fn pace(&self) -> Duration {
        self.channel.lock().pace
    }

    /// Makes a group durable, and delivers its answers, from a thread. There must be room.
    pub(super) fn hand_over(&self, answers: Answers, entry: Option<Entry>) {
        let mut state = self.channel.lock();
        assert!(state.room() != Room::None, "the writer asked whether there is room");
        state.goes_alone = entry.as_ref().is_some_and(Entry::goes_alone);
        state.next.push_back((answers, entry));
        drop(state);
        self.channel.more.notify_one();
    }

    /// Makes a group durable, and delivers its answers, here and now. The flusher must be idle.
    pub(super) fn flush_here(&self, answers: Answers, entry: Option<Entry>) {
        let number = self.channel.lock().take_number();
        self.channel.flush(number, (answers, entry));
    }

    /// Waits until every group is durable; an error says that one could not be made so.
    pub(super) fn wait(&self) -> Result<(), StoreError> {
        let state = self.channel.lock();
        let state = self.channel.answered.wait_while(state, |state| !state.is_idle());
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.failed.as_ref().map_or(Ok(()), |error| Err(error.share()))
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.channel.lock().closed = true;
        self.channel.more.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl State {
    const fn take_number(&mut self) -> u64 {
        self.taken += 1;
        self.taken - 1
    }
}

impl Channel {
    fn run(&self) {
        let mut state = self.lock();
        loop {
            if let Some(group) = state.next.pop_front() {
                let number = state.take_number();
                drop(state);
                self.flush(number, group);
                state = self.lock();
            } else if state.closed {
                return;
            } else {
                state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Makes a group durable, then delivers its answers when its turn has come.
    fn flush(&self, number: u64, (mut answers, entry): Group) {
        #[cfg(feature = "crash-points")]
        crate::crash::point("before-group");
        let began = Instant::now();
        let written = entry.map_or(Ok(()), |entry| entry.write());
        #[cfg(feature = "crash-points")]
        crate::crash::point("after-group");
        let took = began.elapsed();
        let state = self.answered.wait_while(self.lock(), |state| state.answered != number);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = written {
            state.failed.get_or_insert_with(|| self.write_error(error));
        }
        let failed = state.failed.as_ref().map(StoreError::share);
        if failed.is_none() {
            answers.announce(&self.shared);
        }
        let was_full = state.room() == Room::None;
        state.answered += 1;
        state.pace = took;
        let has_room = was_full || state.is_idle();
        drop(state);
        self.answered.notify_all();
        if has_room {
            self.shared.inbox.nudge();
        }
        match failed {
            None => answers.deliver(&self.shared),
            Some(error) => answers.lose(&error, &self.shared),
        }
    }

    fn write_error(&self, error: io::Error) -> StoreError {
        let is_full = is_full(&error);
        let kind = if is_full { StoreErrorKind::Full } else { StoreErrorKind::Unavailable };
        let message = format!(
            "the disk did not take what was written to {}; it is not known whether the call took effect: repeat it",
            self.shared.path().display()
        );
        StoreError::new(kind, message).because(error)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use eventyard_core::Maintenance;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{Options, writer::answers::Answer};

    #[test]
    fn nothing_goes_beside_a_group_that_goes_alone() {
        let mut state = State::default();
        assert_eq!(state.room(), Room::Idle);
        state.take_number();
        assert_eq!(state.room(), Room::Next);
        state.goes_alone = true;
        assert_eq!(state.room(), Room::None);
        state.answered += 1;
        assert_eq!(state.room(), Room::Idle);
    }

    #[test]
    fn a_write_that_fails_is_told_to_all_and_stops_the_writer() {
        let shared = Shared::new(Options::new("the-store.db"));
        let flusher = Flusher::start(&shared).unwrap();
        assert_eq!(flusher.room().unwrap(), Room::Idle);
        let answer = || {
            let (reply, answer) = oneshot::channel();
            let mut answers = Answers::default();
            let added =
                answers.add(Ok(Maintenance::default()), |done| Answer::Maintain(reply, done));
            assert!(added.is_ok());
            (answers, answer)
        };
        for flush in [Flusher::flush_here, Flusher::hand_over] {
            let (answers, answer) = answer();
            flush(&flusher, answers, Some(Entry::nowhere()));
            let error = answer.blocking_recv().unwrap().unwrap_err();
            assert!(error.to_string().contains("the-store.db"), "{error}");
            assert!(error.is_retryable());
        }
        assert!(flusher.wait().is_err());
        assert!(flusher.room().is_err());
    }
}
