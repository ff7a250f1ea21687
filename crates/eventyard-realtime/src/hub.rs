//! The hub of a node: its connections, the rooms that they are in, and what was said lately.

mod history;
mod recent;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventyard::model::Timestamp;
use serde_json::value::RawValue;

pub use history::Window;

use self::state::State;
use crate::{frame::Frame, refusal::Refusal};

/// The event that tells a client where it is, so that it can say so when it comes back.
pub const POSITION: &str = "position";
/// The event that tells a client that it missed something for good.
pub const INCOMPLETE: &str = "replay:incomplete";

/// How many messages a connection is handed in one go while it catches up.
const BATCH: usize = 64;

/// A connection's way to its client.
pub(crate) trait Outlet: Send + Sync + 'static {
    /// Hands over a message without waiting.
    fn emit(&self, event: &str, data: &RawValue, id: &str) -> Result<(), Unsent>;
}

/// Why a message was not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The client does not take what it was sent before.
    Full,
    /// The client is gone.
    Gone,
}

/// A connection in the hub.
pub(crate) type Key = u64;

/// A connection that comes.
pub(crate) struct Arrival {
    pub(crate) outlet: Box<dyn Outlet>,
    pub(crate) user: Arc<str>,
    /// The rooms that it enters besides its user's own.
    pub(crate) rooms: Vec<Arc<str>>,
    /// The last message that its client has heard, on this node or another.
    pub(crate) last_id: Option<String>,
}

/// How much one user may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// Connections of all users together.
    pub(crate) connections: usize,
    pub(crate) connections_per_user: usize,
    pub(crate) rooms_per_user: usize,
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It hears what is said as it is said.
    Live,
    /// There is more to hear.
    Behind,
    /// Its client does not take what it was sent before.
    Stuck,
    /// It is gone.
    Gone,
}

/// The connections of a node. All that is said passes through it in one order.
pub(crate) struct Hub {
    state: Mutex<State>,
}

impl Hub {
    pub(crate) fn new(window: Window, quota: Quota) -> Self {
        Self { state: Mutex::new(State::new(window, quota)) }
    }

    /// Whether a user may have one more connection.
    pub(crate) fn has_room_for(&self, user: &str) -> Result<(), Refusal> {
        self.state().has_room_for(user)
    }

    /// Lets a connection in, and hands it what it missed as far as it takes it at once.
    pub(crate) fn join(
        &self,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<(Key, Progress), Refusal> {
        let mut state = self.state();
        let key = state.join(arrival, now)?;
        let progress = state.catch_up(key, BATCH);
        Ok((key, progress))
    }

    /// Lets a connection go.
    pub(crate) fn leave(&self, key: Key, now: Timestamp) {
        self.state().leave(key, now);
    }

    /// Hands a connection more of what it missed.
    pub(crate) fn catch_up(&self, key: Key) -> Progress {
        self.state().catch_up(key, BATCH)
    }

    /// Enters a room.
    pub(crate) fn enter(&self, key: Key, room: &str) -> Result<(), Refusal> {
        self.state().enter(key, room)
    }

    /// Leaves a room; that of a user stays.
    pub(crate) fn exit(&self, key: Key, room: &str) {
        self.state().exit(key, room);
    }

    /// Says something to everyone on this node whom it concerns. Returns the connections that could not take it
    /// and have to catch up.
    pub(crate) fn deliver(&self, frame: Frame, now: Timestamp) -> Vec<Key> {
        self.state().deliver(frame, now)
    }

    /// Something was said that was not heard here: every connection is to be told. Returns those that have to catch
    /// up now.
    pub(crate) fn miss(&self) -> Vec<Key> {
        self.state().miss()
    }

    /// Whether anything was said since the last mark.
    pub(crate) fn wants_mark(&self) -> bool {
        self.state().wants_mark()
    }

    /// Whether a user is connected here, or was until lately.
    pub(crate) fn knows(&self, user: &str, now: Timestamp) -> bool {
        self.state().knows(user, now)
    }

    /// Whether any user is connected here, or was until lately.
    pub(crate) fn knows_anyone(&self, now: Timestamp) -> bool {
        self.state().knows_anyone(now)
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
