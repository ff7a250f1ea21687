//! Listings of jobs by state.

use eventyard_core::{
    Failure, GroupKey, Job, JobState, Page, QueueName, Timestamp, WorkerId, inspect::JobStatus,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::cursor::{Place, to_job};
use crate::{
    encoding::{JobReader, finished_state, job_columns},
    error::corrupt_row,
};

/// A queue as listings need it.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) name: QueueName,
    pub(super) paused: bool,
}

/// The jobs of a queue, or of all, in a state.
pub(super) fn page(
    conn: &Connection,
    queue: Option<&QueueName>,
    state: JobState,
    after: Option<&Place>,
    limit: usize,
) -> rusqlite::Result<Page<JobStatus>> {
    let mut rows = Vec::new();
    for queue in queues(conn, queue)? {
        let listed = match (state, queue.paused) {
            (JobState::Waiting, true) | (JobState::Paused, false) => continue,
            (JobState::Paused, true) => JobState::Waiting,
            (state, _) => state,
        };
        rows.extend(rows_of(conn, &queue, listed, after, limit + 1)?);
    }
    rows.sort_by(|(a, _), (b, _)| if newest_first(state) { b.cmp(a) } else { a.cmp(b) });
    Ok(Page::cut(rows, limit, |place| to_job(state, place)))
}

/// Whether the listing of a state begins with its largest place.
const fn newest_first(state: JobState) -> bool {
    matches!(state, JobState::Completed | JobState::Failed)
}

fn queues(conn: &Connection, name: Option<&QueueName>) -> rusqlite::Result<Vec<Queue>> {
    if let Some(only) = name {
        return Ok(queue(conn, only)?.into_iter().collect());
    }
    let mut statement = conn.prepare_cached("SELECT id, name, paused FROM queue ORDER BY name")?;
    statement.query_map((), queue_in_row)?.collect()
}

/// The queue with this name.
pub(super) fn queue(conn: &Connection, name: &QueueName) -> rusqlite::Result<Option<Queue>> {
    conn.prepare_cached("SELECT id, name, paused FROM queue WHERE name = ?1")?
        .query_row((name.as_str(),), queue_in_row)
        .optional()
}

pub(super) fn queue_in_row(row: &Row<'_>) -> rusqlite::Result<Queue> {
    let name = QueueName::new(row.get_ref(1)?.as_str()?);
    let name = name.map_err(|_| corrupt_row("the name of a queue"))?;
    Ok(Queue { id: row.get(0)?, name, paused: row.get(2)? })
}

/// What every listing selects: place, account, times, worker, what came of it, and the job itself.
macro_rules! listing {
    ($place:literal, $account:literal, $status:literal, $from:literal) => {
        concat!(
            "SELECT ",
            $place,
            ", ",
            $account,
            ", ",
            $status,
            ", t.progress, ",
            job_columns!(),
            " FROM ",
            $from,
            " LEFT JOIN trace t ON t.seq = j.seq LEFT JOIN event e ON e.seq = j.event "
        )
    };
}

/// The rest of a listing of runnable jobs: it begins with the run that has the place `?3`.
macro_rules! ready {
    ($where:literal) => {
        concat!(
            listing!(
                "r.priority, r.ord + j.seq - r.seq",
                "r.attempts, r.crashes",
                "NULL, t.started_at, NULL, t.worker, NULL, NULL, NULL",
                "ready r CROSS JOIN job j ON j.seq BETWEEN r.seq AND r.seq + r.n - 1"
            ),
            "WHERE r.queue = ?1 AND ",
            $where,
            " ORDER BY r.priority, r.ord, j.seq LIMIT ?4"
        )
    };
}

