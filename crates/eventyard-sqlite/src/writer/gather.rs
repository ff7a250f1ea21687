//! Gathering: how long the writer waits for more before it seals a group.
//!
//! Callers that were answered together come back together, a little apart. To seal one for the first of them alone
//! would make all others wait for a sync that serves one; to wait for all of them would leave the disk idle. Two
//! groups that take turns, one on its way while the other is synced, keep everyone busy: so the writer waits until
//! somewhat less than half of those who come are there, and never longer than a sync takes. Who always comes alone
//! never waits.

use std::time::{Duration, Instant};

use super::flush::Room;

/// The longest that the writer waits for more while the disk has nothing to do.
const MAX_WAIT: Duration = Duration::from_millis(1);

/// What is known of those who come.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// About how many callers there are.
    callers: usize,
    /// How many of them the last group answered.
    last: usize,
    /// When the wait under way ends.
    until: Option<Instant>,
}

impl Gathering {
    /// How many callers make a group worth a sync.
    pub(super) fn enough(&self) -> usize {
        self.callers * 3 / 8
    }

    /// Whether to seal a group now that `callers` wait for it.
    pub(super) fn is_time(&self, room: Room, callers: usize) -> bool {
        match room {
            Room::Idle => {
                callers >= self.enough() || self.until.is_some_and(|until| until <= Instant::now())
            }
            // The next sync can begin where the one under way ends.
            Room::Next => callers > 0 && callers >= self.enough(),
            Room::None => false,
        }
    }

    /// When to stop waiting for more than the `callers` there are, if a sync took `sync` the last time.
    pub(super) fn limit(&mut self, callers: usize, sync: Duration) -> Instant {
        *self.until.get_or_insert_with(|| {
            // Nobody who was answered by the last sync is back yet.
            self.callers = self.last + callers;
            Instant::now() + sync.min(MAX_WAIT)
        })
    }

    /// Tells how many callers the group answers that was sealed.
    pub(super) fn sealed(&mut self, callers: usize) {
        if self.until.take().is_none() {
            self.callers = self.last + callers;
        }
        self.last = callers;
    }
}
