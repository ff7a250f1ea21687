//! The write-ahead log as a file: making it durable, and giving it room ahead of need.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::lock::beside;

/// A page in the log with its header.
const FRAME_BYTES: u64 = 4096 + 24;
/// How much room the log is given at once.
const STEP_BYTES: u64 = 1024 * 1024;
/// A log with fewer pages is not worth it: its store is hardly used.
const MIN_PAGES: u64 = 64;
/// With less room than this left it is given more.
const MARGIN_BYTES: u64 = 256 * 1024;

/// The log of the writing connection.
#[derive(Debug)]
pub(crate) struct Wal {
    file: Arc<File>,
    /// The size of the file; what is not written yet is zeros, which SQLite takes for the end of the log.
    bytes: u64,
}

impl Wal {
    /// The log of the database at `path`, which is open.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let wal = beside(path, "-wal");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(wal)?;
        let bytes = file.metadata()?.len();
        // The files may be new: a power cut must not take their names.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(&PathBuf::from(".")))?.sync_all()?;
        Ok(Self { file: Arc::new(file), bytes })
    }

    /// What makes durable that was committed.
    pub(crate) fn file(&self) -> Arc<File> {
        self.file.clone()
    }

    /// Gives the log room, when it has `pages` pages, no transaction is under way, and it will need some.
    ///
    /// A sync that makes the file longer costs about twice one that writes inside of it.
    pub(crate) fn make_room(&mut self, pages: u64) {
        if pages < MIN_PAGES || pages * FRAME_BYTES + MARGIN_BYTES <= self.bytes {
            return;
        }
        if let Err(error) = self.extend() {
            // A disk that has no room for the log will say so to the next commit.
            tracing::debug!(%error, "the write-ahead log was not extended");
        }
    }

    fn extend(&mut self) -> io::Result<()> {
        let mut file = &*self.file;
        // SQLite may have written more than it was given.
        let end = file.seek(SeekFrom::End(0))?;
        let zeros = vec![0; 64 * 1024];
        for _ in 0..STEP_BYTES / zeros.len() as u64 {
            file.write_all(&zeros)?;
        }
        self.bytes = end + STEP_BYTES;
        Ok(())
    }
}
