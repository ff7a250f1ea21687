//! Rows that mostly do not live long: those of leases and of finished jobs.
//!
//! The redo log has them at once; the file gets them when SQLite commits, or when somebody looks for them there. What is
//! deleted before that is never written to the file.

use std::collections::{BTreeMap, VecDeque};

use eventyard_core::{JobState, Timestamp};
use rustc_hash::FxHashMap;

use super::{
    Writer,
    pending::{FinishedRun, Run},
    sql::Values,
    state::{Active, LeaseRow, QueueId},
};
use crate::encoding::finished_state;

/// The rows that are noted and that the file does not have.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// By their rows: the first lease, and how many there are.
    leases: BTreeMap<i64, (Active, i64)>,
    finished: FxHashMap<(QueueId, JobState), Ended>,
}

/// The jobs of a queue that ended last, in the order in which they did.
#[derive(Debug, Default)]
struct Ended {
    runs: VecDeque<FinishedRun>,
    jobs: i64,
}

impl Ended {
    fn push(&mut self, run: FinishedRun) {
        self.jobs += run.jobs.n;
        self.runs.push_back(run);
    }

    /// Takes up to `limit` jobs from the run that ended first, and tells whether the run has more.
    fn take(&mut self, limit: i64) -> Option<(FinishedRun, bool)> {
        let run = self.runs.front_mut().filter(|_| limit > 0)?;
        let (jobs, rest) = run.jobs.split(limit);
        self.jobs -= jobs.n;
        let Some(rest) = rest else { return Some((self.runs.pop_front()?, false)) };
        let taken = FinishedRun { jobs, ..run.clone() };
        (run.jobs, run.ord) = (rest, run.ord + jobs.n);
        Some((taken, true))
    }
}

impl Unwritten {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Writer<'_> {
    /// Adds a row for `n` leases that follow one another.
    pub(super) fn insert_lease(&mut self, first: &Active, n: i64) -> rusqlite::Result<()> {
        let row = LeaseRow { seq: first.ticket.seq, n, held: n };
        self.sql.insert_lease.note(&lease_columns(first, n))?;
        self.unwritten.leases.insert(first.fence, (first.clone(), n));
        self.state.set_row(first.fence, Some(row));
        Ok(())
    }

    /// Makes all leases of a row hold until `until`.
    pub(super) fn renew_lease(&mut self, row: i64, until: Timestamp) -> rusqlite::Result<()> {
        let values = (row, until.as_millis());
        match self.unwritten.leases.get_mut(&row) {
            Some((first, _)) => {
                first.until = until;
                self.sql.renew_lease.note(&values)
            }
            None => self.sql.renew_lease.execute(values).map(drop),
        }
    }

    /// Deletes a row of leases, which have ended or have rows of their own.
    pub(super) fn delete_lease(&mut self, row: i64) -> rusqlite::Result<()> {
        match self.unwritten.leases.remove(&row) {
            Some(_) => self.sql.delete_lease.note(&(row,)),
            None => self.sql.delete_lease.execute((row,)).map(drop),
        }
    }

    /// Adds a row for jobs that ended one after the other.
    pub(super) fn insert_finished(&mut self, run: FinishedRun) -> rusqlite::Result<()> {
        self.sql.insert_finished.note(&finished_columns(&run))?;
        self.unwritten.finished.entry((run.jobs.first.queue, run.state)).or_default().push(run);
        Ok(())
    }

    /// Removes the first `count` of the finished jobs of a queue.
    pub(super) fn remove_oldest(
        &mut self,
        queue: QueueId,
        state: JobState,
        count: i64,
    ) -> rusqlite::Result<()> {
        let unwritten = self.unwritten.finished.get(&(queue, state)).map_or(0, |ended| ended.jobs);
        let all = self.state.figures(queue).counts.get(state);
        let in_file = i64::try_from(all).unwrap_or(i64::MAX) - unwritten;
        // What is removed from the file may be tied to others, and to look for them writes down what is left here.
        let youngest = self.take_unwritten(queue, state, count - in_file)?;
        if in_file > 0 {
            let ever = Timestamp::from_millis(i64::MAX);
            self.remove_finished(queue, state, ever, count.min(in_file))?;
        }
        for jobs in youngest {
            self.remove_jobs(jobs.first.seq, jobs.n, jobs.first.flags, state)?;
        }
        Ok(())
    }

    /// Takes the first `count` of those finished jobs of a queue that the file does not have.
    fn take_unwritten(
        &mut self,
        queue: QueueId,
        state: JobState,
        mut count: i64,
    ) -> rusqlite::Result<Vec<Run>> {
        let mut taken = Vec::new();
        let Some(ended) = self.unwritten.finished.get_mut(&(queue, state)) else {
            return Ok(taken);
        };
        let code = finished_state(state);
        while let Some((run, has_more)) = ended.take(count) {
            count -= run.jobs.n;
            if has_more {
                self.sql.split_finished.note(&(queue.0, code, run.ord, run.jobs.n))?;
            }
            self.sql.delete_finished.note(&(queue.0, code, run.ord))?;
            self.state.count(queue, state, -run.jobs.n);
            taken.push(run.jobs);
        }
        Ok(taken)
    }

    /// Writes everything to the file that is known of jobs and leases.
    pub(super) fn write_down(&mut self) -> rusqlite::Result<()> {
        self.write_pending()?;
        self.write_noted()
    }

    /// Writes to the file what the redo log has and the file has not.
    pub(super) fn write_noted(&mut self) -> rusqlite::Result<()> {
        for (first, n) in std::mem::take(&mut self.unwritten.leases).into_values() {
            self.sql.insert_lease.execute_unnoted(lease_columns(&first, n))?;
        }
        for (_, ended) in self.unwritten.finished.drain() {
            for run in ended.runs {
                self.sql.insert_finished.execute_unnoted(finished_columns(&run))?;
            }
        }
        Ok(())
    }
}

fn lease_columns(first: &Active, n: i64) -> impl Values {
    let job = &first.ticket;
    (
        first.fence,
        n,
        job.seq,
        job.ord,
        job.queue.0,
        job.attempts,
        job.crashes,
        first.started_at.as_millis(),
        first.until.as_millis(),
        first.worker.as_str(),
    )
}

fn finished_columns(run: &FinishedRun) -> impl Values {
    let job = &run.jobs.first;
    (
        job.queue.0,
        finished_state(run.state),
        run.ord,
        run.jobs.n,
        job.seq,
        job.attempts,
        job.crashes,
        job.flags,
        // A job that never ran has no worker, and then this means nothing.
        run.ran.as_ref().map_or(0, |ran| ran.started_at.as_millis()),
        run.at.as_millis(),
        run.expires_at.map(Timestamp::as_millis),
        run.ran.as_ref().map_or("", |ran| ran.worker.as_str()),
        run.result.as_deref(),
        run.failure.as_deref(),
    )
}
