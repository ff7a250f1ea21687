//! What the group under way has done in memory and not yet written.
//!
//! Jobs mostly come, go and end together. Their rows are collected here, so that one statement writes a run
//! of them and one deletes a run. Whatever could see the difference asks for
//! [`Writer::write_pending`] first, or for [`Writer::write_down`] if it looks at the file. Jobs that are claimed in the turn
//! that made them runnable are never written as such.

use std::collections::BTreeMap;

use bytes::Bytes;
use eventyard_core::{JobState, Keep, Timestamp, WorkerId};

use super::{
    Writer,
    state::{LaneId, QueueId, Ticket},
};
use crate::encoding::{EXPIRES, PARENT, TRACED};

/// The most finished jobs that one group removes for being beyond the number that is kept. It
/// matters only after that number was lowered; the next settled jobs go on.
const MAX_TRIMMED: i64 = 10_000;
/// More runs of a lane than this are written before its jobs are claimed.
const MANY_RUNS: usize = 32;
/// How many of the last runs of its lane a new job is compared with.
const RUNS_COMPARED: usize = 8;

/// Jobs with consecutive numbers and places that are otherwise alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The first job's.
    pub(super) first: Ticket,
    pub(super) n: i64,
}

impl Run {
    /// What is left of the run behind its first `k` jobs.
    pub(super) const fn behind(&self, k: i64) -> Self {
        let first = Ticket { seq: self.first.seq + k, ord: self.first.ord + k, ..self.first };
        Self { first, n: self.n - k }
    }

    /// Its first `k` jobs, and what is left of it if it has more.
    pub(super) fn split(self, k: i64) -> (Self, Option<Self>) {
        let n = self.n.min(k);
        (Self { n, ..self }, (n < self.n).then(|| self.behind(n)))
    }

    /// Whether a job stands right behind the last one of the run, and is otherwise alike.
    pub(super) fn continues_with(&self, job: &Ticket) -> bool {
        self.behind(self.n).first == *job
    }
}

/// Who ran a job last, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastRun {
    pub(super) worker: WorkerId,
    pub(super) started_at: Timestamp,
}

/// Jobs that ended one after the other.
#[derive(Debug, Clone)]
pub(super) struct FinishedRun {
    pub(super) jobs: Run,
    pub(super) state: JobState,
    pub(super) ord: i64,
    pub(super) ran: Option<LastRun>,
    pub(super) at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) result: Option<Bytes>,
    pub(super) failure: Option<String>,
}

impl FinishedRun {
    fn continues_with(&self, next: &Self) -> bool {
        let (run, job) = (&self.jobs, &next.jobs.first);
        // Where the jobs stood in the run order no longer matters.
        let expected =
            Ticket { seq: run.first.seq + run.n, ord: job.ord, lane: job.lane, ..run.first };
        expected == *job
            && self.ord + run.n == next.ord
            && self.state == next.state
            && (&self.ran, self.at) == (&next.ran, next.at)
            && self.expires_at == next.expires_at
            && [self, next].iter().all(|one| one.result.is_none() && one.failure.is_none())
    }
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Jobs that are runnable, by lane.
    ready: BTreeMap<LaneId, Vec<Run>>,
    /// Jobs that are finished.
    finished: Vec<FinishedRun>,
    /// Finished jobs of which only the newest are kept, and how many.
    trims: Vec<(QueueId, JobState, u64)>,
    /// Rows of `lease` whose leases have all ended.
    ended: Vec<i64>,
    /// Jobs that are gone, as first and last number of runs.
    gone: Vec<(i64, i64)>,
    /// Of jobs that are gone, those that have rows elsewhere.
    traced: Vec<(i64, i64)>,
    parents: Vec<(i64, i64)>,
    unbegun: Vec<(i64, i64)>,
}

impl Pending {
    /// A job is runnable.
    pub(super) fn ready(&mut self, job: &Ticket) {
        let runs = self.ready.entry(job.lane).or_default();
        let mut last = runs.iter_mut().rev().take(RUNS_COMPARED);
        match last.find(|run| run.continues_with(job)) {
            Some(run) => run.n += 1,
            None => runs.push(Run { first: *job, n: 1 }),
        }
    }

    /// Whether all of the `waiting` runnable jobs of a lane are here, and are few enough runs to look through.
    pub(super) fn has_all_ready(&self, lane: LaneId, waiting: i64) -> bool {
        let runs = self.ready.get(&lane).map_or(&[][..], Vec::as_slice);
        runs.len() <= MANY_RUNS && runs.iter().map(|run| run.n).sum::<i64>() == waiting
    }

    /// Takes the first `count` runnable jobs of a lane, if all that it has are here.
    pub(super) fn take_ready(&mut self, lane: LaneId, count: usize) -> Vec<Run> {
        let mut left = i64::try_from(count).unwrap_or(i64::MAX);
        let mut runs = self.ready.remove(&lane).unwrap_or_default();
        runs.sort_unstable_by_key(|run| (run.first.priority, run.first.ord));
        let (mut taken, mut rest) = (Vec::new(), Vec::new());
        for run in runs {
            let (first, behind) = run.split(left);
            left -= first.n;
            rest.extend(behind);
            if first.n > 0 {
                taken.push(first);
            }
        }
        if !rest.is_empty() {
            self.ready.insert(lane, rest);
        }
        taken
    }

