//! Sealing groups, and committing many of them at once.
//!
//! What a turn has served is sealed as a group: the redo log makes it durable, and then everyone is answered. SQLite's
//! transaction stays open for the groups that follow. It commits when the redo log is full, when somebody wants to read,
//! and when nothing has been asked for a while. Without a redo log every group is committed.

use std::io;

use eventyard_core::{StoreError, Timestamp};

use super::{
    Writer,
    flush::{Flusher, Room},
    state::{Mark, NEVER},
};
use crate::{
    checkpoint::checkpoint,
    error::{breaks_connection, not_written, store_error},
    redo::{Entry, Redo, note},
};

/// Who does this little together, as adding a job and handing it out, counts as alone.
const ALONE: usize = 2;

impl Writer<'_> {
    /// Begins a transaction, unless one is under way.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        if self.is_between_groups() && self.redo.as_ref().is_some_and(Redo::is_full) {
            self.commit()?;
        }
        if !self.in_transaction {
            self.sql.begin.execute_unnoted(())?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Whether nothing was written since the last group was sealed.
    pub(super) fn is_between_groups(&self) -> bool {
        match &self.trace {
            Some(trace) => trace.borrow().is_empty(),
            None => !self.in_transaction,
        }
    }

    /// Whether SQLite has something to commit that it should not keep for long.
    pub(super) const fn is_restless(&self) -> bool {
        self.in_transaction && !self.commit_failed
    }

    /// Whether SQLite has to commit now.
    pub(super) fn must_commit(&self) -> bool {
        let is_full = self.in_transaction && self.redo.as_ref().is_some_and(Redo::is_full);
        is_full && !self.commit_failed || !self.shows.is_empty()
    }

    /// Seals what was served as a group, and has its answers delivered when it is durable; true if SQLite committed for
    /// that. An error says that the connection broke; everyone was told.
    pub(super) fn seal(&mut self, room: Room) -> Result<bool, StoreError> {
        let commits = self.in_transaction && self.must_commit_group();
        if commits && !self.commit_or_give_up()? {
            return Ok(false);
        }
        let entry = match self.note_group(commits) {
            Ok(entry) => entry,
            Err(error) => {
                let error = not_written(self.shared.path(), error);
                return self.give_up(error, false).map(|()| false);
            }
        };
        let is_alone = self.answers.len() <= ALONE && self.done <= ALONE;
        (self.writes, self.done) = (0, 0);
        self.publish();
        let mut answers = std::mem::take(&mut self.answers);
        answers.news = std::mem::take(&mut self.news);
        answers.cancelled = std::mem::take(&mut self.cancelled);
        self.gathering.sealed(answers.len());
        let Some(flusher) = &self.flusher else {
            answers.announce(self.shared);
            answers.deliver(self.shared);
            return Ok(commits);
        };
        match room {
            // What was only read was written before, and is durable.
            Room::Idle if entry.is_none() => answers.deliver(self.shared),
            // Who comes alone is served soonest right here; where many come, the next ones are on the way.
            Room::Idle if is_alone => flusher.flush_here(answers, entry),
            _ => flusher.hand_over(answers, entry),
        }
        Ok(commits)
    }

    /// Whether SQLite commits the group under way at once: there is no redo log, or none for what is this large.
    fn must_commit_group(&self) -> bool {
        self.trace.as_ref().is_none_or(|trace| trace.borrow().is_massive())
    }

    /// What makes durable that was written since the last group, if anything was.
    fn note_group(&mut self, is_committed: bool) -> io::Result<Option<Entry>> {
        let (Some(redo), Some(trace)) = (&mut self.redo, &self.trace) else { return Ok(None) };
        if is_committed {
            return Ok(Some(redo.log()));
        }
        let mut notes = trace.borrow_mut();
        if notes.is_empty() {
            return Ok(None);
        }
        let entry = redo.append(&notes);
        notes.clear();
        // Before anyone is answered who then looks.
        self.shared.set_ahead(true);
        entry.map(Some)
    }

    /// Commits, and gives up if that fails; true if something was committed.
    pub(super) fn commit_or_give_up(&mut self) -> Result<bool, StoreError> {
        self.commit().or_else(|error| {
            let is_broken = breaks_connection(&error);
            let error = store_error(self.shared.path(), error);
            self.commit_failed = true;
            self.give_up(error, is_broken).map(|()| false)
        })
    }

    /// Has SQLite commit the groups that were sealed, and the one under way; true if there were any.
    ///
    /// Those that were sealed need not be durable: the redo log is.
    pub(super) fn commit(&mut self) -> rusqlite::Result<bool> {
        let has_written = self.in_transaction;
        if has_written {
            self.write_noted()?;
            if let Some(redo) = &self.redo {
                note(self.conn, redo.last())?;
            }
            #[cfg(feature = "crash-points")]
            crate::crash::point("before-commit");
            self.sql.commit.execute_unnoted(())?;
            #[cfg(feature = "crash-points")]
            crate::crash::point("after-commit");
            self.in_transaction = false;
        }
        if let Some(trace) = &self.trace {
            trace.borrow_mut().clear();
        }
        if let Some(redo) = &mut self.redo {
            if redo.is_blocked() && !checkpoint(self.conn, "TRUNCATE")? {
                return Err(busy());
            }
            if redo.is_at_end()
                && let Some(flusher) = &self.flusher
            {
                // What keeps a group from the disk is told when there is to be another.
                let _ = flusher.wait();
            }
            redo.committed();
        }
        self.commit_failed = false;
        self.shared.set_ahead(false);
        for show in self.shows.drain(..) {
            // Who does not want to look any more need not know.
            let _ = show.send(Ok(()));
        }
        Ok(has_written)
    }

    /// Undoes what was not sealed, and tells everyone who has a part in it. An error says that the connection broke.
    pub(super) fn give_up(&mut self, error: StoreError, is_broken: bool) -> Result<(), StoreError> {
        self.undo_to(Mark::START);
        (self.writes, self.done) = (0, 0);
        self.news.clear();
        self.cancelled.clear();
        // Nobody may have been told when the next delayed job runs.
        self.owes_tick = true;
        std::mem::take(&mut self.answers).refuse(&error);
        for show in self.shows.drain(..) {
            let _ = show.send(Err(error.share()));
        }
        if is_broken {
            return Err(error);
        }
        self.go_back().map_err(|why| {
            tracing::error!(error = %why, "what was acknowledged could not be brought back");
            error
        })
    }

    /// Brings SQLite back to the group that was sealed last.
    fn go_back(&mut self) -> Result<(), StoreError> {
        let sql = |error| store_error(self.shared.path(), error);
        if let Some(trace) = &self.trace {
            trace.borrow_mut().clear();
        }
        // After some errors SQLite has rolled back already.
        if std::mem::take(&mut self.in_transaction) && !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK").map_err(sql)?;
        }
        if let Some(redo) = self.redo.as_ref().filter(|redo| redo.is_ahead()) {
            self.flusher.as_ref().map_or(Ok(()), Flusher::wait)?;
            redo.again(self.conn)?;
            self.in_transaction = true;
        }
        self.rebuild_turns().map_err(|error| store_error(self.shared.path(), error))
    }

    /// Undoes in memory what was done since the mark.
    pub(super) fn undo_to(&mut self, mark: Mark) {
        self.state.undo_to(mark);
        self.pending.clear();
        self.unwritten.clear();
        self.events_left = (0, 0);
        if self.numbers.undo() {
            self.state.drop_numbers();
        }
    }

    /// Shows the world what was sealed now.
    pub(super) fn publish(&mut self) {
        self.numbers.settle();
        self.publish_keys();
        if !self.state.touched().is_empty() {
            let mut queues = self.shared.queues.write().expect("no holder panics");
            self.state.settle(|name, status| {
                match status {
                    Some(status) => queues.insert(name, status),
                    None => queues.remove(&name),
                };
            });
        }
        let (moved, is_tick) = (self.state.moved_due(), std::mem::take(&mut self.owes_tick));
        if let Some(due) = moved.or_else(|| is_tick.then(|| self.state.next_due())) {
            let due: Option<Timestamp> = (due < NEVER).then_some(due);
            self.shared.next_due.send_if_modified(|known| {
                let changed = *known != due;
                *known = due;
                changed || is_tick
            });
        }
    }
}

/// The error when somebody reads the file while all of it has to be put on the disk.
fn busy() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(code, Some("the store is being read".to_owned()))
}
