//! The folder of the store's files.

use std::{fs::File, io, path::Path};

/// Puts on the disk which files there are beside the one at `path`: a power cut must not take the name of a new one.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
