//! Loading the mirror from the file.

use std::sync::Arc;

use eventyard_core::{JobId, JobState, QueueName, Timestamp, WorkerId};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Writer,
    answers::Answers,
    flush::Flusher,
    gather::Gathering,
    number::{Counter, Numbers},
    pending::Pending,
    place::runnable,
    state::{Active, LeaseRow, QueueId, State, Ticket},
    statements::Statements,
};
use crate::{
    encoding::{JobReader, OptionsWriter, TRACED, state_of_finished},
    error::corrupt_row,
    shared::Shared,
};

impl<'c> Writer<'c> {
    /// A writer on a connection, with the mirror of what the file holds. If this is the process's first one,
    /// the leases of workers inside the process before end now: it held the file alone, and is gone.
    pub(super) fn start(
        conn: &'c Connection,
        shared: &'c Arc<Shared>,
        flusher: Option<Flusher>,
        is_first: bool,
    ) -> rusqlite::Result<Self> {
        let mut writer = Self {
            conn,
            sql: Statements::prepare(conn)?,
            shared,
            state: State::default(),
            numbers: Numbers {
                jobs: counter(conn, "jobs")?,
                steps: counter(conn, "steps")?,
                events: counter(conn, "events")?,
            },
            pending: Pending::default(),
            options: OptionsWriter::default(),
            jobs: JobReader::default(),
            now: shared.clock().now(),
            in_transaction: false,
            answers: Answers::default(),
            writes: 0,
            gathering: Gathering::default(),
            owes_tick: true,
            flusher,
            events_left: (0, 0),
        };
        load(conn, &mut writer.state, is_first)?;
        shared.queues.write().expect("no holder panics").clear();
        writer.publish();
        Ok(writer)
    }

    /// Leaves the file as one that was closed in order.
    pub(super) fn finish(mut self) {
        for counter in self.numbers.all() {
            if let Err(error) = self.sql.set_meta.execute((counter.name, counter.peek())) {
                // The numbers that are set aside are skipped then.
                tracing::warn!(%error, "the store was closed without its last note");
            }
        }
    }
}

fn counter(conn: &Connection, name: &'static str) -> rusqlite::Result<Counter> {
    let row = conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0));
    Ok(Counter::new(name, row.optional()?.unwrap_or(1)))
}

fn load(conn: &Connection, state: &mut State, is_first: bool) -> rusqlite::Result<()> {
    each(conn, "SELECT id, name, paused FROM queue", |row| {
        let name = QueueName::new(row.get::<_, String>(1)?);
        let name = name.map_err(|_| corrupt_row("the name of a queue"))?;
        state.add_queue(QueueId(row.get(0)?), name, row.get(2)?);
        Ok(())
    })?;
    each(conn, "SELECT queue, priority, sum(n) FROM ready GROUP BY queue, priority", |row| {
        state.count(QueueId(row.get(0)?), runnable(row.get(1)?), row.get(2)?);
        Ok(())
    })?;
    each(conn, "SELECT queue, count(*), min(due) FROM delayed GROUP BY queue", |row| {
        let queue = QueueId(row.get(0)?);
        state.count(queue, JobState::Delayed, row.get(1)?);
        state.set_next_due(queue, Timestamp::from_millis(row.get(2)?));
        Ok(())
    })?;
    each(conn, "SELECT queue, state, sum(n) FROM finished GROUP BY queue, state", |row| {
        state.count(QueueId(row.get(0)?), state_of_finished(row.get(1)?), row.get(2)?);
        Ok(())
    })?;
    each(conn, "SELECT fence, seq, n FROM lease", |row| {
        state.set_row(row.get(0)?, Some(LeaseRow { seq: row.get(1)?, n: row.get(2)?, held: 0 }));
        Ok(())
    })?;
    let active = "SELECT a.seq, a.queue, a.priority, a.ord, a.attempts, a.crashes, a.flags,
        a.fence, a.run, a.started_at, a.until, a.worker, a.id,
        EXISTS (SELECT 1 FROM trace WHERE seq = a.seq) OR EXISTS (SELECT 1 FROM attempt WHERE seq = a.seq)
            OR EXISTS (SELECT 1 FROM log WHERE seq = a.seq)
        FROM active a";
    each(conn, active, |row| {
        let (worker, id): (String, String) = (row.get(11)?, row.get(12)?);
        let worker = WorkerId::new(worker).map_err(|_| corrupt_row("the worker of a lease"))?;
        let until = if is_first && worker.is_local() { 0 } else { row.get(10)? };
        let traced = if row.get(13)? { TRACED } else { 0 };
        let active = Active {
            ticket: Ticket {
                seq: row.get(0)?,
                queue: QueueId(row.get(1)?),
                priority: row.get(2)?,
                ord: row.get(3)?,
                attempts: row.get(4)?,
                crashes: row.get(5)?,
                flags: row.get::<_, i64>(6)? | traced,
            },
            fence: row.get(7)?,
            row: row.get(8)?,
            started_at: Timestamp::from_millis(row.get(9)?),
            until: Timestamp::from_millis(until),
            worker,
            id: JobId::new(id).map_err(|_| corrupt_row("the id of a job"))?,
        };
        let mut lease_row = state.row(active.row);
        lease_row.held += 1;
        state.set_row(active.row, Some(lease_row));
        state.lease(active);
        Ok(())
    })?;
    let events: i64 = conn.query_row("SELECT count(*) FROM event", (), |row| row.get(0))?;
    state.events = events.unsigned_abs();
    Ok(())
}

fn each(
    conn: &Connection,
    sql: &str,
    mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}
