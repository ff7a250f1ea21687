//! Rows that are no longer needed, collected so that neighbours are deleted together.
//!
//! Jobs are mostly settled in the order in which they were added, so what a transaction has to delete is
//! a few runs of numbers. A collected row is as good as gone: whatever could still see it asks for
//! [`Writer::clear_leftovers`] first.

use eventyard_core::JobState;

use super::{Writer, state::QueueId};
use crate::encoding::{TRACED, finished_state};

/// The most finished jobs that one transaction removes for being beyond the number that is kept. It
/// matters only after that number was lowered; the next settled jobs go on.
const MAX_TRIMMED: i64 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Jobs whose lease has ended, to be deleted from `active`.
    pub(super) ended: Vec<i64>,
    /// Jobs that are gone, to be deleted from `job`.
    gone: Vec<i64>,
    /// Those of them that have rows elsewhere.
    traced: Vec<i64>,
    /// Finished jobs of which only the newest are kept, and how many.
    trims: Vec<(QueueId, JobState, u64)>,
}

impl Leftovers {
    /// A job is gone.
    pub(super) fn job(&mut self, seq: i64, flags: i64) {
        self.gone.push(seq);
        if flags & TRACED != 0 {
            self.traced.push(seq);
        }
    }

    /// Whether jobs may be gone that the file still has.
    pub(super) fn has_jobs(&self) -> bool {
        !self.gone.is_empty() || !self.trims.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Writer<'_> {
    /// Keeps the newest `count` jobs of a queue in a finished state, one of which was just added.
    pub(super) fn keep_newest(
        &mut self,
        queue: QueueId,
        state: JobState,
        count: Option<u64>,
    ) -> rusqlite::Result<()> {
        let same = |trim: &&(QueueId, JobState, u64)| (trim.0, trim.1) == (queue, state);
        match (self.leftovers.trims.iter().find(same), count) {
            (None, None) => Ok(()),
            (Some(trim), Some(count)) if trim.2 == count => Ok(()),
            (None, Some(count)) => {
                self.leftovers.trims.push((queue, state, count));
                Ok(())
            }
            (Some(_), _) => unreachable!("another number clears the leftovers before the job is added"),
        }
    }

    /// Called before a job is added to a finished state: what was kept by another number is removed by it.
    pub(super) fn before_finishing(
        &mut self,
        queue: QueueId,
        state: JobState,
        count: Option<u64>,
    ) -> rusqlite::Result<()> {
        let other = |trim: &(QueueId, JobState, u64)| {
            (trim.0, trim.1) == (queue, state) && Some(trim.2) != count
        };
        if self.leftovers.trims.iter().any(other) { self.clear_leftovers() } else { Ok(()) }
    }

    /// Deletes what was collected.
    pub(super) fn clear_leftovers(&mut self) -> rusqlite::Result<()> {
        for (queue, state, count) in std::mem::take(&mut self.leftovers.trims) {
            self.trim(queue, state, count)?;
        }
        for (first, last) in runs(&mut self.leftovers.ended) {
            self.sql.delete_active.execute((first, last))?;
        }
        for (first, last) in runs(&mut self.leftovers.gone) {
            self.sql.delete_jobs.execute((first, last))?;
        }
        for seq in self.leftovers.traced.drain(..) {
            self.sql.delete_trace.execute((seq,))?;
            self.sql.delete_attempts.execute((seq,))?;
            self.sql.delete_log.execute((seq,))?;
        }
        Ok(())
    }

    fn trim(&mut self, queue: QueueId, state: JobState, keep: u64) -> rusqlite::Result<()> {
        let beyond = self.state.figures(queue).counts.get(state).saturating_sub(keep);
        let beyond = i64::try_from(beyond).unwrap_or(i64::MAX).min(MAX_TRIMMED);
        if beyond == 0 {
            return Ok(());
        }
        let code = finished_state(state).expect("only finished jobs are kept by number");
        let (mut removed, mut last) = (0, 0);
        let mut rows = self.sql.oldest_finished.query((queue.0, code, beyond))?;
        while let Some(row) = rows.next()? {
            self.leftovers.job(row.get(0)?, row.get(1)?);
            last = row.get(2)?;
            removed += 1;
        }
        drop(rows);
        self.sql.delete_finished.execute((queue.0, code, 0, last))?;
        self.state.count(queue, state, -removed);
        Ok(())
    }
}

/// Sorts the numbers, takes them out, and says which follow one another: first and last of each run.
fn runs(numbers: &mut Vec<i64>) -> Vec<(i64, i64)> {
    numbers.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers.drain(..) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 >= number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_make_runs() {
        let check = |mut numbers: Vec<i64>, expected: &[(i64, i64)]| {
            assert_eq!(runs(&mut numbers), expected);
            assert!(numbers.is_empty());
        };
        check(vec![], &[]);
        check(vec![3, 1, 2, 7], &[(1, 3), (7, 7)]);
        check(vec![5, 5, 6], &[(5, 6)]);
    }
}
