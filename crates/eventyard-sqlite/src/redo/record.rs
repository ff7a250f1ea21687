//! Records: a head or a group as it stands in a file, with what tells a whole one from a torn or an old one.
//!
//! ```text
//! 0  kind       4 bytes: "EYrh" a head, "EYrg" a group
//! 4  length     8 bytes, little endian as all that follows: of the payload
//! 12 number     8 bytes: of the group; 0 for a head
//! 20 store      8 bytes: which store it belongs to
//! 28 checksum   4 bytes: CRC-32 of all bytes before it and of the payload
//! 32 payload, then zeros up to a whole block
//! ```

use super::block::{BLOCK, Blocks};

const HEADER: usize = 32;
const CHECKSUM: usize = 28;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text of each statement, by its code.
    Head,
    /// The notes of a group.
    Group,
}

impl Kind {
    const fn tag(self) -> &'static [u8; 4] {
        match self {
            Self::Head => b"EYrh",
            Self::Group => b"EYrg",
        }
    }
}

/// A record that is whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) number: u64,
    pub(super) store: u64,
    pub(super) payload: &'a [u8],
    /// How many bytes it takes in the file.
    pub(super) length: usize,
}

/// Makes a record.
pub(super) fn write(kind: Kind, number: u64, store: u64, payload: &[u8]) -> Blocks {
    let mut blocks = Blocks::zeroed(HEADER + payload.len());
    let bytes = blocks.as_mut_slice();
    bytes[..4].copy_from_slice(kind.tag());
    bytes[4..12].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes[12..20].copy_from_slice(&number.to_le_bytes());
    bytes[20..28].copy_from_slice(&store.to_le_bytes());
    bytes[HEADER..][..payload.len()].copy_from_slice(payload);
    let checksum = checksum(&bytes[..CHECKSUM], payload);
    bytes[CHECKSUM..HEADER].copy_from_slice(&checksum.to_le_bytes());
    blocks
}

/// The record at the beginning of `bytes`, if there is a whole one of this kind.
pub(super) fn read(kind: Kind, bytes: &[u8]) -> Option<Record<'_>> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    if header[..4] != kind.tag()[..] {
        return None;
    }
    let number = |at: usize| header[at..].first_chunk().copied().map(u64::from_le_bytes);
    let length = usize::try_from(number(4)?).ok()?;
    let payload = rest.get(..length)?;
    if header[CHECKSUM..] != checksum(&header[..CHECKSUM], payload).to_le_bytes() {
        return None;
    }
    let length = (HEADER + length).next_multiple_of(BLOCK);
    Some(Record { number: number(12)?, store: number(20)?, payload, length })
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        for payload in [&[][..], b"x", &[7; 2 * BLOCK]] {
            let blocks = write(Kind::Group, 5, 9, payload);
            let length = (payload.len() + HEADER).next_multiple_of(BLOCK);
            let record = Record { number: 5, store: 9, payload, length };
            assert_eq!(read(Kind::Group, blocks.as_slice()), Some(record));
            assert_eq!(read(Kind::Head, blocks.as_slice()), None);
        }
    }

    #[test]
    fn a_torn_record_is_none() {
        let whole = write(Kind::Group, 5, 9, &[7; 2 * BLOCK]);
        assert_eq!(read(Kind::Group, &whole.as_slice()[..2 * BLOCK]), None, "cut");
        for at in [0, 4, 13, 21, 29, HEADER, BLOCK, 2 * BLOCK + HEADER - 1] {
            let mut bytes = whole.as_slice().to_vec();
            bytes[at] ^= 1;
            assert_eq!(read(Kind::Group, &bytes), None, "byte {at}");
        }
    }
}
