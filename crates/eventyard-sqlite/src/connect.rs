//! Opening connections to the file.

use std::{path::Path, time::Duration};

use eventyard_core::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::{error::store_error, options::Options, schema};

/// How long a connection waits for another of this process, or for a person with a SQL shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The one connection that changes jobs; the schema is up to date.
pub(crate) fn writer(options: &Options) -> Result<Connection, StoreError> {
    let path = &options.path;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.pragma_update(None, "journal_mode", "wal")?;
        // Whoever needs more than that syncs the log before anyone is answered.
        conn.pragma_update(None, "synchronous", "normal")?;
        // A checkpoint inside a commit makes everybody wait; they run on a thread of their own.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
        conn.pragma_update(None, "mmap_size", 0)?;
        conn.pragma_update(None, "temp_store", "memory")?;
        plan_without_surprises(&conn)?;
        Ok(conn)
    };
    let mut conn = open().map_err(|error| store_error(path, error))?;
    schema::migrate(&mut conn, path)?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    plan_without_surprises(&conn)?;
    Ok(conn)
}

/// SQLite would index all jobs for one query that might gain by it: every query here has the index that it needs.
fn plan_without_surprises(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "automatic_index", false)
}

/// The connection that runs checkpoints.
pub(crate) fn checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(conn)
}
