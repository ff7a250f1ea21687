//! One group on its way to the disk.

use std::{fs::File, io, sync::Arc};

use super::block::Blocks;

/// What makes a group durable.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Its notes, and where they go in a file of the redo log.
    Notes { file: Arc<File>, offset: u64, blocks: Blocks },
    /// SQLite's own log, where it stands already. What follows must wait for it.
    Log(Arc<File>),
}

impl Entry {
    /// Writes the group, and waits until the disk has it. Others may be written at the same time.
    pub(crate) fn write(&self) -> io::Result<()> {
        match self {
            Self::Notes { file, offset, blocks } => {
                write_at(file, blocks.as_slice(), *offset)?;
                file.sync_data()
            }
            Self::Log(file) => file.sync_data(),
        }
    }

    /// Whether no other group may become durable before this one.
    pub(crate) const fn goes_alone(&self) -> bool {
        matches!(self, Self::Log(_))
    }

    /// A group that no disk takes.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let file = Arc::new(file.expect("every system has this device"));
        Self::Notes { file, offset: 0, blocks: Blocks::zeroed(1) }
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
