//! Doing groups once more that the database lacks.

use std::{fs, io, path::Path};

use eventyard_core::{StoreError, StoreErrorKind};
use rusqlite::{Connection, OptionalExtension, Statement};

use super::{
    notes::Reader,
    record::{self, Kind},
    segment,
};
use crate::error::{corrupt_row, store_error};

/// What a database has of the groups that there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recovered {
    /// What tells its groups from those of other stores; absent when it never had one.
    pub(super) store: Option<u64>,
    /// The last group that is part of it.
    pub(super) committed: u64,
    /// The last group.
    pub(super) last: u64,
}

impl Recovered {
    /// Whether groups were done once more, and a transaction is open with them.
    pub(crate) const fn is_ahead(&self) -> bool {
        self.last > self.committed
    }
}

/// What one file holds.
struct Found {
    bytes: Vec<u8>,
    /// The SQL of each statement.
    statements: Vec<String>,
    /// Where groups begin, each with its number, in order and without a gap.
    groups: Vec<(u64, usize)>,
}

/// Does the groups once more that the database at `path` lacks, in a transaction that stays open.
///
/// # Errors
/// `Corrupt` when groups are missing, or belong to another store; whatever kept SQLite from doing them.
pub(crate) fn recover(conn: &Connection, path: &Path) -> Result<Recovered, StoreError> {
    let sql = |error| store_error(path, error);
    let (store, committed) =
        (meta(conn, "store").map_err(sql)?, meta(conn, "redo").map_err(sql)?.unwrap_or_default());
    let mut recovered = Recovered { store, committed, last: committed };
    let Some(store) = store else { return Ok(recovered) };
    let mut files = Vec::new();
    for number in [0, 1] {
        files.extend(find(&segment::path(path, number), store)?);
    }
    files.sort_by_key(|file| file.groups.first().map(|(number, _)| *number));
    for file in &files {
        for (number, at) in file.groups.iter().filter(|(number, _)| *number > committed) {
            if *number != recovered.last + 1 {
                return Err(gap(path, recovered.last + 1, *number));
            }
            if !recovered.is_ahead() {
                conn.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
            }
            recovered.last = *number;
            let group = record::read(Kind::Group, &file.bytes[*at..]);
            let notes = group.map(|group| group.payload).unwrap_or_default();
            apply(conn, &file.statements, notes).map_err(sql)?;
        }
    }
    if recovered.is_ahead() {
        note(conn, recovered.last).map_err(sql)?;
    }
    Ok(recovered)
}

/// A single fact in the database, if it has any.
fn meta(conn: &Connection, name: &str) -> rusqlite::Result<Option<u64>> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'meta'";
    if conn.query_row(exists, (), |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let row = conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0));
    Ok(row.optional()?.map(i64::cast_unsigned))
}

/// Notes in the transaction under way the last group that it has.
pub(crate) fn note(conn: &Connection, last: u64) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('redo', ?1)";
    conn.prepare_cached(sql)?.execute([last.cast_signed()]).map(drop)
}

fn gap(path: &Path, wanted: u64, found: u64) -> StoreError {
    let message = format!(
        "the files {0}-redo0 and {0}-redo1 go on at group {found}, the store {0} ends before group {wanted}: they are \
         not of the same time. Put back the files that belong together, or move the two away to open the store as it is",
        path.display()
    );
    StoreError::new(StoreErrorKind::Corrupt, message)
}

fn find(path: &Path, store: u64) -> Result<Option<Found>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("{} cannot be read; check its permissions", path.display());
            return Err(StoreError::new(StoreErrorKind::Unavailable, message).because(error));
        }
    };
    // A file without a whole head never had a group.
    let Some(head) = record::read(Kind::Head, &bytes) else { return Ok(None) };
    if head.store != store {
        let message = format!(
            "{} belongs to another store; move it away, or put back the store that it belongs to",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    let mut reader = Reader::new(head.payload);
    let mut statements = Vec::new();
    while let Some(text) = reader.bytes() {
        statements.push(String::from_utf8_lossy(text).into_owned());
    }
    let (mut at, mut groups) = (head.length, Vec::<(u64, usize)>::new());
    while let Some(group) = bytes.get(at..).and_then(|rest| record::read(Kind::Group, rest)) {
        // What stood here before the file was taken into use again is no continuation.
        let follows = groups.last().is_none_or(|(number, _)| group.number == number + 1);
        if group.store != store || !follows {
            break;
        }
        groups.push((group.number, at));
        at += group.length;
    }
    Ok(Some(Found { bytes, statements, groups }))
}

/// Executes the statements of a group.
fn apply(conn: &Connection, statements: &[String], notes: &[u8]) -> rusqlite::Result<()> {
    let corrupt = || corrupt_row("a group of the redo log");
    let mut prepared: Vec<Option<Statement<'_>>> = statements.iter().map(|_| None).collect();
    let mut reader = Reader::new(notes);
    while !reader.is_done() {
        let code = reader.number().and_then(|code| usize::try_from(code).ok());
        let code = code.filter(|code| *code < statements.len()).ok_or_else(corrupt)?;
        let statement = match &mut prepared[code] {
            Some(statement) => statement,
            none => none.insert(conn.prepare(&statements[code])?),
        };
        for n in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(n, reader.value().ok_or_else(corrupt)?)?;
        }
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
    }
    Ok(())
}
