//! The inbox of the writer thread: callers push one request each, the thread takes all there are at once.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, Thread},
    time::Instant,
};

use tokio::sync::Semaphore;

use crate::request::Request;

/// The most requests that wait to be taken; further callers wait for room.
pub(crate) const CAPACITY: usize = 1024;

/// A bounded queue with many senders and one receiver, the writer thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    room: Semaphore,
    receiver: OnceLock<Thread>,
}

#[derive(Debug, Default)]
struct State {
    requests: VecDeque<Request>,
    /// How many of them hold a place.
    places: usize,
    /// How much work they are together.
    work: usize,
    /// The receiver sleeps, or is about to, until there is this much work.
    asleep_until: Option<usize>,
    /// Something else happened that the receiver waits for.
    nudged: bool,
    closed: bool,
}

/// The inbox takes no more requests.
#[derive(Debug)]
pub(crate) struct Closed;

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), room: Semaphore::new(CAPACITY), receiver: OnceLock::new() }
    }

    /// Adds a request when there is room for it.
    pub(crate) async fn send(&self, request: Request) -> Result<(), Closed> {
        self.room.acquire().await.map_err(|_| Closed)?.forget();
        self.push(request, 1)
    }

    /// Adds a request at once, beyond the bound: for those that make others smaller.
    pub(crate) fn push_now(&self, request: Request) {
        // Whoever closed the store released everything with it.
        let _ = self.push(request, 0);
    }

    fn push(&self, request: Request, places: usize) -> Result<(), Closed> {
        let work = request.work();
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        state.requests.push_back(request);
        state.places += places;
        state.work = state.work.saturating_add(work);
        if state.asleep_until.is_some_and(|enough| state.work >= enough) {
            self.wake(state);
        }
        Ok(())
    }

    /// Wakes the receiver although nobody sent a request.
    pub(crate) fn nudge(&self) {
        let mut state = self.lock();
        state.nudged = true;
        if state.asleep_until.is_some() {
            self.wake(state);
        }
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.asleep_until = None;
        drop(state);
        self.receiver.get().expect("only a receiver falls asleep").unpark();
    }

    /// Takes all requests there are, in order. Waits until they are `enough` work, until it is nudged, or until
    /// `limit`; a nudge since the last call counts. Only one thread may call this.
    pub(crate) fn take(&self, into: &mut VecDeque<Request>, enough: usize, limit: Option<Instant>) {
        self.receiver.get_or_init(thread::current);
        loop {
            let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
            let mut state = self.lock();
            if state.work >= enough || state.nudged || left.is_some_and(|left| left.is_zero()) {
                (state.work, state.asleep_until, state.nudged) = (0, None, false);
                if into.is_empty() {
                    std::mem::swap(&mut state.requests, into);
                } else {
                    into.append(&mut state.requests);
                }
                self.room.add_permits(std::mem::take(&mut state.places));
                return;
            }
            state.asleep_until = Some(enough);
            drop(state);
            match left {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }

    /// Refuses further requests, and gives back those that nobody took.
    pub(crate) fn close(&self) -> VecDeque<Request> {
        let mut state = self.lock();
        state.closed = true;
        self.room.close();
        std::mem::take(&mut state.requests)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
