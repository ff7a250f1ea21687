//! Checkpoints: moving pages from the write-ahead log into the database, away from the hot path.
//!
//! A thread of its own does the bulk while commits go on. When it has caught up, the writer does the short
//! rest between two commits, so that the log starts over instead of growing.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
        mpsc::{self, Receiver, SyncSender, TryRecvError},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use crate::connect;

/// After this many new pages in the log, 32 MiB, the thread moves them. Jobs come and go, so the same pages are changed
/// again and again: the longer the log, the fewer of them are moved.
const STEP: i32 = 8192;
/// From this many pages on, the log is to start over: the thread goes on until little is left.
const LIMIT: i32 = 2 * STEP;
/// No more pages than this are little: the writer moves them itself.
const LITTLE: i32 = STEP / 16;
/// From this many pages on, the writer waits for the thread: a disk that is too slow for it is too slow for more.
const WAIT: i32 = 3 * STEP;

/// Who moves pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mover {
    Thread,
    Writer,
}

/// Who moves pages now, if anyone does, when the log has so many, and had `moved` when somebody did last: the thread or
/// not.
fn mover(pages: i32, moved: i32, by_thread: bool) -> Option<Mover> {
    let left = pages - moved;
    match pages {
        ..LIMIT => (left >= STEP).then_some(Mover::Thread),
        // Where the writer could not start the log over, somebody reads: it does not try at every commit.
        _ if left < LITTLE && !by_thread => None,
        _ if left <= LITTLE || pages >= WAIT => Some(Mover::Writer),
        _ => Some(Mover::Thread),
    }
}

pub(crate) struct Checkpoints {
    /// The pages in the log after the last commit.
    pages: Arc<AtomicI32>,
    /// The pages in the log when the thread was last asked, or when the writer last tried itself.
    asked_at: i32,
    /// Whether it was the thread: if so, no more than what came since is left.
    by_thread: bool,
    /// Whether the thread was asked and has not said that it is done.
    is_busy: bool,
    ask: Option<SyncSender<()>>,
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread, and has the connection count pages.
    pub(crate) fn start(path: &Path, conn: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let counter = pages.clone();
        conn.wal_hook(Some(move |_: &mut _, in_log| {
            counter.store(in_log, Ordering::Relaxed);
            Ok(())
        }))?;
        let own = connect::checkpointer(path)?;
        let (ask, asked) = mpsc::sync_channel(1);
        let (tell, done) = mpsc::sync_channel(1);
        let run = move || {
            for () in asked {
                if let Err(error) = checkpoint(&own, "PASSIVE") {
                    // The log stays and grows; the next step tries again.
                    tracing::warn!(%error, "a checkpoint of the store failed");
                }
                // The writer hears it before it asks again; if it has gone, this was the last.
                let _ = tell.send(());
            }
        };
        let thread = thread::Builder::new().name("eventyard-checkpoint".to_owned()).spawn(run);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for checkpoints: the writer does them itself");
        }
        let thread = thread.ok();
        let ask = thread.is_some().then_some(ask);
        Ok(Self { pages, asked_at: 0, by_thread: false, is_busy: false, ask, done, thread })
    }

    /// Called after each commit.
    pub(crate) fn after_commit(&mut self, conn: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.asked_at {
            (self.asked_at, self.by_thread) = (0, false);
        }
        let mover = mover(pages, self.asked_at, self.by_thread);
        if mover.is_none() || !self.is_idle(pages >= WAIT) {
            return;
        }
        self.asked_at = pages;
        self.by_thread = mover == Some(Mover::Thread) && self.ask.is_some();
        if let Some(ask) = self.ask.as_ref().filter(|_| self.by_thread) {
            self.is_busy = ask.send(()).is_ok();
        } else if let Err(error) = checkpoint(conn, "PASSIVE") {
            tracing::warn!(%error, "a checkpoint of the store failed");
        }
    }

    /// Whether the thread has nothing to do; if `wait`, when it has.
    fn is_idle(&mut self, wait: bool) -> bool {
        let done = match wait {
            _ if !self.is_busy => return true,
            true => self.done.recv().map_err(|_| TryRecvError::Disconnected),
            false => self.done.try_recv(),
        };
        if done == Err(TryRecvError::Disconnected) {
            self.ask = None;
        }
        self.is_busy = done == Err(TryRecvError::Empty);
        !self.is_busy
    }

    /// Leaves nothing in the log, if nobody reads from it and the disk takes it; true if that is so.
    pub(crate) fn finish(mut self, conn: Connection) -> bool {
        self.stop();
        let moved = checkpoint(&conn, "TRUNCATE");
        let closed = moved.and_then(|moved| match conn.close() {
            Ok(()) => Ok(moved),
            Err((_, error)) => Err(error),
        });
        closed.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store was closed with a log; the next opening reads it");
            false
        })
    }

    fn stop(&mut self) {
        self.ask = None;
        // A panic of the thread was reported where it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a checkpoint; another reader or writer that is in its way makes it do less, not fail.
/// True when nothing is left to move.
pub(crate) fn checkpoint(conn: &Connection, mode: &str) -> rusqlite::Result<bool> {
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| {
        let (is_busy, in_log, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!is_busy && in_log == moved)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_moves_only_what_is_little() {
        for (pages, moved, by_thread, who) in [
            (STEP - 1, 0, false, None),
            (STEP, 0, false, Some(Mover::Thread)),
            (LIMIT - 1, STEP, true, None),
            (LIMIT, STEP, true, Some(Mover::Thread)),
            (LIMIT + LITTLE + 1, LIMIT, true, Some(Mover::Thread)),
            (LIMIT + LITTLE, LIMIT, true, Some(Mover::Writer)),
            // The writer was in vain.
            (LIMIT + 1, LIMIT, false, None),
            (LIMIT + LITTLE, LIMIT, false, Some(Mover::Writer)),
            // The thread is too slow.
            (WAIT, LIMIT, true, Some(Mover::Writer)),
        ] {
            assert_eq!(mover(pages, moved, by_thread), who, "{pages} {moved} {by_thread}");
        }
    }
}
