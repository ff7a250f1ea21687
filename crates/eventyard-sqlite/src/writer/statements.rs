//! The statements of the writer, prepared once for the life of its connection.

use rusqlite::Connection;

use super::sql::{Sql, Trace};
use crate::encoding::job_columns;

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        /// Every statement, by what it does.
        pub(super) struct Statements<'c> {
            $(pub(super) $name: Sql<'c>,)*
        }

        impl<'c> Statements<'c> {
            /// Prepares them. What they change is noted in `trace`, by their place in [`ALL`].
            pub(super) fn prepare(conn: &'c Connection, trace: &Trace) -> rusqlite::Result<Self> {
                let mut code = 0..;
                let mut prepare = |sql| Sql::prepare(conn, sql, code.next().unwrap_or(u32::MAX), trace);
                Ok(Self { $($name: prepare($sql)?,)* })
            }
        }

        /// The name and the SQL of each.
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql),)*];
    };
}

statements! {
    begin = "BEGIN IMMEDIATE";
    commit = "COMMIT";
    savepoint = "SAVEPOINT one";
    release_savepoint = "RELEASE one";
    roll_back_to_savepoint = "ROLLBACK TO one";
    set_meta = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";

    insert_queue = "INSERT INTO queue (id, name, paused) VALUES (?1, ?2, 0)";
    pause_queue = "UPDATE queue SET paused = ?2 WHERE id = ?1";
    limit_queue = "UPDATE queue SET limits = ?2 WHERE id = ?1";
    delete_queue = "DELETE FROM queue WHERE id = ?1";
    delete_paused_keys = "DELETE FROM paused_key WHERE queue = ?1";
    delete_spokesmen = "DELETE FROM spokesman WHERE queue = ?1";
    insert_lane = "INSERT INTO lane (id, queue, key) VALUES (?1, ?2, ?3)";
    delete_lane = "DELETE FROM lane WHERE id = ?1";
    set_begun = "INSERT OR REPLACE INTO begun (lane, slot, n) VALUES (?1, ?2, ?3)";
    delete_begun = "DELETE FROM begun WHERE lane = ?1 AND slot < ?2";
    pause_key = "INSERT OR IGNORE INTO paused_key (queue, key) VALUES (?1, ?2)";
    resume_key = "DELETE FROM paused_key WHERE queue = ?1 AND key = ?2";

    insert_job = "INSERT OR IGNORE INTO job
        (seq, queue, priority, flags, created_at, id, name, options, event, data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    find_job = "SELECT seq, priority, flags FROM job WHERE id = ?1 AND queue = ?2";
    jobs = concat!("SELECT j.seq, ", job_columns!(), " FROM job j LEFT JOIN event e ON e.seq = j.event
        WHERE j.seq BETWEEN ?1 AND ?2 ORDER BY j.seq");
    job_options = "SELECT options FROM job WHERE seq = ?1";
    job_ids = "SELECT id FROM job WHERE seq BETWEEN ?1 AND ?2";
    job_payload = "SELECT j.event, j.data, j.created_at, e.time, e.id, e.kind, e.source, e.correlation,
        e.attributes, e.data FROM job j LEFT JOIN event e ON e.seq = j.event WHERE j.seq = ?1";
    set_options = "UPDATE job SET priority = ?2, options = ?3 WHERE seq = ?1";
    set_data = "UPDATE job SET event = ?2, data = ?3 WHERE seq = ?1";
    set_nature = "UPDATE job SET flags = ?2 WHERE seq = ?1";
    has_job = "SELECT 1 FROM job WHERE id = ?1 LIMIT 1";
    delete_jobs = "DELETE FROM job WHERE seq BETWEEN ?1 AND ?2";

    insert_ready = "INSERT INTO ready (queue, priority, ord, n, seq, attempts, crashes, flags)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    lengthen_ready = "UPDATE ready SET n = n + ?9 WHERE queue = ?1 AND priority = ?2 AND ord = ?3
        AND (n, seq, attempts, crashes, flags) = (?4, ?5, ?6, ?7, ?8)";
    find_ready = "SELECT priority, ord, n, seq, attempts, crashes, flags, queue FROM ready
        WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
    first_ready = "SELECT priority, ord, n, seq, attempts, crashes, flags FROM ready
        WHERE queue = ?1 ORDER BY priority, ord LIMIT ?2";
    old_ready = "SELECT j.seq, r.priority, r.ord, r.n, r.seq, r.attempts, r.crashes, r.flags
        FROM ready r CROSS JOIN job j ON j.seq BETWEEN r.seq AND r.seq + r.n - 1
        WHERE r.queue = ?1 AND r.priority BETWEEN ?2 AND ?3 AND j.created_at <= ?4
        ORDER BY r.priority, r.ord, j.seq LIMIT ?5";
    shorten_ready = "UPDATE ready SET n = ?4 WHERE queue = ?1 AND priority = ?2 AND ord = ?3";
    delete_ready = "DELETE FROM ready WHERE queue = ?1 AND priority = ?2 AND ord BETWEEN ?3 AND ?4";

    insert_delayed = "INSERT INTO delayed (queue, due, n, seq, priority, attempts, crashes, flags, ord)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    find_delayed = "SELECT due, n, attempts, crashes, flags, ord FROM delayed WHERE seq = ?1";
    set_delayed_priority = "UPDATE delayed SET priority = ?4 WHERE queue = ?1 AND due = ?2 AND n = ?3";
    due_delayed = "SELECT seq, priority, attempts, crashes, flags, due, n, ord FROM delayed
        WHERE queue = ?1 AND due <= ?2 ORDER BY due, n LIMIT ?3";
    next_due = "SELECT due FROM delayed WHERE queue = ?1 ORDER BY due LIMIT 1";
    delete_delayed = "DELETE FROM delayed WHERE queue = ?1 AND due = ?2 AND n = ?3";
    delete_delayed_until = "DELETE FROM delayed WHERE queue = ?1 AND (due, n) <= (?2, ?3)";
    old_delayed = "SELECT j.seq, d.due, d.n, d.flags FROM delayed d CROSS JOIN job j ON j.seq = d.seq
        WHERE d.queue = ?1 AND j.created_at <= ?2 ORDER BY d.due, d.n LIMIT ?3";

    insert_awaiting = "INSERT INTO awaiting (queue, n, seq, priority, attempts, crashes, flags)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    find_awaiting = "SELECT n, attempts, crashes, flags FROM awaiting WHERE seq = ?1";
    delete_awaiting = "DELETE FROM awaiting WHERE queue = ?1 AND n = ?2";
    old_awaiting = "SELECT j.id FROM awaiting a CROSS JOIN job j ON j.seq = a.seq
        WHERE a.queue = ?1 AND j.created_at <= ?2 ORDER BY a.n LIMIT ?3";

    insert_child = "INSERT INTO child (parent, n, queue, id, outcome, result)
        SELECT ?1, ifnull(max(n), 0) + 1, ?2, ?3, ?4, ?5 FROM child WHERE parent = ?1";
    child_outcome = "SELECT outcome FROM child WHERE parent = ?1 AND queue = ?2 AND id = ?3";
    end_child = "UPDATE child SET outcome = ?4, result = ?5, failure = ?6
        WHERE parent = ?1 AND queue = ?2 AND id = ?3";
    has_pending_child = "SELECT 1 FROM child WHERE parent = ?1 AND outcome = 0 LIMIT 1";
    delete_children = "DELETE FROM child WHERE parent BETWEEN ?1 AND ?2";

    find_spokesman = "SELECT job, until, next_id, next_name, next_options, next_event, next_data
        FROM spokesman WHERE queue = ?1 AND id = ?2";
    set_spokesman = "INSERT OR REPLACE INTO spokesman
        (queue, id, job, until, next_id, next_name, next_options, next_event, next_data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    delete_spokesman = "DELETE FROM spokesman WHERE queue = ?1 AND id = ?2";
    ended_windows = "SELECT queue, id FROM spokesman WHERE until <= ?1 ORDER BY until LIMIT ?2";

    insert_unbegun = "INSERT INTO unbegun (at, n, seq) VALUES (?1, ?2, ?3)";
    find_unbegun = "SELECT n FROM unbegun WHERE seq = ?1";
    next_unbegun = "SELECT at, seq FROM unbegun WHERE at <= ?1 ORDER BY at, n LIMIT 1";
    delete_unbegun = "DELETE FROM unbegun WHERE seq BETWEEN ?1 AND ?2";
    key_of_job = "SELECT q.name, j.id FROM job j JOIN queue q ON q.id = j.queue WHERE j.seq = ?1";
    last_run = "SELECT worker, started_at FROM trace WHERE seq = ?1 AND worker IS NOT NULL";

    insert_lease = "INSERT INTO lease
        (fence, n, seq, ord, queue, attempts, crashes, started_at, until, worker)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    renew_lease = "UPDATE lease SET until = ?2 WHERE fence = ?1";
    delete_lease = "DELETE FROM lease WHERE fence = ?1";

    insert_finished = "INSERT INTO finished (queue, state, ord, n, seq, attempts, crashes, flags,
        started_at, at, expires_at, worker, result, failure)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    find_finished = "SELECT state, ord, n, seq, flags, started_at, worker, result FROM finished
        WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
    old_finished = "SELECT queue, state, ord, n, seq, flags FROM finished
        WHERE queue = ?1 AND state = ?2 AND at <= ?3 ORDER BY ord LIMIT ?4";
    expired = "SELECT queue, state, ord, n, seq, flags FROM finished WHERE expires_at <= ?1
        ORDER BY expires_at, ord LIMIT ?2";
    split_finished = "INSERT INTO finished SELECT queue, state, ord + ?4, n - ?4, seq + ?4, attempts,
        crashes, flags, started_at, at, expires_at, worker, result, failure FROM finished
        WHERE queue = ?1 AND state = ?2 AND ord = ?3";
    shorten_finished = "UPDATE finished SET n = ?4 WHERE queue = ?1 AND state = ?2 AND ord = ?3";
    delete_finished = "DELETE FROM finished WHERE queue = ?1 AND state = ?2 AND ord = ?3";

    set_progress = "INSERT INTO trace (seq, progress) VALUES (?1, ?2)
        ON CONFLICT (seq) DO UPDATE SET progress = excluded.progress";
    set_last_run = "INSERT INTO trace (seq, worker, started_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (seq) DO UPDATE SET worker = excluded.worker, started_at = excluded.started_at";
    insert_attempt = "INSERT INTO attempt (seq, n, attempt, started_at, ended_at, worker, failure)
        SELECT ?1, ifnull(max(n), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM attempt WHERE seq = ?1 RETURNING n";
    trim_attempts = "DELETE FROM attempt WHERE seq = ?1 AND n <= ?2";
    insert_log = "INSERT INTO log (seq, n, at, line)
        SELECT ?1, ifnull(max(n), 0) + 1, ?2, ?3 FROM log WHERE seq = ?1 RETURNING n";
    trim_log = "DELETE FROM log WHERE seq = ?1 AND n <= ?2";
    last_step = "SELECT ifnull(max(n), 0) FROM step WHERE seq = ?1";
    has_step = "SELECT 1 FROM step WHERE seq = ?1 AND name = ?2";
    save_step = "INSERT INTO step (seq, n, name, at, result) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (seq, name) DO UPDATE SET at = excluded.at, result = excluded.result";
    delete_traces = "DELETE FROM trace WHERE seq BETWEEN ?1 AND ?2";
    delete_attempts = "DELETE FROM attempt WHERE seq BETWEEN ?1 AND ?2";
    delete_logs = "DELETE FROM log WHERE seq BETWEEN ?1 AND ?2";
    delete_steps = "DELETE FROM step WHERE seq BETWEEN ?1 AND ?2";

    insert_event = "INSERT OR IGNORE INTO event
        (seq, time, recorded_at, id, kind, source, correlation, attributes, data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    oldest_events = "SELECT seq, recorded_at, id FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    delete_event = "DELETE FROM event WHERE seq = ?1";

    document_version = "SELECT version FROM document WHERE collection = ?1 AND key = ?2";
    put_document = "INSERT INTO document (collection, key, version, value) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (collection, key) DO UPDATE SET version = excluded.version, value = excluded.value";
    delete_document = "DELETE FROM document WHERE collection = ?1 AND key = ?2";
    lost_version = "SELECT version FROM lost_version WHERE collection = ?1";
    lose_version = "INSERT INTO lost_version (collection, version) VALUES (?1, ?2)
        ON CONFLICT (collection) DO UPDATE SET version = excluded.version WHERE version < excluded.version";
}

/// The SQL of each statement, by its code in the redo log.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(_, sql)| *sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// No statement of the writer reads a whole table or sorts: each costs what it touches.
    #[test]
    fn every_statement_goes_by_a_key() {
        let mut conn = Connection::open_in_memory().unwrap();
        schema::migrate(&mut conn, "memory".as_ref()).unwrap();
        Statements::prepare(&conn, &None).unwrap();
        for (name, sql) in ALL {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let empty = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(empty), |row| row.get(3));
            for step in steps.unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap() {
                let is_slow = step.starts_with("SCAN") || step.contains("TEMP B-TREE");
                assert!(!is_slow, "{name}: {step}");
            }
        }
    }
}
