//! Claims: handing out runnable jobs under leases.

use eventyard_core::{Claim, Lease, Leased};

use super::{
    Writer,
    pending::Run,
    state::{Active, LaneId, QueueId, Ticket},
};
use crate::encoding::{EXPIRES, token::token};

/// The most jobs that one claim hands out.
const MAX_CLAIMED: usize = 10_000;

impl Writer<'_> {
    /// Leases up to `max` runnable jobs of a queue: the keys by turns, the jobs of each in order.
    pub(super) fn claim(&mut self, queue: QueueId, ask: &Claim) -> rusqlite::Result<Vec<Leased>> {
        self.begin()?;
        let picks = self.pick(queue, ask, MAX_CLAIMED)?;
        let mut runs = Vec::with_capacity(picks.len());
        for (lane, count) in picks {
            runs.extend(self.take_from(queue, lane, count)?);
        }
        let leased = self.lease(&runs, ask)?;
        self.update_turns()?;
        if self.state.limits(queue).rate.is_some() {
            self.find_reopening(queue);
        }
        if self.is_heard && !leased.is_empty() {
            self.tell_claimed(queue, ask, &leased);
        }
        Ok(leased)
    }

    /// Takes the first `count` runnable jobs of a lane from where they stand.
    fn take_from(
        &mut self,
        queue: QueueId,
        lane: LaneId,
        count: usize,
    ) -> rusqlite::Result<Vec<Run>> {
        let waiting = self.state.waiting_in(queue, lane);
        if self.pending.has_all_ready(lane, waiting) {
            return Ok(self.pending.take_ready(lane, count));
        }
        self.write_ready_in(lane)?;
        self.take_first(queue, lane, count)
    }

    /// Takes the first `count` runnable jobs of a lane out of the file.
    fn take_first(
        &mut self,
        queue: QueueId,
        lane: LaneId,
        count: usize,
    ) -> rusqlite::Result<Vec<Run>> {
        let mut left = i64::try_from(count).unwrap_or(i64::MAX);
        let (mut runs, mut rest) = (Vec::<Run>::new(), None);
        let mut rows = self.sql.first_ready.query((lane.0, left))?;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let first = Ticket {
                seq: row.get(3)?,
                queue,
                lane,
                priority: row.get(0)?,
                ord: row.get(1)?,
                attempts: row.get(4)?,
                crashes: row.get(5)?,
                flags: row.get(6)?,
            };
            let run = Run { first, n: row.get(2)? };
            let (taken, behind) = run.split(left);
            left -= taken.n;
            match runs.last_mut().filter(|run| run.continues_with(&taken.first)) {
                Some(run) => run.n += taken.n,
                None => runs.push(taken),
            }
            rest = behind;
        }
        drop(rows);
        // Runs of one priority follow one another: nothing else stands in between.
        for runs in runs.chunk_by(|a, b| a.first.priority == b.first.priority) {
            let (first, last) = (&runs[0].first, &runs[runs.len() - 1]);
            let last = last.first.ord + last.n - 1;
            self.sql.delete_ready.execute((lane.0, first.priority, first.ord, last))?;
        }
        rest.map_or(Ok(()), |rest| self.insert_ready(&rest))?;
        Ok(runs)
    }

    /// Puts jobs under leases that were taken from where they stood.
    fn lease(&mut self, runs: &[Run], ask: &Claim) -> rusqlite::Result<Vec<Leased>> {
        let n = runs.iter().map(|run| run.n).sum();
        let fences = self.numbers.steps.take(n, &mut self.sql.set_meta)?;
        let mut next = fences.start;
        let mut numbered = Vec::with_capacity(runs.len());
        for run in runs {
            numbered.push((*run, next));
            next += run.n;
        }
        // What lies together is read together, also where it is of several keys.
        numbered.sort_unstable_by_key(|(run, _)| run.first.seq);
        let mut leased = vec![None; n as usize];
        for span in numbered.chunk_by(|(a, _), (b, _)| a.first.seq + a.n == b.first.seq) {
            self.read_span(span, ask, fences.start, &mut leased)?;
        }
        for run in runs {
            let last = run.first.seq + run.n - 1;
            if run.first.flags & EXPIRES != 0 {
                self.sql.delete_unbegun.execute((run.first.seq, last))?;
            }
            self.state.count_runnable(&run.first, -run.n);
            let first = self.state.active(run.first.seq).expect("it was just leased").clone();
            self.insert_lease(&first, run.n)?;
        }
        Ok(leased.into_iter().flatten().collect())
    }

    /// Reads the jobs of runs that follow one another by number, each with the fence of its first job, and puts them
    /// in their places, which are those of their fences behind `first_fence`.
    fn read_span(
        &mut self,
        span: &[(Run, i64)],
        ask: &Claim,
        first_fence: i64,
        leased: &mut [Option<Leased>],
    ) -> rusqlite::Result<()> {
        let until = self.now + ask.lease_for;
        let first = span[0].0.first.seq;
        let last = first + span.iter().map(|(run, _)| run.n).sum::<i64>() - 1;
        let mut runs = span.iter().peekable();
        let mut rows = self.sql.jobs.query((first, last))?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            while runs.next_if(|(run, _)| run.first.seq + run.n <= seq).is_some() {}
            let (run, lease_row) = **runs.peek().expect("the last run ends where the span does");
            let behind = seq - run.first.seq;
            let mut ticket = run.behind(behind).first;
            ticket.flags &= !EXPIRES;
            let fence = lease_row + behind;
            let job = self.jobs.read(row, 1, &ask.queue, (ticket.attempts, ticket.crashes))?;
            let (id, attempt) = (job.id.clone(), job.attempts_made + 1);
            let lease = Lease { job: job.key(), attempt, token: token(seq, fence) };
            leased[(fence - first_fence) as usize] = Some(Leased { job, lease, until });
            let (row, worker, started_at) = (lease_row, ask.worker.clone(), self.now);
            self.state.lease(Active { ticket, id, fence, row, worker, started_at, until });
        }
        Ok(())
    }
}
