//! The tables, and the steps that bring an older file up to date.

use std::path::Path;

use eventyard_core::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::store_error;

/// The steps from an empty file to the present schema. Step n brings a file to `user_version` n + 1; a
/// step that was released is never changed.
const STEPS: &[&str] = &[V1, V2, V3, V4];

/// A job is one row in `job`, written when it is added and deleted with it. Where it stands is told by a small
/// row in another table: `ready`, `delayed`, `lease` or `finished`. Such a row is a run: it stands for `n` jobs
/// with consecutive numbers (`seq`, and `ord` or `fence` with it) that are otherwise alike. Jobs that come, go and
/// end together, as they mostly do, cost one row together; one that leaves the middle of a run splits it.
///
/// All numbers rise and are never used twice, so new rows go to the end of their tables.
const V1: &str = "
CREATE TABLE meta (
    name        TEXT PRIMARY KEY,
    value       ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    paused      INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
    seq         INTEGER PRIMARY KEY,
    queue       INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    flags       INTEGER NOT NULL,  -- 2: LIFO
    created_at  INTEGER NOT NULL,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL,
    options     TEXT,              -- JSON; null for the defaults
    event       INTEGER,           -- null: `data` is the payload; 0: `data` is an event; else the seq of the event
    data        BLOB
) STRICT;
CREATE UNIQUE INDEX job_id ON job (id, queue);

CREATE TABLE ready (
    queue       INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    ord         INTEGER NOT NULL,  -- the place of the first job
    n           INTEGER NOT NULL,
    seq         INTEGER NOT NULL,  -- the number of the first job
    attempts    INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    flags       INTEGER NOT NULL,  -- 1: has rows in trace, attempt or log; 2: LIFO
    PRIMARY KEY (queue, priority, ord)
) STRICT, WITHOUT ROWID;
CREATE INDEX ready_seq ON ready (seq);

