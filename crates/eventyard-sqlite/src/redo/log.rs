//! The redo log as the writer has it.

use std::{
    fs::{self, File},
    hash::{BuildHasher, Hasher, RandomState},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use eventyard_core::StoreError;
use rusqlite::Connection;

use super::{
    block::Blocks,
    entry::Entry,
    notes::{Notes, put_sized},
    record::{self, Kind},
    recycler::Recycler,
    replay::{Recovered, recover},
    segment::{self, Segment},
};
use crate::error::{not_written, store_error};

/// A file with this many bytes of notes is full: SQLite commits, and the other one takes over.
const FULL: usize = 4 * 1024 * 1024;
/// So is a file of this size: small groups take a block each.
const LARGE: u64 = 16 * 1024 * 1024;
/// SQLite also commits after this many statements: it keeps in memory what it has not committed.
const MAX_STATEMENTS: usize = 16 * 1024;

/// The redo log of an open store.
#[derive(Debug)]
pub(crate) struct Redo {
    path: PathBuf,
    /// SQLite's own log.
    wal: Arc<File>,
    /// What tells this store's groups from those of others.
    store: u64,
    head: Blocks,
    segments: [Option<Segment>; 2],
    current: usize,
    /// How many bytes of notes the current file holds.
    noted: usize,
    /// The number of the last group.
    last: u64,
    /// The last group that is part of the database.
    committed: u64,
    /// How many statements the groups behind that one have.
    statements: usize,
    /// The files hold what SQLite may not have on the disk: they must not be written to.
    is_blocked: bool,
    /// What SQLite has committed could not be put on the disk.
    failed: Option<StoreError>,
    recycler: Recycler,
}

impl Redo {
    /// The redo log of the database at `path`, for groups of these statements, behind what was recovered. `wal` is
    /// SQLite's own log.
    ///
    /// After a `fault` nothing that SQLite has written counts as being on the disk.
    pub(crate) fn start<'s>(
        conn: &Connection,
        path: &Path,
        wal: File,
        statements: impl Iterator<Item = &'s str>,
        recovered: Recovered,
        fault: bool,
    ) -> Result<Self, StoreError> {
        let store = match recovered.store {
            Some(store) => store,
            None => name(conn).map_err(|error| store_error(path, error))?,
        };
        // Groups are of use only to a database that has its name and the present schema.
        wal.sync_data().map_err(|error| not_written(path, error))?;
        let mut texts = Vec::new();
        for text in statements {
            put_sized(&mut texts, text.as_bytes());
        }
        let wal = Arc::new(wal);
        let recycler = Recycler::start(wal.clone()).map_err(|error| not_written(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            wal,
            store,
            head: record::write(Kind::Head, 0, store, &texts),
            segments: [None, None],
            current: 0,
            noted: 0,
            last: recovered.last,
            committed: recovered.committed,
            statements: 0,
            is_blocked: fault || recovered.is_ahead(),
            failed: None,
            recycler,
        })
    }

    /// Takes a group in; what is returned makes it durable.
    ///
    /// # Errors
    /// When there is no space for it; it is as if it had never been, then.
    pub(crate) fn append(&mut self, notes: &Notes) -> io::Result<Entry> {
        assert!(!self.is_blocked, "the writer asks before it begins a group");
        assert!(!notes.is_massive(), "such a group was not noted as a whole");
        let segment = match &mut self.segments[self.current] {
            Some(segment) => segment,
            none => {
                none.insert(Segment::open(&segment::path(&self.path, self.current), &self.head)?)
            }
        };
        let group = record::write(Kind::Group, self.last + 1, self.store, notes.as_bytes());
        let entry = segment.append(group)?;
        self.last += 1;
        self.noted += notes.as_bytes().len();
        self.statements += notes.statements();
        Ok(entry)
    }

    /// What makes a group durable that was not taken in, when SQLite has committed it. It has no number: the one that
    /// follows must not be on the disk before it.
    pub(crate) fn log(&self) -> Entry {
        Entry::Log(self.wal.clone())
    }

    /// Whether SQLite has to commit before there can be another group.
    pub(crate) fn is_full(&self) -> bool {
        self.is_blocked || self.is_at_end() || self.statements >= MAX_STATEMENTS
    }

    /// Whether SQLite has to commit and to put everything on the disk before there can be another group.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// The number of the last group.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Whether there are groups that SQLite has not committed.
    pub(crate) const fn is_ahead(&self) -> bool {
        self.last > self.committed
    }

    /// Whether another file takes over when SQLite has committed.
    pub(crate) fn is_at_end(&self) -> bool {
        let used = self.segments[self.current].as_ref().map_or(0, Segment::used);
        self.noted >= FULL || used >= LARGE
    }

    /// SQLite has committed all groups, and if the log was blocked, has put them on the disk.
    ///
    /// No group may be on its way to the disk when another file takes over: what follows it counts only with it.
    pub(crate) fn committed(&mut self) {
        (self.committed, self.statements) = (self.last, 0);
        self.is_blocked = false;
        if !self.is_at_end() {
            return;
        }
        // The other file is free when the sync has ended that began when this one took over.
        if let Err(error) = self.recycler.wait() {
            self.failed = Some(not_written(&self.path, error));
            return;
        }
        self.recycler.begin();
        (self.current, self.noted) = (1 - self.current, 0);
        if let Some(segment) = &mut self.segments[self.current] {
            segment.reset();
        }
    }

    /// Whether what SQLite has committed came to the disk so far.
    ///
    /// # Errors
    /// When it did not: nothing that SQLite wrote counts any more, and the files hold what it lacks.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.share()))
    }

    /// Does the groups once more that SQLite has not committed, after it lost them; in a transaction that stays open.
    /// All of them must have been written.
    ///
    /// # Errors
    /// When they cannot be read or done.
    pub(crate) fn again(&self, conn: &Connection) -> Result<(), StoreError> {
        let recovered = recover(conn, &self.path)?;
        assert_eq!(recovered.last, self.last, "what was written is read back");
        Ok(())
    }
}

/// Gives a store what tells it from others.
fn name(conn: &Connection) -> rusqlite::Result<u64> {
    // Keys of this kind are random.
    let store = RandomState::new().build_hasher().finish();
    conn.execute("INSERT INTO meta (name, value) VALUES ('store', ?1)", [store.cast_signed()])?;
    Ok(store)
}

/// Removes the files of a store that has all groups in its database, on the disk.
pub(crate) fn remove(path: &Path) {
    for number in [0, 1] {
        let path = segment::path(path, number);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(%error, path = %path.display(), "a file of the redo log stays behind");
            }
            _ => {}
        }
    }
}
