//! A thread that puts SQLite's own log on the disk, so that what the redo log says twice can be overwritten.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
};

#[derive(Debug)]
pub(super) struct Recycler {
    ask: Option<SyncSender<()>>,
    done: Receiver<io::Result<()>>,
    is_busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Recycler {
    /// Starts the thread that syncs `wal`.
    pub(super) fn start(wal: Arc<File>) -> io::Result<Self> {
        let (ask, asked) = mpsc::sync_channel(1);
        let (tell, done) = mpsc::sync_channel(1);
        let run = move || {
            for () in asked {
                // Whoever asked hears it, or has gone.
                let _ = tell.send(wal.sync_data());
            }
        };
        let thread = thread::Builder::new().name("eventyard-recycle".to_owned()).spawn(run)?;
        Ok(Self { ask: Some(ask), done, is_busy: false, thread: Some(thread) })
    }

    /// Begins to sync; the sync before must have ended.
    pub(super) fn begin(&mut self) {
        self.is_busy = self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok());
    }

    /// Waits until what was begun has ended.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_busy) {
            return Ok(());
        }
        self.done.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")))
    }
}

impl Drop for Recycler {
    fn drop(&mut self) {
        self.ask = None;
        // A panic of the thread was reported where it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
