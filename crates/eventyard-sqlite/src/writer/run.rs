//! Runs in the file: adding them, and taking jobs out of them.

use eventyard_core::{JobState, Timestamp};

use super::{
    Writer,
    pending::Run,
    state::{QueueId, Ticket},
};
use crate::encoding::{finished_state, state_of_finished};

/// The row of a run of finished jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct FinishedRow {
    pub(super) queue: QueueId,
    pub(super) state: i64,
    pub(super) ord: i64,
    pub(super) n: i64,
    pub(super) seq: i64,
    pub(super) flags: i64,
}

impl FinishedRow {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            queue: QueueId(row.get(0)?),
            state: row.get(1)?,
            ord: row.get(2)?,
            n: row.get(3)?,
            seq: row.get(4)?,
            flags: row.get(5)?,
        })
    }
}

impl Writer<'_> {
    /// Adds a run of runnable jobs.
    pub(super) fn insert_ready(&mut self, run: &Run) -> rusqlite::Result<()> {
        let Ticket { seq, lane, priority, ord, attempts, crashes, flags, .. } = run.first;
        let row = (lane.0, priority, ord, run.n, seq, attempts, crashes, flags);
        self.sql.insert_ready.execute(row)?;
        Ok(())
    }

    /// Adds a run of runnable jobs that may go on where the last one of their key ends.
    pub(super) fn append_ready(&mut self, run: &Run) -> rusqlite::Result<()> {
        let Some(lane) = self.state.lanes.get_mut(&run.first.lane) else {
            return self.insert_ready(run);
        };
        if let Some(tail) = lane.tail.as_mut().filter(|tail| tail.continues_with(&run.first)) {
            let Ticket { seq, lane, priority, ord, attempts, crashes, flags, .. } = tail.first;
            let row = (lane.0, priority, ord, tail.n, seq, attempts, crashes, flags, run.n);
            if self.sql.lengthen_ready.execute(row)? > 0 {
                tail.n += run.n;
                return Ok(());
            }
        }
        lane.tail = Some(*run);
        self.insert_ready(run)
    }

    /// Takes `count` jobs out of a run of runnable ones, behind its first `skip`.
    pub(super) fn take_ready(&mut self, run: &Run, skip: i64, count: i64) -> rusqlite::Result<()> {
        let Ticket { lane, priority, ord, .. } = run.first;
        if skip > 0 {
            self.sql.shorten_ready.execute((lane.0, priority, ord, skip))?;
        } else {
            self.sql.delete_ready.execute((lane.0, priority, ord, ord))?;
        }
        if skip + count < run.n {
            self.insert_ready(&run.behind(skip + count))?;
        }
        self.state.count_runnable(&run.first, -count);
        Ok(())
    }

    /// Takes `count` jobs out of a run of finished ones, behind its first `skip`.
    pub(super) fn take_finished(
        &mut self,
        run: &FinishedRow,
        skip: i64,
        count: i64,
    ) -> rusqlite::Result<()> {
        let FinishedRow { queue, state, ord, n, .. } = *run;
        if skip + count < n {
            self.sql.split_finished.execute((queue.0, state, ord, skip + count))?;
        }
        if skip > 0 {
            self.sql.shorten_finished.execute((queue.0, state, ord, skip))?;
        } else {
            self.sql.delete_finished.execute((queue.0, state, ord))?;
        }
        self.state.count(queue, state_of_finished(state), -count);
        Ok(())
    }

    /// Removes up to `limit` of the jobs of a queue that are finished since `since` or longer, the oldest first.
    pub(super) fn remove_finished(
        &mut self,
        queue: QueueId,
        state: JobState,
        since: Timestamp,
        limit: i64,
    ) -> rusqlite::Result<u64> {
        let code = finished_state(state).expect("called for finished states");
        let ask = (queue.0, code, since.as_millis(), limit);
        let old = first_jobs(limit, self.sql.old_finished.query(ask)?)?;
        self.remove_from(&old)
    }

    /// Removes up to `limit` of the finished jobs whose time is over.
    pub(super) fn remove_expired(&mut self, limit: i64) -> rusqlite::Result<u64> {
        let ask = (self.now.as_millis(), limit);
        let expired = first_jobs(limit, self.sql.expired.query(ask)?)?;
        self.remove_from(&expired)
    }

    /// Removes the first jobs of each row, as many as are told with it.
    fn remove_from(&mut self, rows: &[(FinishedRow, i64)]) -> rusqlite::Result<u64> {
        let mut removed = 0;
        for (row, count) in rows {
            self.take_finished(row, 0, *count)?;
            self.remove_jobs(row.seq, *count, row.flags, state_of_finished(row.state))?;
            removed += count.unsigned_abs();
        }
        Ok(removed)
    }
}

/// The rows of the first `limit` jobs, and how many of them each has.
fn first_jobs(
    limit: i64,
    mut rows: rusqlite::Rows<'_>,
) -> rusqlite::Result<Vec<(FinishedRow, i64)>> {
    let (mut first, mut left) = (Vec::new(), limit);
    while left > 0
        && let Some(row) = rows.next()?
    {
        let row = FinishedRow::read(row)?;
        let count = row.n.min(left);
        left -= count;
        first.push((row, count));
    }
    Ok(first)
}
