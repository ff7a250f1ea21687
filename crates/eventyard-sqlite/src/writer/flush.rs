//! Flushing: making transactions durable while the next ones are applied, and answering then.
//!
//! SQLite's `synchronous=FULL` waits for the disk inside of each commit. Here it runs with `NORMAL`, which leaves
//! that wait out and nothing else, and the log is synced before anyone is answered: the same promise, but the
//! writer applies what comes in the meantime.

use std::{
    fs::File,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use eventyard_core::{StoreError, StoreErrorKind};

use super::answers::Answers;
use crate::shared::Shared;

/// What the flusher can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing is being synced: what is handed over is synced at once.
    Idle,
    /// A sync is under way, and what is handed over is synced after it.
    Next,
    /// A sync is under way, and another transaction waits for its end.
    None,
}

/// What waits to become durable.
#[derive(Debug, Default)]
struct State {
    next: Option<Answers>,
    /// A sync is under way.
    syncing: bool,
    /// How long the last sync took.
    pace: Duration,
    /// The log could not be synced: nothing more is committed on this connection.
    failed: Option<StoreError>,
    closed: bool,
}

#[derive(Debug)]
struct Channel {
    shared: Arc<Shared>,
    log: Arc<File>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Delivers answers when what they tell is durable. Whenever it can take more, it nudges the writer.
#[derive(Debug)]
pub(super) struct Flusher {
    channel: Arc<Channel>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread that syncs `log`.
    pub(super) fn start(shared: &Arc<Shared>, log: Arc<File>) -> io::Result<Self> {
        let (state, changed) = Default::default();
        let channel = Arc::new(Channel { shared: shared.clone(), log, state, changed });
        let own = channel.clone();
        let thread = thread::Builder::new().name("eventyard-flush".to_owned());
        let thread = thread.spawn(move || own.run())?;
        Ok(Self { channel, thread: Some(thread) })
    }

    /// What can be handed over now; an error says that the log could not be synced.
    pub(super) fn room(&self) -> Result<Room, StoreError> {
        let state = self.channel.lock();
        match (&state.failed, state.syncing, &state.next) {
            (Some(error), ..) => Err(error.share()),
            (None, false, None) => Ok(Room::Idle),
            (None, true, None) => Ok(Room::Next),
            (None, _, Some(_)) => Ok(Room::None),
        }
    }

    /// How long the last sync took.
    pub(super) fn pace(&self) -> Duration {
        self.channel.lock().pace
    }

    /// Syncs what was committed, and delivers its answers, from the thread. There must be room.
    pub(super) fn hand_over(&self, answers: Answers) {
        let before = self.channel.lock().next.replace(answers);
        assert!(before.is_none(), "the writer asked whether there is room");
        self.channel.changed.notify_one();
    }

    /// Syncs what was committed, and delivers its answers, here and now. The flusher must be idle.
    pub(super) fn flush_here(&self, answers: Answers) {
        self.channel.lock().syncing = true;
        self.channel.flush(answers);
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.channel.lock().closed = true;
        self.channel.changed.notify_one();
        // A panic of the thread was reported where it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Channel {
    fn run(&self) {
        let mut state = self.lock();
        loop {
            if let Some(answers) = state.next.take() {
                state.syncing = true;
                drop(state);
                self.shared.inbox.nudge();
                self.flush(answers);
                state = self.lock();
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Syncs the log, then delivers what was committed before.
    fn flush(&self, mut answers: Answers) {
        let failed = self.lock().failed.as_ref().map(StoreError::share);
        let began = Instant::now();
        let outcome = match failed {
            Some(error) => Err(error),
            None => self.log.sync_data().map_err(|error| self.sync_error(error)),
        };
        if outcome.is_ok() {
            answers.announce(&self.shared);
        }
        let mut state = self.lock();
        state.syncing = false;
        state.pace = began.elapsed();
        if let Err(error) = &outcome {
            state.failed.get_or_insert_with(|| error.share());
        }
        let is_idle = state.next.is_none();
        drop(state);
        if is_idle {
            self.shared.inbox.nudge();
        }
        match &outcome {
            Ok(()) => answers.deliver(&self.shared),
            Err(error) => answers.lose(error, &self.shared),
        }
    }

    fn sync_error(&self, error: io::Error) -> StoreError {
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        let kind = if full { StoreErrorKind::Full } else { StoreErrorKind::Unavailable };
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
    use std::fs::OpenOptions;

    use eventyard_core::Maintenance;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{Options, writer::answers::Answer};

    #[test]
    fn a_sync_that_fails_is_told_to_all_and_stops_the_writer() {
        let shared = Shared::new(Options::new("the-store.db"));
        // A device that cannot be synced.
        let log = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let flusher = Flusher::start(&shared, Arc::new(log)).unwrap();
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
            flush(&flusher, answers);
            let error = answer.blocking_recv().unwrap().unwrap_err();
            assert!(error.to_string().contains("the-store.db"), "{error}");
            assert!(error.is_retryable());
        }
        assert!(flusher.room().is_err());
    }
}