const WAITING: &str = ready!(
    "r.priority = ?2 AND r.ord + j.seq - r.seq > ?3 AND r.ord >= ifnull((SELECT max(ord) FROM ready
     WHERE queue = ?1 AND priority = ?2 AND ord <= ?3), ?3)"
);
const PRIORITIZED: &str = ready!(
    "(r.priority, r.ord + j.seq - r.seq) > (?2, ?3) AND (r.priority, r.ord) >= (?2,
     ifnull((SELECT max(ord) FROM ready WHERE queue = ?1 AND priority = ?2 AND ord <= ?3), ?3))"
);
const AWAITING: &str = concat!(
    listing!(
        "0, a.n",
        "a.attempts, a.crashes",
        "NULL, t.started_at, NULL, t.worker, NULL, NULL, NULL",
        "awaiting a CROSS JOIN job j ON j.seq = a.seq"
    ),
    "WHERE a.queue = ?1 AND (0, a.n) > (?2, ?3) ORDER BY a.n LIMIT ?4"
);
const DELAYED: &str = concat!(
    listing!(
        "d.due, d.n",
        "d.attempts, d.crashes",
        "d.due, t.started_at, NULL, t.worker, NULL, NULL, NULL",
        "delayed d CROSS JOIN job j ON j.seq = d.seq"
    ),
    "WHERE d.queue = ?1 AND (d.due, d.n) > (?2, ?3) ORDER BY d.due, d.n LIMIT ?4"
);
const ACTIVE: &str = concat!(
    listing!(
        "0, a.fence",
        "a.attempts, a.crashes",
        "NULL, a.started_at, NULL, a.worker, a.until, NULL, NULL",
        "active a CROSS JOIN job j ON j.seq = a.seq"
    ),
    "WHERE a.queue = ?1 AND (0, a.fence) > (?2, ?3) ORDER BY a.run, a.seq LIMIT ?4"
);
const FINISHED: &str =
    concat!(
    listing!("0, f.ord + j.seq - f.seq", "f.attempts, f.crashes",
        "NULL, f.started_at, f.at, f.worker, NULL, f.result, f.failure",
        "finished f CROSS JOIN job j ON j.seq BETWEEN f.seq AND f.seq + f.n - 1"),
    "WHERE f.queue = ?1 AND f.state = ?5 AND f.ord < ?3 AND f.ord + j.seq - f.seq < ?3 AND ?2 = 0
     ORDER BY f.ord DESC, j.seq DESC LIMIT ?4"
);

/// A lane: its number, which is the queue's for jobs without a key, and its key.
type Lane = (i64, Option<GroupKey>);

/// Up to `limit` jobs of a queue after a place, each with its own place.
fn rows_of(
    conn: &Connection,
    queue: &Queue,
    state: JobState,
    after: Option<&Place>,
    limit: usize,
) -> rusqlite::Result<Vec<(Place, JobStatus)>> {
    if !matches!(state, JobState::Waiting | JobState::Prioritized) {
        return rows_in_lane(conn, queue, &(queue.id, None), state, after, limit);
    }
    let begins = after.and_then(|place| place.key.clone());
    let mut rows = Vec::new();
    if begins.is_none() {
        rows = rows_in_lane(conn, queue, &(queue.id, None), state, after, limit)?;
    }
    let sql = "SELECT id, key FROM lane WHERE queue = ?1 AND key >= ?2 ORDER BY key";
    let mut lanes = conn.prepare_cached(sql)?;
    let mut lanes = lanes.query((queue.id, begins.as_ref().map_or("", GroupKey::as_str)))?;
    while rows.len() < limit
        && let Some(row) = lanes.next()?
    {
        let key = GroupKey::new(row.get_ref(1)?.as_str()?).map_err(|_| corrupt_row("a key"))?;
        let after = after.filter(|_| begins.as_ref() == Some(&key));
        let lane = (row.get(0)?, Some(key));
        rows.extend(rows_in_lane(conn, queue, &lane, state, after, limit - rows.len())?);
    }
    Ok(rows)
}

