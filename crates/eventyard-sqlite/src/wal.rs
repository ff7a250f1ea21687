//! SQLite's write-ahead log as a file, to put it on the disk.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use crate::lock::beside;

/// The log of the database at `path`, which is open.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let wal = beside(path, "-wal");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(wal)?;
    // The files may be new: a power cut must not take their names.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}
