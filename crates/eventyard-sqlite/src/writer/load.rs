//! Loading the mirror from the file.

use std::{rc::Rc, sync::Arc};

use eventyard_core::{GroupKey, JobId, JobState, QueueName, Timestamp, WorkerId};
use rusqlite::{Connection, OptionalExtension};

use super::{
    Writer,
    answers::Answers,
    flush::Flusher,
    gather::Gathering,
    number::{Counter, Numbers},
    pending::Pending,
    place::runnable,
    sql::Trace,
    state::{Active, Lane, LaneId, LeaseRow, QueueId, State, Ticket},
    statements::Statements,
    unwritten::Unwritten,
};
use crate::{
    encoding::{HOLDS, JobReader, KEYED, OptionsWriter, TRACED, state_of_finished},
    error::corrupt_row,
    redo::Redo,
    shared::Shared,
};

impl<'c> Writer<'c> {
    /// A writer on a connection, with the mirror of what the file holds. If this is the process's first one,
    /// the leases of workers inside the process before end now: it held the file alone, and is gone.
    pub(super) fn start(
        conn: &'c Connection,
        shared: &'c Arc<Shared>,
        durable: Option<(Redo, Flusher)>,
        is_first: bool,
    ) -> rusqlite::Result<Self> {
        let trace: Trace = durable.is_some().then(Rc::default);
        let (redo, flusher) = durable.unzip();
        let in_transaction = !conn.is_autocommit();
        shared.set_ahead(in_transaction);
        let mut writer = Self {
            conn,
            sql: Statements::prepare(conn, &trace)?,
            shared,
            state: State::default(),
            numbers: Numbers {
                jobs: counter(conn, "jobs")?,
                steps: counter(conn, "steps")?,
                events: counter(conn, "events")?,
                lanes: counter(conn, "lanes")?,
            },
            pending: Pending::default(),
            unwritten: Unwritten::default(),
            options: OptionsWriter::default(),
            jobs: JobReader::default(),
            now: shared.clock().now(),
            in_transaction,
            commit_failed: false,
            rests_at: None,
            redo,
            trace,
            answers: Answers::default(),
            writes: 0,
            done: 0,
            shows: Vec::new(),
            gathering: Gathering::default(),
            news: Vec::new(),
            is_heard: false,
            cancelled: Vec::new(),
            owes_tick: true,
            flusher,
            events_left: (0, 0),
        };
        load(conn, &mut writer.state, is_first)?;
        writer.load_lanes(conn)?;
        shared.queues.write().expect("no holder panics").clear();
        writer.publish();
        Ok(writer)
    }

    /// Leaves the file as one that was closed in order; false if it lacks what only the redo log has.
    pub(super) fn finish(mut self) -> bool {
        if let Err(error) = self.commit() {
            tracing::warn!(%error, "the store was closed behind its redo log; the next opening reads it");
            return false;
        }
        for counter in self.numbers.all() {
            if let Err(error) = self.sql.set_meta.execute_unnoted((counter.name, counter.peek())) {
                // The numbers that are set aside are skipped then.
                tracing::warn!(%error, "the store was closed without its last note");
            }
        }
        true
    }
}

