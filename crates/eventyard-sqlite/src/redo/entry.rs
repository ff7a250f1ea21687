//! One group on its way to the disk.

use std::{fs::File, io, sync::Arc};

use super::block::Blocks;

/// A group, and where it goes.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) file: Arc<File>,
    pub(super) offset: u64,
    pub(super) blocks: Blocks,
}

impl Entry {
    /// Writes the group, and waits until the disk has it. Others may be written at the same time.
    pub(crate) fn write(&self) -> io::Result<()> {
        write_at(&self.file, self.blocks.as_slice(), self.offset)?;
        self.file.sync_data()
    }

    /// A group that no disk takes.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let file = Arc::new(file.expect("every system has this device"));
        Self { file, offset: 0, blocks: Blocks::zeroed(1) }
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}
