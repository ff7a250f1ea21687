//! One file of the redo log.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{block::Blocks, entry::Entry};
use crate::{folder, lock::beside};

/// A file is given at most this much room at once: a sync that makes it longer costs about twice one that does not.
const STEP: u64 = 1024 * 1024;

/// A file that groups are appended to.
#[derive(Debug)]
pub(super) struct Segment {
    file: Arc<File>,
    /// Where the groups begin, behind the head.
    begin: u64,
    /// Where the next group goes.
    end: u64,
    /// The size of the file.
    size: u64,
}

/// The path of a file of the store at `path`.
pub(super) fn path(path: &Path, number: usize) -> PathBuf {
    beside(path, if number == 0 { "-redo0" } else { "-redo1" })
}

impl Segment {
    /// Opens the file, or makes it, and writes its head. Groups that it holds must not matter any more.
    pub(super) fn open(path: &Path, head: &Blocks) -> io::Result<Self> {
        let file = open(path)?;
        let size = file.metadata()?.len();
        let begin = head.len() as u64;
        (&file).write_all(head.as_slice())?;
        file.sync_data()?;
        folder::sync(path)?;
        Ok(Self { file: Arc::new(file), begin, end: begin, size: size.max(begin) })
    }

    /// A group behind the others, to be written.
    pub(super) fn append(&mut self, blocks: Blocks) -> io::Result<Entry> {
        let (offset, end) = (self.end, self.end + blocks.len() as u64);
        self.make_room(end)?;
        self.end = end;
        Ok(Entry::Notes { file: self.file.clone(), offset, blocks })
    }

    /// Makes the file at least `needed` bytes long.
    fn make_room(&mut self, needed: u64) -> io::Result<()> {
        if needed <= self.size {
            return Ok(());
        }
        let size = needed.max((2 * self.size).min(self.size + STEP)).next_multiple_of(64 * 1024);
        let zeros = Blocks::zeroed(64 * 1024);
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.size))?;
        while self.size < size {
            let length = (size - self.size).min(zeros.len() as u64);
            file.write_all(&zeros.as_slice()[..usize::try_from(length).unwrap_or(usize::MAX)])?;
            self.size += length;
        }
        Ok(())
    }

    /// How many bytes of groups it holds.
    pub(super) const fn used(&self) -> u64 {
        self.end - self.begin
    }

    /// Its groups do not matter any more.
    pub(super) fn reset(&mut self) {
        self.end = self.begin;
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Past the page cache, a sync takes half the time. Not every file system can do that.
        let direct = options.clone().custom_flags(libc::O_DIRECT).open(path);
        if direct.is_ok() {
            return direct;
        }
    }
    options.open(path)
}
