//! Claims: handing out runnable jobs under leases.

use eventyard_core::{Claim, JobState, Lease, Leased};

use super::{
    Writer,
    pending::Run,
    place::runnable,
    state::{Active, QueueId, Ticket},
};
use crate::encoding::token::token;

/// The most jobs that one claim hands out.
const MAX_CLAIMED: usize = 10_000;

/// A run of which the first jobs were taken, and the fence of the first.
struct Taken {
    run: Run,
    taken: i64,
    fence: i64,
}

impl Writer<'_> {
    /// Whether a claim of this queue would find a job.
    pub(super) fn has_runnable(&self, queue: QueueId) -> bool {
        let figures = self.state.figures(queue);
        let counts = &figures.counts;
        !figures.paused && counts.get(JobState::Waiting) + counts.get(JobState::Prioritized) > 0
    }

    /// Leases up to `max` runnable jobs of a queue, in order.
    pub(super) fn claim(&mut self, queue: QueueId, ask: &Claim) -> rusqlite::Result<Vec<Leased>> {
        self.begin()?;
        let until = self.now + ask.lease_for;
        let max = ask.max.min(MAX_CLAIMED);
        let (mut leased, mut runs) = (Vec::with_capacity(max), Vec::<Taken>::new());
        let mut rows = self.sql.claim.query((queue.0, max as i64))?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            let fence = self.numbers.steps.next(&mut self.sql.set_meta)?;
            let run = match runs.last_mut() {
                Some(last) if (0..last.run.n).contains(&(seq - last.run.first.seq)) => last,
                _ => {
                    let first = Ticket {
                        seq: row.get(4)?,
                        queue,
                        priority: row.get(1)?,
                        ord: row.get(2)?,
                        attempts: row.get(5)?,
                        crashes: row.get(6)?,
                        flags: row.get(7)?,
                    };
                    runs.push(Taken { run: Run { first, n: row.get(3)? }, taken: 0, fence });
                    runs.last_mut().expect("one was pushed")
                }
            };
            let ticket = run.run.behind(run.taken).first;
            run.taken += 1;
            let job = self.jobs.read(row, 8, &ask.queue, (ticket.attempts, ticket.crashes))?;
            let (id, attempt) = (job.id.clone(), job.attempts_made + 1);
            let lease = Lease { job: job.key(), attempt, token: token(seq, fence) };
            leased.push(Leased { job, lease, until });
            let (row, worker, started_at) = (run.fence, ask.worker.clone(), self.now);
            self.state.lease(Active { ticket, id, fence, row, worker, started_at, until });
        }
        drop(rows);
        self.take_runs(&runs)?;
        Ok(leased)
    }

    fn take_runs(&mut self, runs: &[Taken]) -> rusqlite::Result<()> {
        // Runs of one priority follow one another: nothing else stands in between.
        for runs in runs.chunk_by(|a, b| a.run.first.priority == b.run.first.priority) {
            let (first, last) = (&runs[0].run.first, &runs[runs.len() - 1].run.first);
            let range = (first.queue.0, first.priority, first.ord, last.ord);
            self.sql.delete_ready.execute(range)?;
            let taken: i64 = runs.iter().map(|run| run.taken).sum();
            self.state.count(first.queue, runnable(first.priority), -taken);
        }
        for Taken { run, taken, .. } in runs {
            let first = self.state.active(run.first.seq).expect("it was just leased").clone();
            self.insert_lease(&first, *taken)?;
            if *taken < run.n {
                self.insert_ready(&run.behind(*taken))?;
            }
        }
        Ok(())
    }
}
