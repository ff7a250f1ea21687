//! SQLite's write-ahead log as a file, to put it on the disk.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use crate::{folder, lock::beside};

/// The log of the database at `path`, which is open.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let wal = beside(path, "-wal");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(wal)?;
    folder::sync(path)?;
    Ok(file)
}
