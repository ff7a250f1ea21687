//! Notes of what statements were given, as bytes.
//!
//! A statement is its code and its values, each behind a byte that tells its type. Numbers and lengths are LEB128,
//! signed ones in zigzag.

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::error::corrupt_row;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;

/// A group with this many bytes of notes is massive.
const MASSIVE: usize = 128 * 1024;

/// The statements of a group, in order; of a massive one no more than its beginning.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    bytes: Vec<u8>,
    statements: usize,
}

impl Notes {
    /// A statement follows, and then its values.
    pub(crate) fn begin(&mut self, code: u32) {
        if !self.is_massive() {
            put_number(&mut self.bytes, code.into());
            self.statements += 1;
        }
    }

    /// Whether SQLite should commit the group itself: to write all of it to the redo log, too, costs more than it saves.
    pub(crate) const fn is_massive(&self) -> bool {
        self.bytes.len() >= MASSIVE
    }

    /// How many statements there are.
    pub(crate) const fn statements(&self) -> usize {
        self.statements
    }

    /// A value of the statement that was begun last.
    pub(crate) fn value(&mut self, value: &ToSqlOutput<'_>) -> rusqlite::Result<()> {
        if self.is_massive() {
            return Ok(());
        }
        let value = match value {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => value.into(),
            _ => return Err(corrupt_row("a value of a kind that no statement is given")),
        };
        match value {
            ValueRef::Null => self.bytes.push(NULL),
            ValueRef::Integer(number) => {
                self.bytes.push(INTEGER);
                put_number(&mut self.bytes, zigzag(number));
            }
            ValueRef::Real(number) => {
                self.bytes.push(REAL);
                self.bytes.extend(number.to_le_bytes());
            }
            ValueRef::Text(bytes) => self.put_bytes(TEXT, bytes),
            ValueRef::Blob(bytes) => self.put_bytes(BLOB, bytes),
        }
        Ok(())
    }

    fn put_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        put_number(&mut self.bytes, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets everything. What a usual group needs stays allocated.
    pub(crate) fn clear(&mut self) {
        self.statements = 0;
        self.bytes.clear();
        self.bytes.shrink_to(2 * MASSIVE);
    }
}

/// Reads notes back. `None` where the notes end too soon or make no sense.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The code of the next statement, or a length.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The next value of a statement.
    pub(super) fn value(&mut self) -> Option<Given<'a>> {
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(Given(match *kind {
            NULL => ValueRef::Null,
            INTEGER => ValueRef::Integer(unzigzag(self.number()?)),
            REAL => {
                let (bytes, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                ValueRef::Real(f64::from_le_bytes(*bytes))
            }
            TEXT => ValueRef::Text(self.bytes()?),
            BLOB => ValueRef::Blob(self.bytes()?),
            _ => return None,
        }))
    }

    /// Bytes behind their length.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// A value that a statement is given again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Given<'a>(ValueRef<'a>);

impl ToSql for Given<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// Appends bytes behind their length.
pub(super) fn put_sized(into: &mut Vec<u8>, bytes: &[u8]) {
    put_number(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

fn put_number(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    into.push(number.to_le_bytes()[0]);
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    #[test]
    fn what_is_noted_is_read_back() {
        let values = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(-1),
            Value::Integer(i64::MAX),
            Value::Integer(i64::MIN),
            Value::Real(-0.5),
            Value::Text("é".repeat(200)),
            Value::Text(String::new()),
            Value::Blob(vec![0, 255]),
        ];
        let mut notes = Notes::default();
        for code in [0, 127, 128, u32::MAX] {
            notes.begin(code);
            for value in &values {
                notes.value(&value.to_sql().unwrap()).unwrap();
            }
        }
        let mut reader = Reader::new(notes.as_bytes());
        for code in [0, 127, 128, u64::from(u32::MAX)] {
            assert_eq!(reader.number(), Some(code));
            for value in &values {
                assert_eq!(reader.value(), Some(Given(value.into())));
            }
        }
        assert!(reader.is_done());
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        for bytes in [&[][..], &[9], &[INTEGER], &[INTEGER, 0x80], &[TEXT, 5, b'a'], &[REAL, 1, 2]]
        {
            assert_eq!(Reader::new(bytes).value(), None, "{bytes:?}");
        }
        assert_eq!(Reader::new(&[0xff; 20]).number(), None);
    }
}
