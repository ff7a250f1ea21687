//! Numbers that rise and are never used twice, also not after a crash.

use std::ops::Range;

use super::sql::Sql;

/// How many numbers the file sets aside at once. Those that a crash leaves unused are skipped.
const RESERVE: i64 = 1 << 20;

/// The store's counters.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Of jobs, and of places in the run order.
    pub(super) jobs: Counter,
    /// Of leases, of ends, and of delays.
    pub(super) steps: Counter,
    /// Of events.
    pub(super) events: Counter,
    /// Of lanes.
    pub(super) lanes: Counter,
}

/// One counter.
#[derive(Debug)]
pub(super) struct Counter {
    /// Its row in `meta`.
    pub(super) name: &'static str,
    next: i64,
    /// The file says that all numbers below this may be in use.
    reserved: i64,
    /// What the file will say if the group under way fails.
    durable: i64,
}

impl Counter {
    /// A counter whose row says that all numbers below `reserved` may be in use.
    pub(super) const fn new(name: &'static str, reserved: i64) -> Self {
        Self { name, next: reserved, reserved, durable: reserved }
    }

    /// The next number.
    pub(super) fn next(&mut self, set_meta: &mut Sql<'_>) -> rusqlite::Result<i64> {
        Ok(self.take(1, set_meta)?.start)
    }

    /// The next `count` numbers.
    pub(super) fn take(
        &mut self,
        count: i64,
        set_meta: &mut Sql<'_>,
    ) -> rusqlite::Result<Range<i64>> {
        let (first, end) = (self.next, self.next + count);
        if end > self.reserved {
            set_meta.execute((self.name, end + RESERVE))?;
            self.reserved = end + RESERVE;
        }
        self.next = end;
        Ok(first..end)
    }

    /// The number that comes next, for a clean end: none is skipped then.
    pub(super) const fn peek(&self) -> i64 {
        self.next
    }
}

impl Numbers {
    /// Each counter.
    pub(super) const fn all(&self) -> [&Counter; 4] {
        [&self.jobs, &self.steps, &self.events, &self.lanes]
    }

    const fn all_mut(&mut self) -> [&mut Counter; 4] {
        [&mut self.jobs, &mut self.steps, &mut self.events, &mut self.lanes]
    }

    /// The group under way was sealed.
    pub(super) fn settle(&mut self) {
        for counter in self.all_mut() {
            counter.durable = counter.reserved;
        }
    }

    /// The group under way, or a part of it, is undone; true if numbers were given out that the file
    /// does not know of. Numbers stay used.
    pub(super) fn undo(&mut self) -> bool {
        let mut ahead = false;
        for counter in self.all_mut() {
            ahead |= counter.reserved != counter.durable;
            counter.reserved = counter.durable;
        }
        ahead
    }
}
