//! Bytes that the disk takes as they are: whole blocks, at an address that is a multiple of a block.

/// What files that bypass the page cache want to be written in.
pub(super) const BLOCK: usize = 4096;

/// Some blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    bytes: Vec<u8>,
    start: usize,
}

impl Blocks {
    /// Zeros, in as many blocks as hold `length` bytes.
    pub(super) fn zeroed(length: usize) -> Self {
        let bytes = vec![0; length.next_multiple_of(BLOCK) + BLOCK];
        // Never moved again: nothing makes the vector grow.
        let start = bytes.as_ptr().align_offset(BLOCK);
        Self { bytes, start }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..][..self.bytes.len() - BLOCK]
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        let length = self.bytes.len() - BLOCK;
        &mut self.bytes[self.start..][..length]
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - BLOCK
    }
}
