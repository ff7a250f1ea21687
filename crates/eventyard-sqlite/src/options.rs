//! How a store is opened.

use std::{path::PathBuf, sync::Arc};

use eventyard_core::{Clock, Durability, SystemClock};

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// With every commit: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// With checkpoints only: what was acknowledged survives a crash of the process, but a power cut
    /// may lose the last commits. The file stays whole either way.
    Normal,
}

impl Synchronous {
    pub(crate) const fn durability(self) -> Durability {
        match self {
            Self::Full => Durability::SystemCrash,
            Self::Normal => Durability::ProcessCrash,
        }
    }
}

/// What to open, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file. It is created together with its folder when it does not exist.
    pub path: PathBuf,
    /// When an acknowledged write is durable.
    pub synchronous: Synchronous,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// How much memory the writing connection may use to keep pages, in KiB. What the queues need lies at their
    /// two ends and is small; and SQLite goes through all it keeps at the end of some transactions.
    pub cache_kib: u32,
}

impl Options {
    /// The store in the file at `path`: fully durable, on the machine's clock.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            synchronous: Synchronous::Full,
            clock: Arc::new(SystemClock::default()),
            cache_kib: 16 * 1024,
        }
    }

    /// Lives by `clock`.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Waits for the disk as `synchronous` says.
    #[must_use]
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }
}
