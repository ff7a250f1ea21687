//! One job: where it stands, and what it has behind it.

use eventyard_core::{
    JobId, JobKey, JobState, Lease, LeaseToken, Leased, Page, QueueName, StepName, Timestamp,
    WorkerId,
    inspect::{AttemptRecord, Child, ChildOutcome, JobStatus, LogLine, SavedStep},
};
use rusqlite::{Connection, OptionalExtension};

use super::{
    cursor::to_child,
    listing::{self, Queue},
};
use crate::{
    encoding::{state_of_finished, token},
    error::corrupt_row,
};

/// A job's number and priority.
struct Found {
    queue: Queue,
    seq: i64,
    priority: i64,
}

fn find(conn: &Connection, key: &JobKey) -> rusqlite::Result<Option<Found>> {
    let Some(queue) = listing::queue(conn, &key.queue)? else { return Ok(None) };
    conn.prepare_cached("SELECT seq, priority FROM job WHERE id = ?1 AND queue = ?2")?
        .query_row((key.id.as_str(), queue.id), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map(|row| row.map(|(seq, priority)| Found { queue, seq, priority }))
}

/// One job.
pub(super) fn status(conn: &Connection, key: &JobKey) -> rusqlite::Result<Option<JobStatus>> {
    let Some(Found { queue, seq, priority }) = find(conn, key)? else { return Ok(None) };
    let place = conn
        .prepare_cached(
            "SELECT state, 0, ord + ?1 - seq, queue FROM
                 (SELECT * FROM finished WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1) WHERE seq + n > ?1
             UNION ALL SELECT 0, priority, ord + ?1 - seq, queue FROM
                 (SELECT * FROM ready WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1) WHERE seq + n > ?1
             UNION ALL SELECT 2, due, n, queue FROM delayed WHERE seq = ?1
             UNION ALL SELECT 6, 0, n, queue FROM awaiting WHERE seq = ?1
             UNION ALL SELECT 3, 0, fence, queue FROM active WHERE seq = ?1
             LIMIT 1",
        )?
        .query_row((seq,), |row| {
            let state = match row.get(0)? {
                0 if priority == 0 => JobState::Waiting,
                0 => JobState::Prioritized,
                2 => JobState::Delayed,
                3 => JobState::Active,
                6 => JobState::WaitingChildren,
                state => state_of_finished(state),
            };
            Ok((state, (row.get(1)?, row.get(2)?), row.get(3)?))
        })
        .optional()?;
    let Some((state, place, lane)) = place else {
        return Err(corrupt_row("a job that stands nowhere"));
    };
    listing::row_at(conn, &queue, lane, state, place)
}

/// The queues that have a job with this id.
pub(super) fn queues_of(conn: &Connection, id: &JobId) -> rusqlite::Result<Vec<QueueName>> {
    let sql = "SELECT q.id, q.name, q.paused FROM job j JOIN queue q ON q.id = j.queue
        WHERE j.id = ?1 ORDER BY q.name";
    conn.prepare_cached(sql)?
        .query_map((id.as_str(),), |row| Ok(listing::queue_in_row(row)?.name))?
        .collect()
}

/// The attempts of a job that did not succeed, oldest first.
pub(super) fn attempts(conn: &Connection, key: &JobKey) -> rusqlite::Result<Vec<AttemptRecord>> {
    let Some(found) = find(conn, key)? else { return Ok(Vec::new()) };
    let sql = "SELECT attempt, started_at, ended_at, worker, failure FROM attempt
        WHERE seq = ?1 ORDER BY n";
    conn.prepare_cached(sql)?
        .query_map((found.seq,), |row| {
            let worker = WorkerId::new(row.get_ref(3)?.as_str()?);
            let failure = serde_json::from_str(row.get_ref(4)?.as_str()?);
            Ok(AttemptRecord {
                attempt: row.get(0)?,
                started_at: Timestamp::from_millis(row.get(1)?),
                ended_at: Timestamp::from_millis(row.get(2)?),
                worker: worker.map_err(|_| corrupt_row("the worker of an attempt"))?,
                failure: failure.map_err(|_| corrupt_row("the failure of an attempt"))?,
            })
        })?
        .collect()
}

/// The log of a job, oldest line first.
pub(super) fn logs(conn: &Connection, key: &JobKey) -> rusqlite::Result<Vec<LogLine>> {
    let Some(found) = find(conn, key)? else { return Ok(Vec::new()) };
    conn.prepare_cached("SELECT at, line FROM log WHERE seq = ?1 ORDER BY n")?
        .query_map((found.seq,), |row| {
            Ok(LogLine { at: Timestamp::from_millis(row.get(0)?), line: row.get(1)? })
        })?
        .collect()
}

/// The saved steps of a job, in the order in which they were saved first.
pub(super) fn steps(conn: &Connection, key: &JobKey) -> rusqlite::Result<Vec<SavedStep>> {
    let Some(found) = find(conn, key)? else { return Ok(Vec::new()) };
    conn.prepare_cached("SELECT name, at, result FROM step WHERE seq = ?1 ORDER BY n")?
        .query_map((found.seq,), |row| {
            let name = StepName::new(row.get_ref(0)?.as_str()?);
            Ok(SavedStep {
                name: name.map_err(|_| corrupt_row("the name of a step"))?,
                saved_at: Timestamp::from_millis(row.get(1)?),
                result: bytes::Bytes::copy_from_slice(row.get_ref(2)?.as_blob()?),
            })
        })?
        .collect()
}

/// The children of a job, in the order in which they were added.
pub(super) fn children(
    conn: &Connection,
    key: &JobKey,
    after: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Page<Child>> {
    let Some(found) = find(conn, key)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let sql = "SELECT n, queue, id, outcome, result, failure FROM child
        WHERE parent = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
    let most = i64::try_from(limit + 1).expect("a page is small");
    let ask = (found.seq, after.unwrap_or(i64::MIN), most);
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(ask, |row| {
        let result = || -> rusqlite::Result<_> {
            Ok(row.get_ref(4)?.as_blob_or_null()?.map(bytes::Bytes::copy_from_slice))
        };
        let failure = || -> rusqlite::Result<_> {
            let failure = serde_json::from_str(row.get_ref(5)?.as_str()?);
            failure.map_err(|_| corrupt_row("the failure of a child"))
        };
        let job = JobKey {
            queue: QueueName::new(row.get_ref(1)?.as_str()?)
                .map_err(|_| corrupt_row("the name of a queue"))?,
            id: JobId::new(row.get_ref(2)?.as_str()?)
                .map_err(|_| corrupt_row("the id of a job"))?,
        };
        let outcome = match row.get(3)? {
            0 => ChildOutcome::Pending,
            1 => ChildOutcome::Completed(result()?),
            2 => ChildOutcome::Failed(failure()?),
            _ => ChildOutcome::Removed,
        };
        Ok((row.get(0)?, Child { job, outcome }))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, Child)>>>()?;
    Ok(Page::cut(rows, limit, |n| to_child(*n)))
}

/// The job under a lease, if the lease holds.
pub(super) fn leased(conn: &Connection, token: LeaseToken) -> rusqlite::Result<Option<Leased>> {
    let Some((seq, fence)) = token::split(token) else { return Ok(None) };
    let sql = "SELECT q.id, q.name, q.paused FROM active a JOIN queue q ON q.id = a.queue
        WHERE a.seq = ?1 AND a.fence = ?2";
    let queue =
        conn.prepare_cached(sql)?.query_row((seq, fence), listing::queue_in_row).optional()?;
    let Some(queue) = queue else { return Ok(None) };
    let status = listing::row_at(conn, &queue, queue.id, JobState::Active, (0, fence))?;
    Ok(status.and_then(|JobStatus { job, leased_until, .. }| {
        let lease = Lease { job: job.key(), attempt: job.attempts_made + 1, token };
        Some(Leased { job, lease, until: leased_until? })
    }))
}
