//! Flushing: making transactions durable while the next ones go on, and answering then.
//!
//! SQLite's `synchronous=FULL` waits for the disk inside of each commit. Here it runs with `NORMAL`, which leaves
//! that wait out and nothing else, and the log is synced before anyone is answered: the same promise, but the
//! writer applies the next transaction in the meantime, and one sync serves all that were committed before it.

use std::{
    fs::File,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use eventyard_core::{StoreError, StoreErrorKind};

use super::answers::Answers;
use crate::shared::Shared;

/// The most transactions that wait for the sync after the one under way; the writer gathers requests then.
const MAX_AHEAD: usize = 2;

/// What waits to become durable.
#[derive(Debug, Default)]
struct State {
    waiting: Vec<Answers>,
    /// A sync is under way.
    syncing: bool,
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

/// Delivers answers when what they tell is durable.
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

    /// Waits until the writer may go on; an error says that the log could not be synced.
    pub(super) fn ready(&self) -> Result<(), StoreError> {
        let mut state = self.channel.lock();
        while state.waiting.len() >= MAX_AHEAD && state.failed.is_none() {
            state = self.channel.wait(state);
        }
        state.failed.as_ref().map_or(Ok(()), |error| Err(error.share()))
    }

    /// Delivers the answers of a transaction that was committed: at once if it `is_durable` because
    /// it wrote nothing, here if the writer `is_idle`, or else from the thread.
    pub(super) fn deliver(&self, answers: Answers, is_durable: bool, is_idle: bool) {
        let mut state = self.channel.lock();
        if state.syncing || !state.waiting.is_empty() || !(is_durable || is_idle) {
            state.waiting.push(answers);
            drop(state);
            self.channel.changed.notify_all();
            return;
        }
        if is_durable {
            drop(state);
            answers.deliver(&self.channel.shared);
            return;
        }
        state.syncing = true;
        drop(state);
        self.channel.sync(vec![answers]);
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.channel.lock().closed = true;
        self.channel.changed.notify_all();
        // A panic of the thread was reported where it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Channel {
    fn run(&self) {
        let mut state = self.lock();
        loop {
            if !state.waiting.is_empty() && !state.syncing {
                state.syncing = true;
                let batch = std::mem::take(&mut state.waiting);
                drop(state);
                self.changed.notify_all();
                self.sync(batch);
                state = self.lock();
            } else if state.closed && !state.syncing {
                return;
            } else {
                state = self.wait(state);
            }
        }
    }

    /// Syncs the log, then delivers what was committed before.
    fn sync(&self, batch: Vec<Answers>) {
        let failed = self.lock().failed.as_ref().map(StoreError::share);
        let outcome = match failed {
            Some(error) => Err(error),
            None => self.log.sync_data().map_err(|error| self.sync_error(error)),
        };
        let mut state = self.lock();
        state.syncing = false;
        if let Err(error) = &outcome {
            state.failed.get_or_insert_with(|| error.share());
        }
        let wake = !state.waiting.is_empty() || state.closed || outcome.is_err();
        drop(state);
        if wake {
            self.changed.notify_all();
        }
        for answers in batch {
            match &outcome {
                Ok(()) => answers.deliver(&self.shared),
                Err(error) => answers.lose(error, &self.shared),
            }
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

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
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
        assert!(flusher.ready().is_ok());
        let answer = || {
            let (reply, answer) = oneshot::channel();
            let mut answers = Answers::default();
            let added =
                answers.add(Ok(Maintenance::default()), |done| Answer::Maintain(reply, done));
            assert!(added.is_ok());
            (answers, answer)
        };
        for is_idle in [true, false] {
            let (answers, answer) = answer();
            flusher.deliver(answers, false, is_idle);
            let error = answer.blocking_recv().unwrap().unwrap_err();
            assert!(error.to_string().contains("the-store.db"), "{error}");
            assert!(error.is_retryable());
        }
        assert!(flusher.ready().is_err());
    }
}
