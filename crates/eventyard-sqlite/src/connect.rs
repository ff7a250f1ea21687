//! Opening connections to the file.

use std::{path::Path, time::Duration};

use eventyard_core::StoreError;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{error::store_error, options::Options};

/// How long a connection waits for another of this process, or for a person with a SQL shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The one connection that changes jobs.
pub(crate) fn writer(options: &Options) -> Result<Connection, StoreError> {
    let path = &options.path;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.pragma_update(None, "journal_mode", "wal")?;
        // Whoever needs more than that has a redo log.
        conn.pragma_update(None, "synchronous", "normal")?;
        // A checkpoint inside a commit makes everybody wait; they run on a thread of their own.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
        conn.pragma_update(None, "mmap_size", 0)?;
        conn.pragma_update(None, "temp_store", "memory")?;
        plan_without_surprises(&conn)?;
        Ok(conn)
    };
    open().map_err(|error| store_error(path, error))
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

/// Every query here has the index that it needs, whatever its values are. SQLite would index all jobs for one query that
/// might gain by it, and would plan a query anew for every value of its limit.
fn plan_without_surprises(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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
