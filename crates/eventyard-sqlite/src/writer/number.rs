//! Numbers that rise and are never used twice, also not after a crash.

use rusqlite::Statement;

/// How many numbers the file sets aside at once. Those that a crash leaves unused are skipped.
const BLOCK: i64 = 1 << 20;

/// The store's two counters.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Of jobs, of their places in the run order, and of events.
    pub(super) jobs: Counter,
    /// Of leases, of ends, and of delays.
    pub(super) steps: Counter,
}

/// One counter.
#[derive(Debug)]
pub(super) struct Counter {
    /// Its row in `meta`.
    pub(super) name: &'static str,
    next: i64,
    /// The file says that all numbers below this may be in use.
    reserved: i64,
    /// What the file will say if the transaction under way fails.
    durable: i64,
}

impl Counter {
    /// A counter whose row says that all numbers below `reserved` may be in use.
    pub(super) fn new(name: &'static str, reserved: i64) -> Self {
        Self { name, next: reserved, reserved, durable: reserved }
    }

    /// The next number.
    pub(super) fn next(&mut self, set_meta: &mut Statement<'_>) -> rusqlite::Result<i64> {
        if self.next >= self.reserved {
            let reserved = self.next + BLOCK;
            set_meta.execute((self.name, reserved))?;
            self.reserved = reserved;
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// The number that comes next, for a clean end: none is skipped then.
    pub(super) fn peek(&self) -> i64 {
        self.next
    }

    /// The transaction under way is durable.
    pub(super) fn settle(&mut self) {
        self.durable = self.reserved;
    }

    /// The transaction under way, or a part of it, is undone. Its numbers stay used.
    pub(super) fn undo(&mut self) {
        self.reserved = self.durable;
    }
}

impl Numbers {
    pub(super) fn settle(&mut self) {
        self.jobs.settle();
        self.steps.settle();
    }

    pub(super) fn undo(&mut self) {
        self.jobs.undo();
        self.steps.undo();
    }
}