impl Writer<'_> {
    /// Loads the lanes with what is in them.
    fn load_lanes(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        each(conn, "SELECT id, queue, key FROM lane", |row| {
            let (id, queue) = (LaneId(row.get(0)?), QueueId(row.get(1)?));
            self.add_lane(id, Lane::new(queue, key(row, 2)?));
            Ok(())
        })?;
        let ready =
            "SELECT l.id, l.queue, r.priority, sum(r.n) FROM lane l JOIN ready r ON r.queue = l.id
            GROUP BY l.id, r.priority";
        each(conn, ready, |row| {
            let job = ticket(0, QueueId(row.get(1)?), LaneId(row.get(0)?), row.get(2)?, 0);
            self.state.count_runnable(&job, row.get(3)?);
            Ok(())
        })?;
        let held = format!("SELECT seq, queue, flags FROM delayed WHERE flags & {HOLDS} <> 0");
        let mut holding = Vec::new();
        each(conn, &held, |row| {
            let queue = QueueId(row.get(1)?);
            holding.push(ticket(row.get(0)?, queue, queue.lane(), 0, row.get(2)?));
            Ok(())
        })?;
        for mut job in holding {
            self.resolve_lane(&mut job)?;
            self.state.change_lane(job.lane, |lane| lane.held += 1);
        }
        let keyed = self.state.all_active().filter(|active| active.ticket.flags & KEYED != 0);
        for mut job in keyed.map(|active| active.ticket).collect::<Vec<_>>() {
            self.resolve_lane(&mut job)?;
            self.state.active_mut(job.seq).ticket.lane = job.lane;
            self.state.change_lane(job.lane, |lane| lane.active += 1);
        }
        self.load_begun(conn)?;
        self.rebuild_turns()?;
        for queue in self.state.queue_ids() {
            self.find_reopening(queue);
        }
        Ok(())
    }

    /// Loads what began where a rate counts it.
    fn load_begun(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        each(conn, "SELECT lane, slot, n FROM begun ORDER BY lane, slot", |row| {
            let id = LaneId(row.get(0)?);
            let window = match self.state.lanes.get_mut(&id) {
                Some(lane) => &mut lane.window,
                None if id.has_key() => return Err(corrupt_row("the key of a rate")),
                None => &mut self.state.slot_mut(QueueId(id.0)).window,
            };
            window.restore((Timestamp::from_millis(row.get(1)?), row.get(2)?));
            Ok(())
        })
    }
}

fn ticket(seq: i64, queue: QueueId, lane: LaneId, priority: i64, flags: i64) -> Ticket {
    Ticket { seq, queue, lane, priority, ord: 0, attempts: 0, crashes: 0, flags }
}

fn key(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<GroupKey> {
    GroupKey::new(row.get_ref(column)?.as_str()?).map_err(|_| corrupt_row("a key"))
}

fn counter(conn: &Connection, name: &'static str) -> rusqlite::Result<Counter> {
    let row = conn.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0));
    Ok(Counter::new(name, row.optional()?.unwrap_or(1)))
}

fn load(conn: &Connection, state: &mut State, is_first: bool) -> rusqlite::Result<()> {
    each(conn, "SELECT id, name, paused, limits FROM queue", |row| {
        let name = QueueName::new(row.get::<_, String>(1)?);
        let name = name.map_err(|_| corrupt_row("the name of a queue"))?;
        let id = QueueId(row.get(0)?);
        state.add_queue(id, name, row.get(2)?);
        if let Some(limits) = row.get_ref(3)?.as_str_or_null()? {
            let limits = serde_json::from_str(limits);
            let limits = limits.map_err(|_| corrupt_row("the limits of a queue"))?;
            state.set_limits(id, Arc::new(limits));
        }
        Ok(())
    })?;
    each(conn, "SELECT queue, key FROM paused_key", |row| {
        state.pause_key(QueueId(row.get(0)?), &key(row, 1)?, true);
        Ok(())
    })?;
    let ready =
        "SELECT queue, priority, sum(n) FROM ready WHERE queue >= 0 GROUP BY queue, priority";
    each(conn, ready, |row| {
        state.count(QueueId(row.get(0)?), runnable(row.get(1)?), row.get(2)?);
        Ok(())
    })?;
    each(conn, "SELECT queue, count(*) FROM awaiting GROUP BY queue", |row| {
        state.count(QueueId(row.get(0)?), JobState::WaitingChildren, row.get(1)?);
        Ok(())
    })?;
    each(conn, "SELECT min(at) FROM unbegun HAVING min(at) IS NOT NULL", |row| {
        state.set_next_expiry(Timestamp::from_millis(row.get(0)?));
        Ok(())
    })?;
    each(conn, "SELECT EXISTS (SELECT 1 FROM child) OR EXISTS (SELECT 1 FROM spokesman)", |row| {
        let has_ties: bool = row.get(0)?;
        if has_ties {
            for queue in state.queue_ids() {
                state.figures_mut(queue).has_ties = true;
            }
        }
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
            OR EXISTS (SELECT 1 FROM log WHERE seq = a.seq) OR EXISTS (SELECT 1 FROM step WHERE seq = a.seq)
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
                // Its lane is found when the lanes are known.
                lane: LaneId(row.get(1)?),
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