    /// A job is finished.
    pub(super) fn finished(&mut self, job: FinishedRun) {
        match self.finished.last_mut().filter(|run| run.continues_with(&job)) {
            Some(run) => run.jobs.n += 1,
            None => self.finished.push(job),
        }
    }

    /// All leases of a row have ended.
    pub(super) fn ended(&mut self, row: i64) {
        self.ended.push(row);
    }

    /// `n` jobs are gone.
    pub(super) fn gone(&mut self, seq: i64, n: i64, flags: i64) {
        push_run(&mut self.gone, seq, n);
        if flags & TRACED != 0 {
            push_run(&mut self.traced, seq, n);
        }
        if flags & PARENT != 0 {
            push_run(&mut self.parents, seq, n);
        }
        if flags & EXPIRES != 0 {
            push_run(&mut self.unbegun, seq, n);
        }
    }

    /// Whether jobs may be gone that the file still has.
    pub(super) fn has_gone(&self) -> bool {
        !self.gone.is_empty() || !self.trims.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn push_run(runs: &mut Vec<(i64, i64)>, seq: i64, n: i64) {
    match runs.last_mut() {
        Some((_, last)) if *last + 1 == seq => *last += n,
        _ => runs.push((seq, seq + n - 1)),
    }
}

/// Joins what follows one another.
fn joined(mut runs: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    runs.sort_unstable();
    runs.dedup_by(|next, run| {
        let follows = run.1 + 1 == next.0;
        if follows {
            run.1 = next.1;
        }
        follows
    });
    runs
}

impl Writer<'_> {
    /// Keeps of a queue's jobs in a finished state what `keep` says, after one was added.
    ///
    /// Only one number can be pending; a job that is kept by another has what is there trimmed before it is added.
    pub(super) fn before_finishing(
        &mut self,
        queue: QueueId,
        state: JobState,
        keep: Keep,
    ) -> rusqlite::Result<()> {
        let trims = &mut self.pending.trims;
        let pending = trims.iter().find(|trim| (trim.0, trim.1) == (queue, state));
        if pending.map(|trim| trim.2) == keep.count {
            return Ok(());
        }
        if pending.is_some() {
            self.write_pending()?;
        }
        self.pending.trims.extend(keep.count.map(|count| (queue, state, count)));
        Ok(())
    }

    /// Writes what is pending.
    pub(super) fn write_pending(&mut self) -> rusqlite::Result<()> {
        self.write_ready()?;
        for run in std::mem::take(&mut self.pending.finished) {
            self.insert_finished(run)?;
        }
        for (queue, state, count) in std::mem::take(&mut self.pending.trims) {
            self.trim(queue, state, count)?;
        }
        for row in std::mem::take(&mut self.pending.ended) {
            self.delete_lease(row)?;
        }
        for run in joined(std::mem::take(&mut self.pending.gone)) {
            self.sql.delete_jobs.execute(run)?;
        }
        for run in joined(std::mem::take(&mut self.pending.traced)) {
            self.sql.delete_traces.execute(run)?;
            self.sql.delete_attempts.execute(run)?;
            self.sql.delete_logs.execute(run)?;
            self.sql.delete_steps.execute(run)?;
        }
        for run in joined(std::mem::take(&mut self.pending.parents)) {
            self.sql.delete_children.execute(run)?;
        }
        for run in joined(std::mem::take(&mut self.pending.unbegun)) {
            self.sql.delete_unbegun.execute(run)?;
        }
        Ok(())
    }

    /// Writes the runnable jobs that are pending.
    pub(super) fn write_ready(&mut self) -> rusqlite::Result<()> {
        while let Some((lane, _)) = self.pending.ready.first_key_value() {
            self.write_ready_in(*lane)?;
        }
        Ok(())
    }

    /// Writes those of one lane.
    pub(super) fn write_ready_in(&mut self, lane: LaneId) -> rusqlite::Result<()> {
        for run in self.pending.ready.remove(&lane).unwrap_or_default() {
            self.append_ready(&run)?;
        }
        Ok(())
    }

    fn trim(&mut self, queue: QueueId, state: JobState, keep: u64) -> rusqlite::Result<()> {
        let beyond = self.state.figures(queue).counts.get(state).saturating_sub(keep);
        let beyond = i64::try_from(beyond).unwrap_or(i64::MAX).min(MAX_TRIMMED);
        if beyond > 0 {
            self.remove_oldest(queue, state, beyond)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_follow_one_another_are_joined() {
        assert_eq!(joined(vec![(5, 6), (1, 2), (3, 4), (9, 9)]), [(1, 6), (9, 9)]);
        let mut runs = Vec::new();
        for (seq, n) in [(1, 1), (2, 3), (9, 1)] {
            push_run(&mut runs, seq, n);
        }
        assert_eq!(runs, [(1, 4), (9, 9)]);
    }
}