fn rows_in_lane(
    conn: &Connection,
    queue: &Queue,
    lane: &Lane,
    state: JobState,
    after: Option<&Place>,
    limit: usize,
) -> rusqlite::Result<Vec<(Place, JobStatus)>> {
    let (sql, first, filter) = match state {
        JobState::Waiting => (WAITING, (0, i64::MIN), None),
        JobState::Prioritized => (PRIORITIZED, (0, i64::MAX), None),
        JobState::Delayed => (DELAYED, (i64::MIN, i64::MIN), None),
        JobState::WaitingChildren => (AWAITING, (0, i64::MIN), None),
        JobState::Active => (ACTIVE, (0, i64::MIN), None),
        JobState::Completed | JobState::Failed => (FINISHED, (0, i64::MAX), finished_state(state)),
        JobState::Paused => return Ok(Vec::new()),
    };
    let (a, b) = after.map_or(first, |place| (place.first, place.then));
    let limit = i64::try_from(limit).expect("a page is small");
    let mut statement = conn.prepare_cached(sql)?;
    let mut reader = JobReader::default();
    let read = |row: &Row<'_>| {
        let (mut place, status) = status_in_row(&mut reader, row, queue, state)?;
        place.key.clone_from(&lane.1);
        Ok((place, status))
    };
    match filter {
        Some(filter) => statement.query_map((lane.0, a, b, limit, filter), read)?.collect(),
        None => statement.query_map((lane.0, a, b, limit), read)?.collect(),
    }
}

/// The one job of a listing that has this place.
pub(super) fn row_at(
    conn: &Connection,
    queue: &Queue,
    lane: i64,
    state: JobState,
    (first, then): (i64, i64),
) -> rusqlite::Result<Option<JobStatus>> {
    let then = if newest_first(state) { then.saturating_add(1) } else { then.saturating_sub(1) };
    let before = Place::new(first, then);
    let rows = rows_in_lane(conn, queue, &(lane, None), state, Some(&before), 1)?;
    Ok(rows.into_iter().next().map(|(_, status)| status))
}

fn status_in_row(
    reader: &mut JobReader,
    row: &Row<'_>,
    queue: &Queue,
    state: JobState,
) -> rusqlite::Result<(Place, JobStatus)> {
    let time = |column| -> rusqlite::Result<_> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let bytes = |column| -> rusqlite::Result<_> {
        Ok(row.get_ref(column)?.as_blob_or_null()?.map(bytes::Bytes::copy_from_slice))
    };
    let job: Job = reader.read(row, 12, &queue.name, (row.get(2)?, row.get(3)?))?;
    // A job that was finished without having run has no worker.
    let worker = row.get_ref(7)?.as_str_or_null()?.filter(|worker| !worker.is_empty());
    let worker = worker.map(WorkerId::new).transpose();
    let worker = worker.map_err(|_| corrupt_row("the worker of a job"))?;
    let failure = row.get_ref(10)?.as_str_or_null()?.map(serde_json::from_str::<Failure>);
    let status = JobStatus {
        job,
        state: if queue.paused && state == JobState::Waiting { JobState::Paused } else { state },
        due_at: time(4)?,
        started_at: time(5)?.filter(|_| worker.is_some()),
        finished_at: time(6)?,
        worker,
        leased_until: time(8)?,
        progress: bytes(11)?,
        result: bytes(9)?,
        failure: failure.transpose().map_err(|_| corrupt_row("the failure of a job"))?,
    };
    Ok((Place::new(row.get(0)?, row.get(1)?), status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, connect, schema};

    /// No listing reads a whole table, or sorts more than it shows.
    #[test]
    fn every_listing_goes_by_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(folder.path().join("store.db"));
        let mut writer = connect::writer(&options).unwrap();
        schema::migrate(&mut writer, &options.path).unwrap();
        let conn = connect::reader(&options.path).unwrap();
        for sql in [WAITING, PRIORITIZED, AWAITING, DELAYED, ACTIVE, FINISHED] {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let empty = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(empty), |row| row.get(3));
            for step in steps.unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap() {
                // Leases are few, and in the order of the listing.
                let is_slow = (step.starts_with("SCAN") && step != "SCAN l")
                    || ["AUTOMATIC", "TEMP B-TREE"].iter().any(|slow| step.contains(slow));
                assert!(!is_slow, "{sql}: {step}");
            }
        }
    }
}