-- Not in runs: each has a time of its own.
CREATE TABLE delayed (
    queue       INTEGER NOT NULL,
    due         INTEGER NOT NULL,
    n           INTEGER NOT NULL,  -- the order of being delayed
    seq         INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    PRIMARY KEY (queue, due, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX delayed_seq ON delayed (seq);

-- A row stays as it is until the last of its leases has ended: see the view `active`.
CREATE TABLE lease (
    fence       INTEGER PRIMARY KEY,
    n           INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    ord         INTEGER NOT NULL,
    queue       INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    worker      TEXT NOT NULL
) STRICT;

CREATE TABLE finished (
    queue       INTEGER NOT NULL,
    state       INTEGER NOT NULL,  -- 4: completed; 5: failed
    ord         INTEGER NOT NULL,  -- the order of ending
    n           INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    expires_at  INTEGER,
    worker      TEXT NOT NULL,
    result      BLOB,              -- null in a run of several, as is `failure`
    failure     TEXT,
    PRIMARY KEY (queue, state, ord)
) STRICT, WITHOUT ROWID;
CREATE INDEX finished_seq ON finished (seq);
CREATE INDEX finished_expires ON finished (expires_at, ord) WHERE expires_at IS NOT NULL;

-- The jobs under leases: those of a row in `lease` that stand nowhere else and that no later row has.
CREATE VIEW active AS
SELECT j.seq, j.queue, j.priority, j.flags, j.id, l.fence AS run, l.fence + j.seq - l.seq AS fence,
    l.ord + j.seq - l.seq AS ord, l.attempts, l.crashes, l.started_at, l.until, l.worker
FROM lease l CROSS JOIN job j ON j.seq BETWEEN l.seq AND l.seq + l.n - 1
WHERE NOT EXISTS (SELECT 1 FROM delayed d WHERE d.seq = j.seq)
    AND j.seq >= ifnull((SELECT seq + n FROM ready WHERE seq <= j.seq ORDER BY seq DESC LIMIT 1), 0)
    AND j.seq >= ifnull((SELECT seq + n FROM finished WHERE seq <= j.seq ORDER BY seq DESC LIMIT 1), 0)
    AND NOT EXISTS (SELECT 1 FROM lease m WHERE m.fence > l.fence AND j.seq BETWEEN m.seq AND m.seq + m.n - 1);

-- What a job has behind it, as far as it is more than numbers. Most jobs have no rows here.
CREATE TABLE trace (
    seq         INTEGER PRIMARY KEY,
    progress    BLOB,
    worker      TEXT,
    started_at  INTEGER
) STRICT;
CREATE TABLE attempt (
    seq         INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    worker      TEXT NOT NULL,
    failure     TEXT NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE log (
    seq         INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    line        TEXT NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,
    time        INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    source      TEXT NOT NULL,
    correlation TEXT,
    attributes  TEXT,              -- JSON; null when there are no others
    data        BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_id ON event (id);
CREATE INDEX event_kind ON event (kind, seq);
CREATE INDEX event_correlation ON event (correlation, seq) WHERE correlation IS NOT NULL;

CREATE TABLE document (
    collection  TEXT NOT NULL,
    key         TEXT NOT NULL,
    version     INTEGER NOT NULL,
    value       BLOB NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;
";

/// Keys, limits, flows, deduplication and times to live. Each has a table of its own, and jobs that do without have no
/// rows there.
///
/// The jobs of a key are a lane. A lane is named where a queue was before, in `ready.queue`: by its own number, which
/// is negative. Jobs without a key stay under the number of their queue.
const V2: &str = "
ALTER TABLE queue ADD COLUMN limits TEXT;   -- JSON; null for none
ALTER TABLE delayed ADD COLUMN ord INTEGER NOT NULL DEFAULT 0;  -- the place it goes back to, with the flag 64

CREATE TABLE lane (
    id          INTEGER PRIMARY KEY,
    queue       INTEGER NOT NULL,
    key         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX lane_key ON lane (queue, key);
CREATE TABLE paused_key (
    queue       INTEGER NOT NULL,
    key         TEXT NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

-- The jobs that wait for their children.
CREATE TABLE awaiting (
    queue       INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    PRIMARY KEY (queue, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX awaiting_seq ON awaiting (seq);
CREATE TABLE child (
    parent      INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    queue       TEXT NOT NULL,
    id          TEXT NOT NULL,
    outcome     INTEGER NOT NULL,  -- 0: pending; 1: completed; 2: failed; 3: removed
    result      BLOB,
    failure     TEXT,
    PRIMARY KEY (parent, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX child_job ON child (parent, queue, id);
CREATE INDEX child_pending ON child (parent) WHERE outcome = 0;

-- The jobs under leases: those of a row in `lease` that stand nowhere else and that no later row has.
DROP VIEW active;
CREATE VIEW active AS
SELECT j.seq, l.queue, j.priority, j.flags, j.id, l.fence AS run, l.fence + j.seq - l.seq AS fence,
    l.ord + j.seq - l.seq AS ord, l.attempts, l.crashes, l.started_at, l.until, l.worker
FROM lease l CROSS JOIN job j ON j.seq BETWEEN l.seq AND l.seq + l.n - 1
WHERE NOT EXISTS (SELECT 1 FROM delayed d WHERE d.seq = j.seq)
    AND NOT EXISTS (SELECT 1 FROM awaiting w WHERE w.seq = j.seq)
    AND j.seq >= ifnull((SELECT seq + n FROM ready WHERE seq <= j.seq ORDER BY seq DESC LIMIT 1), 0)
    AND j.seq >= ifnull((SELECT seq + n FROM finished WHERE seq <= j.seq ORDER BY seq DESC LIMIT 1), 0)
    AND NOT EXISTS (SELECT 1 FROM lease m WHERE m.fence > l.fence AND j.seq BETWEEN m.seq AND m.seq + m.n - 1);

-- The job that stands for all that say the same.
CREATE TABLE spokesman (
    queue       INTEGER NOT NULL,
    id          TEXT NOT NULL,
    job         TEXT NOT NULL,
    until       INTEGER,           -- null: while the job is not finished
    next_id     TEXT,              -- the job that is added when it ends
    next_name   TEXT,
    next_options TEXT,
    next_event  INTEGER,
    next_data   BLOB,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX spokesman_until ON spokesman (until) WHERE until IS NOT NULL;

-- The jobs that fail unless an attempt has begun.
CREATE TABLE unbegun (
    at          INTEGER NOT NULL,
    n           INTEGER NOT NULL,  -- the order of being added
    seq         INTEGER NOT NULL,
    PRIMARY KEY (at, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unbegun_seq ON unbegun (seq);
";

/// What began where a rate counts it: the slots of [`RateWindow`](eventyard_core::rate::RateWindow). Queues and keys
/// without a rate have no rows. And what keeps versions of documents from coming again.
const V3: &str = "
CREATE TABLE begun (
    lane        INTEGER NOT NULL,  -- of a key; or the queue, if it has a rate itself
    slot        INTEGER NOT NULL,  -- its last millisecond
    n           INTEGER NOT NULL,
    PRIMARY KEY (lane, slot)
) STRICT, WITHOUT ROWID;

-- The highest version that each collection has lost: whatever is new there has a higher one.
CREATE TABLE lost_version (
    collection  TEXT PRIMARY KEY,
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The steps that jobs have saved. A job that has some has the flag 1, as with `trace`, `attempt` and `log`.
const V4: &str = "
CREATE TABLE step (
    seq         INTEGER NOT NULL,
    n           INTEGER NOT NULL,  -- the order of being saved first
    name        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    result      BLOB NOT NULL,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX step_name ON step (seq, name);
";

/// Brings the file to the present schema, in one transaction, behind the one under way.
pub(crate) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |error| store_error(path, error);
    let version: u32 =
        conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    let (version, newest) = (version as usize, STEPS.len());
    if version == newest {
        return Ok(());
    }
    if version > newest {
        let message = format!(
            "the store {} has schema version {version}, this program knows up to {newest}; use a newer eventyard",
            path.display()
        );
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    let foreign = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'";
    if version == 0 && conn.query_row(foreign, (), |row| row.get::<_, i64>(0)).map_err(sql)? > 0 {
        let message =
            format!("{} is a database of another program; use another file", path.display());
        return Err(StoreError::new(StoreErrorKind::Corrupt, message));
    }
    if !conn.is_autocommit() {
        conn.execute_batch("COMMIT").map_err(sql)?;
    }
    let tx = conn.transaction().map_err(sql)?;
    for step in &STEPS[version..] {
        tx.execute_batch(step).map_err(sql)?;
    }
    tx.pragma_update(None, "user_version", newest as u32).map_err(sql)?;
    tx.commit().map_err(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the first version is brought up to date with what is in it.
    #[test]
    fn an_older_file_is_brought_up_to_date() {
        let mut conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(V1).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        conn.execute_batch(
            "INSERT INTO queue VALUES (0, 'q', 0);
             INSERT INTO job VALUES (1, 0, 0, 0, 5, 'a', 'n', NULL, NULL, x'');
             INSERT INTO lease VALUES (9, 1, 1, 1, 0, 0, 0, 6, 7, 'w');",
        )
        .unwrap();
        migrate(&mut conn, "file".as_ref()).unwrap();
        let active = conn.query_row("SELECT id, fence FROM active", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(active.unwrap(), ("a".to_owned(), 9));
        let limits =
            conn.query_row("SELECT limits FROM queue", (), |row| row.get::<_, Option<String>>(0));
        assert_eq!(limits.unwrap(), None);
        migrate(&mut conn, "file".as_ref()).unwrap();
    }
}
